// SPDX-License-Identifier: MIT
// What is known of errors: every code of the vendors' headers, the texts people paste, and texts that mean nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "doctor/explain/tables.hpp"
#include "overtake/doctor.hpp"

namespace overtake {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<std::string> errors_in(std::string_view text) {
  std::vector<std::string> errors;
  for (const Explanation& each : explain(text)) errors.push_back(each.error);
  return errors;
}

using Names = std::vector<std::pair<std::string, int>>;

/// Names that begin with one of `prefixes`, with the number behind them, of a header's lines "NAME = 1," and
/// "#define NAME -1".
Names names_in(const std::string& path, const std::vector<std::string>& prefixes) {
  Names names;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "#define") words >> name;
    std::string next;
    words >> next;
    if (next == "=") words >> next;
    const bool is_number = !next.empty() && (std::isdigit(next[0]) != 0 ||
                                             (next.size() > 1 && next[0] == '-' && std::isdigit(next[1]) != 0));
    const bool wanted =
        std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& p) { return name.starts_with(p); });
    if (is_number && wanted) names.emplace_back(name, std::stoi(next));
  }
  return names;
}

/// Each is known by its name, by its number behind the vendor's word, and by both as messages have them.
void all_are_known(const Names& names, const std::string& vendor) {
  for (const auto& [name, number] : names) {
    EXPECT_THAT(errors_in(name), Contains(HasSubstr(name))) << name;
    EXPECT_THAT(errors_in(vendor + " error " + std::to_string(number)), Contains(HasSubstr(name))) << number;
    EXPECT_THAT(errors_in("it failed: " + name + " (" + std::to_string(number) + ")"), Contains(HasSubstr(name)));
  }
}

TEST(Explain, KnowsEveryResultOfTheCudaDriver) {
#ifdef OVERTAKE_CUDA_HEADERS
  const Names names = names_in(OVERTAKE_CUDA_HEADERS "/cuda.h", {"CUDA_ERROR_", "CUDA_SUCCESS"});
  EXPECT_GE(names.size(), 90U);
  all_are_known(names, "CUDA");
#else
  GTEST_SKIP() << "no CUDA toolkit is here";
#endif
}

TEST(Explain, KnowsEveryErrorOfTheCudaRuntime) {
#ifdef OVERTAKE_CUDA_HEADERS
  Names names = names_in(OVERTAKE_CUDA_HEADERS "/driver_types.h", {"cudaError", "cudaSuccess"});
  std::erase_if(names, [](const auto& name) { return name.first == "cudaErrorApiFailureBase"; });
  EXPECT_GE(names.size(), 120U);
  all_are_known(names, "CUDA");
#else
  GTEST_SKIP() << "no CUDA toolkit is here";
#endif
}

TEST(Explain, KnowsEveryResultOfNvrtcAndCublas) {
#ifdef OVERTAKE_CUDA_HEADERS
  const Names nvrtc = names_in(OVERTAKE_CUDA_HEADERS "/nvrtc.h", {"NVRTC_"});
  const Names cublas = names_in(OVERTAKE_CUDA_HEADERS "/cublas_api.h", {"CUBLAS_STATUS_"});
  EXPECT_GE(nvrtc.size(), 12U);
  EXPECT_GE(cublas.size(), 10U);
  all_are_known(nvrtc, "NVRTC");
  all_are_known(cublas, "cuBLAS");
#else
  GTEST_SKIP() << "no CUDA toolkit is here";
#endif
}

TEST(Explain, KnowsEveryStatusOfCudnn) {
#ifdef OVERTAKE_CUDA_HEADERS
  const Names names = names_in(OVERTAKE_CUDA_HEADERS "/cudnn_graph.h", {"CUDNN_STATUS_"});
  if (names.empty()) GTEST_SKIP() << "no cuDNN is here";
  EXPECT_GE(names.size(), 40U);
  all_are_known(names, "cuDNN");
#else
  GTEST_SKIP() << "no CUDA toolkit is here";
#endif
}

TEST(Explain, KnowsEveryErrorOfOpenCl) {
#ifdef OVERTAKE_CL_HEADERS
  Names names;
  for (const char* file : {"cl.h", "cl_ext.h", "cl_gl.h", "cl_egl.h", "cl_icd.h"}) {
    for (const auto& name : names_in(std::string(OVERTAKE_CL_HEADERS "/CL/") + file, {"CL_"})) names.push_back(name);
  }
  // States of a build and the end of a list; numbers without a sign are no errors.
  std::erase_if(names, [](const auto& name) {
    return name.second >= 0 || name.first.starts_with("CL_BUILD_NONE") || name.first == "CL_BUILD_ERROR" ||
           name.first == "CL_BUILD_IN_PROGRESS" || name.first.find("_LIST_END") != std::string::npos;
  });
  EXPECT_GE(names.size(), 60U);
  all_are_known(names, "OpenCL");
  for (const auto& [name, number] : names) {
    EXPECT_THAT(errors_in(std::to_string(number)), Contains(HasSubstr(name))) << "the number alone";
    EXPECT_THAT(errors_in("error code " + std::to_string(number)), Contains(HasSubstr(name)));
  }
#else
  GTEST_SKIP() << "no OpenCL headers are here";
#endif
}

