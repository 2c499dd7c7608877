// SPDX-License-Identifier: MIT
#include "overtake/nn/state_dict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "graph/compiled_step.hpp"
#include "graph/node.hpp"
#include "nn/layers/state_match.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/module.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

constexpr std::size_t most_listed = 12;

std::string listed(std::vector<std::string> names) {
  const std::size_t count = names.size();
  if (count > most_listed) {
    names.resize(most_listed);
    names.push_back(fmt::format("and {} more", count - most_listed));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// PyTorch counts batches since 0.4 and takes states from before.
bool may_be_missing(const std::string& name) {
  constexpr std::string_view counter = "num_batches_tracked";
  return name == counter || name.ends_with("." + std::string(counter));
}

void require_distinct(const std::vector<NamedValue>& values) {
  std::set<std::string_view> names;
  for (const NamedValue& entry : values) {
    if (names.insert(entry.name).second) continue;
    throw UsageError(fmt::format("[state_dict] two arrays of the module are called '{}'", entry.name),
                     "Give the parts in children() and the arrays in own_parameters() and own_buffers() names of "
                     "their own.");
  }
}

}  // namespace

const Array* find(const StateDict& state, std::string_view name) noexcept {
  const auto found = std::find_if(state.begin(), state.end(), [&](const auto& entry) { return entry.first == name; });
  return found == state.end() ? nullptr : &found->second;
}

std::string StateMatch::problem(bool strict) const {
  std::vector<std::string> parts;
  if (strict && !keys.missing_keys.empty()) parts.push_back("missing: " + listed(keys.missing_keys));
  if (strict && !keys.unexpected_keys.empty()) parts.push_back("unexpected: " + listed(keys.unexpected_keys));
  if (!misshapen.empty()) parts.push_back("of another shape: " + listed(misshapen));
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string StateMatch::hint() const {
  if (!misshapen.empty()) return "Make the module with the sizes of the state, or leave these names out.";
  return "Compare with the names of state_dict(); when it is not strict, loading takes what fits.";
}

StateMatch match_state(Module& module, const StateDict& state) {
  const std::vector<NamedValue> values = module.state_values();
  require_distinct(values);
  std::map<std::string_view, const Array*> given;
  for (const auto& [name, array] : state) {
    if (!array.defined()) throw UsageError(fmt::format("[load_state_dict] the array '{}' is undefined", name));
    if (!given.emplace(name, &array).second) {
      throw UsageError(fmt::format("[load_state_dict] the name '{}' occurs twice", name));
    }
  }
  StateMatch match;
  std::set<std::string_view> known;
  for (const NamedValue& entry : values) {
    known.insert(entry.name);
    const auto found = given.find(entry.name);
    if (found == given.end()) {
      if (!may_be_missing(entry.name)) match.keys.missing_keys.push_back(entry.name);
    } else if (found->second->shape() != entry.value->shape()) {
      match.misshapen.push_back(fmt::format("{} {}, expected {}", entry.name, found->second->shape().to_string(),
                                            entry.value->shape().to_string()));
    } else {
      match.pairs.emplace_back(entry.value, found->second);
    }
  }
  for (const auto& [name, array] : state) {
    if (!known.contains(name)) match.keys.unexpected_keys.push_back(name);
  }
  return match;
}

void replace_value(Array& place, const Array& value) {
  const bool is_learnt = std::as_const(place).requires_grad();
  const bool is_frozen = place.node()->frozen;
  if (!is_learnt && graph::is_tracing()) {
    place = astype(value.detach(), place.dtype());
    return;
  }
  Array next = graph::copy_of(astype(value.detach().to(place.device()), place.dtype()));
  if (is_learnt) {
    next.requires_grad();
    next.set_grad(place.grad());
    place.set_grad(Array());
  } else if (is_frozen) {
    next.requires_grad(false);
  }
  place = std::move(next);
}

IncompatibleKeys apply(StateMatch match) {
  for (const auto& [place, value] : match.pairs) replace_value(*place, *value);
  return std::move(match.keys);
}

StateDict Module::state_dict() {
  const std::vector<NamedValue> values = state_values();
  require_distinct(values);
  StateDict result;
  for (const NamedValue& entry : values) result.emplace_back(entry.name, graph::copy_of(entry.value->detach()));
  return result;
}

IncompatibleKeys Module::load_state_dict(const StateDict& state, bool strict) {
  StateMatch match = match_state(*this, state);
  const std::string problem = match.problem(strict);
  if (!problem.empty()) throw UsageError("[load_state_dict] " + problem, match.hint());
  return apply(std::move(match));
}

}  // namespace overtake::nn
