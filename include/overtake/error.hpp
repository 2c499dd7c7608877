// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>

namespace overtake {

/// What kind of mistake an Error reports. The value is the exit code of the command-line tool.
enum class ErrorCode {
  usage = 2,     ///< a wrong argument: a name, a shape, a range
  data = 3,      ///< a file or a data set that cannot be used
  device = 4,    ///< a processor that is missing, too small or failing
  internal = 5,  ///< a bug in Overtake
};

/// The root of every exception Overtake throws. `what()` says what was wrong and what was expected;
/// `hint()` says what to do about it (may be empty).
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorCode code_;
  std::string hint_;
};

/// A wrong argument.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message, std::string hint = {})
      : Error(ErrorCode::usage, message, std::move(hint)) {}
};

/// A file or data set that cannot be used.
class DataError : public Error {
 public:
  explicit DataError(const std::string& message, std::string hint = {})
      : Error(ErrorCode::data, message, std::move(hint)) {}
};

/// A processor that is missing, too small or failing.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message, std::string hint = {})
      : Error(ErrorCode::device, message, std::move(hint)) {}
};

/// A bug in Overtake: please report it.
class InternalError : public Error {
 public:
  explicit InternalError(const std::string& message)
      : Error(ErrorCode::internal, message, "This is a bug in Overtake; please report it with the command you ran.") {}
};

}  // namespace overtake
