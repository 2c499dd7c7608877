// SPDX-License-Identifier: MIT
// What a safetensors file is written from where its tensors are nowhere in one piece, so that writing copies nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "overtake/data/safetensors.hpp"

namespace overtake::data {

/// A tensor whose bytes lie in several places.
struct TensorPieces {
  using Take = std::function<void(std::span<const std::byte>)>;
  std::string name;
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> extents;
  std::uint64_t bytes = 0;                  ///< of all pieces
  std::function<void(const Take&)> pieces;  ///< gives them in order, whenever it is called
};

/// The content of a safetensors file. What `pieces` refer to outlives it.
struct PiecesFile {
  std::map<std::string, std::string> metadata;
  std::vector<TensorPieces> tensors;
};

/// Every tensor of a file as one piece. The file outlives it.
[[nodiscard]] PiecesFile pieces_of(const TensorFile& file);

/// A vector of numbers as one piece.
template <typename T>
[[nodiscard]] std::span<const std::byte> piece_of(const std::vector<T>& values) {
  return std::as_bytes(std::span<const T>(values));
}

/// As content_checksum(), write_safetensors() and safetensors_bytes() of TensorFile.
[[nodiscard]] std::string content_checksum(const PiecesFile& file);
void write_safetensors(const std::filesystem::path& path, const PiecesFile& file);
[[nodiscard]] std::string safetensors_bytes(const PiecesFile& file);

}  // namespace overtake::data
