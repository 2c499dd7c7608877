// SPDX-License-Identifier: MIT
#include "overtake/print.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <ostream>
#include <vector>

#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake {
namespace {

// The elements that are shown, as one array: the ends of long axes.
Array shown_part(const Array& a, const PrintOptions& options) {
  if (a.size() <= options.threshold) return a;
  Array part = a;
  for (std::size_t i = 0; i < a.shape().rank(); ++i) {
    if (a.shape()[i] <= 2 * options.edge) continue;
    const auto axis = static_cast<int>(i);
    part = concat({slice(part, 0, options.edge, axis), slice(part, a.shape()[i] - options.edge, {}, axis)}, axis);
  }
  return part;
}

double rounded_to(double value, DType dtype) {
  switch (dtype) {
    case DType::float16: return static_cast<double>(static_cast<float>(float16(static_cast<float>(value))));
    case DType::bfloat16: return static_cast<double>(static_cast<float>(bfloat16(static_cast<float>(value))));
    default: return value;
  }
}

// A floating number, not 0, as its fewest digits that tell it from its neighbours: how many, and its exponent of ten.
struct Digits {
  int count = 1;
  int exponent = 0;
};

// Of what {fmt} writes, which has no digit too many: "-0.0125", "1.5e-07".
Digits digits_in(const std::string& shortest, double value) {
  std::string digits;
  for (const char c : shortest.substr(0, shortest.find('e'))) {
    if (c >= '0' && c <= '9' && (c != '0' || !digits.empty())) digits += c;
  }
  digits.erase(digits.find_last_not_of('0') + 1);
  const int count = static_cast<int>(digits.size());
  const std::string text = fmt::format("{:.{}e}", value, count - 1);
  return {count, std::stoi(text.substr(text.find('e') + 1))};
}

Digits digits_of(double value, DType dtype) {
  if (dtype == DType::float64) return digits_in(fmt::format("{}", value), value);
  if (dtype == DType::float32) return digits_in(fmt::format("{}", static_cast<float>(value)), value);
  const int exponent = static_cast<int>(std::floor(std::log10(std::abs(value))));
  constexpr int most_of_halves = 9;
  for (int count = 1; count < most_of_halves; ++count) {
    const double unit = std::pow(10.0, exponent - count + 1);
    const double read = std::round(value / unit) * unit;
    if (rounded_to(read, dtype) == value) return digits_in(fmt::format("{}", static_cast<float>(read)), read);
  }
  return {most_of_halves, exponent};
}

// Floating numbers in columns: the points stand below each other, or all have an exponent.
std::vector<std::string> float_texts(const std::vector<double>& values, DType dtype, int precision) {
  constexpr double large = 1e8, small = 1e-4, widest = 1000;  // NumPy's limits of plain notation
  double highest = 0, lowest = HUGE_VAL;
  for (const double value : values) {
    if (!std::isfinite(value) || value == 0) continue;
    highest = std::max(highest, std::abs(value));
    lowest = std::min(lowest, std::abs(value));
  }
  const bool exponents = highest > 0 && (highest >= large || lowest < small || highest / lowest > widest);
  int behind = 0;  // digits behind the point, of all
  for (const double value : values) {
    if (!std::isfinite(value) || value == 0) continue;
    const Digits digits = digits_of(value, dtype);
    behind = std::max(behind, exponents ? digits.count - 1 : digits.count - 1 - digits.exponent);
  }
  behind = std::min(behind, precision);
  std::vector<std::string> texts;
  for (const double value : values) {
    if (std::isnan(value)) {
      texts.emplace_back("nan");
    } else if (std::isinf(value)) {
      texts.emplace_back(value > 0 ? "inf" : "-inf");
    } else if (exponents) {
      std::string text = fmt::format("{:.{}e}", value, behind);
      if (behind == 0) text.insert(text.find('e'), ".");
      texts.push_back(std::move(text));
    } else {
      std::string text = fmt::format("{:.{}f}", value, behind);
      const std::size_t last = text.find_last_not_of('0');
      if (behind == 0) {
        text += '.';
      } else {  // zeros at the end are not digits of the number
        std::fill(text.begin() + static_cast<std::ptrdiff_t>(last) + 1, text.end(), ' ');
      }
      texts.push_back(std::move(text));
    }
  }
  return texts;
}

template <typename T>
std::vector<std::string> whole_texts(const Array& part) {
  std::vector<std::string> texts;
  for (const T value : part.to_vector<T>()) texts.push_back(fmt::format("{}", value));
  return texts;
}

// Each element, all of one width.
std::vector<std::string> texts_of(const Array& part, int precision) {
  std::vector<std::string> texts;
  if (part.dtype() == DType::boolean) {
    for (const bool value : part.to_vector<bool>()) texts.emplace_back(value ? "True" : "False");
  } else if (part.dtype() == DType::uint64) {
    texts = whole_texts<std::uint64_t>(part);
  } else if (is_integer(part.dtype())) {
    texts = whole_texts<std::int64_t>(astype(part, DType::int64));
  } else if (part.dtype() == DType::float64) {
    texts = float_texts(part.to_vector<double>(), part.dtype(), precision);
  } else {
    const std::vector<float> values = astype(part, DType::float32).to_vector<float>();
    texts = float_texts({values.begin(), values.end()}, part.dtype(), precision);
  }
  std::size_t width = 0;
  for (const std::string& text : texts) width = std::max(width, text.size());
  for (std::string& text : texts) text.insert(0, width - text.size(), ' ');
  return texts;
}

// Writes nested lists.
class Writer {
 public:
  Writer(const Shape& shape, const Shape& shown, std::vector<std::string> texts, const PrintOptions& options)
      : shape_(shape), shown_(shown), texts_(std::move(texts)), options_(options) {}

