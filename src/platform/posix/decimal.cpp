// SPDX-License-Identifier: MIT
#include "platform/decimal.hpp"

#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <version>

#include "platform/posix/locale.hpp"

namespace overtake::platform {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::size_t digits_at(std::string_view text, std::size_t begin) noexcept {
  std::size_t end = begin;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - begin;
}

/// Length of "12", "1.5", ".5", "1.", with an exponent or not, at the front; 0 if there is none.
std::size_t decimal_length(std::string_view text) noexcept {
  std::size_t length = digits_at(text, 0);
  bool any = length > 0;
  if (length < text.size() && text[length] == '.') {
    const std::size_t fraction = digits_at(text, length + 1);
    any = any || fraction > 0;
    length += 1 + fraction;
  }
  if (!any) return 0;
  if (length < text.size() && (text[length] == 'e' || text[length] == 'E')) {
    const std::size_t sign = length + 1 < text.size() && (text[length + 1] == '-' || text[length + 1] == '+') ? 1 : 0;
    const std::size_t exponent = digits_at(text, length + 1 + sign);
    if (exponent > 0) length += 1 + sign + exponent;
  }
  return length;
}

/// `word` is in lower case.
bool begins_with_word(std::string_view text, std::string_view word) noexcept {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(), [](char w, char c) {
           return w == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
         });
}

/// Length of "nan" and of "nan(CHARACTERS)".
std::size_t nan_length(std::string_view text) noexcept {
  constexpr std::size_t word = 3;
  if (text.size() <= word || text[word] != '(') return word;
  const auto is_inside = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  std::size_t end = word + 1;
  while (end < text.size() && is_inside(text[end])) ++end;
  return end < text.size() && text[end] == ')' ? end + 1 : word;
}

/// Whatever locale the program has set.
double strtod_in_c(const std::string& text) { return ::strtod_l(text.c_str(), nullptr, classic_locale()); }

}  // namespace

std::from_chars_result decimal_by_strtod(const char* first, const char* last, double& value) {
  const std::string_view text(first, static_cast<std::size_t>(last - first));
  const bool negative = text.starts_with('-');
  const std::string_view rest = text.substr(negative ? 1 : 0);
  const double sign = negative ? -1.0 : 1.0;
  const auto end_after = [&](std::size_t length) { return first + (negative ? 1 : 0) + length; };
  if (begins_with_word(rest, "inf")) {
    value = sign * std::numeric_limits<double>::infinity();
    return {end_after(begins_with_word(rest, "infinity") ? 8 : 3), std::errc()};
  }
  if (begins_with_word(rest, "nan")) {
    value = std::copysign(std::numeric_limits<double>::quiet_NaN(), sign);
    return {end_after(nan_length(rest)), std::errc()};
  }
  const std::size_t length = decimal_length(rest);
  if (length == 0) return {first, std::errc::invalid_argument};
  const std::string digits(rest.substr(0, length));
  const double size = strtod_in_c(digits);
  value = sign * size;
  const std::string_view mantissa = std::string_view(digits).substr(0, digits.find_first_of("eE"));
  const bool vanished = size == 0.0 && mantissa.find_first_of("123456789") != std::string_view::npos;
  return {end_after(length), std::isinf(size) || vanished ? std::errc::result_out_of_range : std::errc()};
}

std::from_chars_result decimal_from_chars(const char* first, const char* last, double& value) {
#ifdef __cpp_lib_to_chars
  const std::from_chars_result result = std::from_chars(first, last, value);
  if (result.ec != std::errc::result_out_of_range) return result;
  static_cast<void>(decimal_by_strtod(first, last, value));
  return result;
#else
  return decimal_by_strtod(first, last, value);
#endif
}

}  // namespace overtake::platform
