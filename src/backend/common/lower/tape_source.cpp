// SPDX-License-Identifier: MIT
#include "backend/common/lower/tape_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "backend/common/lower/load_pattern.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

constexpr std::array<const char*, 4> component_names = {"x", "y", "z", "w"};

/// Constants that shape a formula (0 of a relu, 0.5, 2) are part of the source; others (learning rates) are arguments,
/// so that changing them compiles nothing.
bool is_structural(float value) {
  return std::abs(value) <= 16.0F && value * 2.0F == std::floor(value * 2.0F) &&
         !(value == 0.0F && std::signbit(value));
}

/// Elements that LOAD4 and STORE4 move at once.
bool has_vectors(DType dtype) { return dtype == DType::float32; }

class Writer {
 public:
  Writer(const Tape& tape, const TapeRequest& request) : tape_(tape), request_(request) {}

  TapeSource write() {
    for (const Access& access : tape_.loads) patterns_.push_back(pattern_of(access, request_.extents));
    for (std::size_t i = 0; i < tape_.loads.size(); ++i) check_range(tape_.loads[i], patterns_[i], request_.extents);
    for (std::size_t i = 0; i < tape_.stores.size(); ++i) declare_store(i);
    for (std::size_t i = 0; i < tape_.code.size(); ++i) instruction(i);
    if (request_.returns_value) {
      if (types_.empty() || types_.back() != DType::float32) fail("an input tape must end in a float");
      body_ += fmt::format("  return {};\n", reg(tape_.code.size() - 1, 0));
    } else {
      for (std::size_t i = 0; i < tape_.stores.size(); ++i) store(i);
    }
    source_.function = load_function() + head() + body_ + "}\n";
    return std::move(source_);
  }

 private:
  [[noreturn]] static void fail(const std::string& reason) { throw InternalError("lowering a tape: " + reason); }

  std::string param(const std::string& suffix) const { return std::string(request_.name) + "_" + suffix; }

  void add_argument(const std::string& declaration, const std::string& name, LoweredArgument argument) {
    source_.parameters += ", " + declaration + name;
    source_.call += ", " + name;
    source_.arguments.push_back(argument);
  }
  void add_int(const std::string& name, std::int64_t value) {
    add_argument("int ", name, {LoweredArgument::Kind::int32, value, -1});
  }

  bool is_stored(int slot) const {
    return std::any_of(tape_.stores.begin(), tape_.stores.end(),
                       [slot](const TapeStore& store) { return store.slot == slot; });
  }

  std::string place_parameters() const {
    std::string text = "(";
    for (std::size_t axis = 0; axis < request_.extents.size(); ++axis) text += fmt::format("int c{}, ", axis);
    return text + "unsigned linear";
  }

  std::string load_function() const {
    if (!source_.has_loads_apart) return {};
    return fmt::format(
        "typedef struct {{\n{}}} NAME(values);\nDEVICE NAME(values) NAME({}_load){}{}) {{\n  NAME(values) loaded;\n{}"
        "  return loaded;\n}}\n",
        fields_, request_.name, place_parameters(), source_.parameters, load_body_);
  }

  std::string head() const {
    std::string text = fmt::format("DEVICE {} NAME({})", request_.returns_value ? "float" : "void", request_.name);
    text += place_parameters();
    if (request_.core) {
      text += fmt::format(", {} core", request_.width == 4 ? "float4" : kernel_type(*request_.core));
    }
    if (source_.has_loads_apart) text += ", NAME(values) loaded";
    return text + source_.parameters + ") {\n";
  }

  // -- registers ------------------------------------------------------------------------------------------------------
  /// The name of a register's value for element j of the call; values that are the same for all four exist once.
  std::string reg(std::size_t i, int j) const {
    return shared_.at(i) ? fmt::format("r{}", i) : fmt::format("r{}_{}", i, j);
  }
  std::string operand(std::uint16_t i, DType type, int j) const {
    if (i >= types_.size()) fail("an operand register is not yet written");
    if (types_[i] != type) fail("an operand register has the wrong type");
    return reg(i, j);
  }
  void begin(DType type, bool shared) {
    types_.push_back(type);
    shared_.push_back(shared || request_.width == 1);
  }
  /// Defines the register being written for every element; `text(j)` is its expression.
  template <typename Text>
  void define(DType type, bool shared, const Text& text) {
    begin(type, shared);
    const std::size_t i = types_.size() - 1;
    for (int j = 0; j < (shared_[i] ? 1 : request_.width); ++j) {
      body_ += fmt::format("  {} {} = {};\n", kernel_type(type), reg(i, j), text(j));
    }
  }

