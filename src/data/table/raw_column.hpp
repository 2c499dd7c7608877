// SPDX-License-Identifier: MIT
// The cells of a column as they stand in the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/source/memory_meter.hpp"

namespace overtake::data {

/// The cells of a column as they stand in the file.
class RawColumn {
 public:
  /// Throws DeviceError when the meter has no room for it.
  void add(std::string_view cell, bool quoted, MemoryMeter& memory);
  /// Gives its memory back; an empty string that is moved into another one leaves that one's memory where it is.
  void release() noexcept {
    std::string().swap(bytes_);
    std::vector<std::uint32_t>().swap(sizes_);
    std::vector<bool>().swap(quoted_);
  }
  /// Bytes that add() took from the meter.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.size() + sizes_.size() * sizeof(std::uint32_t); }
  [[nodiscard]] std::size_t size() const noexcept { return sizes_.size(); }
  [[nodiscard]] bool quoted(std::size_t row) const noexcept { return row < quoted_.size() && quoted_[row]; }

  /// Calls visit(row, text, quoted) for every cell.
  template <typename Visit>
  void each(const Visit& visit) const {
    std::size_t offset = 0;
    for (std::size_t row = 0; row < sizes_.size(); ++row) {
      visit(row, std::string_view(bytes_).substr(offset, sizes_[row]), quoted(row));
      offset += sizes_[row];
    }
  }

 private:
  std::string bytes_;
  std::vector<std::uint32_t> sizes_;  // of each cell; longest_line keeps them below 4 GiB
  std::vector<bool> quoted_;          // as long as up to the last quoted cell
};

}  // namespace overtake::data
