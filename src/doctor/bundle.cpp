// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "core/config.hpp"
#include "overtake/doctor.hpp"
#include "overtake/version.hpp"

namespace overtake {

std::string to_bundle(const Diagnosis& diagnosis) {
  std::string text = fmt::format("Overtake {}: overtake doctor\n\n{}\nenvironment\n", version(), to_text(diagnosis));
  const auto variables = config::telling_variables();
  for (const std::string& variable : variables) text += fmt::format("  {}\n", variable);
  if (variables.empty()) text += "  none of the variables that matter is set\n";
  return anonymous(text + "\n" + to_json(diagnosis));
}

}  // namespace overtake