/// A text that people paste, and a word of what the first explanation must name.
struct Paste {
  const char* text;
  const char* error;
  const char* finding;  ///< that it must point to; empty: any
};

TEST(Explain, KnowsTheTextsThatPeoplePaste) {
  const std::vector<Paste> pastes = {
      {"no kernel image is available for execution on the device", "CUDA_ERROR_NO_BINARY_FOR_GPU", "device-old"},
      {"CUDA driver version is insufficient for CUDA runtime version", "cudaErrorInsufficientDriver", "driver-too-old"},
      {"CUDA unknown error - this may be due to an incorrectly set up environment, e.g. changing env variable "
       "CUDA_VISIBLE_DEVICES after program start. Setting the available devices to be zero.",
       "CUDA unknown error", "missing-device-node"},
      {"CUDA unknown error ... changing env variable CUDA_VISIBLE_DEVICES", "CUDA unknown error",
       "missing-device-node"},
      {"Could not load dynamic library 'libcudnn.so.8'; dlerror: libcudnn.so.8: cannot open shared object file",
       "libcudnn", "library-copies"},
      {"Loaded runtime CuDNN library: 8.0.5 but source was compiled with: 8.1.0.", "cuDNN is another version",
       "library-copies"},
      {"loaded runtime CuDNN x but compiled with y", "cuDNN is another version", "library-copies"},
      {"XGBoost version not compiled with GPU support.", "no code for GPUs", ""},
      {"No visible GPU is found, setting device to CPU.", "no GPU is visible", "hidden-devices"},
      {"CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 8.00 GiB total capacity)", "CUDA_ERROR_OUT_OF_MEMORY",
       "no-device-memory"},
      {"operation not permitted when stream is capturing", "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", ""},
      {"CUDA error: device-side assert triggered", "CUDA_ERROR_ASSERT", ""},
      {"an illegal memory access was encountered", "CUDA_ERROR_ILLEGAL_ADDRESS", ""},
      {"LogicError: clGetPlatformIDs failed: PLATFORM_NOT_FOUND_KHR", "CL_PLATFORM_NOT_FOUND_KHR", "no-opencl-icd"},
      {"clGetPlatformIDs failed -1001", "CL_PLATFORM_NOT_FOUND_KHR", "icd-missing-file"},
      {"error: use of type 'double' requires cl_khr_fp64 support", "cl_khr_fp64", "no-fp64"},
      {"double requires cl_khr_fp64", "cl_khr_fp64", "no-fp64"},
      {"HIP error: invalid device function", "hipErrorInvalidDeviceFunction", ""},
      {"hipErrorNoBinaryForGpu: Unable to find code object for all current devices!", "hipErrorNoBinaryForGpu", ""},
      {"sqlite3.OperationalError: database is locked", "database is locked", ""},
      {"ImportError: libcudart.so.12: cannot open shared object file: No such file or directory", "library of CUDA",
       ""},
      {"ImportError: libcublas.so.12: cannot open shared object file", "library of CUDA", ""},
      {"ImportError: libcudnn.so.9: cannot open shared object file", "libcudnn", ""},
      {"ImportError: libOpenCL.so.1: cannot open shared object file", "libOpenCL.so.1", "no-opencl-loader"},
      {"UnknownError: Failed to get convolution algorithm. This is probably because cuDNN failed to initialize",
       "CUDNN_STATUS_NOT_INITIALIZED", "no-device-memory"},
      {"Could not find cuda drivers on your machine, GPU will not be used.", "libcuda.so.1 is missing", "no-driver"},
      {"ResourceExhaustedError: OOM when allocating tensor with shape[256,64]", "CUDA_ERROR_OUT_OF_MEMORY",
       "no-device-memory"},
      {"InternalError: Blas GEMM launch failed : a.shape=(100, 784)", "cuBLAS", "no-device-memory"},
      {"cuda runtime error (30) : unknown error at THCGeneral.cpp:50", "CUDA_ERROR_UNKNOWN", "missing-device-node"},
      {"out of memory", "CUDA_ERROR_OUT_OF_MEMORY", ""},
      {"RuntimeError: HIP out of memory", "hipErrorOutOfMemory", ""},
      {"Out of memory: Killed process 4711 (python)", "memory of the computer", ""},
      {"libcuda.so: cannot open shared object file", "libcuda.so.1 is missing", "no-driver"},
      {"Xid 79", "Xid 79", ""},
      {"Xid 31", "an Xid", ""},
      {"NVRM: Xid (PCI:0000:01:00): 79, pid=1234, GPU has fallen off the bus.", "Xid 79", ""},
      {"NVRM: Xid (PCI:0000:01:00): 31, pid=79, Ch 00000008", "an Xid", ""},
      {"nvcc fatal   : Unsupported gpu architecture 'compute_52'", "nvcc", "device-old"},
      {"OMP: Error #15: Initializing libiomp5.so, but found libiomp5.so already initialized.", "OpenMP", ""},
      {"error: the computer's memory is exhausted", "memory of the computer", ""},
      {"error: opencl:9: there is no such device", "no device has this number", "hidden-devices"},
      {"opencl: the limit of memory (ulimit -v) leaves less than 1 GiB for drivers", "limits", "tight-limits"},
      {"joblib: A worker stopped while some jobs were given to the executor.", "worker", ""},
  };
  for (const Paste& paste : pastes) {
    const std::vector<Explanation> found = explain(paste.text);
    ASSERT_FALSE(found.empty()) << paste.text;
    EXPECT_THAT(found.front().error, HasSubstr(paste.error)) << paste.text;
    EXPECT_FALSE(found.front().meaning.empty() || found.front().causes.empty() || found.front().first_check.empty());
    if (*paste.finding == '\0') continue;
    EXPECT_THAT(found.front().findings, Contains(paste.finding)) << paste.text;
  }
}

