// SPDX-License-Identifier: MIT
#include "data/file/temporary_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <exception>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>

#include "platform/file.hpp"
#include "platform/process.hpp"

namespace overtake::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".tmp";
constexpr std::size_t random_digits = 8;
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t longest_start = 200;  // bytes of the target's name, so that the whole is at most 255

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

std::string start_of(const fs::path& target) { return target.filename().string().substr(0, longest_start) + "."; }

/// The process in "START123-0a1b2c3d.tmp"; digits of any number follow it.
std::optional<std::int64_t> writer_in(std::string_view name, std::string_view start) {
  if (!name.starts_with(start) || !name.ends_with(ending)) return {};
  name.remove_prefix(start.size());
  name.remove_suffix(std::min(ending.size(), name.size()));
  std::int64_t process = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
  if (error != std::errc() || process <= 0) return {};
  name.remove_prefix(static_cast<std::size_t>(end - name.data()));
  if (name.size() < 2 || name.front() != '-') return {};
  if (name.find_first_not_of(hex_digits, 1) != std::string_view::npos) return {};
  return process;
}

}  // namespace

fs::path temporary_name(const fs::path& target) {
  std::random_device source;
  std::string digits;
  for (std::size_t i = 0; i < random_digits; ++i) digits += hex_digits[source() % hex_digits.size()];
  return folder_of(target) / fmt::format("{}{}-{}{}", start_of(target), platform::process_number(), digits, ending);
}

void remove_left_over(const fs::path& target) noexcept {
  try {
    const std::string start = start_of(target);
    std::error_code error;
    for (fs::directory_iterator it(folder_of(target), error), end; !error && it != end; it.increment(error)) {
      const std::optional<std::int64_t> writer = writer_in(it->path().filename().native(), start);
      if (!writer || platform::is_running(*writer) || !platform::is_unmarked(it->path())) continue;
      std::error_code ignored;
      fs::remove(it->path(), ignored);
    }
  } catch (const std::exception&) {
    return;  // out of memory for a path: the next one cleans up
  }
}

}  // namespace overtake::data
