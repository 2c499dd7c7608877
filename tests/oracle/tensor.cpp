// SPDX-License-Identifier: MIT
#include "oracle/operator_table.hpp"

#include <functional>
#include <numeric>

namespace overtake::oracle {

std::int64_t Tensor::size() const {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
}

std::vector<Array> upload(const std::vector<Tensor>& tensors, const Device& device) {
  std::vector<Array> arrays;
  for (const Tensor& tensor : tensors) {
    const std::vector<float> values(tensor.values.begin(), tensor.values.end());
    arrays.push_back(Array::from(values, Shape(tensor.extents), device));
  }
  return arrays;
}

Tensor map1(const Tensor& a, const std::function<double(double)>& f) {
  Tensor result = a;
  for (double& value : result.values) value = f(value);
  return result;
}

Tensor broadcast(const Tensor& a, const std::vector<std::int64_t>& extents) {
  Tensor result{extents, {}};
  result.values.resize(static_cast<std::size_t>(result.size()));
  for (std::int64_t i = 0; i < result.size(); ++i) {
    std::int64_t rest = i, from = 0, stride = 1;
    for (std::size_t back = 1; back <= extents.size(); ++back) {
      const std::int64_t at = rest % extents[extents.size() - back];
      rest /= extents[extents.size() - back];
      if (back > a.extents.size()) continue;
      const std::int64_t extent = a.extents[a.extents.size() - back];
      from += (extent == 1 ? 0 : at) * stride;
      stride *= extent;
    }
    result.values[static_cast<std::size_t>(i)] = a.values[static_cast<std::size_t>(from)];
  }
  return result;
}

Tensor map2(const Tensor& a, const Tensor& b, const std::function<double(double, double)>& f) {
  const std::vector<std::int64_t> extents = broadcast_shapes(Shape(a.extents), Shape(b.extents)).extents();
  Tensor x = broadcast(a, extents);
  const Tensor y = broadcast(b, extents);
  for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] = f(x.values[i], y.values[i]);
  return x;
}

Tensor reduce_axis(const Tensor& a, int axis, const std::function<double(const std::vector<double>&)>& f) {
  const auto at = static_cast<std::size_t>(axis);
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < at; ++i) outer *= a.extents[i];
  for (std::size_t i = at + 1; i < a.extents.size(); ++i) inner *= a.extents[i];
  Tensor result{a.extents, {}};
  result.extents.erase(result.extents.begin() + axis);
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      std::vector<double> column;
      for (std::int64_t r = 0; r < a.extents[at]; ++r) {
        column.push_back(a.values[static_cast<std::size_t>((o * a.extents[at] + r) * inner + i)]);
      }
      result.values.push_back(f(column));
    }
  }
  return result;
}

}  // namespace overtake::oracle
