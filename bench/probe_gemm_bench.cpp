// SPDX-License-Identifier: MIT
// The products of the disc sweep (batch 100): every tile and split of the own kernel against cuBLASLt. Every variant is
// also checked against the library's result. The first argument names a file for the full table (CSV).
#include <cstdio>
#include <string>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/matmul_tiling.hpp"
#include "probe_support.hpp"

using namespace overtake::backend;        // NOLINT(google-build-using-namespace)
using namespace overtake::backend::cuda;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::int64_t batch = 100;
constexpr int copies = 10;

struct Case {
  std::string name;
  Operation operation;
  std::vector<std::int64_t> sizes;  ///< of the slots
  int output = 0;
};

/// Slots: 0 weights, 1 bias, 2 input, 3 gradient, 4 output, 5 learning rate.
std::vector<Case> cases_of(std::int64_t in, std::int64_t out) {
  const Layer layer{0, 1, in, out};
  const std::vector<std::int64_t> sizes{in * out, out, batch * in, batch * out, batch * std::max(in, out), 1};
  return {{"forward", forward_product(layer, batch, 2, 4, Activation::relu), sizes, 4},
          {"dX", input_gradient(layer, batch, 3, 2, 4), sizes, 4},
          {"dW", weight_update(layer, batch, 3, 2, 5), sizes, 0}};
}

/// ty, tx, tm, tn, bk, slices
std::vector<MatMulTile> tiles() {
  return {{16, 16, 1, 1, 128},   {4, 64, 1, 1, 64},    {64, 4, 1, 1, 64},     {16, 16, 2, 2, 64},  {8, 16, 4, 4, 32},
          {16, 16, 4, 4, 16},    {16, 16, 8, 4, 16},   {16, 16, 4, 8, 16},    {16, 16, 8, 8, 16},  {8, 16, 13, 4, 16},
          {8, 32, 13, 4, 16},    {8, 16, 13, 8, 16},   {8, 8, 4, 4, 32, 4},   {8, 8, 4, 4, 64, 4}, {8, 16, 4, 4, 32, 2},
          {8, 16, 13, 4, 16, 2}, {8, 8, 13, 4, 32, 4}, {8, 16, 13, 8, 16, 2}, {16, 16, 8, 8, 8}};
}

std::string text_of(const MatMulPlan& plan) {
  char text[64];
  std::snprintf(text, sizeof text, "%dx%dx%d:%dx%d bk%d /%d", plan.tile.slices, plan.tile.ty, plan.tile.tx,
                plan.tile.tm, plan.tile.tn, plan.tile.bk, plan.splits);
  return text;
}

struct Result {
  double seconds = 0;
  double difference = 0;
  std::string what;
};

class Rig {
 public:
  Rig(CudaDevice& device, const Case& each) : device_(device), case_(each) {
    for (std::size_t slot = 0; slot < each.sizes.size(); ++slot) {
      schedule_.slots.push_back(slot_of(each.sizes[slot], overtake::DType::float32, true));
      contents_.push_back(
          random_floats(static_cast<std::size_t>(each.sizes[slot]), static_cast<unsigned>(slot + 1), 0.1F));
      buffers_.push_back(upload(device, contents_.back()));
      slots_.push_back(buffers_.back().get());
    }
    schedule_.operations = {each.operation};
  }

  Result measure(std::string what, const Lowering& lowering, const ProductQuery& query, bool must_be_library) {
    Result result;
    result.what = std::move(what);
    const Bench bench(device_, schedule_, slots_, lowering, query);
    if (must_be_library && bench.launcher->plan().library_products == 0) return result;
    device_.upload(*buffers_[static_cast<std::size_t>(case_.output)], 0,
                   contents_[static_cast<std::size_t>(case_.output)].data(),
                   static_cast<std::size_t>(case_.sizes[static_cast<std::size_t>(case_.output)]) * 4);
    bench.run_once(device_);
    const std::vector<Floats> output{download(device_, *slots_[static_cast<std::size_t>(case_.output)])};
    if (reference_.empty()) reference_ = output;
    result.difference = relative_difference(output, reference_);
    result.seconds = time_graph(device_, bench, GraphShape::chain, copies, 3, 1e-3).step_seconds;
    return result;
  }

 private:
  CudaDevice& device_;
  const Case& case_;
  Schedule schedule_;
  std::vector<Floats> contents_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::vector<Buffer*> slots_;
  std::vector<Floats> reference_;
};

std::vector<MatMulPlan> plans_for(const MatMulCore& core, const LoweringTraits& traits) {
  std::vector<MatMulPlan> plans;
  for (const MatMulTile& tile : tiles()) {
    const std::int64_t panels = (core.k + tile.bk - 1) / tile.bk;
    const std::int64_t groups =
        (core.m + tile.rows() - 1) / tile.rows() * ((core.n + tile.columns() - 1) / tile.columns());
    if (groups > 40000) continue;
    for (const int wanted : {1, 2, 4, 8, 16, 32}) {
      if (wanted > panels || (wanted > 1 && groups * wanted > 2048)) break;
      const std::int64_t split_k = (panels + wanted - 1) / wanted * tile.bk;
      const MatMulPlan plan{tile, static_cast<int>((core.k + split_k - 1) / split_k), split_k};
      if (tile.local_bytes(plan.one_panel()) <= static_cast<std::int64_t>(traits.local_bytes)) plans.push_back(plan);
    }
  }
  return plans;
}

