// SPDX-License-Identifier: MIT
#include "backend/common/trial/verdict_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "backend/common/cache_files.hpp"
#include "core/config.hpp"
#include "core/fingerprint.hpp"

namespace overtake::backend {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view first_line = "overtake driver verdict 2";
constexpr std::size_t most_bytes = 16384;  // of a verdict

std::string checksum(std::string_view text) {
  detail::Fingerprint fingerprint;
  fingerprint.add(text);
  return fingerprint.hex();
}

/// One line: what drivers say may hold anything.
std::string as_line(std::string_view text) {
  constexpr std::size_t longest = 2000;
  std::string line(text.substr(0, longest));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return line;
}

/// Takes "NAME: VALUE\n" from the front of `text`.
std::optional<std::string_view> take_field(std::string_view& text, std::string_view name) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(name) || !text.substr(name.size()).starts_with(": "))
    return std::nullopt;
  const std::string_view value = text.substr(name.size() + 2, end - name.size() - 2);
  text.remove_prefix(end + 1);
  return value;
}

std::optional<std::int64_t> parse_seconds(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string to_text(const KeptVerdict& kept) {
  const char* result = kept.verdict.passed ? "passed" : kept.timed_out ? "timed out" : "failed";
  const std::string body = fmt::format("{}\nsubject: {}\nresult: {}\nreason: {}\ntried: {}\npatience: {}\n", first_line,
                                       as_line(kept.verdict.subject), result, as_line(kept.verdict.reason),
                                       kept.verdict.tried_at, kept.timeout);
  return body + fmt::format("checksum: {}\n", checksum(body));
}

std::optional<KeptVerdict> parse_verdict(std::string_view text) {
  const std::size_t at = text.rfind("checksum: ");
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view last = text.substr(at);
  const auto sum = take_field(last, "checksum");
  if (!sum || !last.empty() || *sum != checksum(text.substr(0, at))) return std::nullopt;
  std::string_view body = text.substr(0, at);
  if (!body.starts_with(first_line)) return std::nullopt;
  body.remove_prefix(std::min(body.size(), first_line.size() + 1));
  const auto subject = take_field(body, "subject");
  const auto result = take_field(body, "result");
  const auto reason = take_field(body, "reason");
  const auto tried = take_field(body, "tried");
  const auto waited = take_field(body, "patience");
  const auto tried_at = tried ? parse_seconds(*tried) : std::nullopt;
  const auto timeout = waited ? parse_seconds(*waited) : std::nullopt;
  if (!subject || !result || !reason || !tried_at || !timeout) return std::nullopt;
  KeptVerdict kept;
  kept.verdict = {std::string(*subject), *result == "passed", std::string(*reason), *tried_at};
  kept.timed_out = *result == "timed out";
  kept.timeout = *timeout;
  return kept;
}

std::optional<KeptVerdict> read_verdict(const fs::path& path) {
  const auto text = read_cache_file(path, most_bytes);
  return text ? parse_verdict(*text) : std::nullopt;
}

VerdictStore::VerdictStore(std::optional<fs::path> folder, std::size_t most)
    : folder_(std::move(folder)), most_(most) {}

std::optional<KeptVerdict> VerdictStore::load(const std::string& digest) const {
  if (!folder_) return std::nullopt;
  return read_verdict(*folder_ / (digest + std::string(verdict_ending)));
}

bool VerdictStore::store(const std::string& digest, const KeptVerdict& kept) const noexcept {
  if (!folder_) return false;
  try {
    if (!write_cache_file(*folder_, digest, verdict_ending, to_text(kept))) return false;
    bound_number();
    return true;
  } catch (...) {
    return false;  // the driver is tried again
  }
}

void VerdictStore::bound_number() const {
  std::vector<std::pair<fs::file_time_type, fs::path>> entries;
  std::error_code error;
  for (fs::directory_iterator it(*folder_, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    if (kind_of(it->path()) == CacheFile::verdict) entries.emplace_back(it->last_write_time(gone), it->path());
  }
  if (entries.size() <= most_) return;
  std::sort(entries.begin(), entries.end());
  entries.resize(entries.size() - most_);
  for (const auto& [time, path] : entries) fs::remove(path, error);
}

}  // namespace overtake::backend
