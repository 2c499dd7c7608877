// SPDX-License-Identifier: MIT
// Times forests and searches of forests, one JSON line a case.
//   bench_forest search DATA.csv TARGET DEVICE [REPEAT]            the 72 x 5 grid of the README
//   bench_forest fit X.npy Y.npy DEVICE TREES DEPTH [LIMIT_MB]     one forest, twice (the second with a warm device)
//   bench_forest share X.npy Y.npy DEVICE                          48 candidates beside the largest of them
// Without arguments: the search of datasets/iris.csv on every device.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "overtake/data/array.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"
#include "overtake/search.hpp"

namespace {

using overtake::Dataset;
using overtake::Device;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Dataset read_csv(const std::string& path, const std::string& target) {
  overtake::PreprocessingOptions options;
  options.standardise_features = false;
  options.task = overtake::Task::classification;
  const overtake::Table table = overtake::read_table(path);
  return overtake::Preprocessing::fit(table, target, options).transform(table);
}

Dataset read_npy(const std::string& inputs, const std::string& labels) {
  return overtake::classification_data(overtake::read_npy(inputs), overtake::read_npy(labels));
}

std::string timing_json(const overtake::SearchResult& result) {
  const overtake::SearchTiming& t = result.timing;
  return fmt::format(
      R"("wall":{:.6f},"startup":{:.6f},"upload":{:.6f},"compute":{:.6f},"scoring":{:.6f},"refit":{:.6f},)"
      R"("candidates":{},"jobs":{},"forests":{},"batches":{},"launches":{},"peak_bytes":{},"best":{:.6f})",
      t.wall, t.startup, t.upload, t.compute, t.scoring, t.refit, result.plan.candidates, result.plan.jobs,
      result.plan.models, result.plan.batches, result.plan.launches, result.plan.peak_bytes,
      result.best_index >= 0 ? result.rows[static_cast<std::size_t>(result.best_index)].mean[0] : 0.0);
}

void time_search(const Dataset& data, const std::string& name, const std::string& device, int repeat,
                 const std::vector<const char*>& grid) {
  std::vector<overtake::GridAxis> axes;
  for (const char* axis : grid) axes.push_back(overtake::parse_grid_axis(axis));
  for (int i = 0; i < repeat; ++i) {
    overtake::SearchOptions options;
    options.device = Device(device);
    const double start = now();
    const overtake::SearchResult result = overtake::search(data, overtake::grid_candidates(axes), options);
    fmt::print("{{\"case\":\"{}\",\"device\":\"{}\",\"run\":{},\"seconds\":{:.6f},{}}}\n", name, device, i,
               now() - start, timing_json(result));
    std::fflush(stdout);
  }
}

const std::vector<const char*> readme_grid = {"n_estimators=50,100,200", "max_depth=none,3,5,10",
                                              "min_samples_split=2,5,10", "criterion=gini,entropy"};

void time_fit(const Dataset& data, const std::string& device, int trees, int depth, std::uint64_t limit) {
  auto parameters =
      overtake::ForestParameters::defaults(overtake::ForestKind::random_forest, overtake::Task::classification);
  parameters.n_estimators = trees;
  parameters.max_depth = depth;
  for (int run = 0; run < 2; ++run) {
    overtake::ForestOptions options;
    options.device = Device(device);
    options.memory_limit = limit;
    overtake::ForestReport report;
    const double start = now();
    const overtake::Forest forest = overtake::train_forest(parameters, data, options, {}, nullptr, &report);
    const double seconds = now() - start;
    const std::size_t some = std::min<std::size_t>(data.labels.size(), 100000);
    const auto predicted = forest.predict({data.inputs.data(), some * static_cast<std::size_t>(data.features)});
    std::size_t right = 0;
    for (std::size_t i = 0; i < some; ++i) right += predicted[i] == data.labels[i] ? 1 : 0;
    fmt::print(
        R"({{"case":"fit {}x{}","device":"{}","run":{},"seconds":{:.4f},"prepare":{:.4f},"upload":{:.4f},"compute":{:.4f},)"
        R"("finish":{:.4f},"nodes":{},"batches":{},"launches":{},"peak_bytes":{},"binned_bytes":{},"accuracy":{:.4f}}})"
        "\n",
        data.rows, data.features, device, run, seconds, report.seconds.prepare, report.seconds.upload,
        report.seconds.compute, report.seconds.finish, report.nodes, report.batches, report.launches, report.peak_bytes,
        report.binned_bytes, static_cast<double>(right) / static_cast<double>(some));
    std::fflush(stdout);
  }
}

void time_sharing(const Dataset& data, const std::string& device) {
  time_search(data, "48 candidates", device, 2,
              {"max_depth=4,8,12,16", "n_estimators=25,50,75,100", "min_samples_split=2,8,32"});
  time_search(data, "the largest of them", device, 2, {"max_depth=16", "n_estimators=100", "min_samples_split=2"});
}

int run(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 4 && words[0] == "search") {
    time_search(read_csv(words[1], words[2]), words[1], words[3], words.size() > 4 ? std::stoi(words[4]) : 3,
                readme_grid);
    return 0;
  }
  if (words.size() >= 6 && words[0] == "fit") {
    const std::uint64_t limit = words.size() > 6 ? std::stoull(words[6]) * 1000000 : 0;
    time_fit(read_npy(words[1], words[2]), words[3], std::stoi(words[4]), std::stoi(words[5]), limit);
    return 0;
  }
  if (words.size() >= 4 && words[0] == "share") {
    time_sharing(read_npy(words[1], words[2]), words[3]);
    return 0;
  }
  const Dataset iris = read_csv("datasets/iris.csv", "species");
  for (const overtake::DeviceInfo& info : overtake::list_devices()) {
    if (info.usable && info.backend != "null") time_search(iris, "iris", info.id, 3, readme_grid);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const overtake::Error& error) {
    fmt::print(stderr, "error: {}\nhint: {}\n", error.what(), error.hint());
    return static_cast<int>(error.code());
  }
}