  std::string write() {
    write_axis(0);
    return std::move(text_);
  }

 private:
  void write_axis(std::size_t axis) {
    if (axis == shape_.rank()) {
      text_ += texts_[next_++];
      return;
    }
    const bool last = axis + 1 == shape_.rank();
    const bool cut = shown_[axis] < shape_[axis];
    text_ += '[';
    for (std::int64_t i = 0; i < shown_[axis]; ++i) {
      if (cut && i == options_.edge) {
        separate(axis, last, 3);
        text_ += "...";
      }
      if (i > 0) separate(axis, last, last ? texts_[next_].size() : 0);
      write_axis(axis + 1);
    }
    text_ += ']';
  }

  // Between two members of an axis; `room`: what the next one takes.
  void separate(std::size_t axis, bool last, std::size_t room) {
    text_ += ',';
    const std::size_t begin = text_.rfind('\n') == std::string::npos ? 0 : text_.rfind('\n') + 1;
    const std::size_t used = text_.size() - begin + (begin == 0 ? static_cast<std::size_t>(options_.indent) : 0);
    if (last && used + room + 1 < static_cast<std::size_t>(options_.width)) {
      text_ += ' ';
      return;
    }
    const std::size_t lines = last ? 1 : shape_.rank() - axis - 1;  // NumPy's empty lines between matrices
    text_.append(lines, '\n');
    text_.append(static_cast<std::size_t>(options_.indent) + axis + 1, ' ');
  }

  const Shape& shape_;
  const Shape& shown_;
  std::vector<std::string> texts_;
  const PrintOptions& options_;
  std::size_t next_ = 0;
  std::string text_;
};

}  // namespace

std::string to_string(const Array& array, const PrintOptions& options) {
  array.eval();
  if (array.size() == 0) return "[]";
  const Array part = shown_part(array, options);
  return Writer(array.shape(), part.shape(), texts_of(part, options.precision), options).write();
}

std::ostream& operator<<(std::ostream& out, const Array& array) {
  if (!array.defined()) return out << "array(undefined)";
  PrintOptions options;
  constexpr std::string_view begin = "array(";
  options.indent = static_cast<int>(begin.size());
  return out << begin << to_string(array, options) << ", dtype=" << name_of(array.dtype())
             << ", shape=" << array.shape().to_string() << ", device=" << array.device().id() << ')';
}

}  // namespace overtake
