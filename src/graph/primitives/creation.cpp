// SPDX-License-Identifier: MIT
// Arrays from nothing: full, zeros, ones, arange, uniform.
#include <numeric>

#include "graph/node.hpp"
#include "graph/primitives/rule.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

class Uniform final : public graph::Elementwise {
 public:
  explicit Uniform(backend::RandomKey key) : key_(key) {}
  [[nodiscard]] std::string_view name() const override { return "uniform"; }
  void sign(graph::Signature& signature) const override {
    signature.add(key_.seed);
    signature.add(key_.stream);
  }
  [[nodiscard]] std::uint16_t emit(graph::TapeBuilder& tape, const std::vector<std::uint16_t>& in) const override {
    return tape.random(in[0], key_);
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array&,
                                       const std::vector<bool>&) const override {
    return {Array()};
  }

 private:
  backend::RandomKey key_;
};

}  // namespace

Array full(const Shape& shape, float value, const Device& device) {
  return graph::make_source(std::make_shared<graph::Constant>(value), shape, DType::float32, &device.impl());
}

Array zeros(const Shape& shape, const Device& device) { return full(shape, 0, device); }
Array ones(const Shape& shape, const Device& device) { return full(shape, 1, device); }

Array arange(std::int32_t n, const Device& device) {
  if (n < 0) throw UsageError("[arange] needs a count of at least 0");
  std::vector<std::int32_t> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), 0);
  return Array::from(std::span<const std::int32_t>(values), Shape{n}, device);
}

Array uniform(const Shape& shape, std::uint64_t seed, std::uint32_t stream, const Array& counter) {
  graph::require("uniform", counter, DType::int32);
  if (counter.size() != 1) throw UsageError("[uniform] the counter must have one element");
  const Array spread = broadcast_to(reshape(counter, {}), shape);
  return graph::make_node(std::make_shared<Uniform>(backend::RandomKey{seed, stream}), {spread}, shape, DType::float32);
}

}  // namespace overtake
