// SPDX-License-Identifier: MIT
// The forest kernels compiled for one shape of data and work.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "backend/api/device.hpp"
#include "core/checked.hpp"
#include "forest/grow/formulas.hpp"

namespace overtake::forest {

/// What the kernels work on.
struct KernelShape {
  std::int32_t classes = 0;
  bool wide = false;  ///< 16-bit bins
  std::int32_t features = 0;
  std::int32_t stride = 0;
  std::int32_t bins = 0;          ///< most of a feature, missing one included
  bool counts = false;            ///< histograms count rows
  std::int32_t max_features = 1;  ///< most of any job: features of a large node's histogram

  friend bool operator<(const KernelShape& a, const KernelShape& b) noexcept {
    return std::tie(a.classes, a.wide, a.features, a.stride, a.bins, a.counts, a.max_features) <
           std::tie(b.classes, b.wide, b.features, b.stride, b.bins, b.counts, b.max_features);
  }

  [[nodiscard]] std::int32_t stats() const noexcept { return classes > 0 ? classes : formulas::NUMBER_STATS; }
};

/// Sizes that follow from a shape.
struct KernelSizes {
  bool small = true;                             ///< a group's working memory is local
  ShapeRow row{};                                ///< as the kernels read it
  std::int64_t hist_bytes = 0, order_bytes = 0;  ///< of local memory; 0 when not small
};
[[nodiscard]] KernelSizes sizes_of(const KernelShape& shape);

/// The compiled kernels.
class KernelProgram {
 public:
  /// `soft_real`: double precision from whole numbers, with the same bits, for devices that have none. Throws
  /// DeviceError when the device cannot compile.
  KernelProgram(backend::Device& device, const KernelShape& shape, bool soft_real = false);

  [[nodiscard]] const KernelSizes& sizes() const noexcept { return sizes_; }
  [[nodiscard]] const KernelShape& shape() const noexcept { return shape_; }
  /// The shape on the device, the first argument of most kernels.
  [[nodiscard]] const std::unique_ptr<backend::Buffer>& shape_table() const noexcept { return shape_table_; }
  /// Enqueues a kernel; counts it. `local_bytes`: sizes of its local memory parameters, which come last and are left
  /// out where the program keeps working memory elsewhere.
  void launch(const std::string& kernel, backend::LaunchGeometry geometry,
              std::vector<backend::KernelArgument> arguments, const std::vector<std::int64_t>& local_bytes = {});
  [[nodiscard]] std::int64_t launches() const noexcept { return launches_; }

 private:
  KernelShape shape_;
  KernelSizes sizes_;
  std::unique_ptr<backend::Buffer> shape_table_;
  std::unique_ptr<backend::Program> program_;
  std::map<std::string, std::unique_ptr<backend::Kernel>> kernels_;
  std::int64_t launches_ = 0;
};

[[nodiscard]] inline backend::KernelArgument arg(const std::unique_ptr<backend::Buffer>& buffer) {
  return buffer.get();
}
[[nodiscard]] inline backend::KernelArgument arg(std::int64_t value) {
  return narrow<std::int32_t>(value, "an int argument of a forest kernel");
}

}  // namespace overtake::forest
