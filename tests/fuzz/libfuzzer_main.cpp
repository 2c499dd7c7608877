// SPDX-License-Identifier: MIT
// libFuzzer's side: `overtake_fuzz --target=csv CORPUS` (./dev fuzz).
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "fuzz.hpp"

namespace {

overtake::fuzz::Target chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** values) {
  constexpr std::string_view flag = "--target=";
  for (int i = 1; i < *count; ++i) {
    const std::string_view value = (*values)[i];
    if (!value.starts_with(flag)) continue;
    for (const auto& target : overtake::fuzz::targets()) {
      if (value.substr(flag.size()) == target.name) chosen = target.run;
    }
  }
  if (chosen != nullptr) return 0;
  std::fputs("give --target=NAME:", stderr);
  for (const auto& target : overtake::fuzz::targets()) std::fprintf(stderr, " %s", target.name);
  std::fputs("\n", stderr);
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    overtake::fuzz::run(chosen, {reinterpret_cast<const char*>(data), size});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    std::abort();  // libFuzzer keeps the input
  }
  return 0;
}