TEST(Explain, FindsThemInTracebacks) {
  const std::string traceback =
      "Traceback (most recent call last):\n"
      "  File \"/home/me/train.py\", line 209, in <module>\n"
      "    model.fit(x, y, batch_size=999)\n"
      "  File \"site-packages/thing/nn.py\", line 35, in forward\n"
      "RuntimeError: CUDA   error: No Kernel\n"
      "    image is   available for execution on the device\n"
      "CUDA kernel errors might be asynchronously reported at some other API call.\n";
  EXPECT_THAT(errors_in(traceback), testing::ElementsAre(HasSubstr("CUDA_ERROR_NO_BINARY_FOR_GPU")))
      << "line numbers and sizes are no errors";
}

TEST(Explain, NamesAndNumbersInMessages) {
  EXPECT_THAT(errors_in("CUDA error 209"), testing::ElementsAre(HasSubstr("CUDA_ERROR_NO_BINARY_FOR_GPU")));
  EXPECT_THAT(errors_in("code=209(cudaErrorNoKernelImageForDevice)"), SizeIs(1));
  EXPECT_THAT(errors_in("cl_out_of_resources"), testing::ElementsAre("CL_OUT_OF_RESOURCES (-5)"));
  EXPECT_THAT(errors_in("clEnqueueNDRangeKernel failed with error -5"),
              testing::ElementsAre("CL_OUT_OF_RESOURCES (-5)"));
  EXPECT_THAT(errors_in("pyopencl: clBuildProgram failed: BUILD_PROGRAM_FAILURE"),
              testing::ElementsAre(HasSubstr("CL_BUILD_PROGRAM_FAILURE")));
  EXPECT_THAT(errors_in("cudaGetDeviceCount() returned 35"),
              testing::ElementsAre(HasSubstr("cudaErrorInsufficientDriver")));
  EXPECT_THAT(errors_in("cuInit failed: 999"), testing::ElementsAre(HasSubstr("CUDA_ERROR_UNKNOWN")));
  EXPECT_THAT(errors_in("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"),
              testing::ElementsAre(HasSubstr("CUDNN_STATUS_NOT_INITIALIZED")));
  EXPECT_THAT(errors_in("cuDNN status 8"), testing::ElementsAre(HasSubstr("CUDNN_STATUS_EXECUTION_FAILED")));
}

TEST(Explain, ABareNumberHasAllItsMeanings) {
  const std::vector<std::string> meanings = errors_in("3");
  for (const char* name : {"CUDA_ERROR_NOT_INITIALIZED", "CUDNN_STATUS_BAD_PARAM", "CUBLAS_STATUS_ALLOC_FAILED",
                           "NVRTC_ERROR_INVALID_INPUT", "hipErrorNotInitialized"}) {
    EXPECT_THAT(meanings, Contains(HasSubstr(name)));
  }
}