  // -- sources --------------------------------------------------------------------------------------------------------
  void core() {
    if (!request_.core) fail("this operation has no core");
    define(*request_.core, false, [&](int j) {
      return request_.width == 4 ? fmt::format("core.{}", component_names[j]) : std::string("core");
    });
  }

  std::string address(std::size_t index, int j) {
    const LoadPattern& pattern = patterns_[index];
    std::string at = param(fmt::format("l{}_at", index));
    if (pattern.kind == LoadPattern::Kind::uniform) return at;
    if (pattern.kind == LoadPattern::Kind::linear) {
      return j == 0 ? fmt::format("{} + (int)linear", at) : fmt::format("{} + (int)linear + {}", at, j);
    }
    source_.uses_coordinates = true;
    std::string text = at;
    for (std::size_t axis = 0; axis < request_.extents.size(); ++axis) {
      const std::int64_t stride = pattern.strides[axis];
      if (stride == 0) continue;
      const bool moved = j != 0 && axis + 1 == request_.extents.size();
      const std::string c = moved ? fmt::format("(c{} + {})", axis, j) : fmt::format("c{}", axis);
      text += stride == 1 ? " + " + c : fmt::format(" + {} * {}", c, param(fmt::format("l{}_s{}", index, axis)));
    }
    return text;
  }

  void declare_load(std::size_t index) {
    if (index >= tape_.loads.size()) fail("a load that does not exist");
    if (declared_.size() <= index) declared_.resize(index + 1, false);
    if (declared_[index]) return;
    declared_[index] = true;
    const Access& access = tape_.loads[index];
    const std::string_view type = kernel_type(access.dtype);
    const std::string name = param(fmt::format("l{}", index));
    add_argument(
        is_stored(access.slot) ? fmt::format("GLOBAL {}* ", type) : fmt::format("GLOBAL const {}* RESTRICT ", type),
        name, {LoweredArgument::Kind::slot, 0, access.slot});
    add_argument("int ", name + "_at", {LoweredArgument::Kind::offset, access.offset, access.slot});
    if (patterns_[index].kind != LoadPattern::Kind::strided) return;
    for (std::size_t axis = 0; axis < request_.extents.size(); ++axis) {
      const std::int64_t stride = patterns_[index].strides[axis];
      if (stride != 0 && stride != 1) add_int(fmt::format("{}_s{}", name, axis), stride);
    }
  }

  void load(std::size_t index) {
    declare_load(index);
    const LoadPattern& pattern = patterns_[index];
    const DType type = tape_.loads[index].dtype;
    const std::string name = param(fmt::format("l{}", index));
    const bool apart = request_.loads_apart && is_stored(tape_.loads[index].slot);
    if (request_.width == 4 && pattern.aligned && !pattern.constant_along_last) {
      const std::string v = fmt::format("v{}", types_.size());
      const std::string value = fmt::format("LOAD4({} + {})", name, address(index, 0));
      if (apart) {
        load_apart("float4", v, value);
      } else {
        body_ += fmt::format("  float4 {} = {};\n", v, value);
      }
      define(type, false, [&](int j) { return fmt::format("{}{}.{}", apart ? "loaded." : "", v, component_names[j]); });
      return;
    }
    const std::size_t i = types_.size();
    define(type, pattern.constant_along_last, [&](int j) {
      std::string value = fmt::format("{}[{}]", name, address(index, j));
      if (!apart) return value;
      const std::string field = fmt::format("e{}_{}", i, j);
      load_apart(std::string(kernel_type(type)), field, value);
      return "loaded." + field;
    });
  }

  void load_apart(const std::string& type, const std::string& field, const std::string& value) {
    source_.has_loads_apart = true;
    fields_ += fmt::format("  {} {};\n", type, field);
    load_body_ += fmt::format("  loaded.{} = {};\n", field, value);
  }

  void constant(float value) {
    if (is_structural(value)) {
      define(DType::float32, true, [&](int) { return fmt::format("{:.1f}f", value); });
      return;
    }
    const std::string name = param(fmt::format("k{}", types_.size()));
    add_int(name, std::bit_cast<std::int32_t>(value));
    define(DType::float32, true, [&](int) { return fmt::format("as_float({})", name); });
  }

  void coordinate(std::size_t axis) {
    if (axis >= request_.extents.size()) fail("a coordinate axis beyond the rank");
    source_.uses_coordinates = true;
    const bool last = axis + 1 == request_.extents.size();
    define(DType::int32, !last,
           [&](int j) { return j == 0 ? fmt::format("c{}", axis) : fmt::format("c{} + {}", axis, j); });
  }

