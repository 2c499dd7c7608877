// SPDX-License-Identifier: MIT
// overtake search: the best parameters of an estimator for a CSV file.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command.hpp"
#include "flags/names.hpp"
#include "flags/search_options.hpp"
#include "output/outputs.hpp"
#include "output/plan_output.hpp"
#include "output/search_output.hpp"
#include "output/terminal.hpp"
#include "output/transfers_line.hpp"
#include "overtake/error.hpp"
#include "overtake/model.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "system.hpp"
#include "training_data.hpp"

namespace cli {
namespace {

namespace report = overtake::report;

/// Jobs that the journal holds already; 0 where that cannot be said: then the search itself says what is wrong.
std::int64_t recorded_jobs(const std::string& journal) {
  if (journal.empty() || !std::filesystem::exists(journal)) return 0;
  try {
    return overtake::read_journal(journal).resumed_jobs;
  } catch (const overtake::DataError&) {
    return 0;
  }
}

/// Prints the plan, then shows how far the search is.
class Watcher : public overtake::SearchObserver {
 public:
  Watcher(bool quiet, std::string journal, std::int64_t recorded)
      : quiet_(quiet), journal_(std::move(journal)), recorded_(recorded) {}

  void on_plan(const overtake::SearchPlan& plan) override {
    if (quiet_) return;
    std::string text = "plan: " + plan_text(plan);
    if (recorded_ > 0) text += fmt::format("; {} of the fits are in {} already", report::count(recorded_), journal_);
    print(text + "\n");
  }

  void on_progress(const overtake::SearchProgress& now) override {
    std::string text = fmt::format("{}/{} fits", report::count(now.done), report::count(now.total));
    if (!std::isnan(now.best_score)) {
      text += fmt::format("  best {:.4f}", now.best_score);
      const std::string best = parameters_text(now.best);
      text += best.empty() ? "" : fmt::format(" ({})", best);
    }
    progress_.update(text + fmt::format("  {} fits/s  {} left  {}", report::significant(now.fits_per_second),
                                        report::seconds(now.seconds_left), now.device));
  }

  void clear() { progress_.clear(); }

