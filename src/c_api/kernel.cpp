// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <variant>

#include "c_api/array_handle.hpp"
#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "overtake/c_kernel.h"
#include "overtake/kernel.hpp"

namespace api = overtake::c_api;
using overtake::ElementwiseKernel;
using overtake::KernelOptions;
using overtake::RawKernel;
using overtake::ReductionKernel;

struct overtake_kernel {
  std::variant<ElementwiseKernel, ReductionKernel, RawKernel> kernel;
};

namespace {

KernelOptions options_of(const char* preamble, std::int32_t debug, double time_limit) {
  return {preamble == nullptr ? "" : preamble, debug != 0, time_limit};
}

template <class Kernel>
const Kernel& kernel_of(const overtake_kernel* kernel, const char* kind) {
  const auto* found = std::get_if<Kernel>(&api::given(kernel, "kernel").kernel);
  if (found == nullptr) throw overtake::UsageError(fmt::format("the kernel is not {}", kind));
  return *found;
}

template <class Kernel>
void hand_out(Kernel kernel, overtake_kernel** result) {
  (void)api::given(result, "kernel");
  *result = std::make_unique<overtake_kernel>(overtake_kernel{std::move(kernel)}).release();
}

std::vector<overtake::Array> arrays_of(const overtake_array* const* arrays, std::int64_t count) {
  std::vector<overtake::Array> result;
  for (const overtake_array* each : api::listed(arrays, count, "inputs")) {
    result.push_back(api::array_of(each, "inputs"));
  }
  return result;
}

std::optional<overtake::Device> device_or_none(const char* device) {
  return device == nullptr ? std::nullopt : std::optional(overtake::Device(device));
}

}  // namespace

extern "C" {

// NOLINTNEXTLINE(readability-function-size): as in the header, the texts of a kernel and its options
overtake_status overtake_kernel_elementwise(const char* inputs, const char* outputs, const char* body, const char* name,
                                            const char* preamble, int32_t debug, double time_limit,
                                            overtake_kernel** kernel) {
  return api::guarded([&] {
    hand_out(
        ElementwiseKernel(api::text_of(inputs, "inputs"), api::text_of(outputs, "outputs"), api::text_of(body, "body"),
                          api::text_of(name, "name"), options_of(preamble, debug, time_limit)),
        kernel);
  });
}

// NOLINTNEXTLINE(readability-function-size): as in the header, the texts of a kernel and its options
overtake_status overtake_kernel_reduction(const char* inputs, const char* output, const char* map, const char* reduce,
                                          const char* post, const char* identity, const char* name,
                                          const char* preamble, int32_t debug, double time_limit,
                                          overtake_kernel** kernel) {
  return api::guarded([&] {
    hand_out(
        ReductionKernel(api::text_of(inputs, "inputs"), api::text_of(output, "output"), api::text_of(map, "map"),
                        api::text_of(reduce, "reduce"), api::text_of(post, "post"), api::text_of(identity, "identity"),
                        api::text_of(name, "name"), options_of(preamble, debug, time_limit)),
        kernel);
  });
}

overtake_status overtake_kernel_raw(const char* parameters, const char* body, const char* name, const char* preamble,
                                    int32_t debug, double time_limit, overtake_kernel** kernel) {
  return api::guarded([&] {
    hand_out(RawKernel(api::text_of(parameters, "parameters"), api::text_of(body, "body"), api::text_of(name, "name"),
                       options_of(preamble, debug, time_limit)),
             kernel);
  });
}

void overtake_kernel_free(overtake_kernel* kernel) { const std::unique_ptr<overtake_kernel> owner(kernel); }

overtake_status overtake_kernel_call(const overtake_kernel* kernel, const overtake_array* const* inputs, int64_t count,
                                     const char* device, overtake_array** outputs) {
  return api::computing([&] {
    const auto& called = kernel_of<ElementwiseKernel>(kernel, "element-wise");
    (void)api::given(outputs, "outputs");
    std::vector<overtake::Array> results = called.call(arrays_of(inputs, count), device_or_none(device));
    for (std::size_t i = 0; i < results.size(); ++i) api::hand_out(std::move(results[i]), outputs + i);
  });
}

overtake_status overtake_kernel_reduce(const overtake_kernel* kernel, const overtake_array* const* inputs,
                                       int64_t count, const int32_t* axes, int32_t axis_count, int32_t keepdims,
                                       overtake_array** output) {
  return api::computing([&] {
    const auto& called = kernel_of<ReductionKernel>(kernel, "a reduction");
    std::optional<std::vector<int>> chosen;
    if (axis_count >= 0) {
      const auto listed = api::listed(axes, axis_count, "axes");
      chosen.emplace(listed.begin(), listed.end());
    }
    (void)api::given(output, "output");
    api::hand_out(called.call(arrays_of(inputs, count), chosen, keepdims != 0), output);
  });
}

overtake_status overtake_kernel_launch(const overtake_kernel* kernel, const int64_t groups[3],
                                       const int32_t group_size[3], overtake_array* const* arguments, int64_t count,
                                       const char* device) {
  return api::computing([&] {
    const auto& called = kernel_of<RawKernel>(kernel, "raw");
    (void)api::given(groups, "groups");
    (void)api::given(group_size, "group_size");
    const auto listed = api::listed(arguments, count, "arguments");
    std::vector<overtake::RawArgument> given;
    given.reserve(listed.size());
    for (overtake_array* each : listed) {
      given.emplace_back(&api::array_of(each, "arguments"));
    }
    called.launch_all({{groups[0], groups[1], groups[2]}, {group_size[0], group_size[1], group_size[2]}}, given,
                      device_or_none(device));
  });
}

overtake_status overtake_kernel_source(const overtake_kernel* kernel, const char* device, overtake_text** text) {
  return api::guarded([&] {
    const overtake::Device on = api::device_named(device);
    const auto source = [&](const auto& each) { return each.source(on); };
    api::hand_out(std::visit(source, api::given(kernel, "kernel").kernel), text);
  });
}

}  // extern "C"
