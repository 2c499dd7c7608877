// SPDX-License-Identifier: MIT
#include "overtake/out_of_memory.hpp"

#include <fmt/format.h>

#include "platform/memory_limit.hpp"

namespace overtake {

OutOfMemoryText out_of_memory_text() noexcept {
  const platform::MemoryLimit limit = platform::memory_limit();
  if (limit.name == nullptr) {
    return {{"the computer's memory is exhausted"},
            {"Use fewer rows or columns, fewer or shallower trees (n_estimators, max_depth), a smaller network or "
             "batch, or a computer with more memory."}};
  }
  OutOfMemoryText text;  // the last byte of each stays 0
  fmt::format_to_n(text.message.data(), text.message.size() - 1,
                   "the computer's memory is exhausted under a limit of this process, {} {}", limit.name,
                   limit.kibibytes);
  fmt::format_to_n(text.hint.data(), text.hint.size() - 1,
                   "Raise the limit: {} unlimited (a shell that was started under a limit cannot). Or use fewer rows "
                   "or columns, fewer or shallower trees, a smaller network or batch.",
                   limit.name);
  return text;
}

}  // namespace overtake
