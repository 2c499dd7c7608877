// SPDX-License-Identifier: MIT
#include "forest/model/data_identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "core/fingerprint.hpp"
#include "core/parallel.hpp"

namespace overtake::forest {
namespace {

using detail::Fingerprint;

template <typename T>
T canonical(T value) {
  if (std::isnan(value)) return std::numeric_limits<T>::quiet_NaN();
  return value + T{0};  // -0 becomes 0
}

constexpr std::size_t block_rows = 4096;

/// Of consecutive rows. Blocks are hashed on all threads and joined in order.
struct BlockIdentity {
  using Hash = std::pair<std::uint64_t, std::uint64_t>;
  Hash inputs, targets, weights;
  std::uint64_t high = 0, low = 0;  // hashes of the block's rows, added up: the same in any order

  void add_row(std::span<const std::byte> row) {
    const auto [a, b] = detail::hash_of(row);
    high += a;
    low += b;
  }
};

/// Values in the spelling that is hashed, one behind the other.
class Bytes {
 public:
  explicit Bytes(std::size_t most) : bytes_(most) {}

  template <typename T>
  void put(T value) {
    std::memcpy(bytes_.data() + size_, &value, sizeof(value));
    size_ += sizeof(value);
  }
  void put_all(std::span<const std::byte> bytes) {
    std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  [[nodiscard]] std::span<const std::byte> all() const { return {bytes_.data(), size_}; }
  [[nodiscard]] std::span<const std::byte> since(std::size_t begin) const { return all().subspan(begin); }
  [[nodiscard]] std::size_t size() const { return size_; }
  void clear() { size_ = 0; }

 private:
  std::vector<std::byte> bytes_;
  std::size_t size_ = 0;
};

/// `weights` is empty where all are 1.
BlockIdentity identity_of(const Dataset& data, std::span<const float> weights, std::size_t begin, std::size_t end) {
  const auto features = static_cast<std::size_t>(data.features);
  const std::size_t rows = end - begin;
  Bytes inputs(rows * features * sizeof(float)), targets(rows * 2 * sizeof(double)), by_weight(rows * sizeof(float));
  Bytes whole_row(features * sizeof(float) + 3 * sizeof(double));
  BlockIdentity block;
  for (std::size_t row = begin; row < end; ++row) {
    const std::size_t input_begin = inputs.size(), target_begin = targets.size(), weight_begin = by_weight.size();
    for (std::size_t i = row * features; i < (row + 1) * features; ++i) inputs.put(canonical(data.inputs[i]));
    if (row < data.labels.size()) targets.put(data.labels[row]);
    if (row < data.targets.size()) targets.put(canonical(data.targets[row]));
    if (row < weights.size()) by_weight.put(canonical(weights[row]));
    whole_row.clear();
    whole_row.put_all(inputs.since(input_begin));
    whole_row.put_all(targets.since(target_begin));
    whole_row.put_all(by_weight.since(weight_begin));
    block.add_row(whole_row.all());
  }
  block.inputs = detail::hash_of(inputs.all());
  block.targets = detail::hash_of(targets.all());
  block.weights = detail::hash_of(by_weight.all());
  return block;
}

std::string joined(std::span<const BlockIdentity> blocks, BlockIdentity::Hash BlockIdentity::*part) {
  Fingerprint all;
  for (const BlockIdentity& block : blocks)
    all.add_values(std::span<const std::uint64_t>(std::array{(block.*part).first, (block.*part).second}));
  return all.hex();
}

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
  const auto rows = static_cast<std::size_t>(data.rows);
  std::vector<BlockIdentity> blocks((rows + block_rows - 1) / block_rows);
  parallel_for(blocks.size(), [&](std::size_t i) {
    const std::size_t begin = i * block_rows;
    blocks[i] = identity_of(data, weighted ? sample_weight : std::span<const float>{}, begin,
                            std::min(rows, begin + block_rows));
  });
  std::uint64_t high = 0, low = 0;
  for (const BlockIdentity& block : blocks) {
    high += block.high;
    low += block.low;
  }
  return fmt::format("rows={} features={} inputs={} targets={} weights={} in_any_order={:016x}{:016x}", data.rows,
                     data.features, joined(blocks, &BlockIdentity::inputs), joined(blocks, &BlockIdentity::targets),
                     weighted ? joined(blocks, &BlockIdentity::weights) : "none", high, low);
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
