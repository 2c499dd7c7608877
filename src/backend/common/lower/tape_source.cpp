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
bool is_structural(double value) {
  return std::abs(value) <= 16 && value * 2 == std::floor(value * 2) && !(value == 0 && std::signbit(value));
}

constexpr std::array<MemoryType, dtype_count> memory_types{{
    {"unsigned char", "uchar4", "(int)({} != 0)", "(unsigned char)({})"},
    {"signed char", "char4", "(int)({})", "(signed char)({})"},
    {"short", "short4", "(int)({})", "(short)({})"},
    {"int", "int4", "{}", "{}"},
    {"int64", "int64_4", "{}", "{}"},
    {"unsigned char", "uchar4", "(int)({})", "(unsigned char)({})"},
    {"unsigned short", "ushort4", "(int)({})", "(unsigned short)({})"},
    {"unsigned", "uint4", "(int64)({})", "(unsigned)({})"},
    {"uint64", "uint64_4", "{}", "{}"},
    {"unsigned short", "ushort4", "half_value((int)({}))", "(unsigned short)half_bits({})"},
    {"unsigned short", "ushort4", "bfloat16_value((int)({}))", "(unsigned short)bfloat16_bits({})"},
    {"float", "float4", "{}", "{}"},
    {"double", "double_4", "{}", "{}"},
}};

/// Which registers of float32 hold numbers of bfloat16: rounding these again changes nothing, and takes nine
/// instructions an element.
std::vector<bool> rounded_registers(const Tape& tape) {
  std::vector<bool> rounded;
  const auto is_rounded = [&](std::uint16_t i) { return i < rounded.size() && rounded[i]; };
  for (const TapeInstruction& code : tape.code) {
    bool result = code.code == TapeCode::round_bfloat16;
    switch (code.code) {
      case TapeCode::load:
        result = code.index < tape.loads.size() && tape.loads[code.index].dtype == DType::bfloat16;
        break;
      case TapeCode::constant: result = (code.bits & 0xffffU) == 0; break;
      case TapeCode::negative: result = is_rounded(code.a); break;
      case TapeCode::maximum:
      case TapeCode::minimum: result = is_rounded(code.a) && is_rounded(code.b); break;
      case TapeCode::select: result = is_rounded(code.b) && is_rounded(code.c); break;
      default: break;
    }
    rounded.push_back(result && result_of(code) == ValueType::float32);
  }
  return rounded;
}

std::string widened(DType dtype, const std::string& value) {
  return fmt::format(fmt::runtime(memory_type(dtype).widen), value);
}

std::string narrowed(DType dtype, const std::string& value) {
  return fmt::format(fmt::runtime(memory_type(dtype).narrow), value);
}

class Writer {
 public:
  Writer(const Tape& tape, const TapeRequest& request)
      : tape_(tape), request_(request), rounded_(rounded_registers(tape)) {}

