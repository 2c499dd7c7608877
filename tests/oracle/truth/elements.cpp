// SPDX-License-Identifier: MIT
#include "oracle/truth/elements.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>

namespace overtake::oracle {
namespace {

using backend::ElementFunction;
using backend::TapeCode;

using Value = double (*)(double, double);

double truth(bool is) { return is ? 1 : 0; }

double floor_divided(double a, double b) { return std::floor(a / b); }

// By name: what each function of floats means. A function without an entry fails ElementTruths.OfEveryFunction.
const std::map<std::string_view, Value>& values() {
  static const std::map<std::string_view, Value> table{
      {"negative", [](double x, double) { return -x; }},
      {"abs", [](double x, double) { return std::abs(x); }},
      {"sign", [](double x, double) { return x > 0 ? 1.0 : (x < 0 ? -1.0 : x); }},
      {"square", [](double x, double) { return x * x; }},
      {"sqrt", [](double x, double) { return std::sqrt(x); }},
      {"reciprocal", [](double x, double) { return 1 / x; }},
      {"exp", [](double x, double) { return std::exp(x); }},
      {"expm1", [](double x, double) { return std::expm1(x); }},
      {"log", [](double x, double) { return std::log(x); }},
      {"log1p", [](double x, double) { return std::log1p(x); }},
      {"log2", [](double x, double) { return std::log2(x); }},
      {"log10", [](double x, double) { return std::log10(x); }},
      {"sin", [](double x, double) { return std::sin(x); }},
      {"cos", [](double x, double) { return std::cos(x); }},
      {"tan", [](double x, double) { return std::tan(x); }},
      {"asin", [](double x, double) { return std::asin(x); }},
      {"acos", [](double x, double) { return std::acos(x); }},
      {"atan", [](double x, double) { return std::atan(x); }},
      {"sinh", [](double x, double) { return std::sinh(x); }},
      {"cosh", [](double x, double) { return std::cosh(x); }},
      {"tanh", [](double x, double) { return std::tanh(x); }},
      {"asinh", [](double x, double) { return std::asinh(x); }},
      {"acosh", [](double x, double) { return std::acosh(x); }},
      {"atanh", [](double x, double) { return std::atanh(x); }},
      {"erf", [](double x, double) { return std::erf(x); }},
      {"sigmoid", [](double x, double) { return sigmoid_of(x); }},
      {"floor", [](double x, double) { return std::floor(x); }},
      {"ceil", [](double x, double) { return std::ceil(x); }},
      {"trunc", [](double x, double) { return std::trunc(x); }},
      {"round", [](double x, double) { return std::nearbyint(x); }},
      {"isnan", [](double x, double) { return truth(std::isnan(x)); }},
      {"isinf", [](double x, double) { return truth(std::isinf(x)); }},
      {"isfinite", [](double x, double) { return truth(std::isfinite(x)); }},
      {"signbit", [](double x, double) { return truth(std::signbit(x)); }},
      {"add", [](double x, double y) { return x + y; }},
      {"subtract", [](double x, double y) { return x - y; }},
      {"multiply", [](double x, double y) { return x * y; }},
      {"divide", [](double x, double y) { return x / y; }},
      {"floor_divide", floor_divided},
      {"remainder", [](double x, double y) { return x - y * floor_divided(x, y); }},
      {"power", [](double x, double y) { return std::pow(x, y); }},
      {"atan2", [](double x, double y) { return std::atan2(x, y); }},
      {"hypot", [](double x, double y) { return std::hypot(x, y); }},
      {"logaddexp", [](double x, double y) { return std::log(std::exp(x) + std::exp(y)); }},
      {"copysign", [](double x, double y) { return std::copysign(x, y); }},
      {"nextafter",
       [](double x, double y) {
         return static_cast<double>(std::nextafterf(static_cast<float>(x), static_cast<float>(y)));
       }},
      {"maximum", larger},
      {"minimum", smaller},
      {"less", [](double x, double y) { return truth(x < y); }},
      {"less_equal", [](double x, double y) { return truth(x <= y); }},
      {"equal", [](double x, double y) { return truth(x == y); }},
      {"not_equal", [](double x, double y) { return truth(x != y); }},
      {"to_float32", [](double x, double) { return x; }},
      {"to_float64", [](double x, double) { return x; }},
      {"to_bool", [](double x, double) { return truth(x != 0); }},
      {"float_to_int32", [](double x, double) { return std::trunc(x); }},
      {"float_to_int64", [](double x, double) { return std::trunc(x); }},
      {"float_to_uint64", [](double x, double) { return x > 0 ? std::trunc(x) : 0; }},
      {"round_float16",
       [](double x, double) { return static_cast<double>(static_cast<float>(float16(static_cast<float>(x)))); }},
      {"round_bfloat16",
       [](double x, double) { return static_cast<double>(static_cast<float>(bfloat16(static_cast<float>(x)))); }},
  };
  return table;
}

}  // namespace

double larger(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::quiet_NaN() : std::max(a, b);
}
double smaller(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::quiet_NaN() : std::min(a, b);
}
double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

std::optional<ElementTruth> element_truth(TapeCode code) {
  const ElementFunction* function = backend::element_function(code);
  if (function == nullptr) return std::nullopt;
  const auto found = values().find(function->name);
  if (found == values().end()) return std::nullopt;
  return ElementTruth{found->second, function->low, function->high};
}

std::vector<TapeCode> element_codes() {
  std::vector<TapeCode> codes;
  for (const ElementFunction& function : backend::element_functions) {
    if (function.takes(backend::ValueType::float32)) codes.push_back(function.code);
  }
  return codes;
}

std::function<double(double)> one(TapeCode code) {
  return [value = element_truth(code).value().value](double x) { return value(x, 0); };
}

std::function<double(double, double)> two(TapeCode code) { return element_truth(code).value().value; }

}  // namespace overtake::oracle
