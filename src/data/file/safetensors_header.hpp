// SPDX-License-Identifier: MIT
// The JSON header of a safetensors file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/array.hpp"

namespace overtake::data {

/// Largest header accepted, in bytes: the limit of the published format.
inline constexpr std::uint64_t longest_safetensors_header = 100'000'000;

/// One entry of the header, as written: nothing is checked against the data yet.
struct TensorEntry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> extents;
  std::vector<std::uint64_t> offsets;
};

struct TensorHeader {
  std::map<std::string, std::string> metadata;
  std::vector<TensorEntry> tensors;
};

/// Parses the header. Returns "" or what is wrong: no JSON, another structure, an unknown or repeated key.
[[nodiscard]] std::string parse_tensor_header(std::string_view text, TensorHeader& header);

/// The header text for these entries.
[[nodiscard]] std::string format_tensor_header(const TensorHeader& header);

/// "F32" and so on.
[[nodiscard]] std::string_view dtype_of(ElementType type) noexcept;

}  // namespace overtake::data
