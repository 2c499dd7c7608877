// SPDX-License-Identifier: MIT
// overtake train --estimator random-forest | extra-trees.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "command.hpp"
#include "flags/names.hpp"
#include "output/outputs.hpp"
#include "output/plan_output.hpp"
#include "output/terminal.hpp"
#include "output/transfers_line.hpp"
#include "overtake/error.hpp"
#include "overtake/model.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "system.hpp"
#include "train.hpp"

namespace cli {
namespace {

namespace report = overtake::report;
using overtake::Forest;
using overtake::ForestParameters;

/// Shows how many trees there are.
class Watcher : public overtake::ProgressObserver {
 public:
  void on_progress(const overtake::Progress& now) override {
    progress_.update(fmt::format("{} of {} trees", report::count(now.done), report::count(now.total)));
  }
  void clear() { progress_.clear(); }

 private:
  ProgressLine progress_;
};

const Forest& forest_in(const overtake::TableModel& saved, const std::string& path) {
  const auto* model = dynamic_cast<const overtake::ForestModel*>(saved.model.get());
  if (model != nullptr) return model->forest();
  throw overtake::DataError(fmt::format("{} holds no forest: it is a {}", path, saved.model->describe()));
}

/// The parameters of the command; with --more-trees those of the saved forest, of which only the number of trees and
/// oob_score may change.
ForestParameters make_parameters(const CLI::App& app, const TrainFlags& flags, overtake::Task task,
                                 const Forest* earlier) {
  ForestParameters parameters;
  if (earlier == nullptr) {
    parameters = ForestParameters::defaults(
        flags.estimator == "extra-trees" ? overtake::ForestKind::extra_trees : overtake::ForestKind::random_forest,
        task);
    parameters.random_state = flags.compute.seed;
  } else {
    parameters = earlier->parameters;
    parameters.warm_start = true;
    const std::string& path = flags.forest.more_trees;
    require(overtake::name_of(parameters.kind) == flags.estimator,
            fmt::format("{} holds a forest of --estimator {}", path, overtake::name_of(parameters.kind)));
    require(app.count("--seed") == 0 || flags.compute.seed == parameters.random_state,
            fmt::format("{} was grown with --seed {}", path, parameters.random_state));
  }
  parameters.set(given_parameters(app, flags.forest));
  parameters.check();
  return parameters;
}

std::string importances_text(const Forest& forest) {
  constexpr std::size_t most = 10;
  std::vector<std::size_t> order(forest.feature_importances.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return forest.feature_importances[a] > forest.feature_importances[b];
  });
  report::Table table;
  table.columns = {{"feature", report::Align::left}, {"importance"}};
  for (std::size_t i = 0; i < order.size() && i < most; ++i) {
    table.rows.push_back(
        {forest.feature_names.at(order[i]), fmt::format("{:.4f}", forest.feature_importances[order[i]])});
  }
  return report::table_text(table) + (order.size() > most ? fmt::format("({} more)\n", order.size() - most) : "");
}

/// "out of bag: accuracy 0.9333 on 54 of 150 rows"; nothing where no such score was asked for.
std::string out_of_bag_text(const Forest& forest, const char* score) {
  if (!forest.parameters.oob_score) return {};
  const auto rows = static_cast<std::int64_t>(forest.oob_prediction.size()) / forest.outputs();
  return fmt::format("out of bag: {} {} on {} of {} rows\n", score,
                     forest.oob_score ? fmt::format("{:.4f}", *forest.oob_score) : "is not defined",
                     report::count(forest.oob_rows), report::count(rows));
}

std::string result_text(const Forest& forest, const overtake::ForestReport& fit, double training_score,
                        const std::string& predicted) {
  const char* score = forest.classes > 0 ? "accuracy" : "r2";
  return fmt::format("{} trees, {} nodes on {} in {}{} (prepare {}, upload {}, compute {}, finish {})\n",
                     report::count(fit.trees), report::count(fit.nodes), fit.device, report::seconds(fit.seconds.wall),
                     predicted, report::seconds(fit.seconds.prepare), report::seconds(fit.seconds.upload),
                     report::seconds(fit.seconds.compute), report::seconds(fit.seconds.finish)) +
         fmt::format(
             "training: {} {}\n", score,
             std::isnan(training_score) ? "is not defined for one row" : fmt::format("{:.4f}", training_score)) +
         out_of_bag_text(forest, score) + "\n" + importances_text(forest);
}

void write_exports(const Forest& forest, const ForestFlags& flags) {
  require(flags.tree < forest.trees.size(),
          fmt::format("--tree {}: the forest has the trees 0 to {}", flags.tree, forest.trees.size() - 1));
  if (!flags.export_text.empty()) {
    write_output(flags.export_text, overtake::export_text(forest, flags.tree, 10, flags.digits));
  }
  if (!flags.export_dot.empty()) write_output(flags.export_dot, overtake::export_dot(forest, flags.tree, flags.digits));
}

overtake::MemoryLimits limits_of(const ComputeFlags& flags) { return {flags.memory_limit, flags.host_memory_limit}; }

/// After the run's own look at memory, which comes before other devices' drivers take some.
int plan_forest(const TrainFlags& flags, const overtake::Dataset& rows, const ForestParameters& parameters,
                const overtake::Placement& chosen) {
  const overtake::ForestWork work = overtake::forest_work(rows, {parameters});
  Plan plan{"train", {}, choose_device(work, limits_of(flags.compute), overtake::Candidates::all), {}, to_json(work)};
  for (const overtake::DeviceInfo& device : devices_elsewhere(flags.compute.elsewhere)) {
    plan.elsewhere.push_back(overtake::predict_forest(work, device));
  }
  take_choice(chosen, plan.placement);
  show_plan(plan, flags.outputs.json);
  return exit_ok;
}

}  // namespace

