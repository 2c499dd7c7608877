// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace cli {

/// A subcommand: what parses its flags, and what it does then. `run` gives the exit code.
struct Command {
  CLI::App* app = nullptr;
  std::function<int()> run;
};

Command add_bench(CLI::App& root);
Command add_cache(CLI::App& root);
Command add_describe(CLI::App& root);
Command add_devices(CLI::App& root);
Command add_doctor(CLI::App& root);
Command add_race(CLI::App& root);
Command add_train(CLI::App& root);
Command add_predict(CLI::App& root);
Command add_search(CLI::App& root);
Command add_score(CLI::App& root);
Command add_show(CLI::App& root);

/// Exit codes beside those of overtake::ErrorCode.
inline constexpr int exit_ok = 0;
inline constexpr int exit_diverged = 1;       ///< the loss became NaN or infinite
inline constexpr int exit_unhealthy = 1;      ///< doctor: a device cannot be used
inline constexpr int exit_interrupted = 130;  ///< Ctrl-C; what there was is saved

}  // namespace cli
