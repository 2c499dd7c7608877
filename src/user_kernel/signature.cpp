// SPDX-License-Identifier: MIT
#include "user_kernel/signature.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/c_text.hpp"
#include "overtake/error.hpp"

namespace overtake::user_kernel {
namespace {

using c_text::between, c_text::code_of, c_text::Token;

constexpr std::array<std::pair<std::string_view, DType>, 11> known_types{{{"bool", DType::boolean},
                                                                          {"int8", DType::int8},
                                                                          {"int16", DType::int16},
                                                                          {"int32", DType::int32},
                                                                          {"int64", DType::int64},
                                                                          {"uint8", DType::uint8},
                                                                          {"uint16", DType::uint16},
                                                                          {"uint32", DType::uint32},
                                                                          {"uint64", DType::uint64},
                                                                          {"float32", DType::float32},
                                                                          {"float64", DType::float64}}};

// Words of C, C++ and OpenCL C that a parameter might be called by accident.
constexpr std::array<std::string_view, 48> taken{
    "auto",   "break",    "case",   "char",     "class",   "const",  "constant", "continue", "default", "delete",
    "do",     "double",   "else",   "enum",     "event_t", "float",  "for",      "global",   "goto",    "half",
    "if",     "inline",   "int",    "kernel",   "local",   "long",   "new",      "operator", "pipe",    "private",
    "public", "register", "return", "short",    "signed",  "sizeof", "static",   "struct",   "switch",  "template",
    "this",   "typedef",  "union",  "unsigned", "uniform", "using",  "void",     "while"};

std::string_view shape_of_list(ListKind kind) {
  return kind == ListKind::raw ? "Write \"const float32* x, int32* out, int64 n\": what is not const is written."
                               : "Write \"float32 x, int32 n\"; a capital letter stands for the type of its arrays.";
}

// One declaration, without the comma.
Parameter parse(std::string_view kernel, std::span<const Token> words, ListKind kind) {
  const auto refuse = [&](std::string_view why) {
    throw UsageError(fmt::format("[{}] \"{}\" {}", kernel, between(words.front(), words.back()), why),
                     std::string(shape_of_list(kind)));
  };
  Parameter result;
  std::size_t at = 0;
  const auto next_is = [&](std::string_view word) { return at < words.size() && words[at].is(word); };
  bool is_const = false;
  if (kind == ListKind::inputs && next_is("raw")) {
    result.whole = true;
    ++at;
  }
  if (kind == ListKind::raw && next_is("const")) {
    is_const = true;
    ++at;
  }
  if (at >= words.size() || words[at].kind != Token::Kind::name) refuse("does not begin with a type");
  const std::string_view type = words[at++].text;
  const auto* const found =
      std::find_if(known_types.begin(), known_types.end(), [&](const auto& each) { return each.first == type; });
  if (found != known_types.end()) {
    result.type = found->second;
  } else if (type.size() == 1 && type[0] >= 'A' && type[0] <= 'Z' && kind != ListKind::raw) {
    result.letter = type[0];
  } else {
    std::vector<std::string_view> names;
    for (const auto& each : known_types) names.push_back(each.first);
    refuse(fmt::format("has no type: '{}' is none of {}", type, fmt::join(names, ", ")));
  }
  if (kind == ListKind::raw && next_is("*")) {
    result.whole = true;
    result.written = !is_const;
    ++at;
  }
  if (at + 1 != words.size() || words[at].kind != Token::Kind::name) refuse("should be a type and one name");
  result.name = std::string(words[at].text);
  result.written = result.written || kind == ListKind::outputs;
  check_name(kernel, "parameter", result.name);
  if (kind != ListKind::raw && (result.name == "i" || result.name == "size")) {
    refuse("has a name that the body knows: i is the element's place, size their number");
  }
  return result;
}

}  // namespace

void check_name(std::string_view kernel, std::string_view what, std::string_view name) {
  const std::vector<Token> words = code_of(name);
  const bool is_name = words.size() == 1 && words[0].kind == Token::Kind::name && words[0].text.size() == name.size();
  if (!is_name) {
    throw UsageError(fmt::format("[{}] the {} '{}' is not a C name", kernel, what, name),
                     "Use letters, digits and underscores.");
  }
  if (what == "name") return;  // the entry point is called kernel_NAME
  const bool is_type =
      std::any_of(known_types.begin(), known_types.end(), [&](const auto& each) { return each.first == name; });
  if (is_type || std::find(taken.begin(), taken.end(), name) != taken.end() || name.starts_with("overtake_") ||
      name.starts_with("dialect_")) {
    throw UsageError(fmt::format("[{}] the {} is called '{}', which C, OpenCL or Overtake uses", kernel, what, name),
                     fmt::format("Call it {}_, say.", name));
  }
}

std::vector<Parameter> parse_parameters(std::string_view kernel, std::string_view list, ListKind kind) {
  const std::vector<Token> tokens = code_of(list);
  std::vector<Parameter> result;
  for (std::size_t begin = 0; begin < tokens.size();) {
    std::size_t end = begin;
    while (end < tokens.size() && !tokens[end].is(",")) ++end;
    if (end == begin || end + 1 == tokens.size()) {
      throw UsageError(fmt::format("[{}] \"{}\" has a comma without a parameter", kernel, list),
                       std::string(shape_of_list(kind)));
    }
    Parameter parameter = parse(kernel, std::span(tokens).subspan(begin, end - begin), kind);
    check_different(kernel, result, {parameter});
    result.push_back(std::move(parameter));
    begin = end + 1;
  }
  return result;
}

void check_different(std::string_view kernel, const std::vector<Parameter>& some,
                     const std::vector<Parameter>& others) {
  for (const Parameter& a : some) {
    for (const Parameter& b : others) {
      if (a.name == b.name) throw UsageError(fmt::format("[{}] two parameters are called '{}'", kernel, a.name));
    }
  }
}

std::string_view value_name(DType type) {
  const auto* const found =
      std::find_if(known_types.begin(), known_types.end(), [&](const auto& each) { return each.second == type; });
  return found != known_types.end() ? found->first : std::string_view();
}

std::string_view memory_name(DType type) { return type == DType::boolean ? "uint8" : value_name(type); }

std::string_view vector_name(DType type) {
  switch (type) {
    case DType::boolean:
    case DType::uint8: return "uchar4";
    case DType::int8: return "char4";
    case DType::int16: return "short4";
    case DType::uint16: return "ushort4";
    case DType::int32: return "int4";
    case DType::uint32: return "uint4";
    case DType::int64: return "int64_4";
    case DType::uint64: return "uint64_4";
    case DType::float64: return "double_4";
    default: return "float4";
  }
}

std::string_view argument_type(DType type) {
  if (is_floating(type)) return value_name(type);
  return size_of(type) == sizeof(std::int64_t) ? "int64" : "int";
}

std::string number_from(std::string_view argument, DType type) {
  return fmt::format("({}){}", value_name(type), argument);
}

DType output_type(std::string_view kernel, const Parameter& output, const std::vector<Parameter>& inputs,
                  const std::vector<DType>& types) {
  if (output.type) return *output.type;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].letter == output.letter) return types[i];
  }
  throw UsageError(fmt::format("[{}] no input says what {} is, the type of '{}'", kernel, output.letter, output.name),
                   "Declare an input with that letter, or name the type.");
}

}  // namespace overtake::user_kernel
