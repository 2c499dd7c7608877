// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "data/file/safetensors_header.hpp"
#include "data/source/binary_file.hpp"
#include "data/source/file_kind.hpp"
#include "data/table/message.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

using data::BinaryFile;
using data::quote;
using data::TensorEntry;

constexpr const char* format_name = "safetensors";

/// A file of another kind is named as what it is; a model that is damaged is not one of them.
void check_kind(BinaryFile& file) {
  const std::string head = file.head(data::kind_bytes);
  if (head.empty()) file.fail(format_name, "it is empty");
  if (data::is_safetensors(head)) return;
  if (const std::optional<data::FileKind> kind = data::recognise(head)) {
    throw DataError(fmt::format("{} is {}, expected a model (safetensors)", file.name(), kind->what),
                    "Give a model: the file that \"overtake train --save\" or \"search --save\" wrote.");
  }
  const bool ascii = static_cast<unsigned char>(head.front()) < 0x80;
  if (head.size() < 2 || !ascii || !data::looks_like_text(head)) return;
  throw DataError(fmt::format("{} is text, perhaps a table, expected a model (safetensors)", file.name()),
                  "To predict, give the model before the data: overtake predict MODEL DATA.");
}

data::TensorHeader read_header(BinaryFile& file) {
  std::array<char, 8> length{};
  if (file.size() < length.size()) {
    file.fail(format_name, fmt::format("it is cut off: {} bytes, expected at least {}", file.size(), length.size()));
  }
  file.read(length, "header length");
  std::uint64_t bytes = 0;
  for (std::size_t i = length.size(); i-- > 0;) bytes = bytes << 8 | static_cast<unsigned char>(length[i]);
  if (bytes > data::longest_safetensors_header) {
    file.fail(format_name,
              fmt::format("its header claims {} bytes, expected at most {}", bytes, data::longest_safetensors_header));
  }
  if (bytes > file.remaining()) {
    file.fail(format_name,
              fmt::format("it is cut off: its header claims {} bytes, but only {} follow", bytes, file.remaining()));
  }
  std::string text(static_cast<std::size_t>(bytes), '\0');
  file.read(std::span(text.data(), text.size()), "header");
  if (!text.starts_with('{')) file.fail(format_name, "its header does not begin with {");
  data::TensorHeader header;
  const std::string problem = data::parse_tensor_header(text, header);
  if (!problem.empty()) file.fail(format_name, problem);
  return header;
}

std::optional<ElementType> element_type(std::string_view dtype) {
  for (const ElementType type :
       {ElementType::float32, ElementType::float64, ElementType::int32, ElementType::int64, ElementType::uint8,
        ElementType::boolean, ElementType::float16, ElementType::bfloat16}) {
    if (data::dtype_of(type) == dtype) return type;
  }
  return std::nullopt;
}

/// Type and extents of an entry, after its offsets have been checked against them.
HostArray describe(const BinaryFile& file, const TensorEntry& entry) {
  const std::optional<ElementType> type = element_type(entry.dtype);
  if (!type) {
    throw DataError(fmt::format("{}: the tensor {} has dtype {}, expected F32, F64, F16, BF16, I32, I64, U8 or BOOL",
                                file.name(), quote(entry.name), quote(entry.dtype)),
                    "Convert it to F32 before saving.");
  }
  const data::ByteCount count = data::byte_count(entry.extents, *type);
  const std::uint64_t begin = entry.offsets[0];
  const std::uint64_t end = entry.offsets[1];
  if (!count.fits || begin > end || end - begin != count.bytes) {
    file.fail(format_name, fmt::format("the tensor {} lies at bytes {} to {}, which does not fit its shape and dtype",
                                       quote(entry.name), begin, end));
  }
  HostArray array;
  array.type = *type;
  array.extents = entry.extents;
  return array;
}

/// Entries in order of their data. They must tile it: each begins where the one before ends, the last ends with the
/// file.
std::vector<TensorEntry> ordered_entries(const BinaryFile& file, std::vector<TensorEntry> entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const TensorEntry& a, const TensorEntry& b) { return a.offsets < b.offsets; });
  std::uint64_t expected = 0;
  for (const TensorEntry& entry : entries) {
    if (entry.offsets[0] != expected) {
      file.fail(format_name,
                fmt::format("the tensor {} begins at byte {} of the data, expected {}: there is {}", quote(entry.name),
                            entry.offsets[0], expected, entry.offsets[0] < expected ? "an overlap" : "a hole"));
    }
    expected = entry.offsets[1];
  }
  if (expected != file.remaining()) {
    file.fail(format_name, fmt::format("{}: its tensors need {} bytes of data, but {} follow the header",
                                       expected > file.remaining() ? "it is cut off" : "it is too long", expected,
                                       file.remaining()));
  }
  return entries;
}

void check_content(const BinaryFile& file, const TensorFile& content, ChecksumRule rule) {
  const auto stored = content.metadata.find(std::string(checksum_key));
  if (stored == content.metadata.end()) {
    if (rule == ChecksumRule::if_present) return;
    throw DataError(fmt::format("{} has no checksum ({}) in its metadata: Overtake did not write it, or it was altered",
                                file.name(), checksum_key),
                    "Use a file that Overtake wrote.");
  }
  if (stored->second == content_checksum(content)) return;
  throw DataError(fmt::format("{} was altered after it was written: its content does not match its checksum ({})",
                              file.name(), checksum_key),
                  "Use an unaltered copy, or write the file again with the program that made it.");
}

TensorFile read(BinaryFile& file, ChecksumRule rule) {
  check_kind(file);
  data::TensorHeader header = read_header(file);
  // Shapes are checked against offsets and offsets against the file before memory is taken for data.
  for (const TensorEntry& entry : header.tensors) describe(file, entry);
  const std::vector<TensorEntry> entries = ordered_entries(file, std::move(header.tensors));
  TensorFile content;
  content.metadata = std::move(header.metadata);
  for (const TensorEntry& entry : entries) {
    HostArray array = describe(file, entry);
    array.bytes.resize(static_cast<std::size_t>(entry.offsets[1] - entry.offsets[0]));
    file.read(std::span(array.bytes), "data");
    if (array.type == ElementType::boolean) {
      const auto is_boolean = [](std::byte byte) { return byte == std::byte{0} || byte == std::byte{1}; };
      if (!std::all_of(array.bytes.begin(), array.bytes.end(), is_boolean)) {
        file.fail(format_name, fmt::format("the tensor {} of booleans holds other values", quote(entry.name)));
      }
    }
    content.tensors.push_back({entry.name, std::move(array)});
  }
  check_content(file, content, rule);
  return content;
}

}  // namespace

const HostArray* TensorFile::find(std::string_view name) const noexcept {
  for (const NamedArray& tensor : tensors) {
    if (tensor.name == name) return &tensor.array;
  }
  return nullptr;
}

TensorFile read_safetensors(const std::filesystem::path& path, ChecksumRule rule) {
  BinaryFile file(path);
  return read(file, rule);
}

TensorFile parse_safetensors(std::string_view bytes, const std::string& name, ChecksumRule rule) {
  BinaryFile file(bytes, name);
  return read(file, rule);
}

}  // namespace overtake