  TapeSource write() {
    for (const Access& access : tape_.loads) patterns_.push_back(pattern_of(access, request_.extents));
    for (std::size_t i = 0; i < tape_.stores.size(); ++i) declare_store(i);
    for (std::size_t i = 0; i < tape_.code.size(); ++i) instruction(i);
    if (request_.returns_value && types_.empty()) fail("an input tape without instructions");
    if (!request_.returns_value) {
      for (std::size_t i = 0; i < tape_.stores.size(); ++i) store(i);
    }
    if (const auto i = returned()) {
      body_ += request_.width == 1
                   ? fmt::format("  return {};\n", reg(*i, 0))
                   : fmt::format("  return make_float4({}, {}, {}, {});\n", operand(*i, ValueType::float32, 0),
                                 operand(*i, ValueType::float32, 1), operand(*i, ValueType::float32, 2),
                                 operand(*i, ValueType::float32, 3));
    }
    source_.function = functions_ + load_function() + head() + body_ + "}\n";
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
  void add_index(const std::string& name, std::int64_t value) {
    add_argument("INDEX ", name, {LoweredArgument::Kind::index, value, -1});
  }

  bool is_stored(int slot) const {
    return std::any_of(tape_.stores.begin(), tape_.stores.end(),
                       [slot](const TapeStore& store) { return store.slot == slot; });
  }

  std::string place_parameters() const {
    std::string text = "(";
    for (std::size_t axis = 0; axis < request_.extents.size(); ++axis) text += fmt::format("INDEX c{}, ", axis);
    return text + "UINDEX linear";
  }

  std::string load_function() const {
    if (!source_.has_loads_apart) return {};
    return fmt::format(
        "typedef struct {{\n{}}} NAME(values);\nDEVICE NAME(values) NAME({}_load){}{}) {{\n  NAME(values) loaded;\n{}"
        "  return loaded;\n}}\n",
        fields_, request_.name, place_parameters(), source_.parameters, load_body_);
  }

  /// The register whose value the function returns.
  std::optional<std::uint16_t> returned() const {
    if (request_.returns_value) return static_cast<std::uint16_t>(tape_.code.size() - 1);
    return request_.gives;
  }

  std::string head() const {
    const auto value = returned();
    const std::string_view type = !value ? "void" : request_.width == 4 ? "float4" : kernel_name(types_.at(*value));
    std::string text = fmt::format("DEVICE {} NAME({})", type, request_.name);
    text += place_parameters();
    if (request_.core) {
      text += fmt::format(", {} core", request_.width == 4 ? "float4" : kernel_name(*request_.core));
    }
    if (source_.has_loads_apart) text += ", NAME(values) loaded";
    return text + source_.parameters + ") {\n";
  }

  // -- registers ------------------------------------------------------------------------------------------------------
  /// The name of a register's value for element j of the call; values that are the same for all four exist once.
  std::string reg(std::size_t i, int j) const {
    return shared_.at(i) ? fmt::format("r{}", i) : fmt::format("r{}_{}", i, j);
  }
  std::string operand(std::uint16_t i, ValueType type, int j) const {
    if (i >= types_.size()) fail("an operand register is not yet written");
    if (types_[i] != type) fail("an operand register has the wrong type");
    return reg(i, j);
  }
  void begin(ValueType type, bool shared) {
    types_.push_back(type);
    shared_.push_back(shared || request_.width == 1);
  }
  /// Defines the register being written for every element; `text(j)` is its expression.
  template <typename Text>
  void define(ValueType type, bool shared, const Text& text) {
    begin(type, shared);
    const std::size_t i = types_.size() - 1;
    for (int j = 0; j < (shared_[i] ? 1 : request_.width); ++j) {
      body_ += fmt::format("  {} {} = {};\n", kernel_name(type), reg(i, j), text(j));
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
      return j == 0 ? fmt::format("{} + (INDEX)linear", at) : fmt::format("{} + (INDEX)linear + {}", at, j);
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
    const std::string_view type = memory_type(access.dtype).name;
    const std::string name = param(fmt::format("l{}", index));
    add_argument(
        is_stored(access.slot) ? fmt::format("GLOBAL {}* ", type) : fmt::format("GLOBAL const {}* RESTRICT ", type),
        name, {LoweredArgument::Kind::slot, 0, access.slot});
    add_argument("INDEX ", name + "_at", {LoweredArgument::Kind::offset, access.offset, access.slot});
    if (patterns_[index].kind != LoadPattern::Kind::strided) return;
    for (std::size_t axis = 0; axis < request_.extents.size(); ++axis) {
      const std::int64_t stride = patterns_[index].strides[axis];
      if (stride != 0 && stride != 1) add_index(fmt::format("{}_s{}", name, axis), stride);
    }
  }

  void load(std::size_t index) {
    declare_load(index);
    const LoadPattern& pattern = patterns_[index];
    const DType dtype = tape_.loads[index].dtype;
    const ValueType type = value_type_of(dtype);
    const MemoryType& memory = memory_type(dtype);
    const std::string name = param(fmt::format("l{}", index));
    const bool apart = request_.loads_apart && is_stored(tape_.loads[index].slot);
    if (request_.width == 4 && pattern.aligned && !pattern.constant_along_last) {
      const std::string v = fmt::format("v{}", types_.size());
      const std::string value = fmt::format("LOAD_VECTOR({}, {} + {})", memory.vector, name, address(index, 0));
      if (apart) {
        load_apart(std::string(memory.vector), v, value);
      } else {
        body_ += fmt::format("  {} {} = {};\n", memory.vector, v, value);
      }
      define(type, false, [&](int j) {
        return widened(dtype, fmt::format("{}{}.{}", apart ? "loaded." : "", v, component_names[j]));
      });
      return;
    }
    const std::size_t i = types_.size();
    define(type, pattern.constant_along_last, [&](int j) {
      std::string value = fmt::format("{}[{}]", name, address(index, j));
      if (!apart) return widened(dtype, value);
      const std::string field = fmt::format("e{}_{}", i, j);
      load_apart(std::string(memory.name), field, value);
      return widened(dtype, "loaded." + field);
    });
  }

  void load_apart(const std::string& type, const std::string& field, const std::string& value) {
    source_.has_loads_apart = true;
    fields_ += fmt::format("  {} {};\n", type, field);
    load_body_ += fmt::format("  loaded.{} = {};\n", field, value);
  }

  // Constants of 64 bits are arguments in two halves.
  void constant(const TapeInstruction& code) {
    const ValueType type = code.type;
    if (std::optional<std::string> literal = literal_of(code)) {
      define(type, true, [&](int) { return *literal; });
      return;
    }
    const std::string name = param(fmt::format("k{}", types_.size()));
    const auto low = std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(code.bits));
    if (size_of(dtype_of_value(type)) == sizeof(std::int32_t)) {
      add_int(name, low);
      define(type, true, [&](int) { return type == ValueType::float32 ? fmt::format("as_float({})", name) : name; });
      return;
    }
    add_int(name + "_low", low);
    add_int(name + "_high", std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(code.bits >> 32U)));
    const std::string bits = fmt::format("(((uint64)(uint32){0}_high << 32) | (uint64)(uint32){0}_low)", name);
    define(type, true, [&](int) {
      if (type == ValueType::float64) return fmt::format("BITS_DOUBLE({})", bits);
      return fmt::format("({}){}", kernel_name(type), bits);
    });
  }

