// SPDX-License-Identifier: MIT
// overtake train --estimator random-forest | extra-trees.
#include "forest_train.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "command.hpp"
#include "flags/names.hpp"
#include "forest_data.hpp"
#include "output/description.hpp"
#include "output/forest_score.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/error.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "overtake/version.hpp"
#include "system.hpp"

namespace cli {
namespace {

namespace report = overtake::report;
using overtake::Forest;
using overtake::UsageError;

/// Shows how many trees there are.
class Watcher : public overtake::ForestObserver {
 public:
  void on_trees(std::int64_t done, std::int64_t of) override {
    progress_.update(fmt::format("{} of {} trees", report::count(done), report::count(of)));
  }
  void clear() { progress_.clear(); }

 private:
  Progress progress_;
};

/// A saved forest that is to grow.
struct Earlier {
  Forest forest;
  overtake::Preprocessing preprocessing;
};

std::optional<Earlier> read_earlier(const std::string& path) {
  if (path.empty()) {
    return std::nullopt;
  }
  overtake::LoadedForest loaded = overtake::load_forest(path);
  const auto found = loaded.metadata.find("preprocessing");
  if (found == loaded.metadata.end()) {
    throw overtake::DataError(fmt::format("{}: the forest does not say how its inputs are prepared", path),
                              "Use a file that \"overtake train --save\" wrote.");
  }
  return Earlier{std::move(loaded.forest), overtake::Preprocessing::from_json(found->second, path)};
}

ForestDataFlags data_flags(const TrainFlags& flags, const ForestFlags& forest_flags) {
  ForestDataFlags data;
  static_cast<ReadingFlags&>(data) = flags;
  data.target = flags.target;
  data.sample_weight = forest_flags.sample_weight;
  data.memory_limit = flags.memory_limit;
  return data;
}

/// The parameters of the command; with --more-trees those of the saved forest, of which only the number of trees and
/// oob_score may change.
overtake::ForestParameters make_parameters(const CLI::App& app, const TrainFlags& flags,
                                           const ForestFlags& forest_flags, overtake::Task task,
                                           const std::optional<Earlier>& earlier) {
  const overtake::Parameters given = given_parameters(app, forest_flags);
  if (!earlier) {
    const auto kind = forest_flags.estimator == "extra-trees" ? overtake::ForestKind::extra_trees
                                                              : overtake::ForestKind::random_forest;
    overtake::ForestParameters parameters = overtake::ForestParameters::defaults(kind, task);
    parameters.random_state = flags.seed;
    parameters.set(given);
    parameters.check();
    return parameters;
  }
  overtake::ForestParameters parameters = earlier->forest.parameters;
  if (overtake::name_of(parameters.kind) != forest_flags.estimator) {
    throw UsageError(fmt::format("{} holds a forest of --estimator {}", forest_flags.more_trees,
                                 overtake::name_of(parameters.kind)));
  }
  if (app.count("--seed") > 0 && flags.seed != parameters.random_state) {
    throw UsageError(fmt::format("{} was grown with --seed {}", forest_flags.more_trees, parameters.random_state));
  }
  parameters.set(given);
  parameters.warm_start = true;
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
  std::string text = report::table_text(table);
  if (order.size() > most) {
    text += fmt::format("({} more)\n", order.size() - most);
  }
  return text;
}

const char* score_name(const Forest& forest) { return forest.classes > 0 ? "accuracy" : "r2"; }

/// "out of bag: accuracy 0.9333 on 54 of 150 rows"; nothing where no such score was asked for.
std::string out_of_bag_text(const Forest& forest) {
  if (!forest.parameters.oob_score) {
    return {};
  }
  const auto rows = static_cast<std::int64_t>(forest.oob_prediction.size()) / forest.outputs();
  const std::string score = forest.oob_score ? fmt::format("{} {:.4f}", score_name(forest), *forest.oob_score)
                                             : fmt::format("{} is not defined", score_name(forest));
  return fmt::format("out of bag: {} on {} of {} rows\n", score, report::count(forest.oob_rows), report::count(rows));
}

std::string result_text(const Forest& forest, const overtake::ForestReport& fit, double training_score,
                        const TrainFlags& flags) {
  std::string text = fmt::format(
      "{} trees, {} nodes on {} in {} (prepare {}, upload {}, compute {}, finish {})\n", report::count(fit.trees),
      report::count(fit.nodes), fit.device, report::seconds(fit.seconds.wall), report::seconds(fit.seconds.prepare),
      report::seconds(fit.seconds.upload), report::seconds(fit.seconds.compute), report::seconds(fit.seconds.finish));
  text += std::isnan(training_score) ? fmt::format("training: {} is not defined for one row\n", score_name(forest))
                                     : fmt::format("training: {} {:.4f}\n", score_name(forest), training_score);
  text += out_of_bag_text(forest);
  return text + "\n" + importances_text(forest) + (flags.save.empty() ? "" : fmt::format("saved {}\n", flags.save));
}

report::Json value_json(const overtake::ParameterValue& value) {
  struct Writer {
    report::Json operator()(std::monostate) const { return {}; }
    report::Json operator()(bool flag) const { return flag; }
    report::Json operator()(std::int64_t number) const { return number; }
    report::Json operator()(double number) const { return number; }
    report::Json operator()(const std::string& word) const { return word; }
  };
  return std::visit(Writer{}, value);
}

std::string result_json(const Forest& forest, const overtake::ForestReport& fit, double training_score,
                        const TrainFlags& flags, const ForestData& data, const std::string& device_reason) {
  report::Json parameters = report::Json::object();
  for (const auto& [name, value] : forest.parameters.all()) {
    parameters.set(name, value_json(value));
  }
  report::Json importances = report::Json::object();
  for (std::size_t i = 0; i < forest.feature_importances.size(); ++i) {
    importances.set(forest.feature_names.at(i), forest.feature_importances[i]);
  }
  report::Json seconds = report::Json::object();
  seconds.set("prepare", fit.seconds.prepare).set("upload", fit.seconds.upload).set("compute", fit.seconds.compute);
  seconds.set("finish", fit.seconds.finish).set("wall", fit.seconds.wall);
  const bool classes = forest.classes > 0;
  report::Json json = report::Json::object();
  json.set("schema", "overtake.train-forest/1").set("overtake", overtake::version());
  json.set("data", flags.data).set("target", flags.target).set("task", classes ? "classification" : "regression");
  json.set("table", description_json(data.description));
  json.set("rows", data.rows.rows).set("features", data.rows.features).set("classes", forest.classes);
  json.set("estimator", overtake::name_of(forest.parameters.kind)).set("parameters", std::move(parameters));
  json.set("device", fit.device).set("device_reason", device_reason);
  json.set("threads", overtake::cpu_threads());
  json.set("trees", fit.trees).set("nodes", fit.nodes).set("launches", fit.launches);
  json.set("peak_bytes", fit.peak_bytes).set("binned_bytes", fit.binned_bytes).set("seconds", std::move(seconds));
  json.set("training_score", training_score);
  json.set("oob_score", forest.oob_score ? report::Json(*forest.oob_score) : report::Json());
  json.set("oob_rows", forest.parameters.oob_score ? report::Json(forest.oob_rows) : report::Json());
  report::Json notes = report::Json::array();
  for (const std::string& note : fit.notes) {
    notes.push(note);
  }
  json.set("notes", std::move(notes));
  json.set("feature_importances", std::move(importances));
  return json.set("model", flags.save.empty() ? report::Json() : report::Json(flags.save)).dump() + "\n";
}

void check_files(const TrainFlags& flags, const ForestFlags& forest_flags) {
  check_outputs({{"--save", flags.save, Content::binary, "--more-trees"},
                 {"--json", flags.json},
                 {"--export-text", forest_flags.export_text},
                 {"--export-dot", forest_flags.export_dot}},
                {{"DATA", flags.data}, {"--more-trees", forest_flags.more_trees}});
}

void write_exports(const Forest& forest, const ForestFlags& flags) {
  if (flags.tree >= forest.trees.size()) {
    throw UsageError(fmt::format("--tree {}: the forest has the trees 0 to {}", flags.tree, forest.trees.size() - 1));
  }
  const std::optional<int> digits = flags.digits >= 0 ? std::optional(flags.digits) : std::nullopt;
  if (!flags.export_text.empty()) {
    write_output(flags.export_text, overtake::export_text(forest, flags.tree, 10, digits));
  }
  if (!flags.export_dot.empty()) {
    write_output(flags.export_dot, overtake::export_dot(forest, flags.tree, digits));
  }
}

}  // namespace

int run_forest_training(const CLI::App& app, const TrainFlags& flags, const ForestFlags& forest_flags) {
  check_choice(flags.task, {"auto", "classification", "regression"}, "--task");
  check_files(flags, forest_flags);
  overtake::set_cpu_threads(flags.threads);
  const std::optional<overtake::Placement> asked = asked_for(flags.device);
  const std::optional<Earlier> earlier = read_earlier(forest_flags.more_trees);
  // Names and values, before a large file is read.
  overtake::ForestParameters().set(given_parameters(app, forest_flags));
  const ForestData data =
      read_forest_data(data_flags(flags, forest_flags), earlier ? &earlier->preprocessing : nullptr);
  const overtake::ForestParameters parameters = make_parameters(app, flags, forest_flags, data.rows.task, earlier);
  const overtake::Placement device =
      asked ? *asked : overtake::choose_forest_device(overtake::forest_work(data.rows, {parameters}, 1));
  overtake::ForestOptions options;
  options.stop = &system::stop_on_interrupt();
  const bool quiet = is_standard_output(flags.json) || is_standard_output(forest_flags.export_text) ||
                     is_standard_output(forest_flags.export_dot);
  if (!quiet) {
    print(fmt::format("data: {}, {}\n{}device: {} ({})\n", flags.data, data_text(data), data.decisions, device.device,
                      device.reason));
  }
  if (!quiet && flags.describe) {
    print("\n" + description_text(data.description, standard_output().width) + "\n");
  }
  print_error(data.notes);
  Watcher watcher;
  options.device = overtake::Device(device.device);
  options.memory_limit = flags.memory_limit;
  options.observer = &watcher;
  options.feature_names = data.feature_names;
  options.class_names = data.class_names;
  overtake::ForestReport fit;
  Forest forest =
      overtake::train_forest(parameters, data.rows, options, data.weights, earlier ? &earlier->forest : nullptr, &fit);
  watcher.clear();
  for (const std::string& note : fit.notes) {
    print_error(fmt::format("note: {}\n", note));
  }
  if (forest.trees.empty()) {
    print_error("note: interrupted before the first tree, so nothing is saved\n");
    return exit_interrupted;
  }
  const bool interrupted = static_cast<int>(forest.trees.size()) < parameters.n_estimators;
  forest.parameters.warm_start = false;  // the file is that of a forest grown in one go
  const double score = forest.classes > 0 ? accuracy_of(forest.predict(data.rows.inputs), data.rows)
                                          : r2_of(forest.predict_values(data.rows.inputs), data.rows);
  if (!flags.save.empty()) {
    overtake::save_forest(flags.save, forest, {{"preprocessing", data.preprocessing.to_json()}});
  }
  write_exports(forest, forest_flags);
  if (!flags.json.empty()) {
    write_output(flags.json, result_json(forest, fit, score, flags, data, device.reason));
  }
  if (!quiet) {
    print(result_text(forest, fit, score, flags));
  }
  return interrupted ? exit_interrupted : exit_ok;
}

}  // namespace cli
