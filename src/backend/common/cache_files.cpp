// SPDX-License-Identifier: MIT
#include "backend/common/cache_files.hpp"

#include <chrono>
#include <span>
#include <utility>

#include "platform/file.hpp"

namespace overtake::backend {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t digest_digits = 32;
constexpr std::string_view unfinished = ".unfinished-XXXXXX";  // after a digest, while the file is written

}  // namespace

CacheFile kind_of(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name == trial_lock) return CacheFile::lock;
  if (name.find_first_not_of("0123456789abcdef") != digest_digits) return CacheFile::foreign;
  const std::string_view ending = std::string_view(name).substr(digest_digits);
  if (ending == program_ending) return CacheFile::program;
  if (ending == verdict_ending) return CacheFile::verdict;
  if (ending == rates_ending) return CacheFile::rates;
  const std::string_view mark = unfinished.substr(0, unfinished.find('X'));
  const bool is_unfinished = ending.size() == unfinished.size() && ending.starts_with(mark);
  return is_unfinished ? CacheFile::unfinished : CacheFile::foreign;
}

std::string unfinished_name(const std::string& digest) { return digest + std::string(unfinished); }

std::optional<std::string> read_cache_file(const fs::path& path, std::uintmax_t most) {
  std::error_code error;
  platform::File file = platform::open_plain_to_read(path, error);
  const std::uintmax_t size = error ? 0 : fs::file_size(path, error);
  if (error || size > most) return std::nullopt;
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const std::size_t count = file.read(std::span(text).subspan(done), error);
    if (count == 0) break;
    done += count;
  }
  text.resize(done);
  return error ? std::nullopt : std::optional(std::move(text));
}

bool write_cache_file(const fs::path& folder, const std::string& digest, std::string_view ending,
                      std::string_view content) {
  std::error_code error;
  fs::create_directories(folder, error);
  remove_left_over(folder);
  std::string temporary = (folder / unfinished_name(digest)).string();
  platform::File file = platform::create_private(temporary, error);
  if (error) return false;
  const bool written = !file.write(std::as_bytes(std::span(content.data(), content.size())));
  const bool closed = !file.close();
  if (written && closed) fs::rename(temporary, folder / (digest + std::string(ending)), error);
  if (written && closed && !error) return true;
  fs::remove(temporary, error);
  return false;
}

void remove_left_over(const fs::path& folder) noexcept {
  try {
    const auto old = fs::file_time_type::clock::now() - std::chrono::hours(1);
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      std::error_code gone;  // another process may remove files meanwhile
      if (kind_of(it->path()) != CacheFile::unfinished) continue;
      if (it->last_write_time(gone) < old && !gone) fs::remove_all(it->path(), gone);
    }
  } catch (...) {
    // They go another time.
  }
}

}  // namespace overtake::backend
