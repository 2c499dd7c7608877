// SPDX-License-Identifier: MIT
#include "backend/cuda/run/matmul_choice.hpp"

#include <algorithm>
#include <vector>

namespace overtake::backend::cuda {
namespace {

/// A register's value as far as the library can express it: scalar.constant * scalar.load, or
/// core_factor * core + array_factor * array.
struct Scalar {
  double constant = 0;
  int load = -1;  ///< index into the tape's loads, -1: none
};

struct Form {
  enum class Kind : std::uint8_t { unknown, scalar, linear } kind = Kind::unknown;
  Scalar scalar;            ///< the value of a scalar; the factor of core of a linear form
  double array_factor = 0;  ///< linear: factor of the array `array`
  int array = -1;           ///< linear: index into the tape's loads
};

[[nodiscard]] bool is_scalar(const Access& access, const Shape& extent) {
  for (std::size_t axis = 0; axis < extent.rank(); ++axis) {
    if (extent[axis] > 1 && access.strides[axis] != 0) return false;
  }
  return true;
}

[[nodiscard]] bool is_contiguous_from_start(const Access& access, const Shape& extent) {
  if (access.offset != 0) return false;
  std::int64_t stride = 1;
  for (std::size_t axis = extent.rank(); axis-- > 0;) {
    if (extent[axis] > 1 && access.strides[axis] != stride) return false;
    stride *= extent[axis];
  }
  return true;
}

[[nodiscard]] bool is_row_vector(const Access& access, const Shape& extent) {
  return extent.rank() == 2 && (extent[0] == 1 || access.strides[0] == 0) && extent[1] > 1 && access.strides[1] == 1;
}

[[nodiscard]] Form form_of_load(const Tape& tape, int index, const Shape& extent) {
  const Access& access = tape.loads[index];
  if (access.dtype != DType::float32) return {};
  if (is_scalar(access, extent)) return {Form::Kind::scalar, {1, index}, 0, -1};
  if (is_contiguous_from_start(access, extent)) return {Form::Kind::linear, {0, -1}, 1, index};
  return {};
}

[[nodiscard]] Form scaled(Form form, double factor) {
  form.scalar.constant *= factor;
  form.array_factor *= factor;
  return form;
}

[[nodiscard]] Form product(const Form& a, const Form& b) {
  if (a.kind == Form::Kind::linear && b.kind == Form::Kind::scalar) return product(b, a);
  if (a.kind != Form::Kind::scalar || b.kind == Form::Kind::unknown) return {};
  if (a.scalar.load >= 0 && (b.scalar.load >= 0 || b.array >= 0)) return {};
  Form result = scaled(b, a.scalar.constant);
  if (a.scalar.load >= 0) result.scalar.load = a.scalar.load;
  return result;
}

[[nodiscard]] Form quotient(const Form& a, const Form& b) {
  const bool constant = b.kind == Form::Kind::scalar && b.scalar.load < 0 && b.scalar.constant != 0;
  return constant && a.kind != Form::Kind::unknown ? scaled(a, 1 / b.scalar.constant) : Form{};
}

[[nodiscard]] Form total(const Form& a, const Form& b) {
  if (a.kind != Form::Kind::linear || b.kind != Form::Kind::linear) return {};
  if (a.scalar.constant != 0 && b.scalar.constant != 0) return {};
  if (a.array >= 0 && b.array >= 0) return {};
  Form result = a;
  if (b.scalar.constant != 0) result.scalar = b.scalar;
  if (b.array >= 0) {
    result.array = b.array;
    result.array_factor = b.array_factor;
  }
  return result;
}

[[nodiscard]] Form evaluate(const Tape& tape, const TapeInstruction& step, const Shape& extent,
                            const std::vector<Form>& forms) {
  switch (step.code) {
    case TapeCode::core: return {Form::Kind::linear, {1, -1}, 0, -1};
    case TapeCode::load: return form_of_load(tape, step.index, extent);
    case TapeCode::constant: return {Form::Kind::scalar, {float_of(step.bits), -1}, 0, -1};
    case TapeCode::negative: return scaled(forms[step.a], -1);
    case TapeCode::add: return total(forms[step.a], forms[step.b]);
    case TapeCode::subtract: return total(forms[step.a], scaled(forms[step.b], -1));
    case TapeCode::multiply: return product(forms[step.a], forms[step.b]);
    case TapeCode::divide: return quotient(forms[step.a], forms[step.b]);
    default: return {};
  }
}

/// core + bias(j), in either order.
[[nodiscard]] std::optional<Access> bias_of(const Operation& operation, std::uint16_t value) {
  const Tape& tape = operation.tape;
  const TapeInstruction& sum = tape.code[value];
  if (sum.code != TapeCode::add) return std::nullopt;
  const TapeInstruction* core = &tape.code[sum.a];
  const TapeInstruction* load = &tape.code[sum.b];
  if (core->code != TapeCode::core) std::swap(core, load);
  if (core->code != TapeCode::core || load->code != TapeCode::load) return std::nullopt;
  const Access& access = tape.loads[load->index];
  if (access.dtype != tape.stores[0].dtype || !is_row_vector(access, operation.extent)) return std::nullopt;
  return access;
}

}  // namespace

bool library_is_faster(const MatMulCore& core, bool compiled, std::int64_t batch) {
  // The own kernels fuse every tape and start without a 500 MB library, so the library has to earn its place: it wins
  // where its larger tiles fill the multiprocessors, from about this many multiply-adds on.
  // Measured on an H200 at batch 100, 12 layers: a step takes 299 us with the own kernels alone, 341 us with the
  // library.
  // Tensor cores, which the own kernels do not use, pay sooner.
  const bool on_tensor_cores = core.tf32 || core.dtype == DType::bfloat16;
  // Three rows of bfloat16 or more by a large matrix: both read it at the memory's rate, but sums of more rows keep the
  // own kernel from it (four by 4096 x 25088 on an H200: 67 us, the library 53; of one 52 and 53, panels 172).
  constexpr std::int64_t large_matrix = 1 << 19;
  const std::int64_t fewest = std::min({core.m, core.n, core.k});
  const bool is_large = fewest == std::min(core.m, core.n) && std::max(core.m, core.n) >= large_matrix / core.k;
  const std::int64_t least_narrow = core.dtype == DType::bfloat16 && is_large ? 3 : 16;
  const std::int64_t least_extent = on_tensor_cores ? least_narrow : compiled ? 192 : 32;
  const std::int64_t least_multiply_adds = std::int64_t{1} << (on_tensor_cores ? 23U : 27U);
  // Many together fill the units whatever the extents of each.
  if (batch == 1 && fewest < least_extent) return false;
  return batch * core.m * core.n >= least_multiply_adds / core.k;
}

std::optional<LibraryEpilogue> library_epilogue(const Operation& operation) {
  const Tape& tape = operation.tape;
  if (tape.stores.size() != 1 || tape.stores[0].offset != 0) return std::nullopt;
  std::uint16_t value = tape.stores[0].value_register;
  LibraryEpilogue result;
  result.output_slot = tape.stores[0].slot;
  result.output_dtype = tape.stores[0].dtype;
  if (result.output_dtype == DType::bfloat16) {  // the library rounds as it stores
    if (tape.code[value].code != TapeCode::round_bfloat16) return std::nullopt;
    value = tape.code[value].a;
  } else if (result.output_dtype != DType::float32) {
    return std::nullopt;
  }
  if (auto bias = bias_of(operation, value)) {
    result.kind = LibraryEpilogue::Kind::bias;
    result.bias = *bias;
    return result;
  }
  std::vector<Form> forms;
  forms.reserve(tape.code.size());
  for (const TapeInstruction& step : tape.code) forms.push_back(evaluate(tape, step, operation.extent, forms));
  const Form& form = forms[value];
  if (form.kind != Form::Kind::linear || form.scalar.constant == 0) return std::nullopt;
  if (form.array >= 0 && result.output_dtype != DType::float32) return std::nullopt;  // C is laid out as D
  if (form.array < 0 && form.scalar.load < 0 && form.scalar.constant == 1) return result;
  result.kind = LibraryEpilogue::Kind::accumulate;
  result.alpha = form.scalar.constant;
  if (form.scalar.load >= 0) result.alpha_scalar = tape.loads[form.scalar.load];
  result.beta = form.array >= 0 ? form.array_factor : 0;
  result.c_slot = form.array >= 0 ? tape.loads[form.array].slot : result.output_slot;
  return result;
}

Operation map_over_stored_core(const Operation& operation, int core_slot) {
  Operation map = operation;
  map.core = MapCore{};
  map.name = operation.name + " (tape)";
  Access access;
  access.slot = core_slot;
  std::int64_t stride = 1;
  for (std::size_t axis = operation.extent.rank(); axis-- > 0;) {
    access.strides[axis] = stride;
    stride *= operation.extent[axis];
  }
  const auto load = static_cast<std::uint16_t>(map.tape.loads.size());
  map.tape.loads.push_back(access);
  for (TapeInstruction& step : map.tape.code) {
    if (step.code != TapeCode::core) continue;
    step.code = TapeCode::load;
    step.index = load;
  }
  return map;
}

}  // namespace overtake::backend::cuda
