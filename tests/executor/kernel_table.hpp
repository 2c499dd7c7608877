// SPDX-License-Identifier: MIT
// The programs that the executor knows, by the names that backends compile them under (ProgramSource::name).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "backend/api/device.hpp"

namespace overtake::executor {

/// One kernel. `count` says how many arguments it takes; call() runs it for the current work-item, with the addresses
/// and numbers in `values`.
struct TableKernel {
  std::size_t count = 0;
  void (*call)(const std::uint64_t* values) = nullptr;
};
using KernelTable = std::map<std::string, TableKernel>;

/// All programs that are linked in.
[[nodiscard]] std::map<std::string, KernelTable>& programs();

template <typename T>
T kernel_value(std::uint64_t value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<T>(value);
  } else {
    return static_cast<T>(value);
  }
}

template <auto kernel, typename... Parameters>
TableKernel table_kernel_of(void (*)(Parameters...)) {
  return {sizeof...(Parameters), [](const std::uint64_t* values) {
            [values]<std::size_t... at>(std::index_sequence<at...>) { kernel(kernel_value<Parameters>(values[at])...); }
            (std::index_sequence_for<Parameters...>());
          }};
}
template <auto kernel>
TableKernel table_kernel() {
  return table_kernel_of<kernel>(kernel);
}

}  // namespace overtake::executor
