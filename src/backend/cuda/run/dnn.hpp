// SPDX-License-Identifier: MIT
// cuDNN, opened at run time: convolutions.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "backend/common/program_cache.hpp"
#include "backend/cuda/run/dnn_graph.hpp"
#include "backend/cuda/run/plan.hpp"

namespace overtake::backend::cuda {

class CudaDevice;

/// The plan that was chosen for a convolution.
struct DnnChoice {
  DnnPlan plan;
  double seconds = 0;  ///< that one run took; 0 where it was not timed
  int rank = 0;        ///< among the plans that the library proposed, its favourite first
};

/// What makes a plan of text that was kept; in the cache's format.
struct KeptChoice {
  double seconds = 0;
  std::string plan;  ///< dnn_text(); empty: there is no plan
};
[[nodiscard]] std::string text_of(const KeptChoice& kept);
/// Empty for anything that text_of() does not write.
[[nodiscard]] std::optional<KeptChoice> kept_choice(std::string_view text);

/// The library and its handle for one device. Thread-safe. Needs the device's context current.
class Dnn {
 public:
  using Owner = Handle<cudnnHandle_t, cudnnStatus_t>;
  Dnn(CudaDevice& device, const DnnApi& api, Owner handle, std::string version)
      : device_(device), api_(api), handle_(std::move(handle)), version_(std::move(version)) {}
  /// Null when the library is not there or does not start; `why` then says so.
  [[nodiscard]] static std::unique_ptr<Dnn> open(CudaDevice& device, std::string& why);

  /// The plan for a convolution: one that was chosen before, in this process or (by the cache on disk) another, or the
  /// fastest of those that the library proposes. Null where there is none. The first time takes a fraction of a second.
  [[nodiscard]] std::shared_ptr<const DnnChoice> choose(const LibraryConvolution& convolution);
  /// Ahead of choose(): the same for many convolutions, whose plans are compiled by several threads.
  void choose_all(const std::vector<LibraryConvolution>& convolutions);
  /// True where the convolution is better done with its tape than without, followed by a map.
  [[nodiscard]] bool fuses_well(const LibraryConvolution& convolution);

  /// Enqueues a plan with its addresses. Throws DeviceError.
  void enqueue(const DnnPlan& plan, cudnnBackendDescriptor_t pack, CUstream stream) const;

  /// "cuDNN 9.19.0 (libcudnn.so.9)".
  [[nodiscard]] const std::string& version() const noexcept { return version_; }
  [[nodiscard]] const DnnApi& api() const noexcept { return api_; }

 private:
  [[nodiscard]] ProgramKey key_of(const LibraryConvolution& convolution) const;
  /// What is on disk. `known` is set where that is that there is no plan, too.
  [[nodiscard]] std::shared_ptr<const DnnChoice> load(const LibraryConvolution& convolution, bool& known);
  void store(const LibraryConvolution& convolution, const std::optional<DnnChoice>& choice);

  CudaDevice& device_;
  DnnApi api_;
  Owner handle_;
  std::string version_;
  std::mutex choosing_;
  std::map<std::string, std::shared_ptr<const DnnChoice>> chosen_;
  mutable std::mutex enqueuing_;  ///< the handle has one stream
};

/// Addresses of a convolution's tensors in the order of dnn_tensors().
[[nodiscard]] std::vector<std::uint64_t> tensor_addresses(const LibraryConvolution& convolution,
                                                          std::span<const std::uint64_t> slots);

}  // namespace overtake::backend::cuda
