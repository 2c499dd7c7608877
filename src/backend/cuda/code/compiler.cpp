// SPDX-License-Identifier: MIT
#include "backend/cuda/code/compiler.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "backend/cuda/driver/vendor_libraries.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

void check_nvrtc(const NvrtcApi& api, nvrtcResult result, std::string_view what) {
  if (result == NVRTC_SUCCESS) return;
  throw DeviceError(fmt::format("cuda: NVRTC: {} failed: {}", what, api.nvrtcGetErrorString(result)),
                    "Check that libnvrtc and libnvrtc-builtins come from one CUDA toolkit.");
}

/// The newest architecture of this compiler that the device can run; 0 when there is none.
[[nodiscard]] int best_architecture(const NvrtcApi& api, int device) {
  int count = 0;
  if (api.nvrtcGetNumSupportedArchs(&count) != NVRTC_SUCCESS || count <= 0) return 0;
  std::vector<int> known(static_cast<std::size_t>(count));
  if (api.nvrtcGetSupportedArchs(known.data()) != NVRTC_SUCCESS) return 0;
  int best = 0;
  for (const int architecture : known) {
    if (architecture <= device) best = std::max(best, architecture);
  }
  return best;
}

}  // namespace

std::unique_ptr<Compiler> Compiler::open(const std::vector<std::string>& candidates, int architecture,
                                         std::string& why) {
  Library library(candidates);
  if (!library.loaded()) {
    why = library.reasons();
    return nullptr;
  }
  std::unique_ptr<Compiler> compiler(std::make_unique<Compiler>(Compiler()));
  const char* missing = nullptr;
#define OVERTAKE_NVRTC_FIND(result, name, parameters)           \
  compiler->api_.name = library.find<result parameters>(#name); \
  if (compiler->api_.name == nullptr) missing = #name;
  OVERTAKE_NVRTC_FUNCTIONS(OVERTAKE_NVRTC_FIND)
#undef OVERTAKE_NVRTC_FIND
  if (missing != nullptr) {
    why = fmt::format("{} lacks {}", library.name(), missing);
    return nullptr;
  }
  const int best = best_architecture(compiler->api_, architecture);
  if (best == 0) {
    why = fmt::format("{} has no code generator for compute capability {}.{}", library.name(), architecture / 10,
                      architecture % 10);
    return nullptr;
  }
  // A device newer than the compiler gets the newest portable code; the driver translates it.
  compiler->makes_ptx_ = best != architecture;
  compiler->options_ = {fmt::format("--gpu-architecture={}_{}", compiler->makes_ptx_ ? "compute" : "sm", best),
                        "--fmad=false", "--std=c++17"};
  int major = 0;
  int minor = 0;
  compiler->api_.nvrtcVersion(&major, &minor);
  compiler->version_ = fmt::format("NVRTC {}.{} ({})", major, minor, library.name());
  keep_open(std::move(library));
  return compiler;
}

std::string Compiler::options_text() const { return fmt::format("{}", fmt::join(options_, " ")); }

std::string Compiler::log_of(nvrtcProgram program) const {
  std::size_t size = 0;
  if (api_.nvrtcGetProgramLogSize(program, &size) != NVRTC_SUCCESS || size <= 1) return {};
  std::string log(size, '\0');
  if (api_.nvrtcGetProgramLog(program, log.data()) != NVRTC_SUCCESS) return {};
  log.resize(size - 1);  // the terminating zero
  return log;
}

std::string Compiler::compile(const std::string& source, std::span<const std::string> defines) const {
  nvrtcProgram program = nullptr;
  check_nvrtc(api_, api_.nvrtcCreateProgram(&program, source.c_str(), "overtake.cu", 0, nullptr, nullptr),
              "nvrtcCreateProgram");
  struct Owner {
    const NvrtcApi& api;
    nvrtcProgram program;
    ~Owner() { static_cast<void>(api.nvrtcDestroyProgram(&program)); }
  } const owner{api_, program};

  std::vector<std::string> options = options_;
  for (const std::string& define : defines) options.push_back("--define-macro=" + define);
  std::vector<const char*> raw;
  raw.reserve(options.size());
  for (const std::string& option : options) raw.push_back(option.c_str());
  const nvrtcResult result = api_.nvrtcCompileProgram(program, static_cast<int>(raw.size()), raw.data());
  if (result == NVRTC_ERROR_COMPILATION) {
    throw UsageError(fmt::format("the kernel source does not compile:\n{}", log_of(program)),
                     "Line numbers count from the first line of the source after the dialect's prelude.");
  }
  if (result != NVRTC_SUCCESS) {
    throw DeviceError(
        fmt::format("cuda: NVRTC: compilation failed: {}\n{}", api_.nvrtcGetErrorString(result), log_of(program)),
        "Check that libnvrtc and libnvrtc-builtins come from one CUDA toolkit.");
  }
  std::size_t size = 0;
  std::string binary;
  if (makes_ptx_) {
    check_nvrtc(api_, api_.nvrtcGetPTXSize(program, &size), "nvrtcGetPTXSize");
    binary.resize(size);
    check_nvrtc(api_, api_.nvrtcGetPTX(program, binary.data()), "nvrtcGetPTX");
  } else {
    check_nvrtc(api_, api_.nvrtcGetCUBINSize(program, &size), "nvrtcGetCUBINSize");
    binary.resize(size);
    check_nvrtc(api_, api_.nvrtcGetCUBIN(program, binary.data()), "nvrtcGetCUBIN");
  }
  if (binary.empty()) throw DeviceError("cuda: NVRTC made an empty binary", "Use another version of NVRTC.");
  return binary;
}

}  // namespace overtake::backend::cuda