  void random(const TapeInstruction& code) {
    if (code.index >= tape_.random.size()) fail("a random key that does not exist");
    source_.uses_random = true;
    const RandomKey& key = tape_.random[code.index];
    const std::size_t i = types_.size();
    const std::string name = param(fmt::format("q{}", i));
    add_int(name + "_low", static_cast<std::int32_t>(static_cast<std::uint32_t>(key.seed)));
    add_int(name + "_high", static_cast<std::int32_t>(static_cast<std::uint32_t>(key.seed >> 32U)));
    add_int(name + "_stream", static_cast<std::int32_t>(key.stream));
    const std::string counter = operand(code.a, DType::int32, 0);
    const std::string keys =
        fmt::format("(unsigned){0}_low, (unsigned){0}_high, (unsigned){0}_stream, (unsigned){1}", name, counter);
    if (request_.width == 4 && shared_[code.a]) {
      body_ += fmt::format("  PhiloxBlock b{} = philox_block({}, linear / 4u);\n", i, keys);
      define(DType::float32, false, [&](int j) { return fmt::format("philox_to_uniform(b{}.word[{}])", i, j); });
      return;
    }
    define(DType::float32, false, [&](int j) {
      return fmt::format(
          "philox_uniform((unsigned){0}_low, (unsigned){0}_high, (unsigned){0}_stream, (unsigned){1}, linear + {2}u)",
          name, operand(code.a, DType::int32, j), j);
    });
  }

  // -- operators ------------------------------------------------------------------------------------------------------
  /// `format` has {0}, {1}, {2} for the operands a, b, c.
  void compute(const TapeInstruction& code, DType result, std::array<DType, 3> types, const std::string& format) {
    const std::array<std::uint16_t, 3> registers = {code.a, code.b, code.c};
    const auto operands = static_cast<std::size_t>(operand_count(code.code));
    bool shared = true;
    for (std::size_t o = 0; o < operands; ++o) {
      (void)operand(registers[o], types[o], 0);
      shared = shared && shared_[registers[o]];
    }
    define(result, shared, [&](int j) {
      std::array<std::string, 3> names;
      for (std::size_t o = 0; o < operands; ++o) names[o] = operand(registers[o], types[o], j);
      return fmt::format(fmt::runtime(format), names[0], names[1], names[2]);
    });
  }

  void instruction(std::size_t i);

  // -- stores ---------------------------------------------------------------------------------------------------------
  void declare_store(std::size_t i) {
    const TapeStore& store = tape_.stores[i];
    const std::string name = param(fmt::format("out{}", i));
    add_argument(fmt::format("GLOBAL {}* ", kernel_type(store.dtype)), name,
                 {LoweredArgument::Kind::slot, 0, store.slot});
    add_argument("int ", name + "_at", {LoweredArgument::Kind::offset, 0, store.slot});
  }
  void store(std::size_t i) {
    const TapeStore& store = tape_.stores[i];
    const std::string target = fmt::format("{0} + {0}_at + (int)linear", param(fmt::format("out{}", i)));
    const auto value = [&](int j) { return operand(store.value_register, store.dtype, j); };
    if (request_.width == 4 && has_vectors(store.dtype)) {
      body_ +=
          fmt::format("  STORE4({}, make_float4({}, {}, {}, {}));\n", target, value(0), value(1), value(2), value(3));
      return;
    }
    for (int j = 0; j < request_.width; ++j) body_ += fmt::format("  ({})[{}] = {};\n", target, j, value(j));
  }

  const Tape& tape_;
  const TapeRequest& request_;
  TapeSource source_;
  std::string body_;
  std::string fields_;     // of the struct of values loaded apart
  std::string load_body_;  // of the function that loads them
  std::vector<LoadPattern> patterns_;
  std::vector<bool> declared_;
  std::vector<DType> types_;  // of the registers written so far
  std::vector<bool> shared_;  // one value serves all elements of a call
};

void Writer::instruction(std::size_t i) {
  const TapeInstruction& code = tape_.code[i];
  switch (code.code) {
    case TapeCode::core: return core();
    case TapeCode::load: return load(code.index);
    case TapeCode::constant: return constant(code.value);
    case TapeCode::coordinate: return coordinate(code.index);
    case TapeCode::random: return random(code);
    case TapeCode::select: {
      if (code.b >= types_.size()) fail("an operand register is not yet written");
      const DType type = types_[code.b];
      return compute(code, type, {DType::float32, type, type}, "{0} != 0.0f ? {1} : {2}");
    }
    default: break;
  }
  const ElementFunction* function = element_function(code.code);
  if (function == nullptr) fail("an unknown instruction code");
  compute(code, function->result, {function->operand, function->operand},
          fmt::format("tape_{}({})", function->name, function->operands == 1 ? "{0}" : "{0}, {1}"));
}

}  // namespace

TapeSource write_tape(const Tape& tape, const TapeRequest& request) { return Writer(tape, request).write(); }

}  // namespace overtake::backend
