// SPDX-License-Identifier: MIT
#include "overtake/out_of_memory.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <utility>

#include "platform/memory_limit.hpp"

namespace overtake {
namespace {

/// One byte stays for the 0 at the end, which is there already.
template <std::size_t size, class... Values>
void write(std::array<char, size>& text, fmt::format_string<Values...> form, Values&&... values) {
  fmt::format_to_n(text.data(), size - 1, form, std::forward<Values>(values)...);
}

}  // namespace

OutOfMemoryText out_of_memory_text() noexcept {
  constexpr const char* less_work =
      "se fewer rows or columns, fewer or shallower trees (n_estimators, max_depth), a smaller network or batch, or a "
      "computer with more memory.";
  OutOfMemoryText text;
  const platform::MemoryLimit limit = platform::memory_limit();
  if (limit.name == nullptr) {
    write(text.message, "the computer's memory is exhausted");
    write(text.hint, "U{}", less_work);
  } else {
    write(text.message, "the computer's memory is exhausted under a limit of this process, {} {}", limit.name,
          limit.kibibytes);
    write(text.hint, "Raise the limit: {} unlimited (a shell that was started under a limit cannot). Or u{}",
          limit.name, less_work);
  }
  return text;
}

}  // namespace overtake
