// SPDX-License-Identifier: MIT
#include "backend/cpu/onednn_support.hpp"

#include <omp.h>

#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

#include "backend/cpu/step.hpp"
#include "overtake/error.hpp"
#include "platform/host_limits.hpp"

namespace overtake::backend::cpu {

const dnnl::engine& onednn_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

OneDnnThreads::OneDnnThreads(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }

OneDnnThreads::~OneDnnThreads() { omp_set_num_threads(before_); }

std::byte* OneDnnMemory::of(std::size_t bytes) {
  if (bytes <= bytes_) return memory_.get();
  constexpr std::size_t line = 64;
  memory_.reset();
  bytes_ = 0;
  const std::size_t lines = (bytes + line - 1) / line;
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(line, lines * line)));
  if (memory_ == nullptr) throw std::bad_alloc();
  bytes_ = lines * line;
  return memory_.get();
}

std::unique_ptr<Step> onednn_step(const std::function<std::unique_ptr<Step>()>& make) {
  if (!platform::has_address_space(onednn_bytes)) throw std::bad_alloc();
  try {
    return make();
  } catch (const dnnl::error& error) {  // it has no code for this one
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    return nullptr;
  }
}

void with_onednn(const char* what, const std::function<void()>& work) {
  try {
    work();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw InternalError(std::string("oneDNN refused ") + what);
  }
}

}  // namespace overtake::backend::cpu
