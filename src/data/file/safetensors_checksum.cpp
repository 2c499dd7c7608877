// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "data/file/tensor_pieces.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"

#include <xxhash.h>

namespace overtake {

namespace {

/// XXH3 over a sequence of parts. Each part is preceded by its length, so that no two sequences look alike.
class ContentHash {
 public:
  ContentHash() : state_(XXH3_createState()) {
    if (state_ == nullptr) throw std::bad_alloc();
    XXH3_64bits_reset(state_);
  }
  ~ContentHash() { XXH3_freeState(state_); }
  ContentHash(const ContentHash&) = delete;
  ContentHash& operator=(const ContentHash&) = delete;

  void add(std::uint64_t number) {
    unsigned char bytes[8];
    for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(number >> (8 * i));
    XXH3_64bits_update(state_, bytes, sizeof(bytes));
  }

  void add_bytes(std::span<const std::byte> bytes) { XXH3_64bits_update(state_, bytes.data(), bytes.size()); }

  void add(std::string_view text) {
    add(text.size());
    XXH3_64bits_update(state_, text.data(), text.size());
  }

  [[nodiscard]] std::string hex() const { return fmt::format("{:016x}", XXH3_64bits_digest(state_)); }

 private:
  XXH3_state_t* state_;
};

}  // namespace

std::string content_checksum(const TensorFile& file) { return content_checksum(data::pieces_of(file)); }

std::string data::content_checksum(const PiecesFile& file) {
  std::vector<const TensorPieces*> order;
  for (const TensorPieces& tensor : file.tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  ContentHash hash;
  hash.add(order.size());
  for (const TensorPieces* tensor : order) {
    hash.add(tensor->name);
    hash.add(name_of(tensor->type));
    hash.add(tensor->extents.size());
    for (const std::int64_t extent : tensor->extents) hash.add(static_cast<std::uint64_t>(extent));
    hash.add(tensor->bytes);
    tensor->pieces([&](std::span<const std::byte> piece) { hash.add_bytes(piece); });
  }
  for (const auto& [key, value] : file.metadata) {
    if (key == checksum_key) continue;
    hash.add(key);
    hash.add(value);
  }
  return hash.hex();
}

}  // namespace overtake
