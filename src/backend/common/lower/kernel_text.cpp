// SPDX-License-Identifier: MIT
#include "backend/common/lower/kernel_text.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <set>

#include "backend/common/lower/load_pattern.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

/// "#undef X" for every macro a text defines, so that the next kernel of the same program starts clean.
std::string undefine_all(std::string_view text) {
  std::set<std::string> names;
  constexpr std::string_view directive = "#define ";
  for (std::size_t at = text.find(directive); at != std::string_view::npos; at = text.find(directive, at + 1)) {
    const std::size_t begin = at + directive.size();
    names.emplace(text.substr(begin, text.find_first_of(" (\n", begin) - begin));
  }
  std::string result;
  for (const std::string& name : names) result += "#undef " + name + "\n";
  return result;
}

}  // namespace

void KernelText::define(std::string_view name, std::string_view value) {
  defines_ += fmt::format("#define {} {}\n", name, value);
}

void KernelText::add_tape(std::string_view prefix, const TapeSource& tape) {
  functions_ += tape.function;
  define(fmt::format("{}_PARAMETERS", prefix), tape.parameters);
  uses_random_ = uses_random_ || tape.uses_random;
}

void KernelText::add_function(std::string_view name, TapeCode code, ValueType type) {
  functions_ += element_function_text(*element_function(code), type, fmt::format("NAME({})", name));
}

void KernelText::define_tape_call(std::size_t rank, const TapeSource& tape, bool has_core) {
  std::string place;
  for (std::size_t axis = 0; axis < rank; ++axis) place += fmt::format("c{}, ", axis);
  place += "linear";
  const char* value = has_core ? ", value" : "";
  define("LOADS_APART", tape.has_loads_apart ? 1 : 0);
  if (tape.has_loads_apart) {
    define("TAPE_LOAD", fmt::format("NAME(tape_load)({}{})", place, tape.call));
    define("TAPE(value, loaded)", fmt::format("NAME(tape)({}{}, loaded{});", place, value, tape.call));
  } else {
    define("TAPE(value)", fmt::format("NAME(tape)({}{}{});", place, value, tape.call));
  }
}

void KernelText::define_coordinates(const std::vector<std::int64_t>& extents, const TapeSource& tape) {
  std::string parameters;
  std::string coordinates;
  if (tape.uses_coordinates) {
    coordinates = "UINDEX rest = linear; ";
    for (std::size_t axis = extents.size(); axis-- > 1;) {
      coordinates += fmt::format("INDEX c{0} = (INDEX)(rest % (UINDEX)e{0}); rest /= (UINDEX)e{0}; ", axis);
    }
    coordinates += "INDEX c0 = (INDEX)rest;";
    for (std::size_t axis = 1; axis < extents.size(); ++axis) {
      parameters += fmt::format(", INDEX e{}", axis);
      add_index(extents[axis]);
    }
  } else {
    for (std::size_t axis = 0; axis < extents.size(); ++axis) coordinates += fmt::format("INDEX c{} = 0; ", axis);
  }
  define("COORDINATE_PARAMETERS", parameters);
  define("COORDINATES", coordinates);
}

void KernelText::add_int(std::int64_t value) {
  arguments_.push_back({LoweredArgument::Kind::int32, to_index(value), -1});
}

void KernelText::add_slot(int slot, std::int64_t offset) {
  arguments_.push_back({LoweredArgument::Kind::slot, 0, slot});
  arguments_.push_back({LoweredArgument::Kind::offset, offset, slot});
}

void KernelText::add_arguments_of(const TapeSource& tape) {
  arguments_.insert(arguments_.end(), tape.arguments.begin(), tape.arguments.end());
}

LoweredKernel KernelText::finish(std::int64_t groups_x, std::int64_t groups_y, int work_items) const {
  std::string body =
      long_indices_ ? "#define INDEX int64\n#define UINDEX uint64\n" : "#define INDEX int\n#define UINDEX unsigned\n";
  body += defines_;
  body += functions_;
  body += source_;
  LoweredKernel kernel;
  kernel.entry = fmt::format("{}_{:016x}", family_, XXH3_64bits(body.data(), body.size()));
  kernel.source = std::string(embedded::kernel_tape);
  if (uses_random_) kernel.source += embedded::kernel_philox;
  kernel.source += fmt::format("#define ENTRY {0}\n#define NAME(name) {0}_##name\n", kernel.entry);
  kernel.source += body;
  kernel.source += "#undef ENTRY\n#undef NAME\n" + undefine_all(body);
  kernel.geometry.groups = {static_cast<std::uint32_t>(to_index(groups_x)), static_cast<std::uint32_t>(groups_y), 1};
  kernel.geometry.group_size = {static_cast<std::uint32_t>(work_items), 1, 1};
  kernel.arguments = arguments_;
  for (LoweredArgument& argument : kernel.arguments) {
    using Kind = LoweredArgument::Kind;
    if (argument.kind == Kind::index) argument.kind = long_indices_ ? Kind::int64 : Kind::int32;
    if (argument.kind == Kind::offset && long_indices_) argument.kind = Kind::offset64;
  }
  return kernel;
}

LoweredOperation single(LoweredKernel kernel) {
  LoweredOperation operation;
  operation.kernels.push_back(std::move(kernel));
  return operation;
}

int lanes_for(std::int64_t elements, int most) {
  int lanes = 1;
  while (lanes < most && lanes < elements) lanes *= 2;
  return lanes;
}

}  // namespace overtake::backend
