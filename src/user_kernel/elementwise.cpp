// SPDX-License-Identifier: MIT
#include "user_kernel/elementwise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/c_text.hpp"
#include "core/checked.hpp"
#include "overtake/error.hpp"
#include "user_kernel/arguments.hpp"
#include "user_kernel/body_rules.hpp"
#include "user_kernel/merged_axes.hpp"

namespace overtake {
namespace user_kernel {
namespace {

using c_text::code_of, c_text::Token;

constexpr int group = 256;
constexpr int items_of_short_bodies = 4;           // loads that are under way at once
constexpr int items_in_vectors = 8;                // two loads of four elements
constexpr int most_loaded_in_vectors = 128;        // bytes of a work-item, which stand in registers
constexpr std::int64_t least_for_items = 1 << 18;  // fewer elements are better spread over more work-items
static_assert(least_for_items >= group * items_in_vectors, "groups of several elements a work-item are full");
constexpr std::int64_t most_short = std::numeric_limits<std::int32_t>::max() - (1 << 20);
// The cpu's ranges: elements of the least, and how many there are of a large array, enough for all threads to end
// together. Elements with a loop of their own may take long, and between ranges a launch may be ended.
constexpr std::int64_t least_in_a_span = 4096, spans = 256;
constexpr std::int64_t least_of_loops = 256, spans_of_loops = 16384;

bool has_loop(std::string_view text) {
  const std::vector<Token> tokens = code_of(text);
  return std::any_of(tokens.begin(), tokens.end(),
                     [](const Token& token) { return token.is("for") || token.is("while") || token.is("do"); });
}

}  // namespace

Elementwise::Elementwise(ElementDeclaration declaration)
    : given_(std::move(declaration)), has_loop_(has_loop(given_.body) || has_loop(given_.preamble)) {}

struct Elementwise::Operands {
  std::vector<DType> types;  // of the inputs
  std::vector<std::optional<graph::Number>> numbers;
  std::vector<Array> arrays;  // in memory; undefined for numbers
  Shape shape;                // of the results
  MergedAxes axes;            // of those read by element; none where all have the results' shape
};

Elementwise::Operands Elementwise::operands_of(const std::vector<Array>& inputs, backend::Device& device) const {
  Operands result;
  result.types = input_types(given_.name, inputs, given_.inputs);
  std::vector<Array> arrays;
  arrays.reserve(inputs.size());
  result.numbers.reserve(inputs.size());
  result.arrays.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.numbers.push_back(given_.inputs[i].whole ? std::nullopt : number_in(inputs[i]));
    if (!result.numbers[i]) arrays.push_back(inputs[i]);
  }
  arrays = in_memory_of(device, std::move(arrays));
  std::vector<Shape> shapes;
  shapes.reserve(inputs.size());
  for (std::size_t i = 0, next = 0; i < inputs.size(); ++i) {
    result.arrays.push_back(result.numbers[i] ? Array() : std::move(arrays[next++]));
    if (result.numbers[i] || given_.inputs[i].whole) continue;
    shapes.push_back(inputs[i].shape());
    try {
      result.shape = broadcast_shapes(result.shape, inputs[i].shape());
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("[{}] argument '{}': {}", given_.name, given_.inputs[i].name, error.what()),
                       error.hint());
    }
  }
  const auto is_other = [&](const Shape& shape) { return shape != result.shape; };
  if (std::any_of(shapes.begin(), shapes.end(), is_other)) result.axes = merged_axes(result.shape, shapes);
  return result;
}

void Elementwise::add_output_types(std::vector<DType>& types) const {
  for (const Parameter& output : given_.outputs) {
    types.push_back(output_type(given_.name, output, given_.inputs, types));
  }
}

ElementVariant Elementwise::variant_of(const Operands& operands, const backend::Device& device) const {
  ElementVariant variant;
  variant.types.reserve(operands.types.size() + given_.outputs.size());
  variant.types = operands.types;
  variant.accesses.reserve(operands.types.size());
  add_output_types(variant.types);
  bool strides = false;
  for (std::size_t i = 0, next = 0; i < given_.inputs.size(); ++i) {
    Access access = operands.numbers[i] ? Access::number : Access::whole;
    if (!operands.numbers[i] && !given_.inputs[i].whole) {
      access = operands.axes.extents.empty() ? Access::flat : access_of(operands.axes, next++);
      strides = strides || by_strides(access);
    }
    variant.accesses.push_back(access);
  }
  variant.rank = strides ? static_cast<int>(operands.axes.extents.size()) : 1;
  variant.on_host = device.is_host();
  variant.is_long = operands.shape.size() > most_short;
  variant.group = group;
  const bool is_large = operands.shape.size() >= least_for_items;
  if (has_loop_ || !is_large || variant.on_host) return variant;
  variant.in_vectors = !strides && operands.shape.size() % 4 == 0;
  std::size_t loaded = 0;
  for (std::size_t i = 0; i < variant.accesses.size(); ++i) {
    if (variant.accesses[i] == Access::flat) loaded += items_in_vectors * size_of(variant.types[i]);
  }
  variant.items = variant.in_vectors && loaded <= most_loaded_in_vectors ? items_in_vectors : items_of_short_bodies;
  return variant;
}

