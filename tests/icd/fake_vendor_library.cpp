// SPDX-License-Identifier: MIT
// A libnvrtc.so.N or libcublasLt.so.N of version OVERTAKE_MAJOR: it can be opened and asked for its version, and does
// no work. The functions that are not here are in fake_vendor_rest.cpp. Found by OVERTAKE_LIBRARY_PATH or
// LD_LIBRARY_PATH.
#include "backend/cuda/vendor/cublaslt.hpp"
#include "backend/cuda/vendor/nvrtc.hpp"

namespace overtake::backend::cuda {

extern "C" {

#ifdef OVERTAKE_NVRTC
nvrtcResult nvrtcVersion(int* major, int* minor) {
  *major = OVERTAKE_MAJOR;
  *minor = 0;
  return NVRTC_SUCCESS;
}

const char* nvrtcGetErrorString(nvrtcResult) { return "as the test asked"; }

nvrtcResult nvrtcGetNumSupportedArchs(int* count) {
  *count = 1;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetSupportedArchs(int* architectures) {
  *architectures = 90;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetCUBINSize(nvrtcProgram, std::size_t* bytes) {
  *bytes = 1;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetCUBIN(nvrtcProgram, char* code) {
  *code = 'x';  // the driver of a test runs anything
  return NVRTC_SUCCESS;
}
#else
std::size_t cublasLtGetVersion() { return OVERTAKE_MAJOR * std::size_t{10000}; }

const char* cublasLtGetStatusString(cublasStatus_t) { return "as the test asked"; }
#endif
}

}  // namespace overtake::backend::cuda