  // The number as text of the kernel, where it belongs to the formula.
  static std::optional<std::string> literal_of(const TapeInstruction& code) {
    double value = 0;
    switch (code.type) {
      case ValueType::float32: value = float_of(code.bits); break;
      case ValueType::float64: value = std::bit_cast<double>(code.bits); break;
      case ValueType::int32: value = std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(code.bits)); break;
      case ValueType::int64:
      case ValueType::uint64: value = static_cast<double>(std::bit_cast<std::int64_t>(code.bits)); break;
    }
    if (!is_structural(value) || (code.type == ValueType::uint64 && value < 0)) return std::nullopt;
    if (code.type == ValueType::float32) return fmt::format("{:.1f}f", value);
    if (code.type == ValueType::float64) return fmt::format("(double){:.1f}f", value);
    return fmt::format("({})({})", kernel_name(code.type), static_cast<int>(value));
  }

  void coordinate(ValueType type, std::size_t axis) {
    if (axis >= request_.extents.size()) fail("a coordinate axis beyond the rank");
    source_.uses_coordinates = true;
    const bool last = axis + 1 == request_.extents.size();
    define(type, !last, [&](int j) {
      return j == 0 ? fmt::format("({})c{}", kernel_name(type), axis)
                    : fmt::format("({})(c{} + {})", kernel_name(type), axis, j);
    });
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
    const std::string counter = operand(code.a, ValueType::int32, 0);
    const bool bits = code.code == TapeCode::random_bits;
    const ValueType type = bits ? ValueType::int32 : ValueType::float32;
    const std::string keys =
        fmt::format("(unsigned){0}_low, (unsigned){0}_high, (unsigned){0}_stream, (unsigned){1}", name, counter);
    if (request_.width == 4 && shared_[code.a]) {
      body_ += fmt::format("  PhiloxBlock b{} = philox_block({}, (unsigned)(linear / 4u));\n", i, keys);
      const char* made = bits ? "(int)b{}.word[{}]" : "philox_to_uniform(b{}.word[{}])";
      define(type, false, [&](int j) { return fmt::format(fmt::runtime(made), i, j); });
      return;
    }
    define(type, false, [&](int j) {
      const std::string word = fmt::format(
          "philox_word((unsigned){0}_low, (unsigned){0}_high, (unsigned){0}_stream, (unsigned){1}, "
          "(unsigned)((linear + {2}u) / 4u), (unsigned)(linear + {2}u) % 4u)",
          name, operand(code.a, ValueType::int32, j), j);
      return fmt::format("{}({})", bits ? "(int)" : "philox_to_uniform", word);
    });
  }

  // -- operators ------------------------------------------------------------------------------------------------------
  /// `format` has {0}, {1}, {2} for the operands a, b, c.
  void compute(const TapeInstruction& code, ValueType result, std::array<ValueType, 3> types,
               const std::string& format) {
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
  /// The name of an element function; its text is written once.
  std::string function_for(const ElementFunction& function, ValueType type);

  // -- stores ---------------------------------------------------------------------------------------------------------
  void declare_store(std::size_t i) {
    const TapeStore& store = tape_.stores[i];
    const std::string name = param(fmt::format("out{}", i));
    add_argument(fmt::format("GLOBAL {}* ", memory_type(store.dtype).name), name,
                 {LoweredArgument::Kind::slot, 0, store.slot});
    add_argument("INDEX ", name + "_at", {LoweredArgument::Kind::offset, store.offset, store.slot});
  }
  void store(std::size_t i) {
    const TapeStore& store = tape_.stores[i];
    const std::string target = fmt::format("{0} + {0}_at + (INDEX)linear", param(fmt::format("out{}", i)));
    const auto value = [&](int j) {
      const std::string number = operand(store.value_register, value_type_of(store.dtype), j);
      const bool is_rounded = store.dtype == DType::bfloat16 && rounded_[store.value_register];
      return is_rounded ? fmt::format("(unsigned short)((uint32)as_int({}) >> 16)", number)
                        : narrowed(store.dtype, number);
    };
    if (request_.width == 4) {
      body_ += fmt::format("  STORE_VECTOR({0}, {1}, MAKE_VECTOR({0}, {2}, {3}, {4}, {5}));\n",
                           memory_type(store.dtype).vector, target, value(0), value(1), value(2), value(3));
      return;
    }
    for (int j = 0; j < request_.width; ++j) body_ += fmt::format("  ({})[{}] = {};\n", target, j, value(j));
  }

  const Tape& tape_;
  const TapeRequest& request_;
  const std::vector<bool> rounded_;
  TapeSource source_;
  std::string functions_;  // element functions that the tape calls
  std::vector<std::pair<TapeCode, ValueType>> written_;
  std::string body_;
  std::string fields_;     // of the struct of values loaded apart
  std::string load_body_;  // of the function that loads them
  std::vector<LoadPattern> patterns_;
  std::vector<bool> declared_;
  std::vector<ValueType> types_;  // of the registers written so far
  std::vector<bool> shared_;      // one value serves all elements of a call
};

