// SPDX-License-Identifier: MIT
// How far element functions of floats are from the truth, in units of the last place (ulp) of the true value: each
// function of kernels/graph/elements.k on each device, against its own body in long double. The largest error that is
// found is recorded as a property of the test; docs/element-functions.md has them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "kernels/graph/elements.k"
#include "oracle/devices.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

class Accuracy : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Accuracy, ::testing::ValuesIn(list_devices()), device_name);

using Wide = long double;  // of 64 bits of significand at least, where float64 is judged

// The bodies of the table as they are, in long double.
namespace wide {
// NOLINTBEGIN
using T = Wide;
using U = Wide;
using std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atan2, std::atanh, std::ceil, std::copysign,
    std::cos, std::cosh, std::erf, std::exp, std::expm1, std::fabs, std::floor, std::fmod, std::hypot, std::log,
    std::log10, std::log1p, std::log2, std::nextafter, std::pow, std::rint, std::signbit, std::sin, std::sinh,
    std::sqrt, std::tan, std::tanh, std::trunc;
using int64 = long long;
#define OVERTAKE_FLOATS_OF_FLOATS(body) body
#define OVERTAKE_FLOATS_OF_NUMBERS(body) body
#define OVERTAKE_FLOATS_OF_INTEGERS(body) return a + b;
#define OVERTAKE_WIDE(name, arity, types, result, low, high, body, da, db) \
  inline T name##_of([[maybe_unused]] T a, [[maybe_unused]] T b) { OVERTAKE_FLOATS_OF_##types(body) }
ELEMENT_FUNCTIONS(OVERTAKE_WIDE)
// NOLINTEND
}  // namespace wide

struct Function {
  std::string name;
  bool of_two;
  bool of_floats;  // FLOATS or NUMBERS, and the result is of their type
  double low, high;
  Array (*call)(const Array& a, const Array& b);
  Wide (*truth)(Wide a, Wide b);
};

