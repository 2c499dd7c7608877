// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <utf8.h>

#include <algorithm>
#include <memory>
#include <set>

#include "data/file/safetensors_header.hpp"
#include "data/source/binary_file.hpp"
#include "data/table/message.hpp"
#include "overtake/data/file.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

void require_utf8(const std::string& text) {
  if (utf8::is_valid(text.begin(), text.end())) return;
  throw UsageError(fmt::format("the name or metadata {} is not valid UTF-8", data::quote(text)));
}

void check(const TensorFile& file) {
  std::set<std::string> names;
  for (const NamedArray& tensor : file.tensors) {
    require_utf8(tensor.name);
    if (tensor.name == "__metadata__" || !names.insert(tensor.name).second) {
      throw UsageError(fmt::format("the tensor name {} is taken", data::quote(tensor.name)), "Use different names.");
    }
    const data::ByteCount count = data::byte_count(tensor.array.extents, tensor.array.type);
    if (!count.fits || count.bytes != tensor.array.bytes.size()) {
      throw UsageError(fmt::format("the bytes of the tensor {} do not fit its extents", data::quote(tensor.name)));
    }
  }
  for (const auto& [key, value] : file.metadata) {
    require_utf8(key);
    require_utf8(value);
  }
}

/// Wide elements first and then by name, as the reference implementation writes them: every tensor is then aligned.
std::vector<const NamedArray*> data_order(const TensorFile& file) {
  std::vector<const NamedArray*> order;
  for (const NamedArray& tensor : file.tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const NamedArray* a, const NamedArray* b) {
    const std::size_t left = size_of(a->array.type);
    const std::size_t right = size_of(b->array.type);
    return left != right ? left > right : a->name < b->name;
  });
  return order;
}

/// Gives the parts of a file to `write`, in order. `name`: for messages.
template <typename Write>
void write_parts(const std::string& name, const TensorFile& file, const Write& write) {
  check(file);
  const std::vector<const NamedArray*> order = data_order(file);
  data::TensorHeader header;
  header.metadata = file.metadata;
  header.metadata[std::string(checksum_key)] = content_checksum(file);
  std::uint64_t offset = 0;
  for (const NamedArray* tensor : order) {
    const std::uint64_t end = offset + tensor->array.bytes.size();
    header.tensors.push_back(
        {tensor->name, std::string(data::dtype_of(tensor->array.type)), tensor->array.extents, {offset, end}});
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
  for (const NamedArray* tensor : order) {
    const std::vector<std::byte>& bytes = tensor->array.bytes;
    write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  std::unique_ptr<AtomicFile> target;  // made when what is to be written has been checked
  write_parts(path.string(), file, [&](std::string_view part) {
    if (target == nullptr) target = std::make_unique<AtomicFile>(path);
    target->write(part);
  });
  target->commit();
}

std::string safetensors_bytes(const TensorFile& file) {
  std::string bytes;
  write_parts("the model", file, [&](std::string_view part) { bytes += part; });
  return bytes;
}

}  // namespace overtake
