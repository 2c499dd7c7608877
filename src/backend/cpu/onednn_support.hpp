// SPDX-License-Identifier: MIT
// What all that calls oneDNN's primitives needs.
#pragma once

#include <omp.h>

#include <cstddef>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

#include "overtake/error.hpp"

namespace overtake::backend::cpu {

/// What oneDNN needs to make kernels. It crashes where that fails.
inline constexpr std::size_t onednn_bytes = std::size_t{16} << 20;

[[nodiscard]] inline const dnnl::engine& onednn_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

/// Threads that oneDNN sees when it makes and runs primitives on this thread, while this lives.
class OneDnnThreads {
 public:
  explicit OneDnnThreads(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~OneDnnThreads() { omp_set_num_threads(before_); }
  OneDnnThreads(const OneDnnThreads&) = delete;
  OneDnnThreads& operator=(const OneDnnThreads&) = delete;

 private:
  int before_;
};

/// Memory of a thread, which grows to the most it was ever asked for.
class OneDnnMemory {
 public:
  [[nodiscard]] std::byte* of(std::size_t bytes) {
    using dnnl::memory;
    if (bytes > bytes_) {
      memory_ = {};
      bytes_ = 0;
      memory_ =
          memory({{static_cast<memory::dim>(bytes)}, memory::data_type::u8, memory::format_tag::a}, onednn_engine());
      bytes_ = bytes;
    }
    return static_cast<std::byte*>(bytes_ == 0 ? nullptr : memory_.get_data_handle());
  }

 private:
  dnnl::memory memory_;
  std::size_t bytes_ = 0;
};

/// Memory that somebody else holds, as an argument of a primitive.
[[nodiscard]] inline dnnl::memory onednn_argument(const dnnl::memory::desc& layout, const std::byte* data) {
  return {layout, onednn_engine(), const_cast<std::byte*>(data)};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

/// Calls `work`; what oneDNN throws becomes std::bad_alloc or an InternalError about `what`.
template <class Work>
void with_onednn(const char* what, const Work& work) {
  try {
    work();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw InternalError(std::string("oneDNN refused ") + what);
  }
}

}  // namespace overtake::backend::cpu
