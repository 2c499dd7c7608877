// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "core/config.hpp"
#include "doctor/texts.hpp"
#include "overtake/doctor.hpp"
#include "overtake/text.hpp"
#include "overtake/version.hpp"

namespace overtake {
namespace {

constexpr std::size_t longest_value = 4000;  // of a variable

std::string line_of(const std::string& variable) {
  if (variable.size() <= longest_value) return text::printable_line(anonymous(variable));
  return text::printable_line(anonymous(variable.substr(0, longest_value))) +
         fmt::format("... ({} bytes)", variable.size());
}

}  // namespace

std::string to_bundle(const Diagnosis& diagnosis) {
  Diagnosis nameless = diagnosis;  // what came from the machine, and not the report's own words and keys
  doctor::change_texts(nameless, [](const std::string& text) { return text::printable_line(anonymous(text)); });
  std::string text = fmt::format("Overtake {}: overtake doctor\n\n{}\nenvironment\n", version(), to_text(nameless));
  const auto variables = config::telling_variables();
  for (const std::string& variable : variables) text += fmt::format("  {}\n", line_of(variable));
  if (variables.empty()) text += "  none of the variables that matter is set\n";
  return text + "\n" + to_json(nameless);
}

}  // namespace overtake
