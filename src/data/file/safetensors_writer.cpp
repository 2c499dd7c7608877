// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <utf8.h>

#include <algorithm>
#include <memory>
#include <set>

#include "data/file/safetensors_header.hpp"
#include "data/file/tensor_pieces.hpp"
#include "data/source/binary_file.hpp"
#include "data/table/message.hpp"
#include "overtake/data/file.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

using data::PiecesFile;
using data::TensorPieces;

void require_utf8(const std::string& text) {
  if (utf8::is_valid(text.begin(), text.end())) return;
  throw UsageError(fmt::format("the name or metadata {} is not valid UTF-8", data::quote(text)));
}

void check(const PiecesFile& file) {
  std::set<std::string> names;
  for (const TensorPieces& tensor : file.tensors) {
    require_utf8(tensor.name);
    if (tensor.name == "__metadata__" || !names.insert(tensor.name).second) {
      throw UsageError(fmt::format("the tensor name {} is taken", data::quote(tensor.name)), "Use different names.");
    }
    const data::ByteCount count = data::byte_count(tensor.extents, tensor.type);
    if (!count.fits || count.bytes != tensor.bytes) {
      throw UsageError(fmt::format("the bytes of the tensor {} do not fit its extents", data::quote(tensor.name)));
    }
  }
  for (const auto& [key, value] : file.metadata) {
    require_utf8(key);
    require_utf8(value);
  }
}

/// Wide elements first and then by name, as the reference implementation writes them: every tensor is then aligned.
std::vector<const TensorPieces*> data_order(const PiecesFile& file) {
  std::vector<const TensorPieces*> order;
  for (const TensorPieces& tensor : file.tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const TensorPieces* a, const TensorPieces* b) {
    const std::size_t left = size_of(a->type);
    const std::size_t right = size_of(b->type);
    return left != right ? left > right : a->name < b->name;
  });
  return order;
}

/// Gives the parts of a file to `write`, in order. `name`: for messages.
template <typename Write>
void write_parts(const std::string& name, const PiecesFile& file, const Write& write) {
  check(file);
  const std::vector<const TensorPieces*> order = data_order(file);
  data::TensorHeader header;
  header.metadata = file.metadata;
  header.metadata[std::string(checksum_key)] = content_checksum(file);
  std::uint64_t offset = 0;
  for (const TensorPieces* tensor : order) {
    const std::uint64_t end = offset + tensor->bytes;
    header.tensors.push_back({tensor->name, std::string(data::dtype_of(tensor->type)), tensor->extents, {offset, end}});
    offset = end;
  }
  std::string text = data::format_tensor_header(header);
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() > data::longest_safetensors_header) {
    throw UsageError(fmt::format("the header of {} would have {} bytes, over the format's limit", name, text.size()));
  }
  std::string length;
  for (unsigned shift = 0; shift < 64; shift += 8)
    length += static_cast<char>(std::uint64_t{text.size()} >> shift & 0xFFU);
  write(std::string_view(length));
  write(std::string_view(text));
  for (const TensorPieces* tensor : order) {
    tensor->pieces([&](std::span<const std::byte> bytes) {
      write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    });
  }
}

}  // namespace

data::PiecesFile data::pieces_of(const TensorFile& file) {
  PiecesFile pieces{file.metadata, {}};
  for (const NamedArray& tensor : file.tensors) {
    const HostArray& array = tensor.array;
    pieces.tensors.push_back({tensor.name, array.type, array.extents, array.bytes.size(),
                              [&array](const TensorPieces::Take& take) { take(array.bytes); }});
  }
  return pieces;
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  data::write_safetensors(path, data::pieces_of(file));
}

std::string safetensors_bytes(const TensorFile& file) { return data::safetensors_bytes(data::pieces_of(file)); }

void data::write_safetensors(const std::filesystem::path& path, const PiecesFile& file) {
  std::unique_ptr<AtomicFile> target;  // made when what is to be written has been checked
  write_parts(path.string(), file, [&](std::string_view part) {
    if (target == nullptr) target = std::make_unique<AtomicFile>(path);
    target->write(part);
  });
  target->commit();
}

std::string data::safetensors_bytes(const PiecesFile& file) {
  std::string bytes;
  write_parts("the model", file, [&](std::string_view part) { bytes += part; });
  return bytes;
}

}  // namespace overtake