int run_forest_training(const CLI::App& app, const TrainFlags& flags) {
  const std::optional<overtake::Placement> asked = asked_for(flags.compute.device);
  const std::string& grows = flags.forest.more_trees;
  const overtake::TableModel saved =
      grows.empty() ? overtake::TableModel() : overtake::read_model(grows, {}, flags.compute.host_memory_limit);
  const Forest* earlier = grows.empty() ? nullptr : &forest_in(saved, grows);
  ForestParameters().set(given_parameters(app, flags.forest));  // names and values, before a large file is read
  const TrainingData data =
      read_forest_data(flags.data, flags.compute, earlier != nullptr ? &saved.preprocessing : nullptr);
  const overtake::Dataset& rows = data.training;
  const ForestParameters parameters = make_parameters(app, flags, rows.task, earlier);
  check_fits(parameters, rows, 0, data.preprocessing.classes);
  if (!flags.forest.export_text.empty() || !flags.forest.export_dot.empty()) {
    require(static_cast<std::int64_t>(flags.forest.tree) < parameters.n_estimators,
            fmt::format("--tree {}: the forest has the trees 0 to {}", flags.forest.tree, parameters.n_estimators - 1));
  }
  overtake::Placement device =
      asked ? *asked : choose_device(overtake::forest_work(rows, {parameters}), limits_of(flags.compute));
  Watcher watcher;
  overtake::ForestOptions options;
  options.stop = &system::stop_on_interrupt();  // before anything is printed: who sees that may interrupt
  options.device = overtake::Device(device.device);
  options.memory_limit = flags.compute.memory_limit;
  options.host_memory_limit = flags.compute.host_memory_limit;
  options.feature_names = data.preprocessing.feature_names();
  options.class_names = data.preprocessing.classes;
  if (flags.compute.plan) {
    const bool looks = flags.compute.plan_looks(device.device, rows.rows * rows.features);
    if (looks) check_training(parameters, rows, options, data.sample_weight, earlier);
    return plan_forest(flags, rows, parameters, device);
  }
  if (asked && is_predictable(device)) {
    const overtake::ForestWork work = overtake::forest_work(rows, {parameters});
    predict_asked(device, [&](const auto& on) { return predict_forest(work, on, limits_of(flags.compute)); });
  }
  const bool quiet = is_standard_output(flags.outputs.json) || is_standard_output(flags.forest.export_text) ||
                     is_standard_output(flags.forest.export_dot);
  print_head(flags.data, data, device, flags.outputs.describe, quiet);
  options.observer = &watcher;
  overtake::ForestReport fit;
  const overtake::TransferStats before = overtake::transfer_stats();
  Forest forest = overtake::train_forest(parameters, rows, options, data.sample_weight, earlier, &fit);
  watcher.clear();
  for (const std::string& note : fit.notes) print_error(fmt::format("note: {}\n", note));
  if (forest.trees.empty()) {
    print_error("note: interrupted before the first tree, so nothing is saved\n");
    return exit_interrupted;
  }
  const bool interrupted = static_cast<int>(forest.trees.size()) < parameters.n_estimators;
  forest.parameters.warm_start = false;  // the file is that of a forest grown in one go
  const double score = score_of(forest, rows);
  const overtake::ForestModel model(std::move(forest));
  if (!flags.outputs.save.empty()) write_model(flags.outputs.save, model, data.preprocessing);
  write_exports(model.forest(), flags.forest);
  if (!interrupted && earlier == nullptr) compare_times(device.chosen(), fit.seconds.compute);
  const overtake::TransferStats copied = transfers_since(before);
  write_training_json(to_json(model.forest(), fit, score), flags, data, device, copied);
  if (!quiet) {
    print(result_text(model.forest(), fit, score, predicted_text(device)) + saved_text(flags) + transfers_line(copied));
  }
  return interrupted ? exit_interrupted : exit_ok;
}

}  // namespace cli
