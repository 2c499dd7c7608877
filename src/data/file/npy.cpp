// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "data/file/npy_header.hpp"
#include "data/source/binary_file.hpp"
#include "data/source/file_kind.hpp"
#include "data/table/message.hpp"
#include "overtake/data/array.hpp"
#include "overtake/data/file.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr const char* format_name = "NPY";

/// Reads magic, version and header text; checks every length against the file.
data::NpyHeader read_header(data::BinaryFile& file) {
  constexpr std::uint64_t longest_header = std::uint64_t{1} << 20;
  char start[8];
  if (file.size() < sizeof(start)) file.fail(format_name, "it is too short");
  const std::string head = file.head(data::kind_bytes);
  file.read(std::span<char>(start), "magic");
  if (std::string_view(start, magic.size()) != magic) {
    const std::optional<data::FileKind> other = data::recognise(head);
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
  const std::optional<data::NpyHeader> header = data::parse_npy_header(text, problem);
  if (!header) file.fail(format_name, problem);
  return *header;
}

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

HostArray read_npy(const std::filesystem::path& path) {
  data::BinaryFile file(path);
  data::NpyHeader header = read_header(file);
  const std::optional<ElementType> type = data::element_type_of(header.descr);
  if (!type) {
    throw DataError(fmt::format("{} holds elements of type {}, expected little-endian float32, float64, int32, int64, "
                                "uint8 or bool",
                                file.name(), data::quote(header.descr)),
                    "Convert the array with astype() before saving it.");
  }
  const data::ByteCount count = data::byte_count(header.extents, *type);
  if (!count.fits) file.fail(format_name, "its shape is too large");
  if (count.bytes != file.remaining()) {
    file.fail(format_name,
              fmt::format("its shape needs {} bytes of data, but {} follow the header", count.bytes, file.remaining()));
  }
  HostArray array;
  array.type = *type;
  array.extents = std::move(header.extents);
  array.bytes.resize(static_cast<std::size_t>(count.bytes));
  file.read(std::span(array.bytes), "data");
  if (header.fortran_order && array.extents.size() > 1 && !array.bytes.empty()) {
    array.bytes = transposed(array.bytes, array.extents, size_of(*type));
  }
  return array;
}

void write_npy(const std::filesystem::path& path, const HostArray& array) {
  const data::ByteCount count = data::byte_count(array.extents, array.type);
  if (!count.fits || count.bytes != array.bytes.size()) {
    throw UsageError(fmt::format("cannot write {}: the array's bytes do not fit its extents", path.string()));
  }
  std::string shape;
  for (const std::int64_t extent : array.extents) shape += fmt::format("{}, ", extent);
  if (array.extents.size() > 1) shape.resize(shape.size() - 2);
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", data::descr_of(array.type), shape);
  // NumPy aligns the data to 64 bytes: magic, version and length take 10, the header ends with a line end.
  constexpr std::size_t prefix = 10;
  constexpr std::size_t alignment = 64;
  const std::size_t unpadded = prefix + header.size() + 1;
  header.append((alignment - unpadded % alignment) % alignment, ' ');
  header += '\n';
  if (header.size() > 0xFFFF) throw UsageError(fmt::format("cannot write {}: too many dimensions", path.string()));
  std::string start(magic);
  start += {'\x01', '\0', static_cast<char>(header.size() & 0xFFU), static_cast<char>(header.size() >> 8U)};
  AtomicFile file(path);
  file.write(start);
  file.write(header);
  file.write(std::span<const std::byte>(array.bytes));
  file.commit();
}

}  // namespace overtake
