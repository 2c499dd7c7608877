// SPDX-License-Identifier: MIT
#include "oracle/truth/elements.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace overtake::oracle {

using backend::TapeCode;

double larger(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::quiet_NaN() : std::max(a, b);
}
double smaller(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::quiet_NaN() : std::min(a, b);
}
double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

// Without a default: the compiler asks for the truth of a code that is added.
std::optional<ElementTruth> element_truth(TapeCode code) {
  switch (code) {
    case TapeCode::negate: return {{[](double x, double) { return -x; }}};
    case TapeCode::absolute: return {{[](double x, double) { return std::abs(x); }}};
    case TapeCode::sign: return {{[](double x, double) { return x > 0 ? 1.0 : (x < 0 ? -1.0 : x); }}};
    case TapeCode::sqrt: return {{[](double x, double) { return std::sqrt(x); }, 0.01F, 50}};
    case TapeCode::exp: return {{[](double x, double) { return std::exp(x); }}};
    case TapeCode::log: return {{[](double x, double) { return std::log(x); }, 0.01F, 50}};
    case TapeCode::log1p: return {{[](double x, double) { return std::log1p(x); }, 0.01F, 50}};
    case TapeCode::sin: return {{[](double x, double) { return std::sin(x); }}};
    case TapeCode::cos: return {{[](double x, double) { return std::cos(x); }}};
    case TapeCode::tanh: return {{[](double x, double) { return std::tanh(x); }}};
    case TapeCode::erf: return {{[](double x, double) { return std::erf(x); }}};
    case TapeCode::sigmoid: return {{[](double x, double) { return sigmoid_of(x); }}};
    case TapeCode::floor: return {{[](double x, double) { return std::floor(x); }}};
    case TapeCode::add: return {{[](double x, double y) { return x + y; }}};
    case TapeCode::subtract: return {{[](double x, double y) { return x - y; }}};
    case TapeCode::multiply: return {{[](double x, double y) { return x * y; }}};
    case TapeCode::divide: return {{[](double x, double y) { return x / y; }, 0.25F, 4}};
    case TapeCode::power: return {{[](double x, double y) { return std::pow(x, y); }, 0.25F, 4}};
    case TapeCode::maximum: return {{larger}};
    case TapeCode::minimum: return {{smaller}};
    case TapeCode::less: return {{[](double x, double y) { return x < y ? 1.0 : 0.0; }}};
    case TapeCode::less_equal: return {{[](double x, double y) { return x <= y ? 1.0 : 0.0; }}};
    case TapeCode::equal: return {{[](double x, double y) { return x == y ? 1.0 : 0.0; }}};
    case TapeCode::not_equal: return {{[](double x, double y) { return x != y ? 1.0 : 0.0; }}};
    case TapeCode::core:
    case TapeCode::load:
    case TapeCode::constant:
    case TapeCode::coordinate:
    case TapeCode::random:
    case TapeCode::select:
    case TapeCode::int_add:
    case TapeCode::int_multiply:
    case TapeCode::int_equal:
    case TapeCode::int_to_float:
    case TapeCode::float_to_int: return std::nullopt;
  }
  return std::nullopt;
}

std::vector<TapeCode> element_codes() {
  std::vector<TapeCode> codes;
  for (const backend::ElementFunction& function : backend::element_functions) {
    if (element_truth(function.code)) codes.push_back(function.code);
  }
  return codes;
}

std::function<double(double)> one(TapeCode code) {
  return [value = element_truth(code).value().value](double x) { return value(x, 0); };
}

std::function<double(double, double)> two(TapeCode code) { return element_truth(code).value().value; }

}  // namespace overtake::oracle
