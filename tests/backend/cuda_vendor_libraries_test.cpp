// SPDX-License-Identifier: MIT
// Where NVRTC, cuBLASLt and cuDNN are looked for, with folders made up. Needs neither.
#include "backend/cuda/driver/vendor_libraries.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace overtake::backend::cuda {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

class CudaVendorLibraries : public ::testing::Test {
 protected:
  CudaVendorLibraries() {
    std::string name = (fs::temp_directory_path() / "overtake-vendor-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~CudaVendorLibraries() override { fs::remove_all(root_); }

  /// An empty file under the root; its path.
  [[nodiscard]] std::string make(const std::string& relative) const {
    const fs::path path = root_ / relative;
    fs::create_directories(path.parent_path());
    std::ofstream(path).put(' ');
    return path.string();
  }

  fs::path root_;
};

TEST_F(CudaVendorLibraries, TheDriversVersionLimitsTheLibrary) {
  EXPECT_THAT(vendor_library_candidates("libnvrtc", 13020, {}), ElementsAre("libnvrtc.so.13", "libnvrtc.so.12"));
  EXPECT_THAT(vendor_library_candidates("libnvrtc", 12040, {}), ElementsAre("libnvrtc.so.12"));
  EXPECT_THAT(vendor_library_candidates("libnvrtc", 11080, {}), ElementsAre());
  EXPECT_THAT(vendor_library_candidates("libnvrtc", 14000, {}), ElementsAre("libnvrtc.so.13", "libnvrtc.so.12"));
}

TEST_F(CudaVendorLibraries, CudnnHasAVersionOfItsOwn) {
  const std::string wheel = make("env/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9");
  const std::string older = make("env/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.8");
  for (const int driver : {12040, 13000}) {
    EXPECT_THAT(vendor_library_candidates("libcudnn", driver, {{}, {}, {root_ / "env"}}),
                ElementsAre("libcudnn.so.9", wheel))
        << "beside " << older;
  }
}

TEST_F(CudaVendorLibraries, NamedFoldersComeFirstThenTheLoaderThenWhatIsThere) {
  const std::string toolkit = make("toolkit/lib64/libnvrtc.so.13");
  const std::string wheel = make("env/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13");
  const VendorPlaces places{{root_ / "named"}, {root_ / "absent", root_ / "toolkit"}, {root_ / "env"}};
  EXPECT_THAT(vendor_library_candidates("libnvrtc", 13000, places),
              ElementsAre((root_ / "named/libnvrtc.so.13").string(), (root_ / "named/libnvrtc.so.12").string(),
                          "libnvrtc.so.13", "libnvrtc.so.12", toolkit, wheel));
}

TEST_F(CudaVendorLibraries, WheelsOfEitherGenerationAreFoundInEveryKindOfEnvironment) {
  const std::string nvrtc12 = make("venv/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12");
  const std::string blas12 = make("venv/lib/python3.11/site-packages/nvidia/cublas/lib/libcublasLt.so.12");
  const std::string blas13 = make("debian/lib/python3/dist-packages/nvidia/cu13/lib/libcublasLt.so.13");
  const std::string fedora = make("fedora/lib64/python3.13/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12");
  const std::string conda = make("conda/lib/libnvrtc.so.12");
  const VendorPlaces places{{}, {}, {root_ / "venv", root_ / "debian", root_ / "fedora", root_ / "conda"}};
  EXPECT_THAT(vendor_library_candidates("libnvrtc", 13000, places),
              ElementsAre("libnvrtc.so.13", "libnvrtc.so.12", nvrtc12, fedora, conda));
  EXPECT_THAT(vendor_library_candidates("libcublasLt", 13000, places),
              ElementsAre("libcublasLt.so.13", "libcublasLt.so.12", blas12, blas13));
  EXPECT_THAT(vendor_library_candidates("libcublasLt", 12080, places), Not(Contains(blas13)))
      << "a library newer than the driver";
}

TEST_F(CudaVendorLibraries, OtherFoldersOfAnEnvironmentAreLeftAlone) {
  (void)make("env/lib/python2.7/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12");
  (void)make("env/lib/deep/python3.11/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12");
  (void)make("env/lib/python3.11/site-packages/other/lib/libnvrtc.so.12");
  EXPECT_THAT(vendor_library_candidates("libnvrtc", 12000, {{}, {}, {root_ / "env", root_ / "absent"}}),
              ElementsAre("libnvrtc.so.12"));
}

TEST_F(CudaVendorLibraries, FilesThatAreThereComeWithTheirReason) {
  const std::string named = make("named/libmade-up.so.13");
  const std::string wheel = make("env/lib/python3.11/site-packages/nvidia/cublas/lib/libmade-up.so.12");
  const VendorPlaces places{{root_ / "named"}, {}, {root_ / "env"}};
  const auto files = vendor_library_files("libmade-up", 13000, places);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].path, named);
  EXPECT_EQ(files[0].reason, "OVERTAKE_LIBRARY_PATH");
  EXPECT_EQ(files[1].path, wheel);
  EXPECT_EQ(files[1].reason, "the Python environment " + (root_ / "env").string());
}

TEST_F(CudaVendorLibraries, MisfitsAreOfAnotherMajorVersion) {
  const std::string old = make("named/libnvrtc.so.11.2");
  const std::string newer = make("env/lib/libnvrtc.so.14");
  (void)make("named/libnvrtc.so.12.4.127");
  (void)make("named/libnvrtc-builtins.so.11.2");
  const VendorPlaces places{{root_ / "named"}, {}, {root_ / "env"}};
  EXPECT_THAT(vendor_library_misfits("libnvrtc", 13000, places), ElementsAre(newer, old));
  EXPECT_THAT(vendor_library_misfits("libcublasLt", 13000, places), ElementsAre());
}

TEST_F(CudaVendorLibraries, TheUsualPlacesNameEachOnce) {
  const VendorPlaces places = usual_vendor_places();
  EXPECT_THAT(places.toolkits, Contains("/usr/local/cuda"));
  for (const fs::path prefix : {"/usr", "/usr/local", "/opt/conda"}) {
    EXPECT_EQ(std::count(places.python_prefixes.begin(), places.python_prefixes.end(), prefix), 1) << prefix;
  }
}

TEST_F(CudaVendorLibraries, TheCureNamesThePackageOfTheDriversGeneration) {
  EXPECT_THAT(cure_for_missing_nvrtc(12020), ::testing::HasSubstr("pip install nvidia-cuda-nvrtc-cu12,"));
  EXPECT_THAT(cure_for_missing_nvrtc(13000), ::testing::HasSubstr("pip install nvidia-cuda-nvrtc,"));
}

}  // namespace
}  // namespace overtake::backend::cuda
