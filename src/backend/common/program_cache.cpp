// SPDX-License-Identifier: MIT
#include "backend/common/program_cache.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "backend/common/cache_files.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

namespace fs = std::filesystem;

struct Header {
  char magic[8];
  std::uint64_t length;
  std::uint64_t checksum;
};
constexpr char magic[8] = {'O', 'V', 'T', 'K', 'P', 'R', 'G', '1'};

/// Each field with its length before it, so that no two keys run together into the same text.
void append_field(std::string& text, std::string_view field) {
  text += fmt::format("{}:", field.size());
  text += field;
}

/// What a file holds; nothing where it cannot be read or is not whole.
std::optional<std::string> read_program(const fs::path& path) {
  auto text = read_cache_file(path, std::numeric_limits<std::uintmax_t>::max());
  Header header{};
  if (!text || text->size() < sizeof header) return std::nullopt;
  std::memcpy(&header, text->data(), sizeof header);
  text->erase(0, sizeof header);
  const bool is_whole = std::memcmp(header.magic, magic, sizeof magic) == 0 && header.length == text->size() &&
                        XXH3_64bits(text->data(), text->size()) == header.checksum;
  return is_whole ? text : std::nullopt;
}

}  // namespace

std::string ProgramKey::digest() const {
  std::string text = fmt::format("dialect {};", kernels::dialect_version);
  for (const std::string* field : {&source, &options, &device, &driver, &compiler}) append_field(text, *field);
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

ProgramCache::ProgramCache(std::optional<fs::path> folder, std::uint64_t limit_bytes)
    : folder_(std::move(folder)), limit_bytes_(limit_bytes) {}

fs::path ProgramCache::file_of(const std::string& digest) const {
  return *folder_ / (digest + std::string(program_ending));
}

std::optional<std::string> ProgramCache::load(const ProgramKey& key) {
  if (!folder_) return std::nullopt;
  const fs::path path = file_of(key.digest());
  std::optional<std::string> binary = read_program(path);
  if (!binary) {
    ++misses_;
    return std::nullopt;
  }
  std::error_code error;
  // The time of last use decides which files go first.
  fs::last_write_time(path, fs::file_time_type::clock::now(), error);
  ++hits_;
  return binary;
}

bool ProgramCache::is_whole(const fs::path& file) { return read_program(file).has_value(); }

void ProgramCache::store(const ProgramKey& key, std::string_view binary) noexcept {
  if (!folder_) return;
  try {
    Header header{};
    std::memcpy(header.magic, magic, sizeof magic);
    header.length = binary.size();
    header.checksum = XXH3_64bits(binary.data(), binary.size());
    std::string content(reinterpret_cast<const char*>(&header), sizeof header);
    content += binary;
    if (!write_cache_file(*folder_, key.digest(), program_ending, content)) return;
    bound_size();
  } catch (...) {
    // The cache is a convenience: without it programs are compiled again.
  }
}

void ProgramCache::bound_size() const {
  struct Entry {
    fs::path path;
    fs::file_time_type used;
    std::uint64_t bytes;
  };
  std::vector<Entry> entries;
  std::uint64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator it(*folder_, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;  // another process may remove files meanwhile
    if (it->path().extension() != program_ending) continue;
    const Entry entry{it->path(), it->last_write_time(gone), it->file_size(gone)};
    if (gone) continue;
    total += entry.bytes;
    entries.push_back(entry);
  }
  if (total <= limit_bytes_) return;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  for (const Entry& entry : entries) {
    if (total <= limit_bytes_) return;
    fs::remove(entry.path, error);
    total -= entry.bytes;
  }
}

}  // namespace overtake::backend
