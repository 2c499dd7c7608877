// SPDX-License-Identifier: MIT
#include "backend/common/compiler_log.hpp"

#include <gtest/gtest.h>

namespace overtake::backend {
namespace {

TEST(CompilerLog, LinesAreCountedAsTheTextAsks) {
  const std::string text =
      "#define A\n#define B\n#line 1\nint f;\n#line 1 \"mine\"\nint g;\nint h;\n#line 100 \"other\"\nint k;\n";
  EXPECT_EQ(with_asked_lines("<kernel>:7:3: error: no\n  in <kernel>:9:1 and <kernel>:1:2", text),
            "mine:2:3: error: no\n  in other:100:1 and <kernel>:1:2");
  EXPECT_EQ(with_asked_lines("<kernel>:4:1: warning", text), "<kernel>:1:1: warning");
  EXPECT_EQ(with_asked_lines("mine:3: error at <kernel>: lost", text), "mine:3: error at <kernel>: lost");
  EXPECT_EQ(with_asked_lines("<kernel>:99:1", "one\ntwo"), "<kernel>:3:1");
}

}  // namespace
}  // namespace overtake::backend