TEST(Explain, ANumberIsOfTheLibraryThatTheTextNames) {
  EXPECT_THAT(errors_in("Check failed: error == cudaSuccess (2 vs. 0)  out of memory"),
              testing::ElementsAre(HasSubstr("CUDA_ERROR_OUT_OF_MEMORY")));
  EXPECT_THAT(errors_in("Check failed: status == CUBLAS_STATUS_SUCCESS (14 vs. 0)  CUBLAS_STATUS_INTERNAL_ERROR"),
              testing::ElementsAre(HasSubstr("CUBLAS_STATUS_INTERNAL_ERROR")));
  EXPECT_THAT(errors_in("cuda runtime error (30) : unknown error"), Contains(HasSubstr("CUDA_ERROR_UNKNOWN")));
  EXPECT_THAT(errors_in("cudaSuccess"), testing::ElementsAre(HasSubstr("CUDA_SUCCESS")));
  EXPECT_THAT(errors_in("error code 2"), Contains(HasSubstr("CUDA_ERROR_OUT_OF_MEMORY")));
  for (const char* text :
       {"NCCL error 2", "make: *** [all] Error 2", "train error 2", "HTTP Error 500", "cusolver error 7",
        "nvmlInit failed with error code 9", "error -4 VK_ERROR_DEVICE_LOST", "ValueError: 0 classes",
        "CUDA: NCCL error 2", "Check failed: status == cudaSuccess", "exit status 2", "rows == 3 (2 vs. 3)"}) {
    EXPECT_THAT(errors_in(text), IsEmpty()) << text;
  }
}

TEST(Explain, KnowsTheDoctorsOwnFindings) {
  for (const char* text : {"no-driver", " No-Driver\n", "error no-driver, cuda", "see the finding no-driver"}) {
    const std::vector<Explanation> found = explain(text);
    ASSERT_THAT(found, SizeIs(1)) << text;
    EXPECT_EQ(found[0].error, "no-driver");
    EXPECT_THAT(found[0].meaning, HasSubstr("libcuda.so.1, cannot be opened"));
    EXPECT_THAT(found[0].first_check, HasSubstr("install the driver"));
  }
  EXPECT_THAT(errors_in("wsl"), testing::ElementsAre("wsl"));
  EXPECT_THAT(errors_in("fp32"), IsEmpty()) << "a row of another table of the page";
}

TEST(Explain, WhatMeansNothingIsEmpty) {
  for (const char* text :
       {"", " \n", "it does not work", "exit code 1", "line 209", "209 rows", "123456", "-99999999999999999999",
        "The CUDA program ended with exit code 1", "CUDA runs with 4 cards", "no such thing (7)",
        "KeyError: 'species' was raised by a function that was called from another one, error 5"}) {
    EXPECT_THAT(errors_in(text), IsEmpty()) << text;
  }
}

TEST(Explain, TablesAreWhole) {
  const doctor::ErrorTables& tables = doctor::error_tables();
  std::set<const doctor::Advice*> used;
  std::set<std::string> names;
  for (const doctor::Vendor& vendor : tables.vendors) {
    EXPECT_FALSE(vendor.codes.empty()) << vendor.name;
    for (const doctor::ErrorCode& code : vendor.codes) {
      used.insert(code.advice);
      EXPECT_EQ(code.meaning.back(), '.') << code.meaning;
      for (const std::string_view name : code.names) EXPECT_TRUE(names.insert(doctor::lower(name)).second) << name;
    }
  }
  for (const doctor::Phrase& phrase : tables.phrases) {
    used.insert(phrase.code != nullptr ? phrase.code->advice : phrase.advice);
    std::string text;
    for (const std::string_view part : phrase.parts) {
      EXPECT_EQ(doctor::lower(part), part);
      text.append(part).append(" x ");
    }
    EXPECT_THAT(errors_in(text), Not(IsEmpty())) << text;
  }
  EXPECT_EQ(used.size(), tables.advice.size()) << "advice that no table names";
  for (const doctor::Advice& advice : tables.advice)
    EXPECT_FALSE(advice.causes.empty() || advice.check.empty()) << advice.id;
}

TEST(Explain, PointsToFindingsThatAreDocumented) {
  std::ifstream file(OVERTAKE_TEST_DATA "/../docs/doctor.md");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(text.empty());
  for (const doctor::Advice& advice : doctor::error_tables().advice) {
    for (const std::string_view id : advice.findings) {
      EXPECT_THAT(text, HasSubstr("\n| `" + std::string(id) + "` |")) << advice.id;
    }
  }
}

}  // namespace
}  // namespace overtake
