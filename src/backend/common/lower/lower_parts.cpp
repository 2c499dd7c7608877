// SPDX-License-Identifier: MIT
#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "backend/common/lower/parts.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {

LoweredKernel lower_parts(const Operation& operation, std::int64_t parts) {
  const std::vector<std::int64_t> extents = operation.extent.to_vector();
  const std::int64_t count = operation.extent.size();
  (void)to_index(parts * count);
  const TapeSource tape = write_tape(operation.tape, {.extents = extents, .core = ValueType::float32});
  // Few results have many parts: as many work-items each as have a few to add.
  constexpr std::int64_t least_parts = 8;
  const int lanes = lanes_for(parts / least_parts, 32);
  const int elements = group_size / lanes;
  KernelText text("parts", embedded::kernel_parts);
  text.define("LANES", lanes);
  text.define("ELEMENTS", elements);
  text.add_tape("TAPE", tape);
  text.define_tape_call(extents.size(), tape, true);
  text.add_int(count);
  text.add_int(parts);
  text.add_scratch();
  text.define_coordinates(extents, tape);
  text.add_arguments_of(tape);
  return text.finish(divide_up(count, elements), 1, group_size);
}

}  // namespace overtake::backend
