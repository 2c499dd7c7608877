// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include "data/file/temporary_file.hpp"
#include "overtake/data/file.hpp"
#include "overtake/error.hpp"
#include "platform/file.hpp"
#include "platform/permissions.hpp"
#include "platform/stream.hpp"

namespace overtake {

namespace {

namespace fs = std::filesystem;

std::string name_of(const fs::path& path) { return path == "/dev/stdout" ? "standard output" : path.string(); }

[[noreturn]] void fail(const fs::path& path, const std::error_code& error) {
  if (error == std::errc::broken_pipe) {
    throw DataError(fmt::format("cannot write {}: its reader closed it before the end", name_of(path)),
                    "Let the reading program take everything, or write to a file.");
  }
  std::string hint = "Check that the folder exists and that you may write there.";
  if (platform::is_out_of_space(error)) hint = "Free some space or choose another folder.";
  throw DataError(fmt::format("cannot write {}: {}", name_of(path), error.message()), limit_hint(error, hint));
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

/// Opens a named pipe, waiting a while for its reader: for ever would be a command that hangs without a word.
platform::File open_pipe(const fs::path& path) {
  constexpr auto timeout = std::chrono::seconds(10);
  constexpr auto pause = std::chrono::milliseconds(5);
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (true) {
    std::error_code error;
    platform::File pipe = platform::open_pipe_to_write(path, error);
    if (!error) return pipe;
    if (error != std::errc::no_such_device_or_address) fail(path, error);
    if (std::chrono::steady_clock::now() >= end) {
      throw DataError(fmt::format("cannot write {}: it is a pipe that no program reads; waited {} s", path.string(),
                                  timeout.count()),
                      "Start the reading program first, or write to a file.");
    }
    std::this_thread::sleep_for(pause);
  }
}

/// After a rename, which is all that the file still lacks: without memory for a path it is complete all the same.
void make_name_durable(const fs::path& file) noexcept {
  try {
    platform::sync_folder(folder_of(file));
  } catch (const std::exception&) {
    return;
  }
}

/// True where we may not replace a file that only its owner may: the rename would fail, when the work is done.
bool is_kept_by_others(const fs::path& path) noexcept {
  try {
    const fs::path target = link_target(path);
    return platform::only_owners_replace(target, folder_of(target));
  } catch (const std::exception&) {
    return false;
  }
}

/// What stands under a name before it is written.
fs::file_status status_of(const fs::path& path) {
  if (path.empty()) throw DataError("cannot write a file without a name", "Give a file name.");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) {
    throw DataError(fmt::format("cannot write {}: it is a folder", path.string()), "Give a file name.");
  }
  if (fs::is_socket(status)) {
    throw DataError(fmt::format("cannot write {}: it is a socket", path.string()),
                    "Give the name of a file or a pipe.");
  }
  if (error == std::errc::filename_too_long) fail(path, error);
  // A rename asks for the permission of the folder alone, so a file would not be safe by being write-protected.
  const std::error_code denied = fs::exists(status) ? platform::writing_denied(path) : std::error_code();
  if (denied) {
    if (denied != std::errc::permission_denied) fail(path, denied);
    throw DataError(fmt::format("cannot write {}: it is write-protected", path.string()),
                    "Give another name, or allow writing: chmod u+w.");
  }
  if (fs::is_regular_file(status) && is_kept_by_others(path)) {
    throw DataError(
        fmt::format("cannot write {}: it belongs to another user, in a folder where only owners replace files",
                    path.string()),
        "Give another name or folder.");
  }
  return status;
}

}  // namespace

std::string limit_hint(const std::error_code& error, std::string_view otherwise) {
  if (error == std::errc::too_many_files_open) return "Raise the limit of open files: ulimit -n 1024.";
  if (error == std::errc::file_too_large) {
    return "Raise the limit of file sizes (ulimit -f unlimited), or choose a folder that takes large files.";
  }
  return std::string(otherwise);
}

void require_writable(const fs::path& path) {
  if (const std::optional<int> named = descriptor_named(path)) {
    if (platform::is_open_to_write(*named)) return;
    throw DataError(fmt::format("cannot write {}: it is not open for writing", name_of(path)),
                    "Check where it was redirected to.");
  }
  const fs::file_status status = status_of(path);
  if (!fs::exists(status) || fs::is_regular_file(status)) const AtomicFile probe(path);
}

/// What is being written, and under which name.
struct AtomicFile::Target {
  fs::path path;
  fs::path temporary;    // the name to remove; empty when there is none (yet)
  bool unnamed = false;  // gets its name at commit()
  platform::File file;

  void open_named();
};

AtomicFile::AtomicFile(fs::path path) : target_(std::make_unique<Target>()) {
  Target& target = *target_;
  target.path = std::move(path);
  std::error_code error;
  if (const std::optional<int> named = descriptor_named(target.path)) {
    // Not by its name: that would open the file behind it anew, and write over what it holds already.
    target.file = platform::open_again(*named, error);
    if (error) fail(target.path, error);
    return;
  }
  const fs::file_status status = status_of(target.path);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    target.file = fs::is_fifo(status) ? open_pipe(target.path) : platform::open_to_write(target.path, error);
    if (error) fail(target.path, error);
    return;
  }
  target.path = link_target(target.path);
  data::remove_left_over(target.path);
  target.file = platform::create_unnamed(folder_of(target.path));
  target.unnamed = target.file.is_open();
  if (!target.unnamed) target.open_named();
  platform::mark_written(target.file);
  if (fs::exists(status)) platform::keep_permissions(target.file, target.path);
}

void AtomicFile::Target::open_named() {
  constexpr int attempts = 10;  // the digits are random: one will do
  std::error_code error;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const fs::path name = data::temporary_name(path);
    file = platform::create(name, error);
    if (!error) temporary = name;
    if (error != std::errc::file_exists) break;
  }
  if (error) fail(path, error);
}

AtomicFile::~AtomicFile() {
  target_->file = {};
  std::error_code ignored;
  if (!target_->temporary.empty()) fs::remove(target_->temporary, ignored);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (!target_->file.is_open()) throw InternalError("AtomicFile::write after commit");
  if (const std::error_code error = target_->file.write(bytes)) fail(target_->path, error);
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

void AtomicFile::commit() {
  Target& target = *target_;
  if (!target.file.is_open()) throw InternalError("AtomicFile::commit twice");
  const bool direct = target.temporary.empty() && !target.unnamed;
  std::error_code error = target.file.sync();
  if (error && !direct) fail(target.path, error);  // a pipe or a device cannot be synchronised, and need not be
  if (target.unnamed) {
    const fs::path name = data::temporary_name(target.path);
    if (error = platform::give_name(target.file, name); error) fail(target.path, error);
    target.temporary = name;
  }
  if (error = target.file.close(); error) fail(target.path, error);
  if (direct) return;
  fs::rename(target.temporary, target.path, error);
  if (error) fail(target.path, error);
  target.temporary.clear();
  make_name_durable(target.path);
}

void write_text_file(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace overtake
