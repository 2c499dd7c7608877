// SPDX-License-Identifier: MIT
// What a table takes while it is read, against what may be taken: a small compressed file can become any size.
#pragma once

#include <cstdint>
#include <string>

namespace overtake::data {

/// "15.2 GiB"
[[nodiscard]] std::string size_text(double bytes);

/// Counts bytes and refuses to go beyond a limit.
class MemoryMeter {
 public:
  /// `limit`: bytes; 0: what this process can use now, but for an eighth that others may need.
  MemoryMeter(std::string source, std::uint64_t limit);

  [[nodiscard]] std::uint64_t limit() const noexcept { return limit_; }
  [[nodiscard]] std::uint64_t used() const noexcept { return used_; }

  /// Throws DeviceError, naming the source, need and limit, when `bytes` more do not fit.
  void take(std::uint64_t bytes) {
    if (bytes > limit_ - used_) refuse(bytes);
    used_ += bytes;
    taken_ += bytes;
    if (taken_ >= next_look_) look();
  }
  /// The same for bytes that are needed for a moment only.
  void pass(std::uint64_t bytes) const {
    if (bytes > limit_ - used_) refuse(bytes);
  }
  /// Throws DeviceError where all will take `bytes`, as far as that can be said of a part, and the limit is less.
  void expect(std::uint64_t bytes) const {
    if (bytes > limit_) refuse_expected(bytes);
  }
  void give(std::uint64_t bytes) noexcept { used_ -= bytes < used_ ? bytes : used_; }

 private:
  /// What the process really holds more than before: the allocator keeps some of what it gets back.
  void look();
  [[noreturn]] void refuse(std::uint64_t bytes) const;
  [[noreturn]] void refuse_expected(std::uint64_t bytes) const;
  [[noreturn]] void refuse_need(const char* how, double bytes) const;

  std::string source_;
  bool given_;  // the limit is the caller's
  std::uint64_t limit_;
  std::uint64_t used_ = 0;
  std::uint64_t held_before_;                                     // by the process
  std::uint64_t taken_ = 0, next_look_ = std::uint64_t{1} << 20;  // whatever was given back
};

/// Before `container` gets `extra` elements more: counts them, and the copy that growing needs for a moment.
template <typename Container>
void take_growth(MemoryMeter& meter, const Container& container, std::size_t extra) {
  constexpr std::uint64_t width = sizeof(typename Container::value_type);
  if (container.size() + extra > container.capacity()) meter.pass(width * (container.size() + extra));
  meter.take(width * extra);
}

}  // namespace overtake::data
