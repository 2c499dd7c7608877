// SPDX-License-Identifier: MIT
// Copies, and one fused kernel with every element-wise function.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "overtake/ops.hpp"
#include "self_test/check.hpp"

namespace overtake::self_test {
namespace {

constexpr std::int64_t rows = 25, columns = 40;
constexpr double tolerance = 1e-5;

/// f(x, y) for an array x and a row y that is broadcast.
std::vector<double> each(const std::vector<float>& x, const std::vector<float>& y,
                         const std::function<double(double, double)>& f) {
  std::vector<double> result;
  for (std::size_t i = 0; i < x.size(); ++i) result.push_back(f(x[i], y[i % y.size()]));
  return result;
}

}  // namespace

void check_copies(const Device& device) {
  constexpr std::size_t count = 300001;  // no multiple of anything
  std::vector<std::int32_t> values(count);
  std::iota(values.begin(), values.end(), -7);
  backend::Device& impl = device.impl();
  const auto first = impl.allocate(count * 4);
  const auto second = impl.allocate(count * 4);
  impl.upload(*first, 0, values.data(), count * 4);
  impl.copy(*first, 0, *second, 0, count * 4);
  std::vector<std::int32_t> back(count);
  impl.download(*second, 0, back.data(), count * 4);
  expect_equal("a copy", back, values);
}

void check_elements(const Device& device) {
  using Function = std::function<double(double, double)>;
  const std::vector<float> x = numbers(rows * columns, -3, 3, 1);
  const std::vector<float> y = numbers(columns, 0.5F, 2, 2);
  const Array a = Array::from(x, {rows, columns}, device);
  const Array b = Array::from(y, {columns}, device);
  struct Case {
    const char* name;
    Array result;
    Function expected;
  };
  const std::vector<Case> cases = {
      {"x + y", a + b, [](double p, double q) { return p + q; }},
      {"x - y", a - b, [](double p, double q) { return p - q; }},
      {"x * y", a * b, [](double p, double q) { return p * q; }},
      {"x / y", a / b, [](double p, double q) { return p / q; }},
      {"power", power(b, a), [](double p, double q) { return std::pow(q, p); }},
      {"maximum", maximum(a, b), [](double p, double q) { return std::max(p, q); }},
      {"minimum", minimum(a, b), [](double p, double q) { return std::min(p, q); }},
      {"sign", sign(a), [](double p, double) { return p > 0   ? 1.0
                                                      : p < 0 ? -1.0
                                                              : 0.0; }},
      {"sqrt", sqrt(abs(a)), [](double p, double) { return std::sqrt(std::abs(p)); }},
      {"exp", exp(a), [](double p, double) { return std::exp(p); }},
      {"log", log(b), [](double, double q) { return std::log(q); }},
      {"log1p", log1p(b), [](double, double q) { return std::log1p(q); }},
      {"sin", sin(a), [](double p, double) { return std::sin(p); }},
      {"cos", cos(a), [](double p, double) { return std::cos(p); }},
      {"tanh", tanh(a), [](double p, double) { return std::tanh(p); }},
      {"erf", erf(a), [](double p, double) { return std::erf(p); }},
      {"sigmoid", sigmoid(a), [](double p, double) { return 1 / (1 + std::exp(-p)); }},
      {"where", where(less(a, b), a, b), [](double p, double q) { return p < q ? p : q; }},
      {"conversion", astype(astype(a, DType::int32), DType::float32), [](double p, double) { return std::trunc(p); }},
  };
  std::vector<Array> results;
  for (const Case& one : cases) results.push_back(one.result);
  eval(results);
  for (const Case& one : cases) {
    const bool of_row = one.result.size() == columns;
    const std::vector<float> none(of_row ? static_cast<std::size_t>(columns) : x.size());
    expect_close(one.name, one.result.to_vector<float>(), each(of_row ? none : x, y, one.expected), tolerance);
  }
}

}  // namespace overtake::self_test
