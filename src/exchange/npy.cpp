// SPDX-License-Identifier: MIT
#include "overtake/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "data/file/npy_file.hpp"
#include "data/file/zip.hpp"
#include "data/table/message.hpp"
#include "graph/node.hpp"
#include "overtake/data/file.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

constexpr std::string_view suffix = ".npy";

// The row-major values of an array on the host: where they lie on the cpu, a copy of them elsewhere.
class HostValues {
 public:
  explicit HostValues(const Array& array) {
    array.eval();
    const std::size_t bytes = static_cast<std::size_t>(array.size()) * size_of(array.dtype());
    const graph::Node& node = *array.node();
    if (node.device->is_host()) {
      kept_ = node.buffer;
      view_ = {reinterpret_cast<const char*>(kept_->handle()), bytes};
      return;
    }
    copy_.resize(bytes);
    array.to_memory(copy_.data());
    view_ = {reinterpret_cast<const char*>(copy_.data()), bytes};
  }
  HostValues(const HostValues&) = delete;
  HostValues& operator=(const HostValues&) = delete;

  [[nodiscard]] std::string_view bytes() const noexcept { return view_; }

 private:
  std::shared_ptr<backend::Buffer> kept_;
  std::vector<std::byte> copy_;
  std::string_view view_;
};

std::string head_of(const Array& array, std::string_view file) {
  return data::npy_head(data::npy_descr_of(array.dtype()), array.shape().to_vector(), file);
}

void swap_bytes(std::vector<std::byte>& bytes, std::size_t element) {
  for (auto at = bytes.begin(); at != bytes.end(); at += static_cast<std::ptrdiff_t>(element)) {
    std::reverse(at, at + static_cast<std::ptrdiff_t>(element));
  }
}

Array read_array(data::BinaryFile& file, const Device& device) {
  const data::NpyHeader header = data::read_npy_header(file);
  const std::optional<data::NpyType> type = data::npy_type_of(header.descr);
  if (!type) {
    const bool objects = header.descr.find('O') != std::string::npos;
    throw DataError(
        fmt::format("{} holds elements of type {}, expected bool, whole or floating numbers of up to 64 bits",
                    file.name(), data::quote(header.descr)),
        objects ? "It holds pickled Python objects, which could run code: they are never read. Save plain "
                  "numbers, with astype() before."
                : "Convert the array with astype() before saving it.");
  }
  if (header.extents.size() > Shape::max_rank) {
    throw UsageError(fmt::format("{} holds an array of {} axes, expected at most {}", file.name(),
                                 header.extents.size(), Shape::max_rank),
                     "Reshape it before saving it.");
  }
  std::vector<std::byte> values = data::read_npy_values(file, header, size_of(type->dtype));
  if (type->swapped) swap_bytes(values, size_of(type->dtype));
  // What is not 0 is true, however it was written.
  if (type->dtype == DType::boolean) {
    for (std::byte& value : values) value = std::byte{value != std::byte{} ? std::uint8_t{1} : std::uint8_t{0}};
  }
  const Shape shape(header.extents);
  return Array::from_memory(values.data(), shape.size(), type->dtype, shape, device);
}

std::string name_of_member(const data::ZipMember& member) {
  const bool marked = member.name.size() > suffix.size() && member.name.ends_with(suffix);
  return marked ? member.name.substr(0, member.name.size() - suffix.size()) : member.name;
}

Array read_member(const data::ZipReader& zip, const data::ZipMember& member, const Device& device) {
  data::BinaryFile file = zip.open(member);
  return read_array(file, device);
}

}  // namespace

void save_npy(const std::filesystem::path& path, const Array& array) {
  const HostValues values(array);
  const std::string head = head_of(array, path.string());
  AtomicFile file(path);
  file.write(head);
  file.write(values.bytes());
  file.commit();
}

Array load_npy(const std::filesystem::path& path, const Device& device) {
  data::BinaryFile file(path);
  return read_array(file, device);
}

void save_npz(const std::filesystem::path& path, const std::map<std::string, Array>& arrays, NpzPacking packing) {
  std::vector<Array> all;
  for (const auto& [name, array] : arrays) {
    if (name.empty()) throw UsageError("[save_npz] an array without a name", "Give each array a name.");
    if (!array.defined()) throw UsageError(fmt::format("[save_npz] the array {} is undefined", data::quote(name)));
    all.push_back(array);
  }
  eval(all);  // before anything is written
  data::ZipWriter zip(path);
  for (const auto& [name, array] : arrays) {
    const HostValues values(array);
    const std::string head = head_of(array, path.string());
    const std::array<std::string_view, 2> parts{head, values.bytes()};
    zip.add(name + std::string(suffix), parts, packing == NpzPacking::deflated);
  }
  zip.commit();
}

std::map<std::string, Array> load_npz(const std::filesystem::path& path, const Device& device) {
  const data::ZipReader zip(path);
  std::map<std::string, Array> arrays;
  for (const data::ZipMember& member : zip.members()) {
    if (!arrays.emplace(name_of_member(member), read_member(zip, member, device)).second) {
      throw DataError(
          fmt::format("{} holds two arrays of the name {}", path.string(), data::quote(name_of_member(member))));
    }
  }
  return arrays;
}

Array load_npz(const std::filesystem::path& path, const std::string& name, const Device& device) {
  const data::ZipReader zip(path);
  for (const data::ZipMember& member : zip.members()) {
    if (name_of_member(member) == name) return read_member(zip, member, device);
  }
  throw UsageError(fmt::format("{} holds no array {}", path.string(), data::quote(name)),
                   fmt::format("It holds {}.",
                               zip.members().empty() ? "none" : fmt::format("{}", fmt::join(npz_names(path), ", "))));
}

std::vector<std::string> npz_names(const std::filesystem::path& path) {
  std::vector<std::string> names;
  const data::ZipReader zip(path);
  for (const data::ZipMember& member : zip.members()) names.push_back(name_of_member(member));
  return names;
}

}  // namespace overtake