 private:
  bool quiet_;
  std::string journal_;
  std::int64_t recorded_;
  ProgressLine progress_;
};

void check_files(const SearchFlags& flags) {
  check_outputs({{"--journal", flags.journal, Content::journal},
                 {"--report", flags.outputs.html},
                 {"--json", flags.outputs.json},
                 {"--save", flags.outputs.save, Content::binary}},
                {{"DATA", flags.data.data}});
  if (!flags.resume || std::filesystem::exists(flags.journal)) return;
  throw overtake::DataError(fmt::format("there is no journal {} to continue from", flags.journal),
                            "Without --resume the search starts anew and writes it.");
}

std::string files_text(const SearchFlags& flags, const overtake::SearchResult& result) {
  const std::pair<const char*, std::string> files[] = {{"best model", result.best ? flags.outputs.save : ""},
                                                       {"journal", flags.journal},
                                                       {"report", flags.outputs.html},
                                                       {"JSON", flags.outputs.json}};
  std::string text;
  for (const auto& [what, path] : files) text += path.empty() ? "" : fmt::format("{}: {}\n", what, path);
  return text;
}

/// A plan and its run fail in the same words.
[[noreturn]] void fail_all(const std::string& first) {
  throw overtake::DataError(fmt::format("no candidate has a score; the first failed: {}", first));
}

/// A search that nothing came out of is an error, with the first failure as its cause; what was asked for is written.
void require_winner(const overtake::SearchResult& result) {
  if (result.best_index >= 0 || result.interrupted) return;
  for (const overtake::SearchRow& row : result.rows) {
    if (!row.failure.empty()) fail_all(row.failure);
  }
  throw overtake::DataError("no candidate has a score", "Choose a metric that is defined for every fold's rows.");
}

void save_best(const std::string& path, const TrainingData& data, const overtake::SearchResult& result) {
  if (path.empty() || result.best_index < 0) return;
  if (result.best) return write_model(path, *result.best, data.preprocessing);
  if (result.interrupted) return;  // the refit was stopped, which a note says
  throw overtake::DataError("the best candidate could not be trained on all rows, so nothing is saved",
                            result.warnings.empty() ? "" : result.warnings.back());
}

/// --device names one, or two with a comma.
std::optional<overtake::Placement> devices_asked_for(const std::string& device) {
  if (device.find(',') != std::string::npos) return overtake::share_between(device);
  return asked_for(device);
}

/// Candidates that a search would list as failed. Throws where they are all.
void note_failures(const std::vector<std::string>& problems) {
  const auto fails = [](const std::string& problem) { return !problem.empty(); };
  const auto failing = std::count_if(problems.begin(), problems.end(), fails);
  if (failing == 0) return;
  const std::string& first = *std::find_if(problems.begin(), problems.end(), fails);
  if (failing == static_cast<std::int64_t>(problems.size())) fail_all(first);
  print_error(fmt::format("note: {} of {} candidates will fail; the first: {}\n", failing, problems.size(), first));
}

int plan_search(const SearchFlags& flags, const TrainingData& data, const std::vector<overtake::Parameters>& candidates,
                overtake::SearchOptions options, const overtake::Placement& chosen) {
  overtake::run_on(chosen, options);  // the run's own look at memory, before other devices' drivers take some
  const bool looks = flags.compute.plan_looks(chosen.device, data.training.rows * data.training.features);
  const std::uint64_t held = looks ? check_search(data.training, candidates, options).planned_host_bytes : 0;
  overtake::SearchForecast forecast = overtake::forecast_search(
      data.training, candidates, options, overtake::Candidates::all, devices_elsewhere(flags.compute.elsewhere));
  take_choice(chosen, forecast.placement);
  for (overtake::Prediction& of : forecast.placement.predictions) {
    if (held > 0 && of.device == chosen.device) of.host_bytes = held;
  }
  note_failures(forecast.problems);
  show_plan({"search", forecast.plan, std::move(forecast.placement), std::move(forecast.elsewhere), forecast.counts},
            flags.outputs.json);
  return exit_ok;
}

int run(const CLI::App& app, const SearchFlags& flags) {
  check_search_flags(app, flags);
  overtake::SearchOptions options = make_search_options(flags);
  std::string note;
  const std::vector<overtake::Parameters> candidates = make_candidates(flags, note);
  overtake::check_candidates(candidates, options);
  check_files(flags);
  overtake::set_cpu_threads(flags.compute.threads);
  const std::optional<overtake::Placement> asked = devices_asked_for(flags.compute.device);
  TrainingData data = read_forest_data(flags.data, flags.compute);
  options.groups = std::move(data.groups);
  options.sample_weight = std::move(data.sample_weight);
  options.feature_names = data.preprocessing.feature_names();
  options.class_names = data.preprocessing.classes;
  overtake::Placement device = asked ? *asked : overtake::forecast_search(data.training, candidates, options).placement;
  if (flags.compute.plan) return plan_search(flags, data, candidates, options, device);
  if (asked && is_predictable(device)) predict_asked(device, data.training, candidates, options);
  const OutputFlags& outputs = flags.outputs;
  const bool quiet = is_standard_output(outputs.json) || is_standard_output(outputs.html);
  options.stop = &system::stop_on_interrupt();  // before anything is printed: who sees that may interrupt
  print_head(flags.data, data, device, outputs.describe, quiet);
  options.refit_stopped = !outputs.save.empty();  // who stops a search waits for what he asked for, no longer
  overtake::run_on(device, options);
  Watcher watcher(quiet, flags.journal, recorded_jobs(flags.journal));
  options.observer = &watcher;

  overtake::SearchResult result = overtake::search(data.training, candidates, options);
  watcher.clear();
  if (!note.empty()) result.warnings.push_back(note);
  write_results(result, outputs.json, outputs.html, settings_json(flags, data.description),
                fmt::format("{} on {}", flags.estimator, flags.data.data), &data.description);
  save_best(outputs.save, data, result);
  if (!result.interrupted && result.resumed_jobs == 0) {
    compare_times(device.chosen(), result.timing.compute + result.timing.refit);
  }
  if (!quiet) {
    const std::string resumed = result.resumed_jobs > 0
                                    ? fmt::format("taken from the journal: {} of {} fits\n",
                                                  report::count(result.resumed_jobs), report::count(result.plan.jobs))
                                    : "";
    print("\n" + result_text(result, flags.top) + resumed + files_text(flags, result));
    if (result.interrupted) {
      print(flags.journal.empty() ? "interrupted: the table holds what was done\n"
                                  : "interrupted: the same command continues from the journal\n");
    }
    print(transfers_line(result.transfers));
  }
  require_winner(result);
  return result.interrupted ? exit_interrupted : exit_ok;
}

}  // namespace

Command add_search(CLI::App& root) {
  auto flags = std::make_shared<SearchFlags>();
  CLI::App* app = root.add_subcommand("search", "Find the best parameters of an estimator; all candidates at once");
  add_search_flags(*app, *flags);
  app->footer(
      "Examples:\n"
      "  overtake search iris.csv --target species --grid n_estimators=50,100,200 --grid max_depth=none,3,5,10\n"
      "  overtake search data.csv --target y --random 200 --param 'max_depth=int(2,20)' --param "
      "'max_features=uniform(0.1,1)'\n"
      "  overtake search data.csv --target y --grid criterion=gini,entropy --set n_estimators=300 --cv 10 --shuffle "
      "--scoring f1_macro,accuracy \\\n"
      "      --journal search.db --report search.html --save best.overtake\n"
      "With --journal nothing is trained twice: the same command continues where it was stopped or killed. \"overtake "
      "show\" looks into the\njournal, while the search runs too. Ctrl-C ends with the table so far and, with "
      "--save, the best model.");
  return {app, [app, flags] { return run(*app, *flags); }};
}

}  // namespace cli