void compile_all(CudaDevice& device, const std::vector<Case>& cases, const LoweringTraits& traits) {
  std::vector<LoweredOperation> lowered;
  for (const Case& each : cases) {
    const auto& core = std::get<MatMulCore>(each.operation.core);
    for (const MatMulPlan& plan : plans_for(core, traits))
      lowered.push_back(lower_matmul(each.operation, core, traits, plan));
  }
  std::vector<const LoweredKernel*> kernels;
  for (const LoweredOperation& operation : lowered) {
    for (const LoweredKernel& kernel : operation.kernels) kernels.push_back(&kernel);
  }
  const double start = now();
  (void)device.kernels().functions(kernels);
  std::printf("compiled %d of %zu variants in %.1f s\n", device.kernels().compiled(), kernels.size(), now() - start);
  std::fflush(stdout);
}

void measure(CudaDevice& device, const Case& each, const LoweringTraits& traits, std::FILE* table) {
  const auto& core = std::get<MatMulCore>(each.operation.core);
  Rig rig(device, each);
  std::vector<Result> library;
  for (int rank = 0; rank < 4; ++rank) {
    library.push_back(rig.measure(
        "lt " + std::to_string(rank), [&](const Operation& o) { return lower(o, traits); },
        library_query(device, 1 << 16, rank), true));
  }
  const MatMulPlan chosen = plan_matmul(core.m, core.n, core.k, traits);
  const Result model = rig.measure(
      text_of(chosen), [&](const Operation& o) { return lower(o, traits); }, {}, false);
  Result best = model;
  double worst_difference = model.difference;
  for (const MatMulPlan& plan : plans_for(core, traits)) {
    const Lowering lowering = [&](const Operation& operation) {
      return lower_matmul(operation, std::get<MatMulCore>(operation.core), traits, plan);
    };
    const Result result = rig.measure(text_of(plan), lowering, {}, false);
    worst_difference = std::max(worst_difference, result.difference);
    if (table != nullptr) {
      std::fprintf(table, "%s,%lld,%lld,%lld,%s,%.3f,%.3g,%.0f\n", each.name.c_str(), static_cast<long long>(core.m),
                   static_cast<long long>(core.n), static_cast<long long>(core.k), result.what.c_str(),
                   result.seconds * 1e6, result.difference, estimate_cycles(plan, core.m, core.n, core.k, traits));
    }
    if (result.seconds < best.seconds) best = result;
  }
  double best_library = 0;
  for (const Result& result : library) {
    worst_difference = std::max(worst_difference, result.difference);
    if (result.seconds > 0 && (best_library == 0 || result.seconds < best_library)) best_library = result.seconds;
  }
  const double flops = 2.0 * static_cast<double>(core.m) * static_cast<double>(core.n) * static_cast<double>(core.k);
  const double fastest = library[0].seconds > 0 ? std::min(best.seconds, library[0].seconds) : best.seconds;
  Json row;
  row.set("product", each.name).set("m", core.m).set("n", core.n).set("k", core.k);
  row.set("model_us", model.seconds * 1e6).set("model", model.what);
  row.set("best_us", best.seconds * 1e6).set("best", best.what);
  row.set("cublaslt_us", library[0].seconds * 1e6).set("best_cublaslt_us", best_library * 1e6);
  row.set("gflops", flops / fastest / 1e9).set("difference", worst_difference).set("right", worst_difference < 1e-5);
  print_row(row);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    CudaBackend backend;
    const auto device = open_for_probe(backend);
    if (!device) return 0;
    std::FILE* table = count > 1 ? std::fopen(arguments[1], "w") : nullptr;
    if (table != nullptr) std::fprintf(table, "product,m,n,k,plan,us,difference,model_cycles\n");
    const LoweringTraits traits = device->lowering_traits();
    std::vector<Case> all;
    for (int i = 1; i <= 12; ++i) {
      const std::int64_t in = std::int64_t{1} << i;
      for (Case& each : cases_of(in, i < 12 ? 2 * in : 2)) all.push_back(std::move(each));
    }
    compile_all(*device, all, traits);
    std::printf("products, microseconds in a graph chain (a node itself costs about 1.3)\n");
    for (const Case& each : all) measure(*device, each, traits, table);
    if (table != nullptr) std::fclose(table);
    return 0;
  } catch (const overtake::Error& error) {
    std::printf("error: %s\nhint: %s\n", error.what(), error.hint().c_str());
    return 1;
  }
}
