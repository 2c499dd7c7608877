// SPDX-License-Identifier: MIT
// Class weights as one word: "name:weight,name:weight".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace overtake::forest {

/// Reads "name:weight,name:weight" ('=' separates as well as ':'; the last one of a part counts). A backslash takes the
/// next character as it is, for names with separators in them. Also reads a JSON object, {"name":1,"other":2}. Nothing
/// when the text is of another form, a weight is no finite number of at least 0, or a class comes twice.
[[nodiscard]] std::optional<std::map<std::string, double>> parse_class_weights(std::string_view text);

/// The text that parse_class_weights reads back, by name.
[[nodiscard]] std::string class_weights_text(const std::map<std::string, double>& weights);

}  // namespace overtake::forest
