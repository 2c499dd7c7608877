// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "data/file/npy_file.hpp"
#include "data/source/file_kind.hpp"
#include "data/table/message.hpp"
#include "overtake/data/array.hpp"
#include "overtake/data/file.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr const char* format_name = "NPY";

/// Column-major to row-major.
std::vector<std::byte> transposed(const std::vector<std::byte>& source, const std::vector<std::int64_t>& extents,
                                  std::size_t element) {
  struct Axis {
    std::int64_t extent;
    std::size_t stride;  // of the source, in bytes
    std::int64_t at = 0;
  };
  std::vector<Axis> axes;
  axes.reserve(extents.size());
  std::size_t stride = element;
  for (const std::int64_t extent : extents) {
    axes.push_back({extent, stride});
    stride *= static_cast<std::size_t>(extent);
  }
  std::reverse(axes.begin(), axes.end());  // the last axis of the result moves fastest
  std::vector<std::byte> result(source.size());
  std::size_t from = 0;
  for (std::size_t to = 0; to < result.size(); to += element) {
    std::memcpy(result.data() + to, source.data() + from, element);
    for (Axis& axis : axes) {
      from += axis.stride;
      if (++axis.at < axis.extent) break;
      from -= axis.stride * static_cast<std::size_t>(axis.extent);
      axis.at = 0;
    }
  }
  return result;
}

}  // namespace

namespace data {

NpyHeader read_npy_header(BinaryFile& file) {
  constexpr std::uint64_t longest_header = std::uint64_t{1} << 20;
  char start[8];
  if (file.size() < sizeof(start)) file.fail(format_name, "it is too short");
  file.read(std::span<char>(start), "magic");
  if (std::string_view(start, magic.size()) != magic) {
    const std::optional<FileKind> other = recognise(file.head(kind_bytes));
    file.fail(format_name,
              fmt::format("it does not begin with \\x93NUMPY{}", other ? fmt::format("; it is {}", other->what) : ""));
  }
  const int version = static_cast<unsigned char>(start[6]);
  if (version < 1 || version > 3) file.fail(format_name, fmt::format("version {}, expected 1 to 3", version));
  unsigned char length[4] = {};
  file.read(std::span(reinterpret_cast<char*>(length), version == 1 ? 2U : 4U), "header length");
  std::uint64_t header_bytes = 0;
  for (int i = 3; i >= 0; --i) header_bytes = header_bytes << 8 | length[i];
  if (header_bytes > file.remaining() || header_bytes > longest_header) {
    file.fail(format_name, fmt::format("a header of {} bytes, but {} bytes follow and at most {} are accepted",
                                       header_bytes, file.remaining(), longest_header));
  }
  std::string text(static_cast<std::size_t>(header_bytes), '\0');
  file.read(std::span(text.data(), text.size()), "header");
  std::string problem;
  const std::optional<NpyHeader> header = parse_npy_header(text, problem);
  if (!header) file.fail(format_name, problem);
  return *header;
}

std::vector<std::byte> read_npy_values(BinaryFile& file, const NpyHeader& header, std::size_t size) {
  const ByteCount count = byte_count(header.extents, size);
  if (!count.fits) file.fail(format_name, "its shape is too large");
  if (count.bytes != file.remaining()) {
    file.fail(format_name,
              fmt::format("its shape needs {} bytes of data, but {} follow the header", count.bytes, file.remaining()));
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(count.bytes));
  file.read(std::span(bytes), "data");
  if (!header.fortran_order || header.extents.size() < 2 || bytes.empty()) return bytes;
  return transposed(bytes, header.extents, size);
}

std::string npy_head(std::string_view descr, const std::vector<std::int64_t>& extents, std::string_view name) {
  std::string shape;
  for (const std::int64_t extent : extents) shape += fmt::format("{}, ", extent);
  if (extents.size() > 1) shape.resize(shape.size() - 2);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, shape);
  // NumPy aligns the data to 64 bytes: magic, version and length take 10, the header ends with a line end.
  constexpr std::size_t prefix = 10;
  constexpr std::size_t alignment = 64;
  const std::size_t unpadded = prefix + header.size() + 1;
  header.append((alignment - unpadded % alignment) % alignment, ' ');
  header += '\n';
  if (header.size() > 0xFFFF) throw UsageError(fmt::format("cannot write {}: too many dimensions", name));
  std::string start(magic);
  start += {'\x01', '\0', static_cast<char>(header.size() & 0xFFU), static_cast<char>(header.size() >> 8U)};
  return start + header;
}

std::optional<NpyType> npy_type_of(std::string_view descr) noexcept {
  constexpr std::string_view kinds = "biufV";
  if (descr.size() != 3 || kinds.find(descr[1]) == std::string_view::npos) return std::nullopt;
  const bool swapped = descr[0] == '>';
  if (!swapped && descr[0] != '<' && descr[0] != '|' && descr[0] != '=') return std::nullopt;
  for (std::size_t i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (npy_descr_of(dtype).substr(1) == descr.substr(1)) return NpyType{dtype, swapped && size_of(dtype) > 1};
  }
  return std::nullopt;
}

std::string npy_descr_of(DType dtype) {
  if (dtype == DType::boolean) return "|b1";
  if (dtype == DType::bfloat16) return "|V2";
  const char kind = is_floating(dtype) ? 'f' : is_unsigned(dtype) ? 'u' : 'i';
  return fmt::format("{}{}{}", size_of(dtype) == 1 ? '|' : '<', kind, size_of(dtype));
}

}  // namespace data

HostArray read_npy(const std::filesystem::path& path) {
  data::BinaryFile file(path);
  data::NpyHeader header = data::read_npy_header(file);
  const std::optional<ElementType> type = data::element_type_of(header.descr);
  if (!type) {
    throw DataError(fmt::format("{} holds elements of type {}, expected little-endian float32, float64, int32, int64, "
                                "uint8 or bool",
                                file.name(), data::quote(header.descr)),
                    "Convert the array with astype() before saving it.");
  }
  HostArray array;
  array.type = *type;
  array.bytes = data::read_npy_values(file, header, size_of(*type));
  array.extents = std::move(header.extents);
  return array;
}

void write_npy(const std::filesystem::path& path, const HostArray& array) {
  const data::ByteCount count = data::byte_count(array.extents, array.type);
  if (!count.fits || count.bytes != array.bytes.size()) {
    throw UsageError(fmt::format("cannot write {}: the array's bytes do not fit its extents", path.string()));
  }
  const std::string head = data::npy_head(data::descr_of(array.type), array.extents, path.string());
  AtomicFile file(path);
  file.write(head);
  file.write(std::span<const std::byte>(array.bytes));
  file.commit();
}

}  // namespace overtake
