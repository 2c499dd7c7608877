// SPDX-License-Identifier: MIT
#include "user_kernel/compiled.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/polling.hpp"
#include "overtake/error.hpp"

namespace overtake::user_kernel {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The line of the kernel's text that `#line` gave this number under this file's name; empty if there is none.
std::string_view line_of(std::string_view source, std::string_view file, int number) {
  int counted = 0;
  bool is_ours = false;
  for (const std::string_view line : lines_of(source)) {
    if (line.starts_with("#line ")) {
      const char* const begin = line.data() + std::string_view("#line ").size();
      if (std::from_chars(begin, line.data() + line.size(), counted).ec != std::errc()) continue;
      const std::size_t quote = line.find('"');
      if (quote != std::string_view::npos) is_ours = line.substr(quote + 1, line.rfind('"') - quote - 1) == file;
      continue;
    }
    if (is_ours && counted == number) return line;
    ++counted;
  }
  return {};
}

// "name(3): error: ..." of NVRTC, "name:3:5: error: ..." of the others: the file and the line that it speaks of.
struct Place {
  std::string_view file;
  int line = 0;
};
Place place_in(std::string_view message) {
  constexpr std::string_view word = "error: ";  // PoCL writes it in front
  if (message.starts_with(word)) message.remove_prefix(word.size());
  const std::size_t end = std::min(message.find(" error"), message.size());
  for (std::size_t at = 0; at + 1 < end; ++at) {
    if (message[at] != ':' && message[at] != '(') continue;
    int line = 0;
    const auto [rest, trouble] = std::from_chars(message.data() + at + 1, message.data() + end, line);
    if (trouble != std::errc() || rest == message.data() + end || (*rest != ':' && *rest != ')')) continue;
    return {message.substr(0, at), line};
  }
  return {};
}

// A place as it was asked for. Functions of Python note what index of which axis was outside: ot_axis of _helpers.py.
std::string place_of(std::string_view array, std::int64_t place) {
  constexpr std::int64_t below_all = std::numeric_limits<std::int64_t>::min() / 2;
  if (place > below_all) return fmt::format("{}[{}]", array, place);
  const std::uint64_t noted = static_cast<std::uint64_t>(place) << 1U >> 1U;
  const auto axis = noted >> 56U;
  const auto index = static_cast<std::int64_t>(noted & ((std::uint64_t{1} << 56U) - 1)) - (std::int64_t{1} << 47);
  return fmt::format("index {} of axis {} of {}", index, axis, array);
}

[[noreturn]] void explain(std::string_view name, const std::string& device, std::string_view source,
                          std::string_view log) {
  constexpr std::size_t most_of_log = 1500;
  std::string_view first;
  for (const std::string_view line : lines_of(log)) {
    if (line.find("error") == std::string_view::npos || line.find("does not compile") != std::string_view::npos)
      continue;
    first = line;
    break;
  }
  std::string text = fmt::format("[{}] does not compile for {}", name, device);
  if (!first.empty()) {
    const Place place = place_in(first.substr(first.find_first_not_of(" \t")));
    const std::string_view line = line_of(source, place.file, place.line);
    text += fmt::format(": {}", first.substr(first.find_first_not_of(" \t")));
    if (!line.empty()) text += fmt::format("\n  {} | {}", place.line, line);
  }
  throw UsageError(text, fmt::format("The compiler says:\n{}", log.substr(0, most_of_log)));
}

}  // namespace

std::string entry_name(std::string_view name) { return fmt::format("kernel_{}", name); }

std::string marked(std::string_view name, std::string_view text) {
  constexpr int far_away = 100001;  // no line of the user's
  return fmt::format("\n#line 1 \"{}\"\n{}\n#line {} \"overtake\"\n", name, text, far_away);
}

std::string opening(std::string_view name, std::string_view preamble, const Watching& watching) {
  std::string text = watching.any() ? watch_functions(watching) : "";
  if (!preamble.empty()) text += marked(fmt::format("{}.preamble", name), preamble);
  return text;
}

