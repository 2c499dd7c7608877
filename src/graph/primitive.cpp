// SPDX-License-Identifier: MIT
#include "graph/primitive.hpp"

#include <bit>

#include "core/checked.hpp"

namespace overtake::graph {

using backend::TapeCode;
using backend::TapeInstruction;

void Signature::add(std::string_view text) {
  words_.push_back(text.size());
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    word = (word << 8) | static_cast<unsigned char>(text[i]);
    if (i % 8 == 7 || i + 1 == text.size()) {
      words_.push_back(word);
      word = 0;
    }
  }
}

void Signature::add_float(float value) { words_.push_back(std::bit_cast<std::uint32_t>(value)); }

std::uint16_t TapeBuilder::push(const TapeInstruction& instruction) {
  tape_.code.push_back(instruction);
  return narrow<std::uint16_t>(tape_.code.size() - 1, "the number of fused instructions");
}

std::uint16_t TapeBuilder::constant(float value) { return push({.code = TapeCode::constant, .value = value}); }

std::uint16_t TapeBuilder::core() { return push({.code = TapeCode::core}); }

std::uint16_t TapeBuilder::load(const backend::Access& access) {
  for (std::size_t i = 0; i < tape_.code.size(); ++i) {
    const TapeInstruction& known = tape_.code[i];
    if (known.code == TapeCode::load && tape_.loads[known.index] == access) return static_cast<std::uint16_t>(i);
  }
  tape_.loads.push_back(access);
  return push({.code = TapeCode::load, .index = narrow<std::uint16_t>(tape_.loads.size() - 1)});
}

std::uint16_t TapeBuilder::random(std::uint16_t counter, backend::RandomKey key) {
  tape_.random.push_back(key);
  return push({.code = TapeCode::random, .a = counter, .index = narrow<std::uint16_t>(tape_.random.size() - 1)});
}

std::uint16_t TapeBuilder::apply(TapeCode code, std::uint16_t a, std::uint16_t b, std::uint16_t c,
                                 std::uint16_t index) {
  return push({.code = code, .a = a, .b = b, .c = c, .index = index});
}

void TapeBuilder::store(int slot, std::uint16_t value_register, DType dtype) {
  tape_.stores.push_back({slot, value_register, dtype});
}

Layout row_major(const Shape& shape) {
  Layout layout;
  std::int64_t stride = 1;
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    layout.strides[axis] = stride;
    stride *= shape[axis];
  }
  return layout;
}

}  // namespace overtake::graph
