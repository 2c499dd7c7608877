// SPDX-License-Identifier: MIT
// Streams that this process was started with, or has open, under their names and numbers.
#pragma once

#include <filesystem>
#include <optional>
#include <system_error>

#include "platform/file.hpp"

namespace overtake::platform {

/// The number that a name stands for by its text alone: 1 for /dev/stdout, N for /dev/fd/N, where the system has such
/// names. Links are not followed, and the stream need not be open.
[[nodiscard]] std::optional<int> stream_named(const std::filesystem::path& path);

/// Another handle of an open stream.
[[nodiscard]] File open_again(int descriptor, std::error_code& error) noexcept;

/// True for an open stream that may be written to.
[[nodiscard]] bool is_open_to_write(int descriptor) noexcept;

}  // namespace overtake::platform