#define OVERTAKE_APPLY_ONE(name) overtake::name(a)
#define OVERTAKE_APPLY_TWO(name) overtake::name(a, b)
#define OVERTAKE_IS_TWO_ONE false
#define OVERTAKE_IS_TWO_TWO true
#define OVERTAKE_MEASURED_SAME(types) (std::string_view(#types) != "INTEGERS")
#define OVERTAKE_MEASURED_TRUTH(types) false
#define OVERTAKE_ROW(name, arity, types, result, low, high, body, da, db)                                         \
  {#name,                                                                                                         \
   OVERTAKE_IS_TWO_##arity,                                                                                       \
   OVERTAKE_MEASURED_##result(types),                                                                             \
   low,                                                                                                           \
   high,                                                                                                          \
   []([[maybe_unused]] const Array& a, [[maybe_unused]] const Array& b) { return OVERTAKE_APPLY_##arity(name); }, \
   wide::name##_of},

const std::vector<Function>& functions() {
  static const std::vector<Function> table{ELEMENT_FUNCTIONS(OVERTAKE_ROW)};
  return table;
}

template <typename T>
std::vector<T> edges() {
  using limits = std::numeric_limits<T>;
  const T inf = limits::infinity();
  std::vector<T> values{T(0),
                        limits::min(),
                        limits::epsilon(),
                        T(1e-5),
                        T(0.1),
                        T(0.5),
                        T(0.75),
                        T(1),
                        T(1.5),
                        T(2),
                        T(3),
                        T(10),
                        T(88.5),
                        T(100),
                        T(1e4),
                        T(1e10),
                        limits::max() / 2,
                        limits::max(),
                        inf,
                        std::nextafter(T(1), T(0)),
                        std::nextafter(T(1), T(2)),
                        T(1.5707963267948966),
                        T(3.141592653589793),
                        limits::quiet_NaN()};
  const std::size_t count = values.size();
  for (std::size_t i = 0; i < count; ++i) values.push_back(-values[i]);
  return values;
}

template <typename T>
struct Operands {
  std::vector<T> a, b;
};

// What the tests of the function draw from, edge values (all pairs of them), and normal numbers of every exponent.
template <typename T>
Operands<T> operands(const Function& function) {
  constexpr int many = 20000;
  std::mt19937_64 random(20261127);
  std::uniform_real_distribution<double> within(function.low, function.high);
  constexpr int exponents = sizeof(T) == sizeof(float) ? 20 : 100;
  std::uniform_real_distribution<double> exponent(-exponents, exponents);
  const auto any = [&] { return static_cast<T>((random() % 2 == 0 ? 1 : -1) * std::exp2(exponent(random))); };
  Operands<T> result;
  const auto add = [&](T a, T b) {
    result.a.push_back(a);
    result.b.push_back(b);
  };
  for (int i = 0; i < many; ++i) add(static_cast<T>(within(random)), static_cast<T>(within(random)));
  for (int i = 0; i < many; ++i) add(any(), any());
  for (const T a : edges<T>()) {
    if (!function.of_two) add(a, T(1));
    if (!function.of_two) continue;
    for (const T b : edges<T>()) add(a, b);
  }
  return result;
}

// One unit of the last place at a value; of values below the normal numbers that of the smallest normal one.
template <typename T>
Wide unit_at(Wide value) {
  using limits = std::numeric_limits<T>;
  const int exponent = value == 0 ? limits::min_exponent - 1 : std::max(std::ilogb(value), limits::min_exponent - 1);
  return std::exp2(static_cast<Wide>(exponent - limits::digits + 1));
}

// The distance in ulps of `scale`.
template <typename T>
double ulps(T got, Wide truth, Wide scale) {
  using limits = std::numeric_limits<T>;
  constexpr double never = limits::infinity();
  if (std::isnan(truth)) return std::isnan(got) ? 0 : never;
  if (std::isnan(got)) return never;
  if (got == static_cast<T>(truth) && std::isinf(got)) return 0;  // beyond the largest number
  if (std::isinf(truth)) return never;
  const Wide value = std::isinf(got) ? std::copysign(std::exp2(Wide(limits::max_exponent)), Wide(got)) : Wide(got);
  return static_cast<double>(std::abs(value - truth) / unit_at<T>(scale));
}

// What is promised. The cpu's own are measured; those of GPUs are what their makers promise (CUDA C++ Programming
// Guide, OpenCL C 3.0, section 7.4), where that is more than 2.
double bound_of(const std::string& function, const std::string& backend) {
  static const std::map<std::string, double> everywhere{{"logaddexp", 3}, {"sigmoid", 3}, {"tanh", 3}};
  static const std::map<std::string, double> cuda{{"acosh", 4}, {"asinh", 3}, {"atan2", 3},  {"atanh", 3},
                                                  {"hypot", 3}, {"power", 4}, {"sinh", 3},   {"tan", 4},
                                                  {"erf", 3},   {"log10", 3}, {"sigmoid", 4}};
  static const std::map<std::string, double> opencl{
      {"acos", 4},  {"acosh", 4}, {"asin", 4},    {"asinh", 4},    {"atan", 5},         {"atan2", 6},    {"atanh", 5},
      {"cos", 4},   {"cosh", 4},  {"erf", 16},    {"exp", 3},      {"expm1", 3},        {"hypot", 4},    {"log", 3},
      {"log10", 3}, {"log2", 3},  {"log1p", 3},   {"power", 16},   {"sin", 4},          {"sinh", 4},     {"sqrt", 3},
      {"tan", 5},   {"tanh", 5},  {"sigmoid", 6}, {"divide", 2.5}, {"reciprocal", 2.5}, {"logaddexp", 4}};
  double bound = 2;
  const auto widen = [&](const std::map<std::string, double>& table) {
    if (const auto found = table.find(function); found != table.end()) bound = std::max(bound, found->second);
  };
  widen(everywhere);
  if (backend == "cuda") widen(cuda);
  if (backend == "opencl") widen(opencl);
  return bound;
}

template <typename T>
void measure(const Device& device) {
  for (const Function& function : functions()) {
    // nextafter() of long double is another function; element by element it is tested elsewhere.
    if (!function.of_floats || function.name == "nextafter") continue;
    const Operands<T> in = operands<T>(function);
    const Shape shape{static_cast<std::int64_t>(in.a.size())};
    const std::vector<T> got =
        function.call(Array::from(in.a, shape, device), Array::from(in.b, shape, device)).template to_vector<T>();
    double worst = 0;
    std::size_t where = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const Wide truth = function.truth(in.a[i], in.b[i]);
      // Where logaddexp() is near 0 its operands cancel out: measured by them.
      const bool cancels = function.name == "logaddexp" && std::isfinite(in.a[i]) && std::isfinite(in.b[i]);
      const Wide scale =
          cancels ? std::max({std::abs(truth), std::abs(Wide(in.a[i])), std::abs(Wide(in.b[i]))}) : truth;
      const double error = ulps(got[i], truth, scale);
      if (error > worst) worst = error, where = i;
    }
    ::testing::Test::RecordProperty(function.name, std::to_string(worst));
    EXPECT_LE(worst, bound_of(function.name, device.info().backend))
        << function.name << "(" << in.a[where] << ", " << in.b[where] << ") gave " << got[where];
  }
}

TEST_P(Accuracy, OfFloat32) { measure<float>(device()); }

TEST_P(Accuracy, OfFloat64) {
  if (!device().info().double_precision) GTEST_SKIP() << "no double precision";
  measure<double>(device());
}

}  // namespace
}  // namespace overtake::oracle
