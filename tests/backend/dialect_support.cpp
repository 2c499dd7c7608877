// SPDX-License-Identifier: MIT
#include "backend/dialect_support.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <random>

#include "backend/cpu/kernels/program.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::dialect_tests {
namespace {

using oracle::untouched;
constexpr std::size_t guard_elements = 1024;

std::size_t bytes_of(const std::vector<std::uint32_t>& bits) { return bits.size() * sizeof(std::uint32_t); }

}  // namespace

Device& this_device() { return open_device(oracle::OnEveryDevice::GetParam().id); }

void with_each_compiler(Device& device, const std::function<void()>& body) {
  if (!device.is_host()) return body();
  struct Restore {
    cpu::KernelCompilers before = cpu::kernel_compilers();
    ~Restore() { cpu::kernel_compilers() = before; }
  } const restore;
  for (const bool tcc : {true, false}) {
    SCOPED_TRACE(tcc ? "libtcc" : "an ordinary compiler");
    cpu::KernelCompilers& chosen = cpu::kernel_compilers();
    chosen = restore.before;
    chosen.tcc = tcc;
    if (tcc) chosen.ordinary.reset();
    if (tcc ? cpu::has_tcc() : chosen.ordinary.has_value()) body();
  }
}

std::vector<float> random_floats(std::int64_t count, float low, float high, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = low + (high - low) * static_cast<float>(generator() >> 8U) * 0x1p-24F;
  }
  return values;
}

namespace {

/// Buffers with a guard zone after each slot.
std::vector<std::unique_ptr<Buffer>> upload_guarded(Device& device, const std::vector<HostSlot>& slots) {
  std::vector<std::unique_ptr<Buffer>> buffers;
  for (const HostSlot& slot : slots) {
    std::vector<std::uint32_t> guarded = slot.bits;
    guarded.resize(guarded.size() + guard_elements, untouched);
    buffers.push_back(device.allocate(bytes_of(guarded)));
    device.upload(*buffers.back(), 0, guarded.data(), bytes_of(guarded));
  }
  return buffers;
}

std::vector<HostSlot> download_guarded(Device& device, const std::vector<HostSlot>& slots,
                                       const std::vector<std::unique_ptr<Buffer>>& buffers) {
  std::vector<HostSlot> results;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    std::vector<std::uint32_t> guarded(slots[i].bits.size() + guard_elements);
    device.download(*buffers[i], 0, guarded.data(), bytes_of(guarded));
    for (std::size_t g = slots[i].bits.size(); g < guarded.size(); ++g) {
      if (guarded[g] == untouched) continue;
      ADD_FAILURE() << "slot " << i << " was written " << g - slots[i].bits.size() << " elements past its end";
      break;
    }
    guarded.resize(slots[i].bits.size());
    results.push_back({std::move(guarded)});
  }
  return results;
}

/// The interpreted kernels built for a device, once for each compiler; null when it does not compile at run time.
Program* interpreted_program(Device& device) {
  static std::map<std::pair<Device*, bool>, std::unique_ptr<Program>> built;
  const std::pair key(&device, device.is_host() && cpu::kernel_compilers().tcc);
  const auto found = built.find(key);
  if (found != built.end()) return found->second.get();
  std::unique_ptr<Program> program;
  try {
    program = device.build({.source = embedded::kernel_interpreted, .defines = {}, .name = {}});
  } catch (const DeviceError&) {
    program = nullptr;
  }
  return built.emplace(key, std::move(program)).first->second.get();
}

}  // namespace

std::vector<HostSlot> run(Device& device, const std::vector<HostSlot>& slots, const std::vector<Operation>& operations,
                          int times) {
  Schedule schedule;
  schedule.operations = operations;
  const std::vector<std::unique_ptr<Buffer>> buffers = upload_guarded(device, slots);
  std::vector<Buffer*> bound;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    schedule.slots.push_back(slot_of(static_cast<std::int64_t>(slots[i].bits.size()), DType::float32, true));
    bound.push_back(buffers[i].get());
  }
  const std::unique_ptr<Executable> executable = device.compile(schedule, {});
  executable->bind(bound);
  executable->run(times);
  return download_guarded(device, slots, buffers);
}

void launch_lowered(Device& device, Program* interpreted, const LoweredOperation& lowered,
                    const std::vector<std::unique_ptr<Buffer>>& slots, int times) {
  const auto scratch = device.allocate(lowered.scratch_bytes + 4);
  std::vector<std::int32_t> head = lowered.words;
  head.resize(static_cast<std::size_t>(lowered.zeroed_bytes) / 4, 0);
  device.upload(*scratch, 0, head.data(), head.size() * 4);
  std::vector<std::unique_ptr<Program>> programs;
  for (const LoweredKernel& kernel : lowered.kernels) {
    programs.push_back(kernel.source.empty() ? nullptr
                                             : device.build({.source = kernel.source, .defines = {}, .name = {}}));
  }
  for (int run = 0; run < times; ++run) {
    for (std::size_t k = 0; k < lowered.kernels.size(); ++k) {
      const LoweredKernel& kernel = lowered.kernels[k];
      std::vector<KernelArgument> arguments;
      for (const LoweredArgument& argument : kernel.arguments) {
        switch (argument.kind) {
          case LoweredArgument::Kind::scratch: arguments.emplace_back(scratch.get()); break;
          case LoweredArgument::Kind::slot:
            arguments.emplace_back(slots.at(static_cast<std::size_t>(argument.slot)).get());
            break;
          case LoweredArgument::Kind::offset64:
          case LoweredArgument::Kind::int64: arguments.emplace_back(argument.value); break;
          default: arguments.emplace_back(static_cast<std::int32_t>(argument.value)); break;
        }
      }
      Program* program = programs[k] != nullptr ? programs[k].get() : interpreted;
      program->kernel(kernel.entry)->launch(kernel.geometry, arguments);
    }
  }
  device.synchronize();
}

