// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "data/source/binary_file.hpp"
#include "data/source/file_kind.hpp"
#include "data/source/gz_source.hpp"
#include "data/source/memory_meter.hpp"
#include "overtake/data/array.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

/// How the file stores an element and what it becomes.
struct IdxType {
  std::size_t bytes;
  ElementType type;
};

std::optional<IdxType> idx_type(unsigned char code) {
  switch (code) {
    case 0x08: return IdxType{1, ElementType::uint8};
    case 0x09: return IdxType{1, ElementType::int32};
    case 0x0B: return IdxType{2, ElementType::int32};
    case 0x0C: return IdxType{4, ElementType::int32};
    case 0x0D: return IdxType{4, ElementType::float32};
    case 0x0E: return IdxType{8, ElementType::float64};
    default: return std::nullopt;
  }
}

[[noreturn]] void fail(const std::string& name, const std::string& problem) {
  throw DataError(fmt::format("{} is not a valid IDX file: {}", name, problem),
                  "Check that it is the file you mean, and copy or download it again.");
}

std::uint64_t big_endian(const unsigned char* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

/// One element from its big-endian form; narrow integers are sign-extended to 32 bits.
void convert(const unsigned char* from, std::byte* to, unsigned char code, const IdxType& type) {
  const std::uint64_t raw = big_endian(from, type.bytes);
  if (code == 0x09 || code == 0x0B) {
    const std::int32_t value = code == 0x09 ? static_cast<std::int8_t>(raw) : static_cast<std::int16_t>(raw);
    std::memcpy(to, &value, sizeof(value));
    return;
  }
  std::memcpy(to, &raw, type.bytes);  // little-endian: the low bytes come first
}

/// Reads exactly `count` bytes, growing with what is really there, so that a lying header costs no memory.
std::vector<char> read_body(data::GzSource& source, std::uint64_t count, data::MemoryMeter& memory) {
  constexpr std::uint64_t chunk = std::uint64_t{1} << 24;
  std::vector<char> bytes;
  while (bytes.size() < count) {
    const std::size_t begin = bytes.size();
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(chunk, count - begin));
    data::take_growth(memory, bytes, wanted);
    bytes.resize(begin + wanted);
    const std::size_t got = source.read(std::span(bytes).subspan(begin));
    if (got < wanted) {
      fail(source.name(), fmt::format("its dimensions need {} bytes of data, but only {} follow", count, begin + got));
    }
  }
  char extra = 0;
  if (source.read(std::span(&extra, 1)) != 0) {
    fail(source.name(), fmt::format("its dimensions need {} bytes of data, but more follow", count));
  }
  return bytes;
}

}  // namespace

HostArray read_idx(const std::filesystem::path& path) {
  constexpr std::size_t most_dimensions = 8;
  data::GzSource source(path);
  const std::optional<data::FileKind> other = data::recognise(source.peek(data::kind_bytes));
  std::array<char, 4> start{};
  if (source.read(start) < start.size()) fail(source.name(), "it is too short");
  const auto code = static_cast<unsigned char>(start[2]);
  const std::optional<IdxType> type = idx_type(code);
  if (start[0] != 0 || start[1] != 0 || !type) {
    const bool known = other && start[0] != 0;
    fail(source.name(), fmt::format("expected two zero bytes and a type of 0x08, 0x09, 0x0B, 0x0C, 0x0D or 0x0E at its "
                                    "start{}",
                                    known ? fmt::format("; it is {}", other->what) : ""));
  }
  const auto rank = static_cast<unsigned char>(start[3]);
  if (rank == 0 || rank > most_dimensions) {
    fail(source.name(), fmt::format("{} dimensions, expected 1 to {}", rank, most_dimensions));
  }
  std::vector<char> sizes(std::size_t{rank} * 4);
  if (source.read(sizes) < sizes.size()) fail(source.name(), "it ends within its dimensions");
  HostArray array;
  array.type = type->type;
  for (std::size_t i = 0; i < rank; ++i) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(sizes.data() + i * 4);
    array.extents.push_back(static_cast<std::int64_t>(big_endian(bytes, 4)));
  }
  const data::ByteCount converted = data::byte_count(array.extents, array.type);
  if (!converted.fits) fail(source.name(), "its dimensions are too large");
  const std::uint64_t elements = converted.bytes / size_of(array.type);
  data::MemoryMeter memory(source.name(), 0);
  const std::vector<char> body = read_body(source, elements * type->bytes, memory);
  memory.take(converted.bytes);
  array.bytes.resize(static_cast<std::size_t>(converted.bytes));
  const auto* from = reinterpret_cast<const unsigned char*>(body.data());
  for (std::size_t i = 0; i < elements; ++i) {
    convert(from + i * type->bytes, array.bytes.data() + i * size_of(array.type), code, *type);
  }
  return array;
}

}  // namespace overtake
