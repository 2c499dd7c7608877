// SPDX-License-Identifier: MIT
#include "forest/data_identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "core/fingerprint.hpp"

namespace overtake::forest {
namespace {

using detail::Fingerprint;

template <typename T>
T canonical(T value) {
  if (std::isnan(value)) return std::numeric_limits<T>::quiet_NaN();
  return value + T{0};  // -0 becomes 0
}

/// Hashes of all rows, added up: the same in any order.
struct SumOfRows {
  std::uint64_t high = 0, low = 0;

  void add(std::span<const std::byte> row) {
    const auto [a, b] = detail::hash_of(row);
    high += a;
    low += b;
  }
};

/// The text between `name` and the next space.
std::string_view part(std::string_view fingerprint, std::string_view name) {
  const std::size_t begin = fingerprint.find(name);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = fingerprint.substr(begin + name.size());
  return rest.substr(0, rest.find(' '));
}

}  // namespace

std::string data_fingerprint(const Dataset& data, std::span<const float> sample_weight) {
  const bool weighted =
      std::any_of(sample_weight.begin(), sample_weight.end(), [](float weight) { return weight != 1; });
  const auto features = static_cast<std::size_t>(data.features);
  Fingerprint inputs, targets, weights;
  SumOfRows in_any_order;
  // All of a row, one value behind the other: its inputs, its label or target, its weight.
  std::vector<std::byte> row_bytes(features * sizeof(float) + 2 * sizeof(double));
  for (std::size_t row = 0; row < static_cast<std::size_t>(data.rows); ++row) {
    std::size_t size = 0;
    const auto put = [&](auto value) {
      std::memcpy(row_bytes.data() + size, &value, sizeof(value));
      size += sizeof(value);
      return std::span<const std::byte>(row_bytes).subspan(size - sizeof(value), sizeof(value));
    };
    for (std::size_t i = row * features; i < (row + 1) * features; ++i) put(canonical(data.inputs[i]));
    inputs.add(std::span<const std::byte>(row_bytes).first(size));
    if (row < data.labels.size()) targets.add(put(data.labels[row]));
    if (row < data.targets.size()) targets.add(put(canonical(data.targets[row])));
    if (weighted) weights.add(put(canonical(sample_weight[row])));
    in_any_order.add(std::span<const std::byte>(row_bytes).first(size));
  }
  return fmt::format("rows={} features={} inputs={} targets={} weights={} in_any_order={:016x}{:016x}", data.rows,
                     data.features, inputs.hex(), targets.hex(), weighted ? weights.hex() : "none", in_any_order.high,
                     in_any_order.low);
}

std::string data_difference(std::string_view earlier, std::string_view now) {
  if (earlier == now) return {};
  const auto differs = [&](std::string_view name) { return part(earlier, name) != part(now, name); };
  for (const std::string_view what : {"rows", "features"}) {
    const std::string name = fmt::format("{}=", what);
    if (differs(name)) return fmt::format("there are {} {}, not {}", part(now, name), what, part(earlier, name));
  }
  if (!differs("in_any_order=")) return "the rows are the same, but in another order";
  std::string text;
  for (const auto& [name, words] :
       {std::pair{"inputs=", "values of the features"}, {"targets=", "targets"}, {"weights=", "sample weights"}}) {
    if (differs(name)) text += (text.empty() ? "other " : " and other ") + std::string(words);
  }
  return "it has " + text;
}

}  // namespace overtake::forest
