// SPDX-License-Identifier: MIT
// The convolutions of VGG16 with the tapes that training gives them: forward with bias and relu, the gradient by the
// images where they are positive, the gradient by the filters. A line of JSON for each, beside the floor: what the
// arithmetic of a sum over all places, or the memory, takes at least by the device's clocks.
//   bench_probe_convolution [BATCH [PRECISIONS [ORDERS [WAYS [MEGABYTES]]]]]     64 f32,tf32,bf16 last,first dnn
// WAYS: dnn (cuDNN); blas (minimal filtering where lower() would do it, its products by cuBLASLt) and own (the same
// with own products), else cuDNN. MEGABYTES: of a block of tiles in minimal filtering.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "backend/common/lower/winograd.hpp"
#include "backend/cuda/driver/discovery.hpp"
#include "backend/cuda/driver/rates.hpp"
#include "backend/cuda/run/executable.hpp"
#include "probe_support.hpp"

using namespace overtake::backend;        // NOLINT(google-build-using-namespace)
using namespace overtake::backend::cuda;  // NOLINT(google-build-using-namespace)
using overtake::DType;

namespace {

/// A layer of 3 x 3 windows, stride 1, and how many of its kind VGG16 has.
struct Stage {
  std::int64_t c, k, size;
  int count;
};
constexpr Stage layers[] = {{3, 64, 224, 1},    {64, 64, 224, 1},  {64, 128, 112, 1},
                            {128, 128, 112, 1}, {128, 256, 56, 1}, {256, 256, 56, 2},
                            {256, 512, 28, 1},  {512, 512, 28, 2}, {512, 512, 14, 3}};

struct Rates {
  double operations = 0, bytes = 0;  ///< of a second
};

Rates rates_of(CudaDevice& device, const std::string& precision) {
  const DriverApi& api = device.api();
  const auto of = [&](CUdevice_attribute name) { return static_cast<double>(attribute(api, 0, name)); };
  Rates rates;
  rates.bytes =
      of(CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE) * 1e3 * 2 * of(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH) / 8;
  rates.operations = of(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT) * of(CU_DEVICE_ATTRIBUTE_CLOCK_RATE) * 1e3 * 256;
  const int major = attribute(api, 0, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  const int minor = attribute(api, 0, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  for (const auto& rate : theoretical_rates(major, minor, device.info())) {
    if (rate.name == precision) rates.operations = rate.peak_gflops * 1e9;
  }
  return rates;
}

/// Slots: 0 and 1 operands, 2 result, 3 bias or mask.
Operation operation_of(const Stage& layer, ConvolutionKind kind, std::int64_t batch, const std::string& precision,
                       bool channels_last) {
  using tape::apply, tape::constant, tape::load;
  const DType dtype = precision == "bf16" ? DType::bfloat16 : DType::float32;
  ConvolutionCore core;
  core.kind = kind;
  core.extents = {batch, layer.c, layer.size, layer.size, layer.size, layer.size};
  core.k = layer.k;
  core.r = core.s = 3;
  core.steps.padding = {1, 1};
  core.channels_last = channels_last;
  core.tf32 = precision == "tf32";
  core.a = {0, 0, dtype};
  core.b = {1, 0, dtype};
  Operation operation;
  operation.core = core;
  operation.extent = extent_of(core);
  operation.name = "convolution";
  auto& [code, loads, random, stores] = operation.tape;
  code = {tape::core()};
  const DType result = dtype;  // as layers have it: in bfloat16 gradients by filters are rounded, too
  if (kind == ConvolutionKind::forward) {
    Access bias{3, 0, {}, DType::float32};
    bias.strides[channels_last ? 3 : 1] = 1;
    loads = {bias};
    code.insert(code.end(), {load(0), apply(TapeCode::add, 0, 1), constant(0), apply(TapeCode::maximum, 2, 3)});
  } else if (kind == ConvolutionKind::data_gradient) {
    Access mask{3, 0, {}, dtype};
    std::int64_t stride = 1;
    for (std::size_t axis = 4; axis-- > 0; stride *= operation.extent[axis]) mask.strides[axis] = stride;
    loads = {mask};
    code.insert(code.end(), {load(0), constant(0), apply(TapeCode::less, 2, 1), apply(TapeCode::select, 3, 0, 2)});
  }
  if (result == DType::bfloat16) code.push_back(apply(TapeCode::round_bfloat16, static_cast<int>(code.size()) - 1));
  stores = {{2, static_cast<std::uint16_t>(code.size() - 1), result}};
  return operation;
}

/// Elements and formats of the slots.
std::vector<Slot> slots_of(const Operation& operation) {
  const auto& core = std::get<ConvolutionCore>(operation.core);
  const ImageExtents& e = core.extents;
  const std::int64_t x = e.n * e.c * e.h * e.w, y = e.n * core.k * e.p * e.q, filters = core.k * e.c * core.r * core.s;
  std::vector<Slot> slots{slot_of(core.kind == ConvolutionKind::data_gradient ? y : x, core.a.dtype, true),
                          slot_of(core.kind == ConvolutionKind::filter_gradient ? y : filters, core.b.dtype, true),
                          slot_of(operation.extent.size(), operation.tape.stores[0].dtype, true)};
  if (core.kind == ConvolutionKind::forward) slots.push_back(slot_of(core.k, DType::float32, true));
  if (core.kind == ConvolutionKind::data_gradient)
    slots.push_back(slot_of(operation.extent.size(), core.a.dtype, true));
  return slots;
}

/// How the convolutions are to be done.
struct Way {
  std::string name;
  WinogradLimits limits;
  [[nodiscard]] bool is_minimal(const ConvolutionCore& core) const {
    return name != "dnn" && is_exact(core) && is_faster_minimally(core);
  }
};

/// What cuDNN's plans took when they were tried.
void add_trials(CudaDevice& device, const Operation& operation, Json& row) {
  const auto& core = std::get<ConvolutionCore>(operation.core);
  const auto epilogue = convolution_epilogue(operation);
  const Fusing fusing = epilogue ? fusing_of(core, *epilogue) : Fusing::never;
  LibraryConvolution other{core, {}, 0};
  if (const auto choice = fusing == Fusing::always ? nullptr : device.dnn()->choose(other)) {
    row.set("bare_ms", choice->seconds * 1e3).set("bare_engine", choice->plan.engine).set("bare_rank", choice->rank);
  }
  if (fusing == Fusing::never) return;
  other.epilogue = *epilogue;
  if (const auto choice = device.dnn()->choose(other)) {
    row.set("fused_ms", choice->seconds * 1e3).set("fused_engine", choice->plan.engine);
    row.set("fused_rank", choice->rank);
  }
}

/// Milliseconds of the steps by the kernel's family, each alone.
void add_parts(CudaDevice& device, const Bench& bench, Json& row) {
  std::map<std::string, double> parts;
  for (int time = 0; time < 2; ++time) {
    parts.clear();
    for (std::size_t step = 0; step < bench.launcher->size(); ++step) {
      const auto* kernel = std::get_if<LoweredKernel>(&bench.launcher->plan().steps[step].work);
      const std::string name = kernel == nullptr ? "library" : kernel->entry.substr(0, kernel->entry.rfind('_'));
      parts[name] += event_seconds(device, [&] { bench.launcher->enqueue(step, device.stream()); });
    }
  }
  for (const auto& [name, seconds] : parts) row.set(name + "_ms", seconds * 1e3);
}

double measure(CudaDevice& device, const Operation& operation, const std::string& precision, const Stage& layer,
               const Way& way) {
  Schedule schedule;
  schedule.slots = slots_of(operation);
  schedule.operations = {operation};
  std::vector<std::unique_ptr<Buffer>> owned;
  std::vector<Buffer*> slots;
  double bytes = 0;
  for (const Slot& slot : schedule.slots) {
    owned.push_back(device.allocate(slot.bytes));
    slots.push_back(owned.back().get());
    fill_with_numbers(device, *owned.back(), slot.bytes);
    bytes += static_cast<double>(slot.bytes);
  }
  const auto& core = std::get<ConvolutionCore>(operation.core);
  const char* const kinds[] = {"forward", "data gradient", "filter gradient"};
  Json row;
  row.set("convolution", kinds[static_cast<int>(core.kind)]).set("precision", precision);
  row.set("order", core.channels_last ? "last" : "first").set("c", layer.c).set("k", layer.k).set("size", layer.size);
  row.set("count", layer.count).set("way", way.is_minimal(core) ? way.name : "dnn");
  const LoweringTraits traits = device.lowering_traits();
  const bool is_minimal = way.is_minimal(core);
  const Lowering lowering = [&](const Operation& o) {
    const auto* convolution = std::get_if<ConvolutionCore>(&o.core);
    return is_minimal && convolution != nullptr ? lower_winograd(o, *convolution, traits, way.limits)
                                                : lower(o, traits);
  };
  Bench bench(device, schedule, slots, lowering, way.name == "blas" ? library_query(device, 0) : ProductQuery{},
              is_minimal ? ConvolutionQuery{} : convolution_query(device, false));
  const Plan& plan = bench.launcher->plan();
  row.set("steps", static_cast<int>(plan.steps.size()));
  row.set("workspace_mb", static_cast<double>(plan.steps[0].scratch_bytes) / 1e6);
  if (is_minimal) {
    add_parts(device, bench, row);
  } else {
    add_trials(device, operation, row);
  }
  const double seconds = time_graph(device, bench, GraphShape::chain, 2, 3, 5e-3).step_seconds;
  const ImageExtents& e = core.extents;
  const double operations = 2.0 * static_cast<double>(e.n * e.p * e.q) * static_cast<double>(core.k * e.c * 9);
  const Rates rates = rates_of(device, precision);
  const double floor = std::max(operations / rates.operations, bytes / rates.bytes);
  row.set("ms", seconds * 1e3).set("tflops", operations / seconds / 1e12).set("floor_ms", floor * 1e3);
  row.set("of_floor", floor / seconds);
  print_row(row);
  return seconds;
}

bool has(const std::string& list, const std::string& item) {
  return ("," + list + ",").find("," + item + ",") != std::string::npos;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    CudaBackend backend;
    DeviceSettings settings;
    settings.prefer_library = true;  // this probe says which way it wants
    const auto device = open_for_probe(backend, settings);
    if (!device) return 0;
    const double start = now();
    if (device->dnn() == nullptr) {
      std::printf("skipped: no cuDNN: %s\n", device->dnn_trouble().c_str());
      return 0;
    }
    std::printf("%s opened in %.2f s\n", device->dnn()->version().c_str(), now() - start);
    const std::int64_t batch = count > 1 ? std::atoll(arguments[1]) : 64;
    const std::string precisions = count > 2 ? arguments[2] : "f32,tf32,bf16";
    const std::string orders = count > 3 ? arguments[3] : "last,first";
    const std::string ways = count > 4 ? arguments[4] : "dnn";
    WinogradLimits limits;
    if (count > 5) limits.block_bytes = std::atoll(arguments[5]) << 20U;
    for (const std::string precision : {"f32", "tf32", "bf16"}) {
      for (const std::string setting : {"last dnn", "last blas", "last own", "first dnn"}) {
        const std::string order = setting.substr(0, setting.find(' '));
        const Way way{setting.substr(order.size() + 1), limits};
        if (!has(precisions, precision) || !has(orders, order) || !has(ways, way.name)) continue;
        const double began = now();
        double total = 0;
        Schedule network;
        for (const Stage& layer : layers) {
          for (int kind = 0; kind < 3; ++kind) {
            if (kind == 1 && layer.c == 3) continue;  // nobody asks for the gradient by the images
            const auto operation =
                operation_of(layer, static_cast<ConvolutionKind>(kind), batch, precision, order == "last");
            if (!way.is_minimal(std::get<ConvolutionCore>(operation.core))) network.operations.push_back(operation);
          }
        }
        choose_convolutions(*device, network, false);
        const double chosen = now();
        for (const Stage& layer : layers) {
          for (int kind = 0; kind < 3; ++kind) {
            if (kind == 1 && layer.c == 3) continue;
            const auto operation =
                operation_of(layer, static_cast<ConvolutionKind>(kind), batch, precision, order == "last");
            try {
              total += layer.count * measure(*device, operation, precision, layer, way);
            } catch (const overtake::Error& error) {
              std::printf("%s %s %lld %lld: %s\n", precision.c_str(), order.c_str(), static_cast<long long>(layer.c),
                          static_cast<long long>(kind), error.what());
            }
          }
        }
        Json row;
        row.set("network", "VGG16").set("batch", batch).set("precision", precision).set("order", order);
        row.set("way", way.name);
        row.set("convolutions_ms", total * 1e3).set("images_per_s", static_cast<double>(batch) / total);
        row.set("seconds_of_choosing", chosen - began).set("seconds_of_bench", now() - began);
        print_row(row);
      }
    }
    return 0;
  } catch (const overtake::Error& error) {
    std::printf("error: %s\nhint: %s\n", error.what(), error.hint().c_str());
    return 1;
  }
}
