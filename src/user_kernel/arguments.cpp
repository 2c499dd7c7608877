// SPDX-License-Identifier: MIT
#include "user_kernel/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "core/checked.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::user_kernel {

void check_count(std::string_view kernel, std::size_t given, std::size_t declared) {
  if (given == declared) return;
  throw UsageError(fmt::format("[{}] takes {} argument{}, got {}", kernel, declared, declared == 1 ? "" : "s", given));
}

backend::Device& device_of(std::string_view kernel, std::span<const Array> arrays,
                           std::span<const Parameter> parameters, const std::optional<Device>& asked) {
  backend::Device* device = nullptr;
  std::size_t first = 0;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (!arrays[i].defined()) {
      throw UsageError(fmt::format("[{}] argument '{}' is an undefined array", kernel, parameters[i].name));
    }
    backend::Device* const own = arrays[i].node()->device;
    if (own == nullptr) continue;
    if (device == nullptr) {
      device = own;
      first = i;
    }
    if (own != device) {
      throw UsageError(fmt::format("[{}] argument '{}' is on {}, '{}' on {}", kernel, parameters[first].name,
                                   device->info().id, parameters[i].name, own->info().id),
                       "Move one of them with to(device): data crosses between devices only when asked.");
    }
  }
  if (device == nullptr) return asked.value_or(Device()).impl();
  if (asked && &asked->impl() != device) {
    throw UsageError(fmt::format("[{}] argument '{}' is on {}, not on {}", kernel, parameters[first].name,
                                 device->info().id, asked->info().id),
                     "Move it with to(device): data crosses between devices only when asked.");
  }
  return *device;
}

std::optional<graph::Number> number_in(const Array& array) {
  if (array.node()->device != nullptr || array.shape().rank() > 0) return std::nullopt;
  return graph::constant_value(array);
}

backend::KernelArgument number_argument(std::string_view kernel, const Parameter& parameter, graph::Number number,
                                        DType type) {
  const graph::Number held = graph::converted(number, type);
  if (!is_floating(type)) {
    const double before = graph::to_double(number), after = graph::to_double(held);
    if (before != after) {
      throw UsageError(
          fmt::format("[{}] argument '{}' is {}, which {} cannot hold", kernel, parameter.name, before, name_of(type)),
          "Declare the parameter with another type, or round the number.");
    }
  }
  if (type == DType::float32) return static_cast<float>(graph::to_double(held));
  if (type == DType::float64) return graph::to_double(held);
  if (size_of(type) == sizeof(std::int64_t)) return std::bit_cast<std::int64_t>(held.bits);
  return static_cast<std::int32_t>(std::bit_cast<std::int64_t>(held.bits));
}

std::vector<DType> input_types(std::string_view kernel, std::span<const Array> arrays,
                               std::span<const Parameter> parameters) {
  std::map<char, std::size_t> letters;        // the array that gave the type
  for (const bool numbers : {false, true}) {  // arrays first: numbers take their type
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      if (parameters[i].type || number_in(arrays[i]).has_value() != numbers) continue;
      const auto [found, is_first] = letters.try_emplace(parameters[i].letter, i);
      if (is_first || numbers || arrays[found->second].dtype() == arrays[i].dtype()) continue;
      throw UsageError(fmt::format("[{}] arguments '{}' and '{}' are both declared {}, but are {} and {}", kernel,
                                   parameters[found->second].name, parameters[i].name, parameters[i].letter,
                                   name_of(arrays[found->second].dtype()), name_of(arrays[i].dtype())),
                       "Convert one of them with astype().");
    }
  }
  std::vector<DType> types;
  types.reserve(arrays.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const Parameter& parameter = parameters[i];
    const DType type = parameter.type ? *parameter.type : arrays[letters.at(parameter.letter)].dtype();
    if (value_name(type).empty()) {
      throw UsageError(fmt::format("[{}] argument '{}' is {}, in which kernels do not compute", kernel, parameter.name,
                                   name_of(type)),
                       "Convert it to float32 with astype().");
    }
    if (arrays[i].dtype() != type && !number_in(arrays[i])) {
      throw UsageError(fmt::format("[{}] argument '{}' is {}, the kernel takes {}", kernel, parameter.name,
                                   name_of(arrays[i].dtype()), name_of(type)),
                       "Convert it with astype(), or declare the parameter with a capital letter for any type.");
    }
    types.push_back(type);
  }
  return types;
}

std::vector<Array> in_memory_of(backend::Device& device, std::vector<Array> arrays) {
  bool is_ready = true;
  for (Array& array : arrays) {
    if (array.node()->buffer != nullptr) continue;
    is_ready = false;
    if (array.node()->device == nullptr) array = graph::copied(array);
    if (array.node()->device == nullptr) array.node()->device = &device;
  }
  if (!is_ready) eval(arrays);
  return arrays;
}

std::shared_ptr<backend::Buffer> memory_for(backend::Device& device, const Shape& shape, DType type) {
  const auto elements = static_cast<std::uint64_t>(std::max<std::int64_t>(shape.size(), 1));
  return device.allocate(checked_mul<std::uint64_t>(elements, size_of(type), "a kernel's result"));
}

std::string element_name(std::int64_t item) { return fmt::format("element {}", item); }

}  // namespace overtake::user_kernel
