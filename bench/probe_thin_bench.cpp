// SPDX-License-Identifier: MIT
// What kernels of our own do for the ends of VGG16, beside the library and the kernels that did it before: products of
// few rows (its classifier on one image, alone and as a chain of 247 MB of weights, which no cache holds), and its
// first convolution, forward with bias and relu and by its filters, of three channels and, for the library, of three
// filled up to eight. A line of JSON each, with the floor of its memory traffic or arithmetic and the largest
// difference from the first way's results, as a share of the largest result.
//   bench_probe_thin [BATCH]     256; of the convolution
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/matmul_tiling.hpp"
#include "backend/cuda/run/executable.hpp"
#include "probe_support.hpp"

using namespace overtake::backend;        // NOLINT(google-build-using-namespace)
using namespace overtake::backend::cuda;  // NOLINT(google-build-using-namespace)
using overtake::DType;

namespace {

constexpr double bytes_of_second = 3.35e12, multiply_adds_of_second = 3.3e13;  // an H100's, by its data sheet

struct Problem {
  std::string name;
  Schedule schedule;
  std::size_t result = 2;  ///< slot
  double multiply_adds = 0;
};

/// relu(core + bias), as a layer of this precision stores it.
Tape layer_tape(int bias, int result, std::size_t last_axis, DType dtype) {
  using tape::apply, tape::constant, tape::load;
  Tape tape;
  Access access{bias, 0, {}, DType::float32};
  access.strides[last_axis] = 1;
  tape.loads = {access};
  tape.code = {tape::core(), load(0), apply(TapeCode::add, 0, 1), constant(0), apply(TapeCode::maximum, 2, 3)};
  if (dtype == DType::bfloat16) tape.code.push_back(apply(TapeCode::round_bfloat16, 4));
  tape.stores = {{result, static_cast<std::uint16_t>(tape.code.size() - 1), dtype}};
  return tape;
}

/// rows x widths[0], by layers to widths[1] and so on; weights run along k, or (transposed) along their outputs.
Problem products(std::int64_t rows, const std::vector<std::int64_t>& widths, bool transposed, DType dtype) {
  Problem problem;
  problem.name = transposed ? "product by columns" : "product by rows";
  std::vector<Slot>& slots = problem.schedule.slots;
  slots = {slot_of(rows * widths[0], dtype, true)};
  int input = 0;
  for (std::size_t layer = 1; layer < widths.size(); ++layer) {
    const std::int64_t k = widths[layer - 1], n = widths[layer];
    const int weights = static_cast<int>(slots.size());
    slots.push_back(slot_of(k * n, dtype, true));
    slots.push_back(slot_of(n, DType::float32, true));
    slots.push_back(slot_of(rows * n, dtype, true));
    MatMulCore core{rows, n, k, {input, 0, k, 1}, {weights, 0, transposed ? n : 1, transposed ? 1 : k}, dtype};
    problem.schedule.operations.push_back({core, {rows, n}, layer_tape(weights + 1, weights + 2, 1, dtype), "product"});
    input = weights + 2;
    problem.multiply_adds += static_cast<double>(rows * n) * static_cast<double>(k);
  }
  problem.result = static_cast<std::size_t>(input);
  return problem;
}

Problem convolution(ConvolutionKind kind, std::int64_t images, std::int64_t channels, DType dtype) {
  const bool is_forward = kind == ConvolutionKind::forward;
  ConvolutionCore core;
  core.kind = kind;
  core.extents = {images, channels, 224, 224, 224, 224};
  core.k = 64;
  core.r = core.s = 3;
  core.steps.padding = {1, 1};
  core.a = {0, 0, dtype};
  core.b = {1, 0, dtype};
  Operation operation{core, extent_of(core), layer_tape(3, 2, 3, dtype), "convolution"};
  if (!is_forward) {
    operation.tape = {};
    operation.tape.code = {tape::core()};
    operation.tape.stores = {{2, 0, DType::float32}};
  }
  Problem problem;
  problem.name = is_forward ? "convolution forward" : "convolution by filters";
  const std::int64_t places = images * 224 * 224, filters = 64 * 9 * channels;
  problem.schedule.slots = {slot_of(places * channels, dtype, true),
                            slot_of(is_forward ? filters : places * 64, dtype, true),
                            slot_of(operation.extent.size(), operation.tape.stores[0].dtype, true)};
  if (is_forward) problem.schedule.slots.push_back(slot_of(64, DType::float32, true));
  problem.schedule.operations = {std::move(operation)};
  problem.multiply_adds = static_cast<double>(places) * static_cast<double>(filters);
  return problem;
}

/// The first 64 MB, which are enough to see a fault and do not take longer than the measurement.
std::vector<float> result_of(CudaDevice& device, const Buffer& buffer, const Slot& slot) {
  constexpr std::uint64_t most_bytes = 64U << 20U;
  std::vector<std::uint8_t> bytes(std::min(slot.bytes, most_bytes));
  device.download(buffer, 0, bytes.data(), bytes.size());
  const std::size_t size = size_of(slot.dtype);
  std::vector<float> values(bytes.size() / size);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * size, size);
    values[i] = std::bit_cast<float>(slot.dtype == DType::bfloat16 ? bits << 16U : bits);
  }
  return values;
}

