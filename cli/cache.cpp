// SPDX-License-Identifier: MIT
// overtake cache: what is kept between runs, and how it is removed.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <string>

#include "command.hpp"
#include "flags/common_options.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/device/cache.hpp"
#include "overtake/error.hpp"
#include "overtake/report.hpp"

namespace cli {
namespace {

namespace report = overtake::report;

struct Options {
  std::string action;
  std::string json;
};

/// "12 compiled kernels (3.4 MiB), 2 verdicts on drivers", with what is only there after kills.
std::string counts(const overtake::CacheContents& contents) {
  std::string text = report::counted(contents.programs, "compiled program");
  text += fmt::format(" ({}), ", report::bytes(contents.program_bytes));
  const auto verdicts = static_cast<std::int64_t>(contents.verdicts.size());
  text += verdicts == 1 ? "1 verdict on a driver" : report::count(verdicts) + " verdicts on drivers";
  if (contents.rates > 0) text += fmt::format(", rates of {}", report::counted(contents.rates, "device"));
  if (contents.unfinished > 0) text += ", " + report::counted(contents.unfinished, "unfinished file");
  if (contents.damaged > 0) text += ", " + report::counted(contents.damaged, "damaged verdict");
  return text;
}

std::string result_text(const overtake::CacheContents& contents, bool cleared) {
  if (!contents.folder) return "nothing is kept: OVERTAKE_CACHE_DIR is empty, or no home folder is known\n";
  if (cleared) return fmt::format("removed from {}: {}\n", contents.folder->string(), counts(contents));
  std::string text = fmt::format("{}: {}\n", contents.folder->string(), counts(contents));
  for (const overtake::DriverVerdict& verdict : contents.verdicts) {
    text += fmt::format("{}  {}  {}\n", verdict.day(), verdict.passed ? "works   " : "not used", verdict.subject);
    text += verdict.passed ? "" : fmt::format("            {}\n", verdict.reason);
  }
  return text;
}

std::string json_of(const overtake::CacheContents& contents, bool cleared) {
  report::Json verdicts = report::Json::array();
  for (const overtake::DriverVerdict& verdict : contents.verdicts) {
    report::Json one = report::Json::object();
    one.set("subject", verdict.subject).set("passed", verdict.passed).set("reason", verdict.reason);
    verdicts.push(std::move(one.set("tried_at", verdict.tried_at)));
  }
  report::Json json = report::Json::object();
  json.set("schema", "overtake.cache/1").set("cleared", cleared);
  json.set("folder", contents.folder ? report::Json(contents.folder->string()) : report::Json());
  json.set("rates", contents.rates).set("programs", contents.programs).set("program_bytes", contents.program_bytes);
  json.set("unfinished", contents.unfinished).set("damaged", contents.damaged);
  return json.set("verdicts", std::move(verdicts)).dump() + "\n";
}

int run(const Options& options) {
  if (!options.action.empty() && options.action != "clear") {
    throw overtake::UsageError(fmt::format("cache {}: there is no such action", options.action),
                               "\"overtake cache\" shows what is kept, \"overtake cache clear\" removes it.");
  }
  check_outputs({{"--json", options.json}});
  const bool clear = options.action == "clear";
  const overtake::CacheContents contents = clear ? overtake::clear_cache() : overtake::cache_contents();
  if (!options.json.empty()) write_output(options.json, json_of(contents, clear));
  if (!is_standard_output(options.json)) print(result_text(contents, clear));
  return exit_ok;
}

}  // namespace

Command add_cache(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("cache", "Show or remove what is kept: compiled kernels, verdicts on drivers");
  app->add_option("ACTION", options->action, "clear: remove it all; drivers are tried again then");
  add_json_flag(*app, options->json, true);
  app->footer("Examples:\n  overtake cache\n  overtake cache clear");
  return {app, [options] { return run(*options); }};
}

}  // namespace cli
