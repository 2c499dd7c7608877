// SPDX-License-Identifier: MIT
#include "nn/layers/tensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "data/table/message.hpp"
#include "graph/compiled_step.hpp"
#include "overtake/error.hpp"

namespace overtake::nn {
namespace {

ElementType element_type(DType dtype) { return dtype == DType::float32 ? ElementType::float32 : ElementType::int32; }

ElementType stored_type(DType dtype) {
  switch (dtype) {
    case DType::boolean: return ElementType::boolean;
    case DType::int32: return ElementType::int32;
    case DType::int64: return ElementType::int64;
    case DType::uint8: return ElementType::uint8;
    case DType::float16: return ElementType::float16;
    case DType::bfloat16: return ElementType::bfloat16;
    case DType::float32: return ElementType::float32;
    case DType::float64: return ElementType::float64;
    default: break;
  }
  throw UsageError(fmt::format("[save_state] an array of {} cannot be written to a safetensors file", name_of(dtype)),
                   "Convert it with astype() to int32 or int64 before.");
}

}  // namespace

TensorFile read_checked(const std::filesystem::path& path) {
  TensorFile file = read_safetensors(path);
  const auto is_own = [](const auto& entry) { return entry.first.starts_with("overtake"); };
  if (std::none_of(file.metadata.begin(), file.metadata.end(), is_own)) return file;
  if (file.metadata.contains(std::string(checksum_key))) return file;
  throw DataError(fmt::format("{}: the checksum \"{}\" is missing: the file was altered, or Overtake did not write it",
                              path.string(), checksum_key));
}

HostArray to_host(const Array& array) {
  HostArray host;
  host.type = stored_type(array.dtype());
  host.extents = array.shape().to_vector();
  host.bytes.resize(static_cast<std::size_t>(array.size()) * size_of(host.type));
  if (array.size() > 0) array.to_memory(host.bytes.data());
  return host;
}

const HostArray& matching_tensor(const TensorFile& file, const std::string& name, const Array& like,
                                 const std::string& context) {
  const HostArray* tensor = file.find(name);
  if (tensor == nullptr) throw DataError(fmt::format("{}: the tensor \"{}\" is missing", context, name));
  // Counters are int64 in PyTorch's files.
  const bool is_type = tensor->type == element_type(like.dtype()) ||
                       (tensor->type == ElementType::int64 && like.dtype() == DType::int32);
  if (is_type && tensor->extents == like.shape().to_vector()) return *tensor;
  throw DataError(fmt::format("{}: the tensor \"{}\" is {} ({}), expected {} {}", context, name, name_of(tensor->type),
                              fmt::join(tensor->extents, ", "), name_of(like.dtype()), like.shape().to_string()));
}

void overwrite_with_all(const std::vector<NamedValue>& values, const TensorFile& file, const std::string& context) {
  std::vector<const HostArray*> found;
  std::set<std::string_view> names;
  for (const NamedValue& entry : values) {
    found.push_back(&matching_tensor(file, entry.name, *entry.value, context));
    names.insert(entry.name);
  }
  for (const NamedArray& tensor : file.tensors) {
    if (names.contains(tensor.name)) continue;
    throw DataError(fmt::format("{}: the tensor {} belongs to no layer", context, data::quote(tensor.name)));
  }
  for (std::size_t i = 0; i < values.size(); ++i) overwrite_with(*values[i].value, *found[i]);
}

void overwrite_with(const Array& array, const HostArray& values) {
  array.eval();  // of layers that were not drawn
  if (array.dtype() == DType::float32) return graph::overwrite(array, to_float32(values));
  graph::overwrite(array, to_int32(values));
}

Array to_array(const HostArray& values, const Device& device) {
  const Shape shape(values.extents);
  if (values.type == ElementType::int32) return Array::from(to_int32(values), shape, device);
  return Array::from(to_float32(values), shape, device);
}

}  // namespace overtake::nn
