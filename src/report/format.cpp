// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "overtake/report.hpp"

namespace overtake::report {
namespace {

/// Puts a comma before every third digit of the integer part.
std::string group_digits(const std::string& digits) {
  const std::size_t begin = digits.starts_with('-') ? 1 : 0;
  const std::size_t end = std::min(digits.find('.'), digits.size());
  std::string grouped = digits;
  for (std::size_t at = end; at > begin + 3; at -= 3) grouped.insert(at - 3, 1, ',');
  return grouped;
}

}  // namespace

std::string significant(double value, int digits) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (value == 0) return "0";
  // Rounding first settles cases such as 9.996, whose three digits are 10.0.
  const double rounded = std::stod(fmt::format("{:.{}e}", value, digits - 1));
  const int exponent = static_cast<int>(std::floor(std::log10(std::abs(rounded)) + 1e-12));
  if (exponent < -4 || exponent >= 15) return fmt::format("{:.{}e}", rounded, digits - 1);
  return group_digits(fmt::format("{:.{}f}", rounded, std::max(0, digits - 1 - exponent)));
}

std::string count(std::int64_t value) { return group_digits(fmt::format("{}", value)); }

std::string counted(std::int64_t value, std::string_view word, std::string_view ending) {
  return fmt::format("{} {}{}", count(value), word, value == 1 ? "" : ending);
}

std::string seconds(double value) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value) || value == 0) return significant(value) + " s";
  // The unit is chosen after rounding, so 999.9996 ms reads as 1.00 s.
  const double rounded = std::stod(fmt::format("{:.2e}", value));
  const double magnitude = std::abs(rounded);
  if (magnitude < 1e-6) return significant(rounded * 1e9) + " ns";
  if (magnitude < 1e-3) return significant(rounded * 1e6) + " us";
  if (magnitude < 1) return significant(rounded * 1e3) + " ms";
  if (magnitude < 120) return significant(rounded) + " s";
  const auto whole = static_cast<std::int64_t>(std::llround(value));
  if (whole < 7200) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string bytes(std::uint64_t value) {
  constexpr std::array<const char*, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(value);
  std::size_t unit = 0;
  while (amount >= 1024 && unit + 1 < units.size()) {
    amount /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", unit == 0 ? count(static_cast<std::int64_t>(value)) : significant(amount), units[unit]);
}

std::string ratio(double value) {
  if (std::isnan(value)) return "-";
  return significant(value, value >= 100 ? 3 : 2) + "x";
}

}  // namespace overtake::report
