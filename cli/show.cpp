// SPDX-License-Identifier: MIT
// overtake show: the table of a search from its journal, while it runs too.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <string>

#include "command.hpp"
#include "flags/common_options.hpp"
#include "flags/names.hpp"
#include "output/outputs.hpp"
#include "output/search_output.hpp"
#include "output/terminal.hpp"
#include "overtake/report.hpp"

namespace cli {
namespace {

namespace report = overtake::report;

struct Options {
  std::string journal, by, json, html;
  int top = 20;
};

enum class State : std::uint8_t { running, finished, interrupted };

/// `written` from before the journal was read: a search that ended in between is not taken for a killed one.
State state_of(const overtake::SearchResult& result, bool written) {
  if (!result.interrupted) return State::finished;
  return written ? State::running : State::interrupted;
}

const char* name_of(State state) {
  switch (state) {
    case State::running: return "running";
    case State::finished: return "finished";
    case State::interrupted: return "interrupted";
  }
  return "unknown";
}

std::string head_text(const overtake::SearchResult& result, State state, const std::string& journal) {
  std::string text = fmt::format("{}: {}, {} of {} fits done", journal, name_of(state),
                                 report::count(result.resumed_jobs), report::count(result.plan.jobs));
  if (state == State::interrupted) text += "; the command that began it continues it";
  return text + fmt::format("\n{}, {} on {}\n\n", result.estimator, plan_text(result.plan), result.device);
}

int run(const Options& options) {
  check_outputs({{"--json", options.json}, {"--report", options.html}}, {{"JOURNAL", options.journal, true}});
  require(options.top >= 1, fmt::format("--top must be at least 1, not {}", options.top));
  const bool written = overtake::is_being_written(options.journal);
  overtake::SearchResult result = overtake::read_journal(options.journal);
  const State state = state_of(result, written);
  if (!options.by.empty()) rank_by(result, overtake::metric_index(result.metrics, options.by, "--by"));
  report::Json settings = report::Json::object();
  settings.set("journal", options.journal).set("state", name_of(state));
  write_results(result, options.json, options.html, settings.dump(-1), options.journal);
  if (!is_standard_output(options.json) && !is_standard_output(options.html)) {
    print(head_text(result, state, options.journal) + result_text(result, options.top));
  }
  return exit_ok;
}

}  // namespace

Command add_show(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("show", "Show the table of a search, finished or running, from its journal");
  app->add_option("JOURNAL", options->journal, "File that \"overtake search --journal\" writes")->required();
  app->add_option("--top", options->top, "Rows of the table that are shown")->capture_default_str();
  app->add_option("--by", options->by, "Rank by another metric that was scored")->type_name("METRIC");
  add_json_flag(*app, options->json);
  add_report_flag(*app, options->html);
  app->footer("Examples:\n  overtake show iris.db --top 20\n  overtake show iris.db --by f1_macro --report iris.html");
  return {app, [options] { return run(*options); }};
}

}  // namespace cli
