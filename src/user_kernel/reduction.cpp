// SPDX-License-Identifier: MIT
#include "user_kernel/reduction.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/checked.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "user_kernel/arguments.hpp"
#include "user_kernel/body_rules.hpp"

namespace overtake {
namespace user_kernel {
namespace {

constexpr std::int64_t chunk = 65536;  // as sums have (docs/arrays.md)

}  // namespace

struct Reduction::Operands {
  std::vector<DType> types;
  std::vector<std::optional<graph::Number>> numbers;
  std::vector<Array> arrays;  // (rows, n), row-major, or whole; undefined for numbers
  std::int64_t rows = 1, n = 1;
  Shape shape;  // of the result
};

Reduction::Operands Reduction::operands_of(const std::vector<Array>& inputs, backend::Device& device,
                                           const std::optional<std::vector<int>>& axes, bool keepdims) const {
  Operands result;
  result.types = input_types(given_.name, inputs, given_.inputs);
  Shape shape;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.numbers.push_back(given_.inputs[i].whole ? std::nullopt : number_in(inputs[i]));
    if (given_.inputs[i].whole) continue;
    try {
      shape = broadcast_shapes(shape, inputs[i].shape());
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("[{}] {}", given_.name, error.what()), error.hint());
    }
  }
  std::vector<bool> gone(shape.rank(), !axes.has_value());
  for (const int axis : axes.value_or(std::vector<int>())) {
    const auto at = graph::checked_axis(given_.name, axis, shape);
    if (gone[at]) throw UsageError(fmt::format("[{}] axis {} is named twice", given_.name, at));
    gone[at] = true;
  }
  std::vector<int> order;
  std::vector<std::int64_t> extents;
  for (const bool reduced : {false, true}) {
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
      if (gone[axis] == reduced) order.push_back(static_cast<int>(axis));
      if (gone[axis] == reduced) (reduced ? result.n : result.rows) *= shape[axis];
    }
  }
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (!gone[axis] || keepdims) extents.push_back(gone[axis] ? 1 : shape[axis]);
  }
  result.shape = Shape(extents);
  std::vector<Array> moved;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (result.numbers[i]) continue;
    moved.push_back(given_.inputs[i].whole ? inputs[i] : permute_dims(broadcast_to(inputs[i], shape), order));
  }
  moved = in_memory_of(device, std::move(moved));
  for (std::size_t i = 0, next = 0; i < inputs.size(); ++i) {
    result.arrays.push_back(result.numbers[i] ? Array() : moved[next++]);
  }
  return result;
}

void Reduction::launch(backend::Device& device, const Stage& stage, const Operands& operands, std::int64_t n,
                       backend::Buffer* partial, backend::Buffer* result) {
  std::string key{stage.is_first ? 'f' : 'n', stage.is_last ? 'l' : 'm'};
  for (std::size_t i = 0; i < stage.types.size(); ++i) {
    const bool is_number = i < stage.numbers.size() && stage.numbers[i];
    key.push_back(static_cast<char>((is_number ? 'A' : 'a') + static_cast<int>(stage.types[i])));
  }
  Compiled& compiled = variants_.find(device, given_.name, key, [&] { return text(stage); });
  const std::int64_t chunks = std::max<std::int64_t>(1, (n + chunk - 1) / chunk);
  std::vector<backend::KernelArgument> arguments{n, chunks};
  std::vector<Shape> shapes;  // of whole arrays
  for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
    if (given_.inputs[i].whole) shapes.push_back(operands.arrays[i].shape());
    if (!stage.is_first && !given_.inputs[i].whole) continue;
    if (operands.numbers[i]) {
      arguments.push_back(number_argument(given_.name, given_.inputs[i], *operands.numbers[i], operands.types[i]));
    } else {
      arguments.emplace_back(operands.arrays[i].node()->buffer.get());
    }
  }
  if (!stage.is_first) arguments.emplace_back(partial);
  arguments.emplace_back(result);
  std::optional<WatchBuffer> watch;
  if (given_.watching.any()) {
    for (const Shape& shape : shapes) arguments.emplace_back(shape.size());
    arguments.emplace_back(&watch.emplace(device).buffer());
  }
  const auto groups = narrow<std::uint32_t>(operands.rows * chunks, "groups of a kernel");
  user_kernel::launch(compiled, given_.name,
                      {.groups = {groups, 1, 1}, .group_size = {stage.on_host ? 1U : 256U, 1, 1}}, arguments);
  if (watch) throw_fault(given_.name, watch->read(), compiled, shapes, element_name, given_.watching.time_limit);
}

