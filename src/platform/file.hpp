// SPDX-License-Identifier: MIT
// Open files, below what iostreams offer: pipes and devices, bytes that are on the disk for sure, files without a name.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

namespace overtake::platform {

/// An open file, pipe or device, closed on destruction. Failures come back as codes of the generic category: whoever
/// asked knows what to say of them.
class File {
 public:
  /// Nothing is open.
  File() noexcept = default;
  /// Takes over a descriptor of the system; a negative one is none.
  explicit File(int descriptor) noexcept : descriptor_(descriptor) {}
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
  /// The number that the system knows it by; -1 if nothing is open.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  /// Reads what lies ready, at least one byte of it, and returns the count: 0 at the end, and on an error.
  [[nodiscard]] std::size_t read(std::span<char> target, std::error_code& error) noexcept;
  /// Writes all of it, waiting for room also where somebody else has set the stream not to block.
  [[nodiscard]] std::error_code write(std::span<const std::byte> bytes) noexcept;
  /// Brings what was written to the disk. Pipes and devices cannot, which is an error.
  [[nodiscard]] std::error_code sync() noexcept;
  /// Closes it. An error means that what was written may be lost; the file is closed all the same.
  [[nodiscard]] std::error_code close() noexcept;

 private:
  int descriptor_ = -1;
};

/// True if what was to be written has no place: a full disk, or a quota that is used up.
[[nodiscard]] bool is_out_of_space(const std::error_code& error) noexcept;

// What cannot be opened is a File that is not open, and the reason.

/// For reading; waits for the writer of a pipe.
[[nodiscard]] File open_to_read(const std::filesystem::path& path, std::error_code& error) noexcept;
/// For reading, plain files alone: a pipe would be waited for, and a device may act when it is opened. What is none is
/// std::errc::invalid_argument.
[[nodiscard]] File open_plain_to_read(const std::filesystem::path& path, std::error_code& error) noexcept;
/// An existing file or device for writing at its front.
[[nodiscard]] File open_to_write(const std::filesystem::path& path, std::error_code& error) noexcept;
/// A named pipe for writing. Does not wait for its reader: without one it is std::errc::no_such_device_or_address.
/// Writing waits when the pipe is full.
[[nodiscard]] File open_pipe_to_write(const std::filesystem::path& path, std::error_code& error) noexcept;
/// A new file; std::errc::file_exists where there is anything of that name.
[[nodiscard]] File create(const std::filesystem::path& path, std::error_code& error) noexcept;
/// A new file that only this user may read, under a name that nobody has: `name` ends in six X, which are replaced.
[[nodiscard]] File create_private(std::string& name, std::error_code& error) noexcept;
/// A new folder that only this user may use, under a name that nobody has: `name` ends in six X, which are replaced.
[[nodiscard]] std::error_code create_private_folder(std::string& name) noexcept;
/// A new file without a name in a folder, gone with the process unless give_name() follows. Not open where that, or
/// giving it a name later, is not sure to work.
[[nodiscard]] File create_unnamed(const std::filesystem::path& folder) noexcept;
/// Gives a file of create_unnamed() a name.
[[nodiscard]] std::error_code give_name(const File& file, const std::filesystem::path& name) noexcept;

/// Makes the names in a folder durable. Not every file system can; then there is no more to do.
void sync_folder(const std::filesystem::path& folder) noexcept;

/// The last `count` bytes of a file, opened without waiting should it be a pipe; fewer, or none, where they cannot be
/// read.
[[nodiscard]] std::string last_bytes(const std::filesystem::path& path, std::size_t count);

/// Marks an open file as being written, for all processes to see, until it is closed.
void mark_written(const File& file) noexcept;
/// True for a file that can be read, is no link, and that nobody has marked as being written.
[[nodiscard]] bool is_unmarked(const std::filesystem::path& path) noexcept;

}  // namespace overtake::platform
