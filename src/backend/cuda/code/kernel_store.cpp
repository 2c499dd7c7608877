// SPDX-License-Identifier: MIT
#include "backend/cuda/code/kernel_store.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <set>
#include <system_error>
#include <thread>

#include "backend/cuda/code/precompiled.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "core/threads.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

/// `#line 1` makes the compiler's messages count from the user's first line.
std::string with_prelude(std::string_view source) {
  return fmt::format("{}\n#line 1\n{}", overtake::embedded::prelude_cuda, source);
}

}  // namespace

void run_parallel(std::size_t count, const std::function<void(std::size_t)>& job) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t workers = std::min(count, cores);
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::size_t index = next++; index < count; index = next++) {
      try {
        job(index);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  {
    ThreadGroup threads;
    try {
      for (std::size_t worker = 1; worker < workers; ++worker) threads.start(work);
    } catch (const std::system_error&) {
      // The system gives no more threads: those that are there do the work.
    }
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

KernelStore::KernelStore(const DriverApi& api, const Compiler* compiler, ProgramCache& cache, Device device)
    : api_(api), compiler_(compiler), cache_(cache), device_(std::move(device)) {}

bool KernelStore::has_precompiled() const { return cuda::has_precompiled(device_.cuda_version); }

ProgramKey KernelStore::key_of(const std::string& source, std::span<const std::string> defines) const {
  return {source, fmt::format("{} {}", compiler_->options_text(), fmt::join(defines, " ")), device_.name,
          device_.driver, compiler_->version()};
}

ModuleHandle KernelStore::load(const std::string& binary, std::string_view what) const {
  CUmodule module = nullptr;
  check(api_, api_.cuModuleLoadDataEx(&module, binary.data(), 0, nullptr, nullptr), fmt::format("loading {}", what));
  return {module, api_.cuModuleUnload};
}

CUfunction KernelStore::find(const ModuleHandle& module, const std::string& entry) const {
  CUfunction function = nullptr;
  const CUresult code = api_.cuModuleGetFunction(&function, module.get(), entry.c_str());
  if (code == CUDA_ERROR_NOT_FOUND) return nullptr;
  check(api_, code, fmt::format("looking up kernel {}", entry));
  return function;
}

std::vector<CUfunction> KernelStore::functions(std::span<const LoweredKernel* const> kernels) {
  const std::lock_guard lock(mutex_);
  std::vector<const LoweredKernel*> missing;
  std::set<std::string_view> asked;
  for (const LoweredKernel* kernel : kernels) {
    if (functions_.count(kernel->entry) != 0) continue;
    if (kernel->source.empty()) {
      find_precompiled(kernel->entry);
    } else if (asked.insert(kernel->entry).second) {
      missing.push_back(kernel);
    }
  }
  if (!missing.empty()) compile_missing(missing);
  std::vector<CUfunction> found;
  found.reserve(kernels.size());
  for (const LoweredKernel* kernel : kernels) found.push_back(functions_.at(kernel->entry));
  return found;
}

void KernelStore::find_precompiled(const std::string& entry) {
  if (!precompiled_module_) {
    const std::string code = precompiled_program("interpreted", device_.cuda_version, device_.architecture);
    if (code.empty()) throw InternalError(fmt::format("this build has no precompiled kernel {}", entry));
    precompiled_module_ = load(code, "the precompiled kernels");
  }
  CUfunction function = find(precompiled_module_, entry);
  if (function == nullptr) throw InternalError(fmt::format("kernel {} is not among the precompiled ones", entry));
  functions_.emplace(entry, function);
}

void KernelStore::compile_missing(const std::vector<const LoweredKernel*>& missing) {
  if (compiler_ == nullptr) {
    throw InternalError(fmt::format("kernel {} was lowered for a compiler that is not there", missing[0]->entry));
  }
  std::vector<std::string> binaries(missing.size());
  std::atomic<int> compiled{0};
  run_parallel(missing.size(), [&](std::size_t index) {
    const std::string source = with_prelude(missing[index]->source);
    const ProgramKey key = key_of(source, {});
    if (auto stored = cache_.load(key)) {
      binaries[index] = std::move(*stored);
      return;
    }
    try {
      binaries[index] = compiler_->compile(source);
    } catch (const UsageError& error) {
      // Generated source is ours: that it does not compile is no mistake of the user.
      throw InternalError(fmt::format("generated kernel {}: {}", missing[index]->entry, error.what()));
    }
    cache_.store(key, binaries[index]);
    ++compiled;
  });
  compiled_ += compiled;
  for (std::size_t index = 0; index < missing.size(); ++index) {
    const std::string& entry = missing[index]->entry;
    ModuleHandle module = load(binaries[index], fmt::format("kernel {}", entry));
    CUfunction function = find(module, entry);
    if (function == nullptr) throw InternalError(fmt::format("kernel {} is not in its own program", entry));
    functions_.emplace(entry, function);
    modules_.push_back(std::move(module));
  }
}

ModuleHandle KernelStore::build(const ProgramSource& program) {
  if (compiler_ == nullptr) {
    throw DeviceError(
        "cuda: no run-time compiler (NVRTC) was found, so kernels given as source cannot be built",
        "Install libnvrtc of the driver's CUDA version, which pip's nvidia-cuda-nvrtc packages bring too, or name its "
        "folder in OVERTAKE_LIBRARY_PATH.");
  }
  const std::string complete = with_prelude(program.source);
  const ProgramKey key = key_of(complete, program.defines);
  if (auto stored = cache_.load(key)) return load(*stored, "a cached program");
  const std::string binary = compiler_->compile(complete, program.defines);
  cache_.store(key, binary);
  return load(binary, "a compiled program");
}

}  // namespace overtake::backend::cuda
