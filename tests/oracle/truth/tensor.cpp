// SPDX-License-Identifier: MIT
#include "oracle/truth/tensor.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "oracle/truth/elements.hpp"
#include "overtake/shape.hpp"

namespace overtake::oracle {

std::int64_t Tensor::size() const {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
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
  const std::vector<std::int64_t> extents = broadcast_shapes(Shape(a.extents), Shape(b.extents)).to_vector();
  Tensor x = broadcast(a, extents);
  const Tensor y = broadcast(b, extents);
  for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] = f(x.values[i], y.values[i]);
  return x;
}

Tensor choose(const Tensor& condition, const Tensor& a, const Tensor& b) {
  Tensor result = broadcast(a, condition.extents);
  const Tensor other = broadcast(b, condition.extents);
  for (std::size_t i = 0; i < condition.values.size(); ++i) {
    if (condition.values[i] == 0) result.values[i] = other.values[i];
  }
  return result;
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

double sum_of(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }
double mean_of(const std::vector<double>& values) { return sum_of(values) / static_cast<double>(values.size()); }
double max_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), -std::numeric_limits<double>::infinity(), larger);
}
double min_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), std::numeric_limits<double>::infinity(), smaller);
}

Tensor product(const Tensor& a, const Tensor& b) {
  const std::int64_t m = a.extents[0], k = a.extents[1], n = b.extents[1];
  Tensor result{{m, n}, std::vector<double>(static_cast<std::size_t>(m * n))};
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t x = 0; x < k; ++x) {
      for (std::int64_t j = 0; j < n; ++j) {
        result.values[static_cast<std::size_t>(i * n + j)] +=
            a.values[static_cast<std::size_t>(i * k + x)] * b.values[static_cast<std::size_t>(x * n + j)];
      }
    }
  }
  return result;
}

Tensor transposed(const Tensor& a) {
  Tensor result{{a.extents[1], a.extents[0]}, {}};
  for (std::int64_t j = 0; j < a.extents[1]; ++j) {
    for (std::int64_t i = 0; i < a.extents[0]; ++i) {
      result.values.push_back(a.values[static_cast<std::size_t>(i * a.extents[1] + j)]);
    }
  }
  return result;
}

std::vector<double> log_softmax_of(std::vector<double> row) {
  const double top = max_of(row);
  double total = 0;
  for (const double value : row) total += std::exp(value - top);
  for (double& value : row) value = value - top - std::log(total);
  return row;
}

std::vector<double> softmax_of(std::vector<double> row) {
  const double top = max_of(row);
  for (double& value : row) value = std::exp(value - top);
  const double total = sum_of(row);
  for (double& value : row) value /= total;
  return row;
}

std::int32_t argmax_of(const std::vector<double>& row) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (!std::isnan(row[best]) && (std::isnan(row[i]) || row[i] > row[best])) best = i;
  }
  return static_cast<std::int32_t>(best);
}

Tensor map_rows(const Tensor& a, const std::function<std::vector<double>(std::vector<double>)>& f) {
  Tensor result{a.extents, {}};
  for (auto row = a.values.begin(); row != a.values.end(); row += a.extents.back()) {
    const std::vector<double> values = f({row, row + a.extents.back()});
    result.values.insert(result.values.end(), values.begin(), values.end());
  }
  return result;
}

}  // namespace overtake::oracle
