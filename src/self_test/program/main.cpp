// SPDX-License-Identifier: MIT
// overtake-trial: tries a driver, so that one that crashes or hangs does so here.
#include <cstddef>
#include <span>

#include "overtake/large_stacks.hpp"
#include "self_test/trial_program.hpp"

int main(int argc, char** argv) {
  const std::span<const char* const> arguments(argv, static_cast<std::size_t>(argc));
  return overtake::with_large_stacks(
      [arguments, argc] { return overtake::self_test::run_trial_program(arguments.subspan(argc > 0 ? 1 : 0)); });
}
