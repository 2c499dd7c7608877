// SPDX-License-Identifier: MIT
// A product in bfloat16, which nothing else here computes in: the doctor measures what it reaches.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>

#include "backend/cpu/matmul_library.hpp"
#include "backend/cpu/onednn_support.hpp"

namespace overtake::backend::cpu {
namespace {

bool has_instructions(dnnl::cpu_isa wanted) {
  // Each set of instructions has the bits of those that it contains.
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}

constexpr dnnl::memory::dim edge = 1536;

/// Operands of small numbers, and the primitive that multiplies them.
struct Product {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::memory::desc layout{{edge, edge}, dnnl::memory::data_type::bf16, dnnl::memory::format_tag::ab};
  dnnl::memory a{layout, engine}, b{layout, engine}, c{layout, engine};
#if DNNL_VERSION_MAJOR >= 3
  dnnl::matmul multiply{dnnl::matmul::primitive_desc(engine, layout, layout, layout)};
#else
  dnnl::matmul multiply{dnnl::matmul::primitive_desc(dnnl::matmul::desc(layout, layout, layout), engine)};
#endif

  Product() {
    constexpr std::uint16_t one_eighth = 0x3E00;
    for (const dnnl::memory* matrix : {&a, &b}) {
      auto* values = static_cast<std::uint16_t*>(matrix->get_data_handle());
      std::fill(values, values + edge * edge, one_eighth);
    }
  }

  void run(int threads) {
    const OneDnnThreads team(threads);
    multiply.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
    stream.wait();
  }
};

}  // namespace

int bf16_advantage() {
  // Intel's optimisation manual: a tile instruction takes 32 times the operations of a float32 vector's in a cycle, the
  // one for vectors of pairs twice.
  if (has_instructions(dnnl::cpu_isa::avx512_core_amx)) return 32;
  return has_instructions(dnnl::cpu_isa::avx512_core_bf16) ? 2 : 0;
}

RateProbe bf16_product(int threads) {
  if (bf16_advantage() == 0) return {};
  try {
    const auto product = std::make_shared<Product>();
    constexpr double n = static_cast<double>(edge);
    return {[product, threads] { product->run(threads); }, 2 * n * n * n};
  } catch (const dnnl::error&) {  // it knows the instructions and has no code, or no memory, for them
    return {};
  }
}

}  // namespace overtake::backend::cpu
