// SPDX-License-Identifier: MIT
// The loop over elements that an element-wise kernel's body is put into.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "user_kernel/compiled.hpp"
#include "user_kernel/signature.hpp"
#include "user_kernel/watch.hpp"

namespace overtake::user_kernel {

/// How an input comes into the kernel.
enum class Access : char {
  number = 'n',   ///< an argument
  whole = 'w',    ///< a pointer, read by the body
  flat = 'f',     ///< element i at place i
  row = 'r',      ///< by strides, neighbours of the last axis are neighbours in memory
  still = 's',    ///< by strides, that of the last axis is 0
  strided = 'x',  ///< by strides
};

/// What a variant depends on.
struct ElementVariant {
  std::vector<DType> types;      ///< of inputs, then outputs
  std::vector<Access> accesses;  ///< of inputs
  int rank = 1;                  ///< of the loop: 1, or the merged axes of arrays that are read by strides
  bool is_long = false;          ///< places need 64 bits
  bool on_host = false;          ///< each work-item has a range of elements, not one
  int items = 1;                 ///< elements of a work-item, a group apart; of more than one a group's are all there
  bool in_vectors = false;  ///< `items` are fours of neighbours; nothing is read by strides, the count is one of fours
  int group = 256;

  /// The same for equal variants.
  [[nodiscard]] std::string key() const;
};

/// The declarations of a kernel.
struct ElementDeclaration {
  std::string name;
  std::vector<Parameter> inputs, outputs;
  std::string body, preamble;
  Watching watching;
};

/// Arguments in order: n; `span` (on_host); for each input its number (int, int64, float, double) or its
/// buffer, and where it is read by strides `rank` strides (int64); the outputs; the extents of the axes 1 to rank - 1
/// (int64) where anything is read by strides; where watched: the sizes of whole arrays (int64), and the watch.
[[nodiscard]] KernelText element_text(const ElementDeclaration& declaration, const ElementVariant& variant);

/// True if it is read by strides.
[[nodiscard]] constexpr bool by_strides(Access access) noexcept {
  return access == Access::row || access == Access::still || access == Access::strided;
}

}  // namespace overtake::user_kernel
