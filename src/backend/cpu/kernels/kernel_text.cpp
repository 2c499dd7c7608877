// SPDX-License-Identifier: MIT
#include "backend/cpu/kernels/kernel_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <set>

#include "backend/cpu/kernels/math_functions.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend::cpu {
namespace {

using c_text::closing, c_text::directive_name, c_text::directive_text, c_text::Edits, c_text::Token, c_text::tokens_of;
using Tokens = std::vector<Token>;

// Declares each for double and float, and gives its name for double to both.
#define OVERTAKE_TEXT_1(name) \
  "double " #name "(double); float " #name "f(float);\n#define " #name "(x) OVERTAKE_REAL1(" #name ", x)\n"
#define OVERTAKE_TEXT_2(name)                                                                                        \
  "double " #name "(double, double); float " #name "f(float, float);\n#define " #name "(x, y) OVERTAKE_REAL2(" #name \
  ", x, y)\n"
constexpr std::string_view math_functions = OVERTAKE_MATH_1(OVERTAKE_TEXT_1) OVERTAKE_MATH_2(OVERTAKE_TEXT_2);

/// One name that a LOCAL declaration declares.
struct LocalName {
  std::string_view name;
  bool is_array = false;
};

/// The uses of a name in the rest of a kernel. An array's name stays: its pointer to the first element works like it,
/// in macros that are written elsewhere, too, but where its size or its own address is taken. A single value's becomes
/// the value at the pointer.
void rewrite_uses(const Tokens& tokens, std::size_t begin, std::size_t end, const LocalName& local, Edits& edits) {
  for (std::size_t i = begin; i < end; ++i) {
    if (!tokens[i].is(local.name) || tokens[i - 1].is(".") || tokens[i - 1].is("->")) continue;
    if (!local.is_array) {
      edits.replace(tokens[i].text, fmt::format("(*{})", local.name));
      continue;
    }
    const bool sized = tokens[i - 1].is("sizeof") || (tokens[i - 1].is("(") && tokens[i - 2].is("sizeof"));
    const bool addressed = tokens[i - 1].is("&") && !tokens[i + 1].is("[");
    if (sized || addressed) edits.replace(tokens[i].text, fmt::format("(*(overtake_local_{0}*){0})", local.name));
  }
}

/// LOCAL at `at`, to the semicolon at `end`: a type of the name's own and a pointer into the group's memory for each.
void rewrite_local(const Tokens& tokens, std::size_t at, std::size_t end, std::size_t close, Edits& edits) {
  std::string text;
  std::string base;
  for (std::size_t from = at + 1; from < end;) {
    std::size_t to = from;  // the comma or semicolon behind this name
    while (to < end && !tokens[to].is(","))
      to = tokens[to].is("[") || tokens[to].is("(") ? closing(tokens, to) + 1 : to + 1;
    to = std::min(to, end);
    std::size_t name = to;
    std::size_t bracket = from;
    while (bracket < to && !tokens[bracket].is("[")) ++bracket;
    for (std::size_t i = from; i < bracket; ++i) name = tokens[i].kind == Token::Kind::name ? i : name;
    if (name == to) return;  // the compiler will say what is wrong
    std::string before;
    for (std::size_t i = from; i < name; ++i) before += fmt::format("{} ", tokens[i].text);
    if (from == at + 1) base = before;
    std::string dimensions;
    for (std::size_t i = bracket; i < to; ++i) dimensions += tokens[i].text, dimensions += ' ';
    const LocalName local{tokens[name].text, bracket < to};
    text +=
        fmt::format("typedef {} overtake_local_{}{}; ", from == at + 1 ? base : base + before, local.name, dimensions);
    const char* const pointer =
        local.is_array ? "__typeof__((*(overtake_local_{0}*)0)[0])* {0}" : "overtake_local_{0}* {0}";
    text += fmt::format(fmt::runtime(pointer), local.name);
    text += fmt::format(" = overtake_take_local(&overtake_used, sizeof(overtake_local_{})); ", local.name);
    rewrite_uses(tokens, end + 1, close, local, edits);
    from = to + 1;
  }
  const char* first = tokens[at].text.data();
  const std::string_view all(first, static_cast<std::size_t>(tokens[end].text.data() + 1 - first));
  edits.replace(all, text + std::string(static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n')), '\n'));
}

void rewrite_locals(const Tokens& tokens, const FoundKernel& kernel, Edits& edits) {
  bool first = true;
  if (kernel.has_items) edits.insert_behind(tokens[kernel.open], " OVERTAKE_OWN_ITEMS");
  for (std::size_t i = kernel.open + 1; i < kernel.close; ++i) {
    if (!tokens[i].is("LOCAL") || tokens[i].depth != 1) continue;
    std::size_t end = i;
    while (end < kernel.close && !tokens[end].is(";")) ++end;
    if (first && !kernel.has_items) edits.insert_behind(tokens[kernel.open], " uint64 overtake_used = 0;");
    first = false;
    rewrite_local(tokens, i, end, kernel.close, edits);
  }
}

/// The names of the parameters, and their declarations as members of a structure.
struct Parameters {
  std::vector<std::string> names;
  std::string members;
};

Parameters parameters_of(const std::string& text) {
  Parameters parameters;
  const Tokens tokens = tokens_of(text);
  for (std::size_t from = 0; from < tokens.size();) {
    std::size_t to = from;
    while (to < tokens.size() && !tokens[to].is(",")) to = tokens[to].is("(") ? closing(tokens, to) + 1 : to + 1;
    to = std::min(to, tokens.size());
    std::string name;
    std::string declaration;
    for (std::size_t i = from; i < to; ++i) {
      if (tokens[i].kind == Token::Kind::name) name = tokens[i].text;
      declaration += fmt::format("{} ", tokens[i].text);
    }
    if (tokens[from].is("LOCAL_PARAMETER")) name += "_at";
    const bool none = to == from + 1 && tokens[from].is("void");
    if (!none) parameters.names.push_back(name), parameters.members += declaration + "; ";
    from = to + 1;
  }
  return parameters;
}

std::string entry_of(const FoundKernel& kernel) {
  const auto [names, members] = parameters_of(kernel.parameters);
  std::string takes;
  std::string call;
  std::string kinds;
  for (std::size_t i = 0; i < names.size(); ++i) {
    takes += fmt::format("OVERTAKE_TAKE({}, {}, {}) ", kernel.name, i, names[i]);
    call += fmt::format("{}overtake_{}", i > 0 ? ", " : "", i);
    kinds += fmt::format(", OVERTAKE_KIND({}, {})", kernel.name, names[i]);
  }
  return fmt::format(
      " struct overtake_of_{0} {{ {1}char overtake_last; }}; OVERTAKE_ENTRY({0}) {{ {2}{3}({0}({4})) }} "
      "const int overtake_about_{0}[] = {{{5}, {6}, ({7}){8}}};",
      kernel.name, members, takes, kernel.needs_fibers ? "OVERTAKE_ALONE" : "OVERTAKE_GROUPS", call, names.size(),
      kernel.has_items ? 2 : static_cast<int>(kernel.needs_fibers), kernel.size, kinds);
}

std::string variable_of(std::size_t kernel) { return fmt::format("overtake_text_{}", kernel); }

/// The lines of the preprocessor alone, and what it makes of names and parameters of kernels.
std::string text_to_preprocess(const ProgramSource& program, const Tokens& tokens,
                               const std::vector<FoundKernel>& kernels) {
  std::string text = text_before(program);
  std::size_t next = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind == Token::Kind::directive) text += fmt::format("{}\n", tokens[i].text);
    if (next == kernels.size() || kernels[next].first != i) continue;
    const FoundKernel& kernel = kernels[next];
    text +=
        fmt::format("const char {}[] = OVERTAKE_TEXT({} ; {});\n", variable_of(next), kernel.name, kernel.parameters);
    ++next;
  }
  return text;
}

/// True if a name or a parameter may be a macro of the program.
bool has_macros(const ProgramSource& program, const Tokens& tokens, const std::vector<FoundKernel>& kernels) {
  std::set<std::string_view> macros;
  for (const std::string& define : program.defines) macros.insert(std::string_view(define).substr(0, define.find('=')));
  for (const Token& token : tokens) {
    if (token.kind != Token::Kind::directive || directive_name(token) != "define") continue;
    const Tokens words = tokens_of(directive_text(token));
    if (!words.empty()) macros.insert(words[0].text);
  }
  const auto is_macro = [&](const Token& token) { return macros.count(token.text) > 0; };
  return std::any_of(kernels.begin(), kernels.end(), [&](const FoundKernel& kernel) {
    const Tokens words = tokens_of(kernel.parameters);
    return macros.count(kernel.name) > 0 || std::any_of(words.begin(), words.end(), is_macro);
  });
}

/// Puts in what the macros stand for. Kernels that an #if leaves out go.
void expand(const ProgramSource& program, const Tokens& tokens, std::vector<FoundKernel>& kernels,
            const Preprocess& preprocess) {
  std::vector<std::string> variables;
  for (std::size_t i = 0; i < kernels.size(); ++i) variables.push_back(variable_of(i));
  const auto texts = preprocess(text_to_preprocess(program, tokens, kernels), variables);
  std::vector<FoundKernel> left;
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    if (!texts[i]) continue;
    const std::size_t semicolon = texts[i]->find(';');
    kernels[i].name = tokens_of(std::string_view(*texts[i]).substr(0, semicolon)).at(0).text;
    kernels[i].parameters = texts[i]->substr(semicolon + 1);
    left.push_back(std::move(kernels[i]));
  }
  kernels = std::move(left);
}

}  // namespace

std::string text_before(const ProgramSource& program) {
  std::string text = "#line 1 \"dialect\"\n";
  text += embedded::prelude_c;
  text += embedded::prelude_c_entries;
  text += math_functions;
  text += end_of_dialect;
  for (const std::string& define : program.defines) {
    const std::size_t equals = define.find('=');
    const std::string value = equals == std::string::npos ? "1" : define.substr(equals + 1);
    text += fmt::format("#define {} {}\n", define.substr(0, equals), value);
  }
  return text;
}

std::string complete_text(const ProgramSource& program, const Preprocess& preprocess) {
  const Tokens tokens = tokens_of(program.source);
  std::vector<FoundKernel> kernels = find_kernels(tokens, program.defines);
  if (has_macros(program, tokens, kernels)) expand(program, tokens, kernels, preprocess);
  Edits edits(program.source);
  for (const FoundKernel& kernel : kernels) {
    rewrite_locals(tokens, kernel, edits);
    edits.insert_behind(tokens[kernel.close], entry_of(kernel));
  }
  return text_before(program) + "#line 1 \"kernel\"\n" + edits.apply() + "\n";
}

}  // namespace overtake::backend::cpu
