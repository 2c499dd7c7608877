// SPDX-License-Identifier: MIT
// Products of bfloat16 matrices where the processor has instructions for them: strips, as onednn_matmul.cpp has them.
#include <algorithm>
#include <oneapi/dnnl/dnnl.hpp>

#include "backend/cpu/matmul_library.hpp"
#include "backend/cpu/onednn_support.hpp"

namespace overtake::backend::cpu {
namespace {

using dnnl::memory;

memory argument(const memory::desc& layout, const std::byte* data) {
  return {layout, onednn_engine(), const_cast<std::byte*>(data)};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

class Bf16MatMul final : public Step {
 public:
  Bf16MatMul(const Operation& operation, int threads)
      : core_(std::get<MatMulCore>(operation.core)), tape_(operation.tape, operation.extent) {
    const double work = static_cast<double>(core_.m) * static_cast<double>(core_.n) * static_cast<double>(core_.k) / 32;
    threads_ = worthwhile_threads(work, threads);
    by_rows_ = core_.m >= core_.n || core_.m >= many_rows;
    const std::int64_t length = by_rows_ ? core_.m : core_.n, across = by_rows_ ? core_.n : core_.m;
    strip_ = std::min((length + threads_ - 1) / threads_, std::max(most_strip_floats / across, least_strip));
    strip_ = std::min((strip_ + least_strip - 1) / least_strip * least_strip, length);
    const OneDnnThreads one(1);
    whole_ = made(strip_);
    if (length % strip_ != 0) rest_ = made(length % strip_);
  }

  void bind(SlotPointers slots) override {
    a_ = address(slots, core_.a);
    b_ = address(slots, core_.b);
    tape_.bind(slots);
  }

  void run() override {
    const std::int64_t length = by_rows_ ? core_.m : core_.n;
    with_onednn("a matrix product", [&] {
      parallel_ranges(length, strip_, threads_, [&](std::int64_t begin, std::int64_t end) {
        const OneDnnThreads one(1);  // oneDNN must not start a team of its own on each of ours
        for (std::int64_t at = begin; at < end; at += strip_) run_strip(at, std::min(strip_, end - at));
      });
    });
  }

 private:
  static constexpr std::int64_t least_strip = 32;
  // Strips of so many rows would be a few columns wide, of which the rest is interpreted for one row at once.
  static constexpr std::int64_t many_rows = 512;
  static constexpr std::int64_t most_strip_floats = 96 * 1024;  // finished values that stay in the second-level cache

  struct Strip {
    memory::desc a, b, result, scratchpad;
    dnnl::matmul multiply;
  };

  static const std::byte* address(SlotPointers slots, const MatMulCore::Operand& operand) {
    return slots[static_cast<std::size_t>(operand.slot)] +
           operand.offset * static_cast<std::int64_t>(size_of(DType::bfloat16));
  }

  [[nodiscard]] Strip made(std::int64_t length) const {
    const std::int64_t rows = by_rows_ ? length : core_.m, columns = by_rows_ ? core_.n : length;
    Strip strip{layout(core_.a, rows, core_.k), layout(core_.b, core_.k, columns), {}, {}, {}};
    strip.result = {{rows, columns}, memory::data_type::f32, memory::format_tag::ab};
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);  // several threads run one primitive
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::matmul::primitive_desc description(onednn_engine(), strip.a, strip.b, strip.result, attributes);
#else
    const dnnl::matmul::primitive_desc description({strip.a, strip.b, strip.result}, attributes, onednn_engine());
#endif
    strip.scratchpad = description.scratchpad_desc();
    strip.multiply = dnnl::matmul(description);
    return strip;
  }

  // Strides of axes of one element are any number in ours, and a number that oneDNN takes there.
  static memory::desc layout(const MatMulCore::Operand& operand, std::int64_t rows, std::int64_t columns) {
    const bool by_columns = operand.column_stride != 1 && columns > 1;
    memory::dims strides{std::max(operand.row_stride, columns), 1};
    if (by_columns) strides = {1, std::max(operand.column_stride, rows)};
    return {{rows, columns}, memory::data_type::bf16, strides};
  }

  void run_strip(std::int64_t begin, std::int64_t length) const {
    struct Scratch {
      dnnl::stream stream{onednn_engine()};
      OneDnnMemory result, pad;
    };
    thread_local Scratch scratch;
    const Strip& strip = length == strip_ ? whole_ : rest_;
    const std::int64_t row = by_rows_ ? begin : 0, column = by_rows_ ? 0 : begin;
    const std::int64_t rows = by_rows_ ? length : core_.m, columns = by_rows_ ? core_.n : length;
    constexpr auto size = static_cast<std::int64_t>(size_of(DType::bfloat16));
    std::byte* result = scratch.result.of(strip.result.get_size());
    strip.multiply.execute(
        scratch.stream,
        {{DNNL_ARG_SRC, argument(strip.a, a_ + row * core_.a.row_stride * size)},
         {DNNL_ARG_WEIGHTS, argument(strip.b, b_ + column * core_.b.column_stride * size)},
         {DNNL_ARG_DST, argument(strip.result, result)},
         {DNNL_ARG_SCRATCHPAD, argument(strip.scratchpad, scratch.pad.of(strip.scratchpad.get_size()))}});
    const auto* values = reinterpret_cast<const float*>(result);
    if (columns == core_.n) return tape_.run(row * core_.n, (row + rows) * core_.n, values);
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t first = (row + i) * core_.n + column;
      tape_.run(first, first + columns, values + i * columns);
    }
  }

  MatMulCore core_;
  TapeRunner tape_;
  int threads_ = 1;
  bool by_rows_ = false;
  std::int64_t strip_ = 1;
  Strip whole_, rest_;
  const std::byte* a_ = nullptr;
  const std::byte* b_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_library_bf16_matmul(const Operation& operation, int threads) {
  if (bf16_advantage() == 0) return nullptr;
  return onednn_step([&] { return std::make_unique<Bf16MatMul>(operation, threads); });
}

}  // namespace overtake::backend::cpu
