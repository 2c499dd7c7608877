// SPDX-License-Identifier: MIT
#include "data/gz_source.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "core/nearest.hpp"
#include "data/message.hpp"
#include "overtake/error.hpp"

namespace overtake::data {

namespace {

namespace fs = std::filesystem;

/// "Did you mean iris.csv?" from the other files of the folder, or general advice.
std::string missing_file_hint(const fs::path& path) {
  constexpr std::size_t most = 2000;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end && names.size() < most; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  const std::string near = nearest(path.filename().string(), names);
  if (near.empty()) return "Check the name and the folder.";
  return fmt::format("Did you mean {}?", path.has_parent_path() ? (folder / near).string() : near);
}

}  // namespace

void require_readable(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw DataError(fmt::format("cannot read {}: there is no such file", path.string()), missing_file_hint(path));
  }
  if (error) {
    throw DataError(fmt::format("cannot read {}: {}", path.string(), error.message()), "Check its permissions.");
  }
  if (fs::is_directory(status)) {
    throw DataError(fmt::format("cannot read {}: it is a folder", path.string()), "Name a file in it.");
  }
}

void GzSource::Closer::operator()(gzFile_s* file) const noexcept { gzclose_r(file); }

GzSource::GzSource(const fs::path& path) : name_(path.string()) {
  require_readable(path);
  errno = 0;
  file_.reset(gzopen(path.c_str(), "rbe"));
  if (file_ == nullptr) {
    throw DataError(fmt::format("cannot read {}: {}", name_, os_error(errno)), "Check its permissions.");
  }
  constexpr unsigned buffer_bytes = 1U << 18;
  gzbuffer(file_.get(), buffer_bytes);
}

std::size_t GzSource::read(std::span<char> target) {
  std::size_t total = 0;
  while (total < target.size()) {
    const std::size_t wanted = std::min<std::size_t>(target.size() - total, std::size_t{1} << 30);
    errno = 0;
    const int count = gzread(file_.get(), target.data() + total, static_cast<unsigned>(wanted));
    int code = Z_OK;
    const char* text = gzerror(file_.get(), &code);
    if (code == Z_ERRNO) {
      throw DataError(fmt::format("cannot read {}: {}", name_, os_error(errno)), "Check the disk and its permissions.");
    }
    if (count < 0 || (code != Z_OK && code != Z_STREAM_END)) {
      throw DataError(fmt::format("cannot read {}: its gzip data is damaged or cut off ({})", name_, text),
                      "Copy or download the file again.");
    }
    if (count == 0) break;
    total += static_cast<std::size_t>(count);
  }
  return total;
}

}  // namespace overtake::data
