// SPDX-License-Identifier: MIT
#include "placement/kept_rates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include "core/fingerprint.hpp"
#include "platform/decimal.hpp"

namespace overtake::placement {
namespace {

constexpr std::string_view first_line = "overtake rates 2";
// What runs in the background of a quiet computer takes less than a tenth of its cores.
constexpr double quiet_cores = 0.9;

using Field = std::pair<std::string_view, double Slowness::*>;
constexpr Field fields[] = {
    {"forest_wide", &Slowness::forest_wide},
    {"forest_chain", &Slowness::forest_chain},
    {"network_step", &Slowness::network_step},
    {"network_product", &Slowness::network_product},
    {"host", &Slowness::host},
};

}  // namespace

std::string digest_of(std::string_view text) {
  detail::Fingerprint fingerprint;
  fingerprint.add(text);
  return fingerprint.hex();
}

std::optional<double> take_number(std::string_view& text, std::string_view name) {
  const std::string key = fmt::format("{}: ", name);
  if (!text.starts_with(key)) return std::nullopt;
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = platform::decimal_from_chars(text.data() + key.size(), text.data() + line, value);
  if (error != std::errc() || end != text.data() + line) return std::nullopt;
  text.remove_prefix(line + 1);
  return value;
}

bool is_settled(const KeptRates& rates) noexcept { return rates.cores >= quiet_cores || rates.looks >= most_looks; }

KeptRates after_another(const KeptRates& before, const KeptRates& now) noexcept {
  KeptRates next{now.slowness, std::max(before.cores, now.cores), most_looks};
  for (const Field& field : fields) {
    if (now.slowness.*field.second < 0.9 * before.slowness.*field.second) next.looks = before.looks + 1;
    next.slowness.*field.second = std::min(before.slowness.*field.second, now.slowness.*field.second);
  }
  return next;
}

bool is_much_faster(double predicted_seconds, double seconds) noexcept {
  constexpr double least_seconds = 0.2;  // below, nobody chooses another device for it
  return 2 * seconds < predicted_seconds && seconds + least_seconds < predicted_seconds;
}

std::string to_text(const KeptRates& rates, std::string_view subject) {
  std::string text = fmt::format("{}\nof: {}\n", first_line, subject);
  text += fmt::format("cores: {}\nlooks: {}\n", rates.cores, rates.looks);
  for (const auto& [name, field] : fields) text += fmt::format("{}: {}\n", name, rates.slowness.*field);
  return text + fmt::format("checksum: {}\n", digest_of(text));
}

std::optional<KeptRates> parse_rates(std::string_view text, std::string_view subject) {
  const std::size_t at = text.rfind("checksum: ");
  if (at == std::string_view::npos || text.substr(at) != fmt::format("checksum: {}\n", digest_of(text.substr(0, at)))) {
    return std::nullopt;
  }
  const std::string head = fmt::format("{}\nof: {}\n", first_line, subject);
  if (!text.starts_with(head)) return std::nullopt;
  text.remove_prefix(head.size());
  KeptRates rates;
  const auto cores = take_number(text, "cores"), looks = take_number(text, "looks");
  if (!cores || !(*cores >= 0) || !looks || !(*looks >= 1 && *looks <= most_looks)) return std::nullopt;
  rates.cores = *cores;
  rates.looks = static_cast<int>(*looks);
  for (const auto& [name, field] : fields) {
    const auto value = take_number(text, name);
    if (!value || !(*value > 0)) return std::nullopt;
    rates.slowness.*field = *value;
  }
  return rates;
}

}  // namespace overtake::placement
