// SPDX-License-Identifier: MIT
#include "user_kernel/raw.hpp"

#include <fmt/format.h>

#include "backend/api/foreign_buffer.hpp"
#include "core/checked.hpp"
#include "overtake/error.hpp"
#include "user_kernel/arguments.hpp"
#include "user_kernel/body_rules.hpp"

namespace overtake {
namespace user_kernel {
namespace {

// Does nobody else see the values, of a handle that is about to get new ones? Owners of lent memory do.
bool is_alone(const Array& array) {
  const std::shared_ptr<graph::Node>& node = array.node();
  const bool is_lent = dynamic_cast<const backend::ForeignBuffer*>(node->buffer.get()) != nullptr;
  // Handles that own a gradient are counted apart from the graphs that use the node.
  const bool is_only_user = node.use_count() == 1 && node->weak_from_this().use_count() == 1;
  return !is_lent && is_only_user && node->buffer.use_count() == 1;
}

// Another array of the same values.
Array copy_of(const Array& array, backend::Device& device) {
  std::shared_ptr<backend::Buffer> memory = memory_for(device, array.shape(), array.dtype());
  const std::size_t bytes = static_cast<std::size_t>(array.size()) * size_of(array.dtype());
  if (bytes > 0) device.copy(*array.node()->buffer, 0, *memory, 0, bytes);
  return graph::make_leaf(array.shape(), array.dtype(), std::move(memory));
}

std::string work_item_name(std::int64_t item, const LaunchSize& size) {
  const std::int64_t x = size.groups[0] * size.group_size[0], y = size.groups[1] * size.group_size[1];
  return fmt::format("work-item ({}, {}, {})", item % x, item / x % y, item / x / y);
}

}  // namespace

KernelText Raw::text(int group) const {
  std::vector<WatchedArray> arrays;
  for (const Parameter& parameter : parameters_) {
    if (parameter.whole) arrays.push_back({parameter.name, {fmt::format("overtake_size_{}", parameter.name)}});
  }
  WatchedText texts{options_.preamble, body_, arrays};
  if (watching_.any()) texts = watched(name_, options_.preamble, body_, std::move(arrays), watching_);
  std::string source = opening(name_, texts.preamble, watching_);
  source += group > 0 ? fmt::format("KERNEL_SIZED({})", group) : "KERNEL";
  source += fmt::format(" void {}(", entry_name(name_));
  std::string list, values;
  for (const Parameter& parameter : parameters_) {
    if (!list.empty()) list += ", ";
    if (parameter.whole) {
      list += fmt::format("GLOBAL {}{}* RESTRICT {}", parameter.written ? "" : "const ", memory_name(*parameter.type),
                          parameter.name);
      continue;
    }
    list += fmt::format("{} overtake_in_{}", argument_type(*parameter.type), parameter.name);
    const std::string argument = fmt::format("overtake_in_{}", parameter.name);
    values += fmt::format("const {} {} = {};\n", value_name(*parameter.type), parameter.name,
                          number_from(argument, *parameter.type));
  }
  if (watching_.any()) {
    for (const Parameter& parameter : parameters_) {
      if (parameter.whole) list += fmt::format(", int64 overtake_size_{}", parameter.name);
    }
    list += ", GLOBAL int* overtake_watch";
    values += "const int64 overtake_item = overtake_linear(); (void)overtake_item;\nOVERTAKE_LOOPS\n";
  }
  source += fmt::format("{}) {{\n{}{}}}\n", list, values, marked(name_, texts.body));
  return {std::move(source), std::move(texts.arrays)};
}

std::vector<Array> Raw::arrays_of(std::span<const RawArgument> arguments, backend::Device& device) const {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Parameter& parameter = parameters_[i];
    const bool is_number = number_in(arguments[i].array()).has_value();
    if (parameter.written && arguments[i].written() == nullptr) {
      throw UsageError(fmt::format("[{}] writes '{}', which was given as a value", name_, parameter.name),
                       "Give the address of an array: &counts.");
    }
    if (!parameter.whole && !is_number) {
      throw UsageError(fmt::format("[{}] argument '{}' is an array, the kernel takes a number", name_, parameter.name),
                       "Declare a pointer, or read the number with item().");
    }
    const auto is_same = [&](std::size_t other) {
      return parameters_[other].written && arguments[other].written() == arguments[i].written();
    };
    for (std::size_t other = 0; parameter.written && other < i; ++other) {
      if (!is_same(other)) continue;
      throw UsageError(
          fmt::format("[{}] writes one array as '{}' and as '{}'", name_, parameters_[other].name, parameter.name),
          "Give a copy of it for one of them.");
    }
    if (parameter.whole && is_number) {
      throw UsageError(fmt::format("[{}] argument '{}' is a number, the kernel takes an array", name_, parameter.name));
    }
  }
  std::vector<Array> arrays;
  arrays.reserve(arguments.size());
  for (const RawArgument& argument : arguments) {
    if (!number_in(argument.array())) arrays.push_back(argument.array());
  }
  arrays = in_memory_of(device, std::move(arrays));
  std::vector<Array> result;
  result.reserve(arguments.size());
  for (std::size_t i = 0, next = 0; i < arguments.size(); ++i) {
    if (number_in(arguments[i].array())) {
      result.push_back(arguments[i].array());
      continue;
    }
    Array array = std::move(arrays[next++]);
    if (Array* const written = arguments[i].written(); parameters_[i].written) {
      const bool is_same = written->node() == array.node();
      if (is_same) array = Array();  // a handle of ours, which does not count
      if (!is_same) {
        *written = array;
      } else if (!is_alone(*written)) {
        *written = copy_of(*written, device);  // others keep the values that they see
      }
      array = *written;
    }
    result.push_back(std::move(array));
  }
  return result;
}

void Raw::launch(const LaunchSize& size, std::span<const RawArgument> arguments, const std::optional<Device>& asked) {
  check_count(name_, arguments.size(), parameters_.size());
  std::vector<Array> given;
  given.reserve(arguments.size());
  for (const RawArgument& argument : arguments) given.push_back(argument.array());
  backend::Device& device = device_of(name_, given, parameters_, asked);
  const std::vector<DType> types = input_types(name_, given, parameters_);
  given.clear();
  std::int64_t group = 1;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (size.groups[axis] < 0 || size.group_size[axis] < 1) {
      throw UsageError(fmt::format("[{}] axis {}: {} groups of {} work-items", name_, axis, size.groups[axis],
                                   size.group_size[axis]),
                       "Groups have at least one work-item along each axis.");
    }
    group *= size.group_size[axis];
  }
  constexpr std::int64_t largest_group = 1024;  // of NVIDIA's devices; others take less or more
  if (group > largest_group) {
    throw UsageError(fmt::format("[{}] groups of {} work-items: at most {} go together", name_, group, largest_group),
                     "Launch more and smaller groups.");
  }
  const std::vector<Array> arrays = arrays_of(arguments, device);
  const bool is_flat = size.group_size[0] == group;
  Compiled& compiled = variants_.find(device, name_, fmt::format("{}", is_flat ? group : 0),
                                      [&] { return text(is_flat ? static_cast<int>(group) : 0); });
  std::vector<backend::KernelArgument> values;
  std::vector<Shape> shapes;  // asked for by faults
  values.reserve(2 * arrays.size() + 1);
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (!parameters_[i].whole) {
      values.push_back(number_argument(name_, parameters_[i], *number_in(arrays[i]), types[i]));
      continue;
    }
    values.emplace_back(arrays[i].node()->buffer.get());
    if (watching_.any()) shapes.push_back(arrays[i].shape());
  }
  std::optional<WatchBuffer> watch;
  if (watching_.any()) {
    watch.emplace(device);
    for (const Shape& shape : shapes) values.emplace_back(shape.size());
    values.emplace_back(&watch->buffer());
  }
  backend::LaunchGeometry geometry;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    geometry.groups[axis] = narrow<std::uint32_t>(size.groups[axis], "groups of a kernel");
    geometry.group_size[axis] = static_cast<std::uint32_t>(size.group_size[axis]);
  }
  const auto tell = [&] {
    const auto where = [&](std::int64_t item) { return work_item_name(item, size); };
    if (watch) throw_fault(name_, watch->read(), compiled, shapes, where, options_.time_limit);
  };
  try {
    user_kernel::launch(compiled, name_, geometry, values);
  } catch (const UsageError&) {
    tell();  // a work-item whose loop was ended does not come to the barriers of the others
    throw;
  }
  tell();
}

std::string Raw::source(const Device& device) {
  const std::string last = variants_.last_source(device.impl());
  return last.empty() ? text(0).source : last;
}

}  // namespace user_kernel

RawKernel::RawKernel(const std::string& parameters, const std::string& body, const std::string& name,
                     const KernelOptions& options) {
  user_kernel::check_name("kernel", "name", name);
  user_kernel::check_time_limit(name, options.time_limit);
  user_kernel::check_braces(name, options.preamble, " of the preamble");
  user_kernel::check_raw_body(name, body);
  kernel_ = std::make_shared<user_kernel::Raw>(
      name, user_kernel::parse_parameters(name, parameters, user_kernel::ListKind::raw), body, options);
}

void RawKernel::launch_all(const LaunchSize& size, std::span<const RawArgument> arguments,
                           const std::optional<Device>& device) const {
  kernel_->launch(size, arguments, device);
}
std::string RawKernel::source(const Device& device) const { return kernel_->source(device); }

}  // namespace overtake
