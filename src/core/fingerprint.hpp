// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace overtake::detail {

/// XXH3 (128 bits) of one part, as two numbers, the high one first.
[[nodiscard]] std::pair<std::uint64_t, std::uint64_t> hash_of(std::span<const std::byte> bytes);

/// XXH3 (128 bits) over a sequence of parts. Each part is preceded by its size, so that no two sequences look alike.
class Fingerprint {
 public:
  Fingerprint();
  ~Fingerprint();
  Fingerprint(const Fingerprint&) = delete;
  Fingerprint& operator=(const Fingerprint&) = delete;

  void add(std::span<const std::byte> bytes);
  void add(std::string_view text) { add(std::as_bytes(std::span(text.data(), text.size()))); }
  template <typename T>
  void add_values(std::span<const T> values) {
    add(std::as_bytes(values));
  }
  /// 32 hexadecimal digits.
  [[nodiscard]] std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace overtake::detail
