// SPDX-License-Identifier: MIT
// The flags that several subcommands have: each is declared here, once.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace cli {

/// What computes, and from which seed.
struct ComputeFlags {
  std::string device = "auto";
  int threads = 0;  ///< of the CPU; 0: all
  std::uint64_t seed = 0;
  std::uint64_t memory_limit = 0;       ///< bytes; 0: what there is
  std::uint64_t host_memory_limit = 0;  ///< bytes of the whole process; 0: what there is
  bool plan = false;                    ///< only say what it would take
  std::string elsewhere;                ///< devices that this machine has not, for the plan

  /// What a table may take while it is read: the smaller of the limits that are set, the second less what the process
  /// holds.
  [[nodiscard]] std::uint64_t table_limit() const;
  /// True where a plan goes the run's own way to its look at memory: within a limit, and on the CPU where that takes a
  /// fraction of a second, which is what binning a table of so many cells and growing eight trees of it take.
  [[nodiscard]] bool plan_looks(const std::string& chosen, std::int64_t cells) const noexcept {
    return memory_limit > 0 || host_memory_limit > 0 || (chosen.starts_with("cpu") && cells <= 1'000'000);
  }
};

/// What is written and shown; "" is not asked for.
struct OutputFlags {
  std::string save, json, html;
  bool describe = false;  ///< the table of the columns
};

/// Throws overtake::UsageError, with the hint, for an option that was given and is none of `allowed` ("--device",
/// "DATA"): "--hidden is not for `what`". Options of the group `whole_group` are all allowed.
void refuse_all_but(const CLI::App& app, const std::vector<std::string>& allowed, const std::string& whole_group,
                    const std::string& what, const std::string& hint);
/// --device and --threads.
void add_device_flags(CLI::App& app, ComputeFlags& flags);
/// --plan.
CLI::Option* add_plan_flag(CLI::App& app, ComputeFlags& flags);
/// --plan and --on.
void add_plan_flags(CLI::App& app, ComputeFlags& flags);
/// --seed: whole numbers from 0 to 9223372036854775807, the largest that a model file's random_state holds. `help`: of
/// what.
void add_seed_flag(CLI::App& app, std::uint64_t& seed, const std::string& help);
/// --memory-limit: bytes above 0 such as 512MiB.
void add_memory_limit_flag(CLI::App& app, std::uint64_t& bytes, const std::string& help);
/// --host-memory-limit, likewise.
void add_host_memory_limit_flag(CLI::App& app, std::uint64_t& bytes);
/// --json. Its file may be left out where `bare` says so: standard output.
CLI::Option* add_json_flag(CLI::App& app, std::string& path, bool bare = false);
/// --report.
void add_report_flag(CLI::App& app, std::string& path);
/// All that train and search take: the device, seed and memory, --save, --json and --describe.
void add_training_flags(CLI::App& app, ComputeFlags& compute, const std::string& seed_help, OutputFlags& outputs);
/// --sample-weight and --set, under a heading of --help.
void add_parameter_flags(CLI::App& app, std::string& sample_weight, std::vector<std::string>& set,
                         const std::string& heading = "Options");
/// --positive-class.
void add_positive_class_flag(CLI::App& app, std::string& name);

}  // namespace cli
