// SPDX-License-Identifier: MIT
// overtake bench: how fast the devices are at what arrays need, and how near to what they could be.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.hpp"
#include "flags/common_options.hpp"
#include "flags/names.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/array_bench.hpp"
#include "overtake/error.hpp"
#include "overtake/model_bench.hpp"
#include "overtake/models.hpp"
#include "overtake/profile.hpp"
#include "overtake/text.hpp"
#include "system.hpp"

namespace cli {
namespace {

namespace report = overtake::report;

struct Options {
  std::string what;
  overtake::ArrayBenchOptions bench;
  overtake::ModelBenchOptions model;
  std::string precisions = "fp32";
  bool profile = false;
  std::string json;
};

/// Says what is measured now.
class Watcher : public overtake::ProgressObserver {
 public:
  void on_progress(const overtake::Progress& now) override { progress_.update(fmt::format("measuring {}", now.what)); }
  void clear() { progress_.clear(); }

 private:
  ProgressLine progress_;
};

std::string result_text(const std::vector<overtake::ArrayBench>& benches) {
  std::string text;
  for (const overtake::ArrayBench& bench : benches) {
    text += report::table_text(array_bench_table(bench), standard_output().width);
    text += fmt::format(
        "floors: memory {} GB/s, products {} GFLOP/s, {} GB/s to the device, {} GB/s back, as measured now\n\n",
        report::significant(bench.copy_gbs), report::significant(bench.peak_gflops),
        report::significant(bench.upload_gbs), report::significant(bench.download_gbs));
  }
  if (!text.empty()) text.pop_back();
  return text;
}

int run_model(const Options& options) {
  overtake::ModelBenchOptions bench = options.model;
  bench.model = options.what;
  bench.precisions.clear();
  for (const std::string& name : parse_words(options.precisions)) {
    bench.precisions.push_back(overtake::precision_named(name));
  }
  const overtake::Device device(options.bench.devices.empty() ? "cpu" : options.bench.devices.front());
  check_outputs({{"--json", options.json}});
  std::optional<overtake::Profile> profile;
  if (options.profile) profile.emplace();
  const std::vector<overtake::ModelBenchRow> rows = bench_model(bench, device);
  if (profile) {
    profile->stop();
    print(profile->to_string());
  }
  if (!options.json.empty()) write_output(options.json, model_bench_json(bench, device, rows));
  if (!is_standard_output(options.json)) {
    print(fmt::format("{} on {} ({})\n", bench.model, device.id(), device.info().name) +
          report::table_text(model_bench_table(rows), standard_output().width));
  }
  const bool has_run =
      std::any_of(rows.begin(), rows.end(), [](const overtake::ModelBenchRow& row) { return row.failure.empty(); });
  return has_run ? exit_ok : static_cast<int>(overtake::ErrorCode::device);
}

/// A flag that would change nothing is an error: who gives it expects something else.
void check_flags(const CLI::App& app, const Options& options) {
  if (options.what == "arrays") {
    refuse_all_but(app, {"WHAT", "--device", "--size", "--seconds", "--json"}, "", "bench arrays",
                   "It belongs to networks: overtake bench vgg16.");
    return;
  }
  refuse_all_but(app, {"WHAT", "--device", "--batch-size", "--precision", "--profile", "--steps", "--json"}, "",
                 "bench " + options.what, "It belongs to arrays: overtake bench arrays.");
  if (options.bench.devices.size() > 1) {
    throw overtake::UsageError(
        fmt::format("--device {}: networks are measured on one device", options.bench.devices.back()),
        "Run the command once a device.");
  }
}

int run(const CLI::App& app, Options& options) {
  std::vector<std::string> known = {"arrays"};
  for (const overtake::models::ModelInfo& info : overtake::models::list()) known.emplace_back(info.name);
  overtake::text::check_choice("bench", options.what, known);
  check_flags(app, options);
  if (options.what != "arrays") return run_model(options);
  check_outputs({{"--json", options.json}});
  Watcher watcher;
  options.bench.observer = &watcher;
  options.bench.stop = &system::stop_on_interrupt();
  const std::vector<overtake::ArrayBench> benches = bench_arrays(options.bench);
  watcher.clear();
  if (!options.json.empty()) write_output(options.json, array_bench_json(benches));
  if (!is_standard_output(options.json)) print(result_text(benches));
  return options.bench.stop->requested() ? exit_interrupted : exit_ok;
}

}  // namespace

Command add_bench(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* app =
      root.add_subcommand("bench", "Measure every device: our rates, what they could be, the share reached");
  app->add_option("WHAT", options->what, "What to measure: arrays, or a network such as vgg16 or lenet")->required();
  app->add_option("--device", options->bench.devices, "Only this one: cpu, cuda, cuda:1, opencl:0, ... (repeat)")
      ->type_name("DEVICE")
      ->allow_extra_args(false)
      ->take_all();
  app->add_option("--size", options->bench.elements,
                  "Float32 elements of the large arrays (default: 67108864 on GPUs, 16777216 elsewhere)")
      ->type_name("COUNT");
  app->add_option("--seconds", options->bench.seconds, "For each work, at least two runs")->capture_default_str();
  app->add_option("--batch-size", options->model.batch_size, "Networks: images in a step")->capture_default_str();
  app->add_option("--precision", options->precisions, "Networks: fp32, tf32, bf16, several with commas between")
      ->capture_default_str();
  app->add_flag("--profile", options->profile, "Networks: what the steps launch, each timed, which makes them slower");
  app->add_option("--steps", options->model.steps, "Networks: steps that are timed")->capture_default_str();
  add_json_flag(*app, options->json, true);
  app->footer(
      "The floor of a work is the least that it takes: the bytes that must move at the rate of the device's memory, or "
      "the operations of a product at the rate of its units, both measured before; of copies, the rate of the link.\n"
      "Examples:\n"
      "  overtake bench arrays\n"
      "  overtake bench arrays --device cuda --size 268435456 --json bench.json\n"
      "  overtake bench vgg16 --device cuda --batch-size 256 --precision fp32,tf32,bf16");
  return {app, [app, options] { return run(*app, *options); }};
}

}  // namespace cli