double largest_difference(const std::vector<float>& found, const std::vector<float>& reference) {
  double most = 0, largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(found[i]) - static_cast<double>(reference[i]));
    if (!(difference <= most)) most = difference;  // NaN too
    largest = std::max(largest, std::fabs(static_cast<double>(reference[i])));
  }
  return most / std::max(largest, 1e-30);
}

struct Way {
  std::string name;
  Lowering lowering;
  ProductQuery products = {};
  ConvolutionQuery convolutions = {};
};

void measure(CudaDevice& device, const Problem& problem, const std::vector<Way>& ways) {
  std::vector<std::unique_ptr<Buffer>> owned;
  std::vector<Buffer*> slots;
  double bytes = 0;
  for (const Slot& slot : problem.schedule.slots) {
    owned.push_back(device.allocate(slot.bytes));
    slots.push_back(owned.back().get());
    fill_with_numbers(device, *owned.back(), slot.bytes);
    bytes += static_cast<double>(slot.bytes);
  }
  std::vector<float> reference;
  for (const Way& way : ways) {
    const Bench bench(device, problem.schedule, slots, way.lowering, way.products, way.convolutions);
    const Plan& plan = bench.launcher->plan();
    Json row;
    row.set("probe", problem.name).set("way", way.name);
    const Operation& first = problem.schedule.operations[0];
    row.set("precision", problem.schedule.slots[0].dtype == DType::bfloat16 ? "bf16" : "f32");
    if (const auto* core = std::get_if<MatMulCore>(&first.core)) {
      row.set("m", core->m).set("n", core->n).set("k", core->k);
    } else {
      row.set("c", std::get<ConvolutionCore>(first.core).extents.c);
    }
    row.set("operations", static_cast<int>(problem.schedule.operations.size()));
    row.set("steps", static_cast<int>(plan.steps.size()));
    row.set("library_steps", plan.library_products + plan.library_convolutions);
    if (const auto* kernel = std::get_if<LoweredKernel>(&plan.steps[0].work)) row.set("kernel", kernel->entry);
    bench.run_once(device);
    const std::vector<float> found = result_of(device, *slots[problem.result], problem.schedule.slots[problem.result]);
    if (reference.empty()) reference = found;
    const double seconds = time_graph(device, bench, GraphShape::chain, 4, 5, 1e-2).step_seconds;
    const double floor = std::max(bytes / bytes_of_second, problem.multiply_adds / multiply_adds_of_second);
    row.set("us", seconds * 1e6).set("gb_per_s", bytes / seconds / 1e9).set("floor_us", floor * 1e6);
    row.set("of_floor", floor / seconds).set("difference", largest_difference(found, reference));
    print_row(row);
  }
}

}  // namespace

int main(int count, char** arguments) {
  try {
    CudaBackend backend;
    DeviceSettings settings;
    settings.prefer_library = true;  // this probe says which way it wants
    const auto device = open_for_probe(backend, settings);
    if (!device) return 0;
    const std::int64_t batch = count > 1 ? std::atoll(arguments[1]) : 256;
    const LoweringTraits traits = device->lowering_traits();
    const Way own{"own", [&](const Operation& o) { return lower(o, traits); }};
    const Way panels{"panels", [&](const Operation& o) {
                       const auto& core = std::get<MatMulCore>(o.core);
                       return lower_matmul(o, core, traits, plan_matmul(core.m, core.n, core.k, traits));
                     }};
    const Way library{"library", own.lowering, library_query(*device, 0), convolution_query(*device, false)};
    for (const DType dtype : {DType::bfloat16, DType::float32}) {
      for (const bool transposed : {false, true}) {
        for (const std::int64_t rows : {1, 4}) {
          measure(*device, products(rows, {25088, 4096, 4096, 1000}, transposed, dtype), {own, panels, library});
          measure(*device, products(rows, {25088, 4096}, transposed, dtype), {own, panels, library});
        }
      }
      for (const std::int64_t images : {batch, std::int64_t{1}}) {
        for (const ConvolutionKind kind : {ConvolutionKind::forward, ConvolutionKind::filter_gradient}) {
          measure(*device, convolution(kind, images, 3, dtype), {own, library});
          measure(*device, convolution(kind, images, 8, dtype), {library});
        }
      }
    }
    return 0;
  } catch (const overtake::Error& error) {
    std::printf("error: %s\nhint: %s\n", error.what(), error.hint().c_str());
    return 1;
  }
}
