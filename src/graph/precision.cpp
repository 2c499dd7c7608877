// SPDX-License-Identifier: MIT
#include "overtake/precision.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

#include "core/nearest.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

thread_local Precision current = Precision::fp32;

}  // namespace

std::string_view name_of(Precision precision) noexcept {
  switch (precision) {
    case Precision::fp32: break;
    case Precision::tf32: return "tf32";
    case Precision::bf16: return "bf16";
  }
  return "fp32";
}

Precision precision_named(std::string_view name) {
  static const std::array<std::string, 3> names = {"fp32", "tf32", "bf16"};
  for (const Precision each : {Precision::fp32, Precision::tf32, Precision::bf16}) {
    if (name == name_of(each)) return each;
  }
  const std::string close = nearest(name, names);
  throw UsageError(fmt::format("precision '{}' is none of fp32, tf32, bf16", name),
                   close.empty() ? "fp32 is true float32, the default." : fmt::format("Did you mean '{}'?", close));
}

PrecisionScope::PrecisionScope(Precision precision) noexcept : before_(current) { current = precision; }
PrecisionScope::~PrecisionScope() { current = before_; }

void set_precision(Precision precision) noexcept { current = precision; }

Precision current_precision() noexcept { return current; }

}  // namespace overtake
