// SPDX-License-Identifier: MIT
// overtake doctor: what this machine can do, found out by work, and why not where it cannot.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command.hpp"
#include "flags/common_options.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/doctor.hpp"
#include "overtake/error.hpp"
#include "system.hpp"

namespace cli {
namespace {

struct Options {
  overtake::DoctorOptions doctor;
  bool no_measure = false;
  std::string json, html, bundle, explain;
};

/// Says what the doctor does now.
class Watcher : public overtake::DoctorObserver {
 public:
  void on_step(const std::string& what) override { progress_.update("doctor: " + what); }
  void clear() { progress_.clear(); }

 private:
  ProgressLine progress_;
};

std::string explanations_text(const std::vector<overtake::Explanation>& explanations) {
  std::string text;
  for (const overtake::Explanation& one : explanations) {
    if (!text.empty()) text += "\n";
    text += fmt::format("{}\n  {}\n", one.error, one.meaning);
    for (const std::string& cause : one.causes) text += fmt::format("  cause: {}\n", cause);
    if (!one.first_check.empty()) text += fmt::format("  first check: {}\n", one.first_check);
    if (!one.findings.empty()) text += fmt::format("  findings that show it: {}\n", fmt::join(one.findings, ", "));
  }
  return text;
}

/// Flags that say something of an examination, where there is none.
void refuse_flags_beside_explain(const Options& options) {
  const std::pair<const char*, bool> others[] = {{"--device", !options.doctor.devices.empty()},
                                                 {"--no-measure", options.no_measure},
                                                 {"--html", !options.html.empty()},
                                                 {"--bundle", !options.bundle.empty()}};
  for (const auto& [name, given] : others) {
    if (!given) continue;
    throw overtake::UsageError(fmt::format("--explain examines nothing, so {} has no meaning beside it", name),
                               fmt::format("Leave {} out; --explain TEXT alone, or with --json, tells what is known of "
                                           "TEXT.",
                                           name));
  }
}

int explain(const Options& options) {
  refuse_flags_beside_explain(options);
  const std::string& text = options.explain;
  const auto explanations = overtake::explain(text);
  if (explanations.empty()) {
    constexpr std::size_t longest = 60;  // what is longer, or has several lines, does not go into one
    const bool is_short = text.size() <= longest && text.find_first_of("\n\r\t") == std::string::npos;
    throw overtake::UsageError(is_short ? fmt::format("--explain: nothing is known of \"{}\"", text)
                                        : fmt::format("--explain: nothing is known of these {} bytes", text.size()),
                               "Give the message as it was shown, or a code. Known are those of CUDA, cuDNN, cuBLAS, "
                               "NVRTC, OpenCL and HIP by number or name (\"CUDA error 209\", CL_OUT_OF_RESOURCES), and "
                               "messages of drivers and libraries. \"overtake doctor\" looks at the machine itself.");
  }
  check_outputs({{"--json", options.json}});
  if (!options.json.empty()) write_output(options.json, overtake::to_json(explanations));
  if (!is_standard_output(options.json)) print(explanations_text(explanations));
  return exit_ok;
}

int run(Options& options) {
  if (!options.explain.empty()) return explain(options);
  check_outputs({{"--json", options.json}, {"--html", options.html}, {"--bundle", options.bundle}});
  Watcher watcher;
  options.doctor.measure = !options.no_measure;
  options.doctor.observer = &watcher;
  options.doctor.stop = &system::stop_on_interrupt();
  const overtake::Diagnosis diagnosis = overtake::examine(options.doctor);
  watcher.clear();
  if (diagnosis.interrupted) {
    print_error("interrupted: the examination is not complete\n");
    return exit_interrupted;
  }
  if (!options.json.empty()) write_output(options.json, overtake::to_json(diagnosis));
  if (!options.html.empty()) write_output(options.html, overtake::to_html(diagnosis));
  if (!options.bundle.empty()) write_output(options.bundle, overtake::to_bundle(diagnosis));
  const bool is_taken =
      is_standard_output(options.json) || is_standard_output(options.html) || is_standard_output(options.bundle);
  if (!is_taken) print(overtake::to_text(diagnosis, standard_output().width));
  return diagnosis.healthy() ? exit_ok : exit_unhealthy;
}

}  // namespace

Command add_doctor(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("doctor", "Work on every device; say what is amiss, why, and what cures it");
  app->add_option("--device", options->doctor.devices, "Only this one: cpu, cuda, cuda:1, opencl:0, ... (repeat)")
      ->type_name("DEVICE")
      ->allow_extra_args(false)
      ->take_all();
  app->add_flag("--no-measure", options->no_measure, "Only check; do not measure rates");
  add_json_flag(*app, options->json, true);
  app->add_option("--html", options->html, "Write an HTML page to a file")->type_name("FILE");
  app->add_option("--bundle", options->bundle, "Write a text for a bug report, without names and serial numbers")
      ->type_name("FILE");
  app->add_option("--explain", options->explain, "Say what an error message or code means; nothing is examined")
      ->type_name("TEXT");
  app->footer(
      "Exit code 0: healthy; 1: a device that was asked for cannot be used, or a driver that is there fails.\n"
      "Examples:\n"
      "  overtake doctor\n"
      "  overtake doctor --device cuda --json doctor.json\n"
      "  overtake doctor --explain \"CUDA error: no kernel image is available for execution on the device\"");
  return {app, [options] { return run(*options); }};
}

}  // namespace cli
