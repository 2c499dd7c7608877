// SPDX-License-Identifier: MIT
#include "self_test/trial_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <exception>
#include <string_view>

#include "backend/common/trial/trial_run.hpp"
#include "overtake/error.hpp"
#include "platform/child_process.hpp"
#include "self_test/check.hpp"

namespace overtake::self_test {
namespace {

/// One line to the process that started this one. If that is gone, so is this one soon.
void report(std::string_view word, std::string_view text = {}) {
  std::string line = fmt::format("{}{}{}", word, text.empty() ? "" : " ", text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  platform::report_to_parent(line);
}

void start(std::string_view name) {
  for (backend::Backend* backend : backend::backends()) {
    if (backend->name() == name) (void)backend->list();
  }
}

void try_device(const std::string& id) {
  using Clock = std::chrono::steady_clock;
  auto begin = Clock::now();
  const auto report_time = [&begin] {
    report(backend::report_time, fmt::format("{}", std::chrono::duration<double>(Clock::now() - begin).count()));
    begin = Clock::now();
  };
  report(backend::report_check, "opening it");
  const Device device(id);
  report_time();
  for (const Check& check : checks()) {
    report(backend::report_check, check.name);
    check.run(device);
    device.synchronize();
    report_time();
  }
}

}  // namespace

int run_trial_program(std::span<const char* const> arguments) {
  constexpr int started_by_hand = 2;
  if (arguments.size() != 4) return started_by_hand;
  const std::string_view parent_text = arguments[0];
  std::int64_t parent = 0;
  std::from_chars(parent_text.data(), parent_text.data() + parent_text.size(), parent);
  if (!platform::end_with_parent(parent)) return started_by_hand;
  if (arguments[1] != backend::trial_identity()) {
    report(backend::report_foreign);
    return 0;
  }
  report(backend::report_begin);
  try {
    if (arguments[2] == std::string_view("device")) {
      try_device(arguments[3]);
    } else {
      start(arguments[3]);
    }
    report(backend::report_done);
  } catch (const WrongResult& wrong) {
    report(backend::report_wrong, wrong.what());
  } catch (const std::exception& error) {
    report(backend::report_error, error.what());
  }
  return 0;
}

}  // namespace overtake::self_test
