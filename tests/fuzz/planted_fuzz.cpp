// SPDX-License-Identifier: MIT
// A target with a fault on purpose, which proves that the harness finds faults. Only built where OVERTAKE_PLANTED_FAULT
// asks for it.
#ifdef OVERTAKE_PLANTED_FAULT
#include <string>

#include "fuzz.hpp"

namespace overtake::fuzz {

FUZZ_TARGET(planted) {
  const std::string text(input);
  // One comparison at a time, as readers do: a fuzzer guided by coverage, and one that starts nearby, get through.
  if (text.size() < 3 || text[0] != 'b' || text[1] != 'u' || text[2] != 'g') return;
  (void)text.at(text.size() + 2);
}

}  // namespace overtake::fuzz
#endif
