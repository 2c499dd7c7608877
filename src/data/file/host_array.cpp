// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <type_traits>

#include "data/source/binary_file.hpp"
#include "overtake/data/array.hpp"
#include "overtake/dtype.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

template <typename T>
T load(const HostArray& array, std::size_t index) {
  T value{};
  std::memcpy(&value, array.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

/// Number of elements. Throws UsageError if the bytes do not fit the extents.
std::size_t checked_count(const HostArray& array) {
  const data::ByteCount count = data::byte_count(array.extents, array.type);
  if (!count.fits || count.bytes != array.bytes.size()) throw UsageError("the array's bytes do not fit its extents");
  return array.bytes.size() / size_of(array.type);
}

/// Calls visit(index, value) for every element, with its own type.
template <typename Visit>
void for_each(const HostArray& array, std::size_t count, Visit visit) {
  const auto run = [&]<typename T>(T) {
    for (std::size_t i = 0; i < count; ++i) visit(i, load<T>(array, i));
  };
  switch (array.type) {
    case ElementType::float32: return run(float{});
    case ElementType::float64: return run(double{});
    case ElementType::int32: return run(std::int32_t{});
    case ElementType::int64: return run(std::int64_t{});
    case ElementType::uint8:
    case ElementType::boolean: return run(std::uint8_t{});
    case ElementType::float16: return run(float16{});
    case ElementType::bfloat16: return run(bfloat16{});
  }
}

template <typename T>
double as_double(T value) {
  if constexpr (std::is_arithmetic_v<T>)
    return static_cast<double>(value);
  else
    return static_cast<double>(static_cast<float>(value));
}

template <typename T>
HostArray copy(std::span<const T> values, std::vector<std::int64_t> extents, ElementType type) {
  const data::ByteCount count = data::byte_count(extents, type);
  if (!count.fits || count.bytes != values.size_bytes()) {
    throw UsageError(fmt::format("{} values do not fit the extents ({})", values.size(), fmt::join(extents, ", ")));
  }
  HostArray array;
  array.type = type;
  array.extents = std::move(extents);
  const std::span<const std::byte> bytes = std::as_bytes(values);
  array.bytes.assign(bytes.begin(), bytes.end());
  return array;
}

}  // namespace

std::size_t size_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::float32:
    case ElementType::int32: return 4;
    case ElementType::float64:
    case ElementType::int64: return 8;
    case ElementType::uint8:
    case ElementType::boolean: return 1;
    case ElementType::float16:
    case ElementType::bfloat16: return 2;
  }
  return 0;
}

std::string_view name_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::float32: return "float32";
    case ElementType::float64: return "float64";
    case ElementType::int32: return "int32";
    case ElementType::int64: return "int64";
    case ElementType::uint8: return "uint8";
    case ElementType::boolean: return "boolean";
    case ElementType::float16: return "float16";
    case ElementType::bfloat16: return "bfloat16";
  }
  return "";
}

std::int64_t HostArray::size() const noexcept {
  std::int64_t product = 1;
  for (const std::int64_t extent : extents) product *= extent;
  return product;
}

HostArray host_array(std::span<const float> values, std::vector<std::int64_t> extents) {
  return copy(values, std::move(extents), ElementType::float32);
}

HostArray host_array(std::span<const std::int32_t> values, std::vector<std::int64_t> extents) {
  return copy(values, std::move(extents), ElementType::int32);
}

std::vector<float> to_float32(const HostArray& array) {
  std::vector<float> result(checked_count(array));
  for_each(array, result.size(), [&](std::size_t i, auto value) { result[i] = static_cast<float>(value); });
  return result;
}

std::vector<std::int32_t> to_int32(const HostArray& array, std::string_view what) {
  std::vector<std::int32_t> result(checked_count(array));
  for_each(array, result.size(), [&](std::size_t i, auto value) {
    const auto number = as_double(value);  // int64 beyond 2^53 is out of range in any case
    if (!(number >= -2147483648.0 && number <= 2147483647.0) || number != std::floor(number)) {
      throw DataError(fmt::format("{}: element {} is {}, expected a whole number within 32 bits", what, i, number));
    }
    result[i] = static_cast<std::int32_t>(number);
  });
  return result;
}

}  // namespace overtake
