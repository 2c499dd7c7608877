// SPDX-License-Identifier: MIT
#include "backend/common/lower/image_text.hpp"

#include <fmt/format.h>

namespace overtake::backend {

void define_operand(KernelText& text, std::string_view prefix, std::string_view name, const ImageOperand& operand) {
  const MemoryType& type = memory_type(operand.dtype);
  text.define(fmt::format("{}_ELEMENT", prefix), type.name);
  text.define(fmt::format("{}_VECTOR", prefix), type.vector);
  text.define(fmt::format("WIDEN_{}(value)", prefix), fmt::format(fmt::runtime(type.widen), "(value)"));
  const bool is_there = operand.slot >= 0;
  text.define(fmt::format("{}_PARAMETERS", prefix),
              is_there ? fmt::format(", GLOBAL const {}* RESTRICT {}_from, INDEX {}_at", type.name, name, name) : "");
  text.define(fmt::format("{}_BEGINS", prefix),
              fmt::format("GLOBAL const {}* RESTRICT {} = {};", type.name, name,
                          is_there ? fmt::format("{}_from + {}_at", name, name) : "0"));
}

void add_operand(KernelText& text, const ImageOperand& operand) {
  if (operand.slot >= 0) text.add_slot(operand.slot, operand.offset);
}

}  // namespace overtake::backend
