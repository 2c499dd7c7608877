# Script mode: turns the file INPUT into a C++ source OUTPUT that defines overtake::embedded::VARIABLE.
file(READ ${INPUT} CONTENT HEX)
string(LENGTH "${CONTENT}" HEX_LENGTH)
math(EXPR SIZE "${HEX_LENGTH} / 2")
# One string literal per 2,000 bytes keeps every compiler's literal limit. (CMake's regular expressions have no {1,n}.)
set(LITERALS "")
set(BEGIN 0)
while(BEGIN LESS HEX_LENGTH)
  string(SUBSTRING "${CONTENT}" ${BEGIN} 4000 CHUNK)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" BYTES "${CHUNK}")
  string(APPEND LITERALS "  \"${BYTES}\"\n")
  math(EXPR BEGIN "${BEGIN} + 4000")
endwhile()
file(WRITE ${OUTPUT}
"#include <string_view>
namespace overtake::embedded {
extern const std::string_view ${VARIABLE};
namespace {
constexpr char data[] =
${LITERALS}  \"\";
}
const std::string_view ${VARIABLE}(data, ${SIZE});
}  // namespace overtake::embedded
")