std::vector<HostSlot> run_lowered(Device& device, const std::vector<HostSlot>& slots, const LoweredOperation& lowered,
                                  int times) {
  const std::vector<std::unique_ptr<Buffer>> buffers = upload_guarded(device, slots);
  launch_lowered(device, nullptr, lowered, buffers, times);
  return download_guarded(device, slots, buffers);
}

std::optional<std::vector<HostSlot>> run_interpreted(Device& device, const std::vector<HostSlot>& slots,
                                                     const std::vector<Operation>& operations) {
  Program* program = interpreted_program(device);
  if (program == nullptr) return std::nullopt;
  const std::vector<std::unique_ptr<Buffer>> buffers = upload_guarded(device, slots);
  for (const Operation& operation : operations) {
    LoweredOperation lowered;
    try {
      lowered = lower_interpreted(operation);
    } catch (const DeviceError&) {
      return std::nullopt;
    }
    launch_lowered(device, program, lowered, buffers, 1);
  }
  return download_guarded(device, slots, buffers);
}

void expect_close(const HostSlot& actual, const HostSlot& expected, double tolerance) {
  ASSERT_EQ(actual.bits.size(), expected.bits.size());
  int shown = 0;
  for (std::size_t i = 0; i < actual.bits.size() && shown < 5; ++i) {
    const double a = actual.as_float(i);
    const double e = expected.as_float(i);
    if (std::isnan(e) ? std::isnan(a) : (a == e || std::abs(a - e) <= tolerance * std::max(1.0, std::abs(e)))) continue;
    ADD_FAILURE() << "element " << i << " of " << actual.bits.size() << ": " << a << ", expected " << e;
    ++shown;
  }
}

void expect_same(const HostSlot& actual, const HostSlot& expected) {
  ASSERT_EQ(actual.bits.size(), expected.bits.size());
  int shown = 0;
  for (std::size_t i = 0; i < actual.bits.size() && shown < 5; ++i) {
    if (actual.bits[i] == expected.bits[i]) continue;
    ADD_FAILURE() << "element " << i << " of " << actual.bits.size() << ": " << actual.as_float(i) << " ("
                  << actual.as_int(i) << "), expected " << expected.as_float(i) << " (" << expected.as_int(i) << ")";
    ++shown;
  }
}

void expect_close_bfloat16(const HostSlot& actual, const HostSlot& expected, double tolerance) {
  const auto widened = [](const HostSlot& slot) {
    std::vector<float> values;
    for (std::size_t i = 0; i < 2 * slot.bits.size(); ++i) values.push_back(slot.as_bfloat16(i));
    return HostSlot::floats(values);
  };
  expect_close(widened(actual), widened(expected), std::max(tolerance, 0x1p-7));
}

void check(const std::vector<HostSlot>& slots, const std::vector<Operation>& operations, double tolerance) {
  const std::vector<HostSlot> expected = reference(slots, operations);
  std::vector<DType> types(slots.size(), DType::float32);
  for (const Operation& operation : operations) {
    for (const TapeStore& store : operation.tape.stores) types[static_cast<std::size_t>(store.slot)] = store.dtype;
  }
  const auto compare = [&](const std::vector<HostSlot>& actual) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      SCOPED_TRACE("slot " + std::to_string(i));
      switch (types[i]) {
        case DType::int32: expect_same(actual[i], expected[i]); break;
        case DType::bfloat16: expect_close_bfloat16(actual[i], expected[i], tolerance); break;
        default: expect_close(actual[i], expected[i], tolerance);
      }
    }
  };
  compare(run(this_device(), slots, operations));
  with_each_compiler(this_device(), [&] {
    if (const auto interpreted = run_interpreted(this_device(), slots, operations)) {
      SCOPED_TRACE("interpreted");
      compare(*interpreted);
    }
  });
}

Access contiguous(int slot, const std::vector<std::int64_t>& extents, DType dtype) {
  Access access{.slot = slot, .dtype = dtype};
  std::int64_t stride = 1;
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    access.strides[axis] = stride;
    stride *= extents[axis];
  }
  return access;
}

Access strided(int slot, std::int64_t offset, const std::vector<std::int64_t>& strides, DType dtype) {
  Access access{.slot = slot, .offset = offset, .dtype = dtype};
  for (std::size_t axis = 0; axis < strides.size(); ++axis) access.strides[axis] = strides[axis];
  return access;
}

Tape store_core(int slot, DType dtype) {
  Tape tape;
  tape.code = {core_of(value_type_of(dtype))};
  tape.stores = {{slot, 0, dtype}};
  return tape;
}

}  // namespace overtake::backend::dialect_tests
