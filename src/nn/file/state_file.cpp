// SPDX-License-Identifier: MIT
#include "overtake/nn/state_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "data/table/message.hpp"
#include "nn/layers/state_match.hpp"
#include "nn/layers/tensors.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

constexpr std::string_view own_prefix = "overtake.";

bool is_floating(ElementType type) {
  return type == ElementType::float32 || type == ElementType::float64 || type == ElementType::float16 ||
         type == ElementType::bfloat16;
}

Array to_state_array(const NamedArray& tensor, const std::string& file) {
  const HostArray& host = tensor.array;
  if (host.extents.size() > Shape::max_rank) {
    throw DataError(fmt::format("{}: the tensor {} has {} dimensions ({}), expected at most {}", file,
                                data::quote(tensor.name), host.extents.size(), fmt::join(host.extents, ", "),
                                Shape::max_rank));
  }
  const Shape shape(host.extents);
  if (is_floating(host.type)) return Array::from(to_float32(host), shape);
  return Array::from(to_int32(host, fmt::format("{}: the tensor {}", file, data::quote(tensor.name))), shape);
}

}  // namespace

nn::StateDict read_state_dict(const std::filesystem::path& path) {
  const TensorFile file = read_safetensors(path);
  nn::StateDict state;
  for (const NamedArray& tensor : file.tensors) {
    state.emplace_back(tensor.name, to_state_array(tensor, path.string()));
  }
  return state;
}

void write_state_dict(const std::filesystem::path& path, const nn::StateDict& state,
                      const std::map<std::string, std::string>& metadata) {
  TensorFile file;
  for (const auto& [key, value] : metadata) {
    if (key.starts_with(own_prefix)) {
      throw UsageError(fmt::format("[save_state] the metadata key \"{}\" is reserved", key),
                       fmt::format("Choose a key that does not start with \"{}\".", own_prefix));
    }
    file.metadata[key] = value;
  }
  for (const auto& [name, array] : state) {
    if (!array.defined()) throw UsageError(fmt::format("[save_state] the array '{}' is undefined", name));
    file.tensors.push_back({name, nn::to_host(array)});
  }
  write_safetensors(path, file);
}

void save_state(const std::filesystem::path& path, nn::Module& module,
                const std::map<std::string, std::string>& metadata) {
  write_state_dict(path, module.state_dict(), metadata);
}

nn::IncompatibleKeys load_state(const std::filesystem::path& path, nn::Module& module, bool strict) {
  const nn::StateDict state = read_state_dict(path);
  nn::StateMatch match = nn::match_state(module, state);
  const std::string problem = match.problem(strict);
  if (!problem.empty())
    throw DataError(fmt::format("{} does not fit the module: {}", path.string(), problem), match.hint());
  return nn::apply(std::move(match));
}

}  // namespace overtake
