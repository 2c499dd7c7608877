// SPDX-License-Identifier: MIT
// Texts of the command line, and journals.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>

#include "fuzz.hpp"
#include "overtake/c_api.h"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"
#include "overtake/nn/layers.hpp"
#include "overtake/parameters.hpp"
#include "overtake/search.hpp"

namespace overtake::fuzz {
namespace {

/// "Linear in_features=2 out_features=3"
nn::LayerSpec layer_of(std::string_view text) {
  nn::LayerSpec spec;
  for (bool first = true; !text.empty(); first = false) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string word(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
    const std::size_t equals = word.find('=');
    if (first) spec.type = word;
    if (equals == std::string::npos) continue;
    double value = std::strtod(word.c_str() + equals + 1, nullptr);
    if (word.starts_with("in_") || word.starts_with("out_")) value = value > 64 && value <= 2147483647 ? 64 : value;
    spec.attributes.emplace_back(word.substr(0, equals), value);
  }
  return spec;
}

void set_parameter(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  ForestParameters parameters;
  const ParameterValue value = parse_parameter_value(text.substr(std::min(equals + 1, text.size())));
  parameters.set(text.substr(0, equals), value);
  parameters.check();
  ForestParameters again;
  again.set(parameters.all());
  if (!(again == parameters)) throw std::logic_error("parameters that do not read back");
}

/// Parameters as JSON, through the C interface.
void set_json(std::string_view text) {
  const auto parameters_of = [](const std::string& json) -> std::string {
    overtake_text* made = nullptr;
    const overtake_status status = overtake_forest_parameters("random-forest", "classification", json.c_str(), &made);
    const std::unique_ptr<overtake_text, decltype(&overtake_text_free)> held(made, overtake_text_free);
    if (status == OVERTAKE_OK) return {overtake_text_data(made), overtake_text_size(made)};
    if (status != OVERTAKE_USAGE_ERROR || made != nullptr) throw std::logic_error(overtake_error_message());
    return {};
  };
  const std::string all = parameters_of(std::string(text));
  if (!all.empty() && parameters_of(all) != all) throw std::logic_error("parameters that do not read back");
}

}  // namespace

FUZZ_TARGET(parameters) {
  if (input.empty() || input.find('\0') != std::string_view::npos) return;  // no argument of a command holds zeros
  const std::string_view text = input.substr(1);
  switch (input[0]) {
    case 'g': {
      GridAxis axis = parse_grid_axis(text);
      if (axis.values.empty()) throw std::logic_error("an axis without values");
      break;
    }
    case 'd': (void)parse_distribution(text); break;
    case 'j': set_json(text); break;
    case 'l': (void)nn::make_layer(layer_of(text)); break;
    case 'm': (void)parse_metric(text); break;
    default: set_parameter(text); break;
  }
}

FUZZ_TARGET(journal) {
  try {
    (void)to_json(read_journal(scratch_file(input)), "{}");
  } catch (const std::bad_alloc&) {
    // SQLite's answer to some files that are damaged; the tool says that memory is exhausted and ends with exit code 4.
  }
}

}  // namespace overtake::fuzz
