// SPDX-License-Identifier: MIT
// The contract of a primitive: its name, its attributes, its gradient rule, and how it looks to the planner. A
// primitive is one of four kinds, each a subclass: element-wise, view, core, constant. No device code here.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "backend/api/operation.hpp"
#include "graph/number.hpp"
#include "overtake/array.hpp"

namespace overtake::graph {

/// Collects the attributes that make two primitives different; part of the key of cached plans.
class Signature {
 public:
  void add(std::uint64_t value) { words_.push_back(value); }
  void add(std::string_view text);
  void add_float(float value);
  void reserve(std::size_t words) { words_.reserve(words); }
  [[nodiscard]] const std::vector<std::uint64_t>& words() const& noexcept { return words_; }
  [[nodiscard]] std::vector<std::uint64_t> words() && noexcept { return std::move(words_); }

 private:
  std::vector<std::uint64_t> words_;
};

/// What a node is: finished, or one of the four kinds of primitives.
enum class NodeKind : std::uint8_t { leaf, constant, view, elementwise, core };

class Primitive {
 public:
  virtual ~Primitive() = default;
  /// Which of the four it is; never leaf.
  [[nodiscard]] virtual NodeKind kind() const noexcept = 0;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Adds every attribute that changes the result (the name is added by the caller).
  virtual void sign(Signature&) const {}
  /// The vector-Jacobian product: for each input the gradient of a scalar, given `cotangent`, its gradient by the
  /// output. An undefined array means no gradient flows there. `wanted[i]` is false where the result would be thrown
  /// away.
  [[nodiscard]] virtual std::vector<Array> vjp(const std::vector<Array>& inputs, const Array& output,
                                               const Array& cotangent, const std::vector<bool>& wanted) const = 0;
  /// The result is the one input's elements in the same order, row-major.
  [[nodiscard]] virtual bool keeps_memory() const noexcept { return false; }
};

/// Writes instructions; each call returns the register that holds its value.
class TapeBuilder {
 public:
  explicit TapeBuilder(backend::Tape& tape) noexcept : tape_(tape) {}
  /// A number in a register's type.
  [[nodiscard]] std::uint16_t constant(double value, backend::ValueType type);
  [[nodiscard]] std::uint16_t constant(Number value);
  [[nodiscard]] std::uint16_t core(backend::ValueType type);
  /// The place along an axis of the extent, int64.
  [[nodiscard]] std::uint16_t coordinate(std::size_t axis);
  /// The row-major place in the extent, int64: the same whatever the shape.
  [[nodiscard]] std::uint16_t linear();
  [[nodiscard]] std::uint16_t load(const backend::Access& access);
  /// `code` is random or random_bits.
  [[nodiscard]] std::uint16_t random(backend::TapeCode code, std::uint16_t counter, backend::RandomKey key);
  /// An element function or select, in the type of its operands.
  [[nodiscard]] std::uint16_t apply(backend::TapeCode code, std::uint16_t a, std::uint16_t b = 0, std::uint16_t c = 0);
  /// A value computed in the register type of `dtype`, made one that `dtype` can hold: wrapped round or rounded.
  [[nodiscard]] std::uint16_t narrowed(std::uint16_t value, DType dtype);
  /// A value of type `from` as astype() converts it to `to`.
  [[nodiscard]] std::uint16_t converted(std::uint16_t value, DType from, DType to);
  [[nodiscard]] backend::ValueType type_of(std::uint16_t value) const { return result_of(tape_.code[value]); }
  void store(int slot, std::uint16_t value_register, DType dtype);

 private:
  std::uint16_t push(const backend::TapeInstruction& instruction);
  backend::Tape& tape_;
};

/// One value per element from values of the same shape.
class Elementwise : public Primitive {
 public:
  [[nodiscard]] NodeKind kind() const noexcept final { return NodeKind::elementwise; }
  [[nodiscard]] virtual std::uint16_t emit(TapeBuilder& tape, const std::vector<std::uint16_t>& inputs) const = 0;
  /// True if it asks for coordinates: then its shape must not be merged or reinterpreted.
  [[nodiscard]] virtual bool positional() const { return false; }
};

/// A value that is the same everywhere; needs no memory. A weak one (a number of the program's own, 2.0F * x) takes the
/// type of the arrays that it meets.
class Constant final : public Primitive {
 public:
  explicit Constant(Number value, bool weak = false) : value_(value), weak_(weak) {}
  [[nodiscard]] NodeKind kind() const noexcept override { return NodeKind::constant; }
  [[nodiscard]] std::string_view name() const override { return "constant"; }
  void sign(Signature& signature) const override { signature.add(value_.bits); }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array&,
                                       const std::vector<bool>&) const override {
    return {};
  }
  [[nodiscard]] Number value() const noexcept { return value_; }
  [[nodiscard]] bool weak() const noexcept { return weak_; }

 private:
  Number value_;
  bool weak_;
};

/// How an array lies in its base's memory.
struct Layout {
  std::int64_t offset = 0;
  std::array<std::int64_t, Shape::max_rank> strides{};

  friend bool operator==(const Layout&, const Layout&) = default;
};

/// Row-major strides of a shape.
[[nodiscard]] Layout row_major(const Shape& shape);

/// Another way of looking at the same memory.
class View : public Primitive {
 public:
  [[nodiscard]] NodeKind kind() const noexcept final { return NodeKind::view; }
  /// Layout of the result, given the input's layout and shape.
  [[nodiscard]] virtual Layout apply(const Layout& input, const Shape& input_shape,
                                     const Shape& output_shape) const = 0;
};

/// An operand of a core, as the planner found it in memory.
struct Operand {
  int slot = -1;
  Layout layout;
  Shape shape;
  DType dtype = DType::float32;

  [[nodiscard]] backend::Access access() const { return {slot, layout.offset, layout.strides, dtype}; }
};

/// Anything that is not element-wise. Its inputs are stored before it runs (but see computes_its_input()); the front
/// end made sure that they lie in memory as the operation's contract asks.
class Core : public Primitive {
 public:
  [[nodiscard]] NodeKind kind() const noexcept final { return NodeKind::core; }
  using Variant = backend::Operation::CoreVariant;
  [[nodiscard]] virtual Variant lower(const std::vector<Operand>& inputs, const Shape& shape) const = 0;
  /// True if the first input may be computed where the core reads it (its operation has a tape for that) instead of
  /// being stored first.
  [[nodiscard]] virtual bool computes_its_input() const { return false; }
  /// Which element-wise nodes join it.
  enum class Epilogue : std::uint8_t {
    any,
    narrowing,  ///< a conversion to bfloat16 alone: with more, no library has kernels that store it
    none        ///< the operation can only store its result
  };
  [[nodiscard]] virtual Epilogue epilogue() const { return Epilogue::any; }
  /// Whether it pools images, whose result it can also give with the channels first; or is a gradient of that, which
  /// takes its last input so.
  enum class Pooling : std::uint8_t { none, forward, gradient };
  [[nodiscard]] virtual Pooling pooling() const { return Pooling::none; }
  /// True if the result is the inputs, one behind the other in memory: an operation for each, and lower() is not asked.
  [[nodiscard]] virtual bool joins_inputs() const { return false; }
};

}  // namespace overtake::graph
