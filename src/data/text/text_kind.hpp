// SPDX-License-Identifier: MIT
// Text that is no table, or a table with something before or beside it, from its first lines.
#pragma once

#include <optional>
#include <string_view>

#include "data/source/file_kind.hpp"

namespace overtake::data {

/// JSON, a web page, XML, an ARFF or LIBSVM file, a pointer to a file elsewhere: text with a structure of its own.
[[nodiscard]] std::optional<FileKind> structured_text(std::string_view head);

/// A table with comment lines before it, or with row names that its header does not count (R's write.table), or nothing
/// but blank lines. `whole`: the head is the whole file. Without it the last, perhaps cut line is not looked at.
[[nodiscard]] std::optional<FileKind> odd_table(std::string_view head, bool whole);

/// The delimiter that a first line "sep=;" (Excel's) declares.
[[nodiscard]] std::optional<char> declared_delimiter(std::string_view first_line);

}  // namespace overtake::data