void Elementwise::launch(const Operands& operands, const ElementVariant& variant, backend::Device& device,
                         const std::vector<std::shared_ptr<backend::Buffer>>& results) {
  Compiled& compiled =
      variants_.find(device, given_.name, variant.key(), [&] { return element_text(given_, variant); });
  const std::int64_t n = operands.shape.size();
  const std::int64_t count = has_loop_ ? spans_of_loops : spans;
  const std::int64_t span = std::max(has_loop_ ? least_of_loops : least_in_a_span, (n + count - 1) / count);
  std::vector<backend::KernelArgument> arguments;
  arguments.reserve(2 * (operands.types.size() + results.size()) + 2);
  arguments.emplace_back(n);
  if (variant.on_host) arguments.emplace_back(span);
  for (std::size_t i = 0, next = 0; i < operands.types.size(); ++i) {
    if (operands.numbers[i]) {
      arguments.push_back(number_argument(given_.name, given_.inputs[i], *operands.numbers[i], operands.types[i]));
      continue;
    }
    arguments.emplace_back(operands.arrays[i].node()->buffer.get());
    if (given_.inputs[i].whole) continue;
    if (by_strides(variant.accesses[i])) {
      for (const std::int64_t stride : operands.axes.strides[next]) arguments.emplace_back(stride);
    }
    ++next;
  }
  for (const auto& result : results) arguments.emplace_back(result.get());
  for (int axis = 1; axis < variant.rank; ++axis) {
    arguments.emplace_back(operands.axes.extents[static_cast<std::size_t>(axis)]);
  }
  std::optional<WatchBuffer> watch;
  std::vector<Shape> shapes;
  if (given_.watching.any()) {
    watch.emplace(device);
    for (std::size_t i = 0; i < operands.types.size(); ++i) {
      if (!given_.inputs[i].whole) continue;
      shapes.push_back(operands.arrays[i].shape());
      arguments.emplace_back(operands.arrays[i].size());
    }
    arguments.emplace_back(&watch->buffer());
  }
  const std::int64_t in_a_group = variant.on_host ? span : std::int64_t{variant.group} * variant.items;
  const auto groups = narrow<std::uint32_t>((n + in_a_group - 1) / in_a_group, "groups of a kernel");
  const auto group_size = static_cast<std::uint32_t>(variant.on_host ? 1 : variant.group);
  user_kernel::launch(compiled, given_.name, {.groups = {groups, 1, 1}, .group_size = {group_size, 1, 1}}, arguments);
  if (watch) throw_fault(given_.name, watch->read(), compiled, shapes, element_name, given_.watching.time_limit);
}

std::vector<Array> Elementwise::call(const std::vector<Array>& inputs, const std::optional<Device>& asked) {
  check_count(given_.name, inputs.size(), given_.inputs.size());
  backend::Device& device = device_of(given_.name, inputs, given_.inputs, asked);
  const Operands operands = operands_of(inputs, device);
  const ElementVariant variant = variant_of(operands, device);
  std::vector<std::shared_ptr<backend::Buffer>> buffers;
  buffers.reserve(given_.outputs.size());
  for (std::size_t i = given_.inputs.size(); i < variant.types.size(); ++i) {
    buffers.push_back(memory_for(device, operands.shape, variant.types[i]));
  }
  if (operands.shape.size() > 0) launch(operands, variant, device, buffers);
  std::vector<Array> results;
  results.reserve(buffers.size());
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    results.push_back(graph::make_leaf(operands.shape, variant.types[given_.inputs.size() + i], std::move(buffers[i])));
  }
  return results;
}

std::string Elementwise::source(const Device& device) {
  if (std::string last = variants_.last_source(device.impl()); !last.empty()) return last;
  ElementVariant variant;
  for (const Parameter& input : given_.inputs) {
    if (!input.type) {
      throw UsageError(fmt::format("[{}] has no text yet: '{}' is of any type", given_.name, input.name),
                       "Call it once, or name the types.");
    }
    variant.types.push_back(*input.type);
    variant.accesses.push_back(input.whole ? Access::whole : Access::flat);
  }
  add_output_types(variant.types);
  variant.on_host = device.impl().is_host();
  return element_text(given_, variant).source;
}

}  // namespace user_kernel

ElementwiseKernel::ElementwiseKernel(const std::string& inputs, const std::string& outputs, const std::string& body,
                                     const std::string& name, const KernelOptions& options) {
  user_kernel::check_name("kernel", "name", name);
  user_kernel::check_time_limit(name, options.time_limit);
  user_kernel::check_braces(name, options.preamble, " of the preamble");
  user_kernel::ElementDeclaration declaration{
      name,
      user_kernel::parse_parameters(name, inputs, user_kernel::ListKind::inputs),
      user_kernel::parse_parameters(name, outputs, user_kernel::ListKind::outputs),
      body,
      options.preamble,
      {options.debug, options.time_limit}};
  if (declaration.outputs.empty()) {
    throw UsageError(fmt::format("[{}] has no output", name), "Declare one: \"float32 y\"; a RawKernel writes arrays.");
  }
  user_kernel::check_different(name, declaration.inputs, declaration.outputs);
  user_kernel::check_element_body(name, body);
  kernel_ = std::make_shared<user_kernel::Elementwise>(std::move(declaration));
}

std::vector<Array> ElementwiseKernel::call(const std::vector<Array>& inputs,
                                           const std::optional<Device>& device) const {
  return kernel_->call(inputs, device);
}
std::string ElementwiseKernel::source(const Device& device) const { return kernel_->source(device); }

}  // namespace overtake