std::unique_ptr<Compiled> compile(backend::Device& device, std::string_view name, KernelText text) {
  auto result = std::make_unique<Compiled>();
  try {
    result->program = device.build({.source = text.source, .defines = {}, .name = {}});
  } catch (const UsageError& error) {
    explain(name, device.info().id, text.source, error.what());
  }
  result->kernel = result->program->kernel(entry_name(name));
  result->source = std::move(text.source);
  result->arrays = std::move(text.arrays);
  return result;
}

void launch(Compiled& compiled, std::string_view name, const backend::LaunchGeometry& geometry,
            std::span<const backend::KernelArgument> arguments) {
  if (Polling::is_asking()) {  // this thread may hold the lock below
    throw UsageError(fmt::format("[{}] a handler of a signal came while a kernel ran, and calls one itself", name),
                     "Let it set a flag, and call the kernel where the flag is read.");
  }
  const std::lock_guard lock(compiled.mutex);
  try {
    compiled.kernel->launch(geometry, arguments);
  } catch (const UsageError& error) {
    const std::string text = error.what(), head = fmt::format("kernel {}: ", entry_name(name));
    if (!text.starts_with(head)) throw;
    throw UsageError(fmt::format("[{}] {}", name, text.substr(head.size())), error.hint());
  }
}

Compiled& Variants::find(backend::Device& device, std::string_view name, std::string_view key,
                         const std::function<KernelText()>& write) {
  const std::lock_guard lock(mutex_);
  for (const Variant& variant : variants_) {
    if (variant.device != &device || variant.key != key) continue;
    last_ = variant.compiled.get();
    return *variant.compiled;
  }
  std::unique_ptr<Compiled> compiled = compile(device, name, write());
  variants_.push_back({&device, std::string(key), std::move(compiled)});
  last_ = variants_.back().compiled.get();
  return *variants_.back().compiled;
}

std::string Variants::last_source(const backend::Device& device) {
  const std::lock_guard lock(mutex_);
  const Variant* found = nullptr;
  for (const Variant& variant : variants_) {
    if (variant.device == &device && (found == nullptr || variant.compiled.get() == last_)) found = &variant;
  }
  return found == nullptr ? std::string() : found->compiled->source;
}

void throw_fault(std::string_view name, const WatchBuffer::Fault& fault, const Compiled& compiled,
                 const std::vector<Shape>& shapes, const std::function<std::string(std::int64_t)>& where,
                 double time_limit) {
  using Kind = WatchBuffer::Fault::Kind;
  if (fault.kind == Kind::none) return;
  const std::string line =
      fault.line > 0 ? fmt::format("{}", fault.line) : fmt::format("{} of the preamble", -fault.line);
  if (fault.kind == Kind::loop) {
    throw UsageError(
        fmt::format("[{}] line {}: a loop of {} did not end within {:g} s", name, line, where(fault.item), time_limit),
        "Its condition stays true there; or give the kernel a longer time limit.");
  }
  if (fault.kind == Kind::step) {
    throw UsageError(fmt::format("[{}] line {}: the step of range() is 0 in {}", name, line, where(fault.item)),
                     "Give a step above or below 0; without debug such a loop has no turns.");
  }
  const auto number = static_cast<std::size_t>(fault.array);
  const WatchedArray& array = compiled.arrays.at(number);
  const std::string shape =
      number < shapes.size() ? fmt::format("{} elements, shape {}", shapes[number].size(), shapes[number].to_string())
                             : fmt::format("[{}] elements", fmt::join(array.extents, "]["));
  throw UsageError(fmt::format("[{}] line {}: {} is outside ({}), asked for by {}", name, line,
                               place_of(array.name, fault.place), shape, where(fault.item)),
                   "What lies outside was not read or written.");
}

}  // namespace overtake::user_kernel