Array Reduction::call(const std::vector<Array>& inputs, const std::optional<std::vector<int>>& axes, bool keepdims) {
  check_count(given_.name, inputs.size(), given_.inputs.size());
  backend::Device& device = device_of(given_.name, inputs, given_.inputs, {});
  const Operands operands = operands_of(inputs, device, axes, keepdims);
  Stage stage{.types = operands.types, .numbers = {}, .on_host = device.is_host()};
  for (const auto& number : operands.numbers) stage.numbers.push_back(number.has_value());
  const DType type = output_type(given_.name, given_.output, given_.inputs, operands.types);
  stage.types.push_back(type);
  std::int64_t n = operands.n;
  std::shared_ptr<backend::Buffer> partial;
  std::shared_ptr<backend::Buffer> result = memory_for(device, operands.shape, type);
  while (operands.rows > 0) {
    const std::int64_t chunks = std::max<std::int64_t>(1, (n + chunk - 1) / chunk);
    stage.is_last = chunks == 1;
    std::shared_ptr<backend::Buffer> next =
        stage.is_last ? result : memory_for(device, Shape{operands.rows, chunks}, type);
    launch(device, stage, operands, n, partial.get(), next.get());
    if (stage.is_last) break;
    partial = std::move(next);
    stage.is_first = false;
    n = chunks;
  }
  return graph::make_leaf(operands.shape, type, std::move(result));
}

std::string Reduction::source(const Device& device) {
  if (std::string last = variants_.last_source(device.impl()); !last.empty()) return last;
  Stage stage{.types = {}, .numbers = {}, .on_host = device.impl().is_host()};
  for (const Parameter& input : given_.inputs) {
    if (!input.type) {
      throw UsageError(fmt::format("[{}] has no text yet: '{}' is of any type", given_.name, input.name),
                       "Call it once, or name the types.");
    }
    stage.types.push_back(*input.type);
    stage.numbers.push_back(false);
  }
  stage.types.push_back(output_type(given_.name, given_.output, given_.inputs, stage.types));
  return text(stage).source;
}

}  // namespace user_kernel

// NOLINTNEXTLINE(readability-function-size): the parts of a reduction, by the names and in the order of CuPy
ReductionKernel::ReductionKernel(const std::string& inputs, const std::string& output, const std::string& map,
                                 const std::string& reduce, const std::string& post, const std::string& identity,
                                 const std::string& name, const KernelOptions& options) {
  user_kernel::check_name("kernel", "name", name);
  user_kernel::check_time_limit(name, options.time_limit);
  user_kernel::check_braces(name, options.preamble, " of the preamble");
  for (const std::string* text : {&map, &reduce, &post}) user_kernel::check_element_body(name, *text);
  std::vector<user_kernel::Parameter> parameters =
      user_kernel::parse_parameters(name, inputs, user_kernel::ListKind::inputs);
  const std::vector<user_kernel::Parameter> outputs =
      user_kernel::parse_parameters(name, output, user_kernel::ListKind::outputs);
  user_kernel::check_different(name, parameters, outputs);
  for (const auto& parameter : parameters) {
    if (parameter.name != "a" && parameter.name != "b") continue;
    throw UsageError(fmt::format("[{}] an input is called '{}', as what is joined", name, parameter.name),
                     "Call it x, say: a and b stand for what is joined.");
  }
  if (outputs.size() != 1) {
    throw UsageError(fmt::format("[{}] a reduction has one output", name), "An ElementwiseKernel has several.");
  }
  kernel_ =
      std::make_shared<user_kernel::Reduction>(user_kernel::ReductionDeclaration{name,
                                                                                 std::move(parameters),
                                                                                 outputs[0],
                                                                                 map,
                                                                                 reduce,
                                                                                 post,
                                                                                 identity,
                                                                                 options.preamble,
                                                                                 {options.debug, options.time_limit}});
}

Array ReductionKernel::call(const std::vector<Array>& inputs, const std::optional<std::vector<int>>& axes,
                            bool keepdims) const {
  return kernel_->call(inputs, axes, keepdims);
}
std::string ReductionKernel::source(const Device& device) const { return kernel_->source(device); }

}  // namespace overtake
