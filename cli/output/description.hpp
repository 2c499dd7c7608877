// SPDX-License-Identifier: MIT
// What was made of a file's columns, for people and for machines.
#pragma once

#include <string>

#include "overtake/data/description.hpp"
#include "overtake/report.hpp"

namespace cli {

/// A table of the columns, with the notes below it.
[[nodiscard]] std::string description_text(const overtake::TableDescription& description, int width);

/// rows, rows_with_missing, reading {}, columns[] {name, kind, missing, distinct, lowest, highest, examples[],
/// notes[]}.
[[nodiscard]] overtake::report::Json description_json(const overtake::TableDescription& description);

}  // namespace cli