void Writer::instruction(std::size_t i) {
  const TapeInstruction& code = tape_.code[i];
  switch (code.code) {
    case TapeCode::core: return core();
    case TapeCode::load: return load(code.index);
    case TapeCode::constant: return constant(code);
    case TapeCode::coordinate: return coordinate(code.type, code.index);
    case TapeCode::linear:
      return define(ValueType::int64, false,
                    [](int j) { return j == 0 ? std::string("(int64)linear") : fmt::format("(int64)linear + {}", j); });
    case TapeCode::random:
    case TapeCode::random_bits: return random(code);
    case TapeCode::select: {
      if (code.b >= types_.size()) fail("an operand register is not yet written");
      const ValueType type = types_[code.b];
      return compute(code, type, {ValueType::int32, type, type}, "{0} != 0 ? {1} : {2}");
    }
    case TapeCode::round_bfloat16: {
      const bool is_rounded = code.a < i && rounded_[code.a];
      return compute(code, ValueType::float32, {ValueType::float32}, is_rounded ? "{0}" : "bfloat16_rounded({0})");
    }
    default: break;
  }
  const ElementFunction* function = element_function(code.code);
  if (function == nullptr || !function->takes(code.type)) fail("an unknown instruction code");
  compute(code, result_of(code), {code.type, code.type},
          fmt::format("{}({})", function_for(*function, code.type), function->operands == 1 ? "{0}" : "{0}, {1}"));
}

std::string Writer::function_for(const ElementFunction& function, ValueType type) {
  const std::string name = fmt::format("NAME({}_{}_{})", request_.name, function.name, kernel_name(type));
  const std::pair known{function.code, type};
  if (std::find(written_.begin(), written_.end(), known) != written_.end()) return name;
  written_.push_back(known);
  functions_ += element_function_text(function, type, name);
  return name;
}

}  // namespace

std::string element_function_text(const ElementFunction& function, ValueType type, std::string_view name) {
  constexpr std::string_view unsigned_names[] = {"uint32", "uint64", "uint64", "float", "double"};
  const std::string_view t = kernel_name(type);
  std::string body = fmt::format("  typedef {} T;\n  typedef {} U;\n  {}\n", t,
                                 unsigned_names[static_cast<std::size_t>(type)], function.body);
  const bool is_extreme = function.code == TapeCode::maximum || function.code == TapeCode::minimum;
  if (is_extreme && type == ValueType::float32) {  // for which a prelude may have an instruction that keeps NaN
    body = fmt::format("#ifdef OWN_{0}\n  return OWN_{0}(a, b);\n#else\n{1}#endif\n", function.name, body);
  }
  return fmt::format("DEVICE {} {}({} a{}) {{\n{}}}\n", kernel_name(function.gives(type)), name, t,
                     function.operands == 2 ? fmt::format(", {} b", t) : "", body);
}

const MemoryType& memory_type(DType dtype) noexcept { return memory_types[static_cast<std::size_t>(dtype)]; }

TapeSource write_tape(const Tape& tape, const TapeRequest& request) { return Writer(tape, request).write(); }

}  // namespace overtake::backend
