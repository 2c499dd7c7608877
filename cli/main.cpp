// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <exception>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "command.hpp"
#include "flags/names.hpp"
#include "output/terminal.hpp"
#include "output/trial_watch.hpp"
#include "overtake/device/driver_trial.hpp"
#include "overtake/error.hpp"
#include "overtake/large_stacks.hpp"
#include "overtake/out_of_memory.hpp"
#include "overtake/placement.hpp"
#include "overtake/version.hpp"
#include "system.hpp"

namespace {

constexpr int code_of(overtake::ErrorCode code) { return static_cast<int>(code); }

int report(const std::string& message, const std::string& hint, overtake::ErrorCode code) {
  cli::print_error(fmt::format("error: {}\n{}", message, hint.empty() ? "" : fmt::format("hint: {}\n", hint)));
  return code_of(code);
}

/// An empty value is what a shell makes of a variable that is not set: the flag would count as not given, without a
/// word. Lists may be empty.
void check_values(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_type_name().ends_with(",...")) continue;
    for (const std::string& value : option->results()) {
      if (!value.empty()) continue;
      throw overtake::UsageError(
          fmt::format("{} has no {}", option->get_name(), option->get_type_name() == "FILE" ? "file name" : "value"),
          "Give one, or leave the flag out.");
    }
  }
}

/// The null device computes nothing; it is there for tests of the library.
void check_devices(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_name() != "--device" && option->get_name() != "--devices") continue;
    for (const std::string& names : option->results()) {
      for (const std::string& name : cli::parse_words(names)) {
        if (name == "null" || name.starts_with("null:")) {
          throw overtake::UsageError(fmt::format("{} {}: that device computes nothing", option->get_name(), name),
                                     "\"overtake devices\" lists those that do.");
        }
      }
    }
  }
}

/// Takes no memory for its text: there is none.
int out_of_memory() {
  const overtake::OutOfMemoryText text = overtake::out_of_memory_text();
  for (const char* part : {"error: ", text.message.data(), "\nhint: ", text.hint.data(), "\n"})
    cli::print_fixed_error(part);
  return code_of(overtake::ErrorCode::device);
}

/// Help and version are results: where they cannot be written, that is an error.
int show(const CLI::App& root, const CLI::Success& success) {
  std::ostringstream text;
  const int code = root.exit(success, text, text);
  cli::print(text.str());
  return code;
}

int run(int argc, const char* const* argv) {
  CLI::App root("Overtake trains models on the processor that finishes first.", "overtake");
  root.set_version_flag("--version", "overtake " + std::string(overtake::version()), "Show the version and exit");
  root.set_help_flag("-h,--help", "Show this help and exit");
  root.require_subcommand(1);
  root.footer(
      "Examples:\n"
      "  overtake devices                                   every processor and what it reaches\n"
      "  overtake doctor                                    what is amiss with drivers, libraries, limits, and the "
      "cure\n"
      "  overtake race --report race.html                   the size at which the GPU overtakes\n"
      "  overtake search iris.csv --target species --grid max_depth=none,3,5,10 --grid criterion=gini,entropy --report "
      "iris.html\n"
      "  overtake describe iris.csv                         how the columns are read\n"
      "  overtake train iris.csv --target species --estimator random-forest --save forest.overtake\n"
      "  overtake train iris.csv --target species --hidden 64,64 --save iris.safetensors\n"
      "  overtake predict iris.safetensors flowers.csv --out predictions.csv\n"
      "Exit codes: 0 done, 1 training diverged or a device is not healthy (doctor), 2 usage, 3 data, 4 device, 5 "
      "internal error, 130 interrupted.\n"
      "\"overtake SUBCOMMAND --help\" shows the flags of each.");
  const std::vector<cli::Command> commands = {cli::add_devices(root), cli::add_doctor(root),   cli::add_race(root),
                                              cli::add_search(root),  cli::add_show(root),     cli::add_train(root),
                                              cli::add_predict(root), cli::add_describe(root), cli::add_score(root),
                                              cli::add_cache(root),   cli::add_bench(root)};
  try {
    cli::check_names(root, argc, argv);
    root.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return show(root, success);
  } catch (const CLI::ParseError& error) {
    const std::string help = "See overtake --help.";
    return report(error.what(), help, overtake::ErrorCode::usage);
  }
  overtake::check_environment();
  for (const cli::Command& command : commands) {
    if (command.app->parsed()) {
      check_values(*command.app);
      check_devices(*command.app);
      return command.run();
    }
  }
  return code_of(overtake::ErrorCode::usage);
}

/// run(), with its errors told; telling them takes memory, too.
int run_and_report(int argc, const char* const* argv) {
  static cli::TrialWatch watch;  // observes to the end of the process
  try {
    overtake::observe_trials(&watch);
    return run(argc, argv);
  } catch (const overtake::Error& error) {
    const int code = report(error.what(), error.hint(), error.code());
    return watch.was_stopped() ? cli::exit_interrupted : code;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::length_error&) {  // what containers throw for sizes that no memory has
    return out_of_memory();
  } catch (const std::system_error& error) {  // what the system refuses and nobody expected it to
    return report(error.what(), "The system refused it; check names, permissions and limits (ulimit -a).",
                  overtake::ErrorCode::data);
  } catch (const std::exception& error) {
    return report(error.what(), "This is a bug in Overtake; please report it with the command you ran.",
                  overtake::ErrorCode::internal);
  }
}

/// Of telling errors, too.
int run_safely(int argc, const char* const* argv) {
  try {
    return run_and_report(argc, argv);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

}  // namespace

int main(int argc, char** argv) {
  cli::system::guard_standard_streams();
  return overtake::with_large_stacks([argc, argv] { return run_safely(argc, argv); });
}
