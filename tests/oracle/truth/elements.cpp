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
    case TapeCode::negate: return {{1, [](double x, double) { return -x; }}};
    case TapeCode::absolute: return {{1, [](double x, double) { return std::abs(x); }}};
    case TapeCode::sign: return {{1, [](double x, double) { return x > 0 ? 1.0 : (x < 0 ? -1.0 : x); }}};
    case TapeCode::sqrt: return {{1, [](double x, double) { return std::sqrt(x); }, 0.01F, 50}};
    case TapeCode::exp: return {{1, [](double x, double) { return std::exp(x); }}};
    case TapeCode::log: return {{1, [](double x, double) { return std::log(x); }, 0.01F, 50}};
    case TapeCode::log1p: return {{1, [](double x, double) { return std::log1p(x); }, 0.01F, 50}};
    case TapeCode::sin: return {{1, [](double x, double) { return std::sin(x); }}};
    case TapeCode::cos: return {{1, [](double x, double) { return std::cos(x); }}};
    case TapeCode::tanh: return {{1, [](double x, double) { return std::tanh(x); }}};
    case TapeCode::erf: return {{1, [](double x, double) { return std::erf(x); }}};
    case TapeCode::sigmoid: return {{1, [](double x, double) { return sigmoid_of(x); }}};
    case TapeCode::floor: return {{1, [](double x, double) { return std::floor(x); }}};
    case TapeCode::add: return {{2, [](double x, double y) { return x + y; }}};
    case TapeCode::subtract: return {{2, [](double x, double y) { return x - y; }}};
    case TapeCode::multiply: return {{2, [](double x, double y) { return x * y; }}};
    case TapeCode::divide: return {{2, [](double x, double y) { return x / y; }, 0.25F, 4}};
    case TapeCode::power: return {{2, [](double x, double y) { return std::pow(x, y); }, 0.25F, 4}};
    case TapeCode::maximum: return {{2, larger}};
    case TapeCode::minimum: return {{2, smaller}};
    case TapeCode::less: return {{2, [](double x, double y) { return x < y ? 1.0 : 0.0; }}};
    case TapeCode::less_equal: return {{2, [](double x, double y) { return x <= y ? 1.0 : 0.0; }}};
    case TapeCode::equal: return {{2, [](double x, double y) { return x == y ? 1.0 : 0.0; }}};
    case TapeCode::not_equal: return {{2, [](double x, double y) { return x != y ? 1.0 : 0.0; }}};
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
  for (int code = 0; code <= std::numeric_limits<std::underlying_type_t<TapeCode>>::max(); ++code) {
    if (element_truth(static_cast<TapeCode>(code))) codes.push_back(static_cast<TapeCode>(code));
  }
  return codes;
}

std::function<double(double)> one(TapeCode code) {
  return [value = element_truth(code).value().value](double x) { return value(x, 0); };
}

std::function<double(double, double)> two(TapeCode code) { return element_truth(code).value().value; }

}  // namespace overtake::oracle
