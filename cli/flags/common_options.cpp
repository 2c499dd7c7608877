// SPDX-License-Identifier: MIT
#include "flags/common_options.hpp"

#include <fmt/format.h>
#if __has_include(<CLI/ExtraValidators.hpp>)
#include <CLI/ExtraValidators.hpp>  // where CLI11 has AsSizeValue since 2.6
#endif
#include <CLI/Config.hpp>
#include <CLI/Error.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <charconv>

#include "overtake/error.hpp"
#include "overtake/memory.hpp"

namespace cli {

void refuse_all_but(const CLI::App& app, const std::vector<std::string>& allowed, const std::string& whole_group,
                    const std::string& what, const std::string& hint) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0 || option->get_group() == whole_group) continue;
    const std::string name = option->get_name();
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      throw overtake::UsageError(fmt::format("{} is not for {}", name, what), hint);
    }
  }
}

void add_device_flags(CLI::App& app, ComputeFlags& flags) {
  const bool chooses = flags.device == "auto";
  app.add_option("--device", flags.device, fmt::format("{}cpu, cuda, cuda:1, opencl:0, ...", chooses ? "auto, " : ""))
      ->capture_default_str();
  app.add_option("--threads", flags.threads, "CPU threads (0: all)")->capture_default_str();
}

CLI::Option* add_plan_flag(CLI::App& app, ComputeFlags& flags) {
  return app.add_flag("--plan", flags.plan,
                      "Only say what it would take on every device, in time and memory, and which is chosen");
}

void add_plan_flags(CLI::App& app, ComputeFlags& flags) {
  CLI::Option* plan = add_plan_flag(app, flags);
  app.add_option("--on", flags.elsewhere, "Devices elsewhere for --plan: h100,l4,rtx-4090,cpu-16, ...")
      ->type_name("DEVICE,...")
      ->needs(plan);
}

void add_seed_flag(CLI::App& app, std::uint64_t& seed, const std::string& help) {
  const auto problem = [](const std::string& text) -> std::string {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size() && value >= 0;
    return whole ? "" : fmt::format("expected a whole number from 0 to 9223372036854775807, not {}", text);
  };
  app.add_option("--seed", seed, help)->capture_default_str()->check(problem, "");
}

namespace {

std::string no_size(const std::string& text) {
  return fmt::format("expected a size above 0 such as 512MiB, of at most 18446744073709551615 bytes, not {}", text);
}

void add_size_flag(CLI::App& app, const char* flag, std::uint64_t& bytes, const std::string& help) {
  // AsSizeValue takes -1 for the largest number. This comes behind it, because the last transform is the first that
  // runs.
  const auto problem = [](const std::string& text) -> std::string {
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    return error == std::errc() && size > 0 ? "" : no_size(text);
  };
  const auto fraction = [](const std::string& text) -> std::string {
    return text.find('.') == std::string::npos ? ""
                                               : fmt::format("expected a whole number such as 1536MiB, not {}", text);
  };
  // Unknown units and sizes beyond 64 bits, of which AsSizeValue itself speaks of its types.
  const auto in_bytes = [size = CLI::AsSizeValue(false)](std::string& text) -> std::string {
    const std::string given = text;
    try {
      return size(text);
    } catch (const CLI::ValidationError&) {
      return no_size(given);
    }
  };
  app.add_option(flag, bytes, help + ", e.g. 512MiB")
      ->transform(CLI::Validator(in_bytes, ""))
      ->transform(CLI::Validator(problem, ""))
      ->transform(CLI::Validator(fraction, ""));
}

}  // namespace

std::uint64_t ComputeFlags::table_limit() const {
  if (host_memory_limit == 0) return memory_limit;
  overtake::MemoryPlan need;
  need.add("the first rows", std::uint64_t{1} << 20);
  overtake::require_host_memory(need, host_memory_limit, "reading a table",
                                "make smaller what is in memory already: a model, other programs.");
  const std::uint64_t left = overtake::host_memory_left(host_memory_limit);
  return memory_limit > 0 ? std::min(memory_limit, left) : left;
}

void add_memory_limit_flag(CLI::App& app, std::uint64_t& bytes, const std::string& help) {
  add_size_flag(app, "--memory-limit", bytes, help);
}

void add_host_memory_limit_flag(CLI::App& app, std::uint64_t& bytes) {
  add_size_flag(app, "--host-memory-limit", bytes, "Most of the computer's memory, all in all");
}

CLI::Option* add_json_flag(CLI::App& app, std::string& path, bool bare) {
  CLI::Option* option = app.add_option("--json", path, "Write the result as JSON to a file (-: standard output)");
  option->type_name("FILE");
  if (bare) option->expected(0, 1)->default_str("-");
  return option;
}

void add_report_flag(CLI::App& app, std::string& path) {
  app.add_option("--report", path, "Write an HTML page to a file")->type_name("FILE");
}

void add_training_flags(CLI::App& app, ComputeFlags& compute, const std::string& seed_help, OutputFlags& outputs) {
  add_seed_flag(app, compute.seed, seed_help);
  add_device_flags(app, compute);
  add_plan_flags(app, compute);
  add_memory_limit_flag(app, compute.memory_limit, "Most memory of the table, and on the device");
  add_host_memory_limit_flag(app, compute.host_memory_limit);
  app.add_option("--save", outputs.save, "Write the model to a file")->type_name("FILE");
  add_json_flag(app, outputs.json);
  app.add_flag("--describe", outputs.describe, "Show the table of the columns first");
}

void add_parameter_flags(CLI::App& app, std::string& sample_weight, std::vector<std::string>& set,
                         const std::string& heading) {
  app.add_option("--sample-weight", sample_weight, "Column of row weights")->type_name("COLUMN")->group(heading);
  app.add_option("--set", set, "A parameter by scikit-learn's name (repeat)")
      ->type_name("NAME=VALUE")
      ->group(heading)
      ->allow_extra_args(false)
      ->take_all();
}

void add_positive_class_flag(CLI::App& app, std::string& name) {
  app.add_option("--positive-class", name,
                 "The class that f1, precision, recall and roc_auc are about (default: 1; roc_auc: the second)")
      ->type_name("NAME");
}

}  // namespace cli
