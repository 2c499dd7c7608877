// SPDX-License-Identifier: MIT
// What users are told when CUDA cannot be used, with drivers and machines made up. Needs no GPU.
#include "backend/cuda/driver/discovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "backend/cuda/backend.hpp"
#include "backend/cuda/code/precompiled.hpp"
#include "backend/cuda/driver/rates.hpp"
#include "overtake/error.hpp"
#include "unit/data_support.hpp"

namespace overtake::backend::cuda {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// The driver that the fake functions below play.
struct FakeDriver {
  CUresult init = CUDA_SUCCESS;
  int version = 13000;
  int devices = 1;
  int major = 9, minor = 0;
  std::set<std::string> missing;
};
FakeDriver fake;

CUresult fake_init(unsigned) { return fake.init; }
CUresult fake_version(int* version) { return *version = fake.version, CUDA_SUCCESS; }
CUresult fake_count(int* count) { return *count = fake.devices, CUDA_SUCCESS; }
CUresult fake_get(CUdevice* device, int index) { return *device = index, CUDA_SUCCESS; }
CUresult fake_name(char* name, int length, CUdevice) {
  std::strncpy(name, "NVIDIA H200", static_cast<std::size_t>(length));
  return CUDA_SUCCESS;
}
CUresult fake_memory(std::size_t* bytes, CUdevice) { return *bytes = 150'000'000'000ULL, CUDA_SUCCESS; }
CUresult fake_attribute(int* value, CUdevice_attribute name, CUdevice) {
  const std::map<CUdevice_attribute, int> values{{CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 132},
                                                 {CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 1'980'000},
                                                 {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, fake.major},
                                                 {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, fake.minor},
                                                 {CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 3'201'000},
                                                 {CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 6144}};
  const auto found = values.find(name);
  if (found == values.end()) return CUDA_ERROR_INVALID_VALUE;
  *value = found->second;
  return CUDA_SUCCESS;
}
CUresult fake_error_name(CUresult code, const char** name) {
  *name = code == CUDA_ERROR_NO_DEVICE ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_SOMETHING";
  return CUDA_SUCCESS;
}
CUresult never_called() { return CUDA_ERROR_NOT_SUPPORTED; }

void* lookup(const char* name) {
  if (fake.missing.count(name) != 0) return nullptr;
  static const std::map<std::string, void*> known{{"cuInit", reinterpret_cast<void*>(fake_init)},
                                                  {"cuDriverGetVersion", reinterpret_cast<void*>(fake_version)},
                                                  {"cuDeviceGetCount", reinterpret_cast<void*>(fake_count)},
                                                  {"cuDeviceGet", reinterpret_cast<void*>(fake_get)},
                                                  {"cuDeviceGetName", reinterpret_cast<void*>(fake_name)},
                                                  {"cuDeviceTotalMem_v2", reinterpret_cast<void*>(fake_memory)},
                                                  {"cuDeviceGetAttribute", reinterpret_cast<void*>(fake_attribute)},
                                                  {"cuGetErrorName", reinterpret_cast<void*>(fake_error_name)}};
  const auto found = known.find(name);
  return found != known.end() ? found->second : reinterpret_cast<void*>(never_called);
}

class CudaDiscovery : public ::testing::Test {
 protected:
  void SetUp() override { fake = FakeDriver{}; }
  static Trouble trouble_of(const HostFacts& host = {}) {
    return start_driver(lookup, host).trouble.value_or(Trouble{"no trouble", ""});
  }
  static HostFacts good_host() { return {true, true, true, true, true, false}; }
};

TEST_F(CudaDiscovery, DescribesAWorkingCard) {
  const DriverStart start = start_driver(lookup, good_host());
  ASSERT_FALSE(start.trouble);
  const auto all = describe_devices(start, "driver 1.2, CUDA 13.0");
  ASSERT_EQ(all.size(), 1U);
  const DeviceInfo& info = all[0];
  EXPECT_EQ(info.kind, DeviceKind::gpu);
  EXPECT_EQ(info.id, "cuda:0");
  EXPECT_EQ(info.name, "NVIDIA H200");
  EXPECT_EQ(info.driver, "driver 1.2, CUDA 13.0");
  EXPECT_EQ(info.compute_units, 132);
  EXPECT_TRUE(info.usable);
  EXPECT_NEAR(info.peak_gflops, 66'908, 1);  // 132 x 128 lanes x 2 x 1.98 GHz
  EXPECT_NEAR(info.peak_gbs, 4'917, 1);      // 3.201 GHz x 2 x 6144 bit
}

TEST_F(CudaDiscovery, OldCardIsListedButNotUsable) {
  fake.major = 6;
  fake.minor = 1;
  const auto all = describe_devices(start_driver(lookup, good_host()), "");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_FALSE(all[0].usable);
  EXPECT_THAT(all[0].reason, HasSubstr("6.1"));
  EXPECT_THAT(all[0].hint, HasSubstr("opencl"));
}

TEST_F(CudaDiscovery, OldDriverLacksAFunction) {
  fake.missing = {"cuGraphAddKernelNode_v2"};
  const Trouble trouble = trouble_of(good_host());
  EXPECT_THAT(trouble.reason, HasSubstr("cuGraphAddKernelNode_v2"));
  EXPECT_THAT(trouble.hint, HasSubstr("525"));
  EXPECT_EQ(trouble.finding, "driver-too-old");
}

TEST_F(CudaDiscovery, OldVersionIsAnOldDriver) {
  fake.version = 11040;
  EXPECT_EQ(trouble_of(good_host()).finding, "driver-too-old");
  EXPECT_THAT(trouble_of(good_host()).evidence, HasSubstr("11.4"));
  fake.version = 12000;
  EXPECT_FALSE(start_driver(lookup, good_host()).trouble);
}

TEST_F(CudaDiscovery, EitherNameOfElapsedTimeWillDo) {
  fake.missing = {"cuEventElapsedTime_v2"};
  EXPECT_NE(find_driver_functions(lookup).api.cuEventElapsedTime, nullptr);
  fake.missing = {"cuEventElapsedTime_v2", "cuEventElapsedTime"};
  EXPECT_EQ(find_driver_functions(lookup).api.cuEventElapsedTime, nullptr);
  EXPECT_TRUE(find_driver_functions(lookup).missing.empty());
}

TEST_F(CudaDiscovery, NoDeviceNamesContainerNodesOrVisibility) {
  fake.init = CUDA_ERROR_NO_DEVICE;
  HostFacts container;
  container.container = true;
  EXPECT_THAT(trouble_of(container).hint, HasSubstr("--gpus all"));
  EXPECT_THAT(trouble_of(HostFacts{}).hint, HasSubstr("nvidia-modprobe"));
  EXPECT_THAT(trouble_of(good_host()).hint, HasSubstr("CUDA_VISIBLE_DEVICES"));
  EXPECT_THAT(trouble_of(good_host()).reason, HasSubstr("error 100"));
  fake.init = CUDA_SUCCESS;
  fake.devices = 0;
  EXPECT_THAT(trouble_of(good_host()).hint, HasSubstr("CUDA_VISIBLE_DEVICES"));
}

TEST_F(CudaDiscovery, NoDeviceHasTheFindingOfItsCause) {
  fake.devices = 0;
  HostFacts host = good_host();
  EXPECT_EQ(trouble_of(host).finding, "no-device");
  host.device_node = false;
  EXPECT_EQ(trouble_of(host).finding, "missing-device-node");
  host.container = true;
  EXPECT_EQ(trouble_of(host).finding, "container-without-gpu");
  host.visible_devices = "";
  EXPECT_EQ(trouble_of(host).finding, "hidden-devices");
  EXPECT_EQ(trouble_of(host).evidence, "CUDA_VISIBLE_DEVICES is \"\"");
}

TEST(CudaHostFacts, AreReadFromTheSystemsFiles) {
  const test::TempFolder root;
  const auto put = [&root](const std::string& name, std::string_view content) {
    std::filesystem::create_directories((root / name).parent_path());
    (void)root.file(name, content);
  };
  EXPECT_FALSE(read_host_facts(root.path()).any_trace());
  put("sys/bus/pci/devices/0/vendor", "0x10de\n");
  put("sys/bus/pci/devices/0/class", "0x040300\n");  // the card's sound
  EXPECT_FALSE(read_host_facts(root.path()).card_on_bus);
  put("sys/bus/pci/devices/1/vendor", "0x10de\n");
  put("sys/bus/pci/devices/1/class", "0x030200\n");
  EXPECT_TRUE(read_host_facts(root.path()).card_on_bus);
  put("dev/nvidia3", "");
  put("run/.containerenv", "");
  const HostFacts facts = read_host_facts(root.path());
  EXPECT_TRUE(facts.device_node && facts.container && !facts.control_node && !facts.kernel_driver);
}

TEST(CudaRates, AreThoseOfTheWhitepapers) {
  DeviceInfo info;
  info.name = "NVIDIA H100 80GB HBM3";
  info.compute_units = 132;
  info.clock_mhz = 1830;  // of the tensor cores at full load: 989 TFLOP/s bf16, 495 tf32
  const auto rates = theoretical_rates(9, 0, info);
  ASSERT_EQ(rates.size(), 3U);
  EXPECT_EQ(rates[0].name, "tf32");
  EXPECT_NEAR(rates[0].peak_gflops, 494'700, 500);
  EXPECT_NEAR(rates[1].peak_gflops, 989'400, 1000);
  EXPECT_NEAR(rates[2].peak_gflops, 30'900, 100);
  info.name = "NVIDIA GeForce RTX 4090";
  info.compute_units = 128;
  info.clock_mhz = 2520;
  EXPECT_NEAR(theoretical_rates(8, 9, info)[1].peak_gflops, 165'200, 200);
  EXPECT_EQ(theoretical_rates(7, 5, info).size(), 1U);  // fp64 alone
}

TEST_F(CudaDiscovery, EveryInitCodeHasItsCure) {
  struct Case {
    int code;
    const char* hint;
    const char* finding;
  };
  for (const Case& each : {Case{803, "reboot", "driver-mismatch"}, Case{804, "cuda-compat", "cuda-compat"},
                           Case{802, "fabricmanager", "fabric-not-ready"}, Case{35, "525", "driver-too-old"},
                           Case{36, "525", "driver-too-old"}, Case{34, "stubs", "stub-driver"},
                           Case{46, "compute mode", "device-busy"}, Case{304, "permissions", "device-permissions"},
                           Case{2, "memory", "no-device-memory"}, Case{777, "nvidia-smi", "driver-fails"}}) {
    fake.init = static_cast<CUresult>(each.code);
    const Trouble trouble = trouble_of(good_host());
    EXPECT_THAT(trouble.hint, HasSubstr(each.hint)) << each.code;
    EXPECT_THAT(trouble.reason, HasSubstr(std::to_string(each.code)));
    EXPECT_EQ(trouble.finding, each.finding) << each.code;
    EXPECT_THAT(trouble.evidence, HasSubstr(std::to_string(each.code)));
  }
}

TEST_F(CudaDiscovery, UnknownErrorWithoutUvmNodeNamesTheModule) {
  fake.init = CUDA_ERROR_UNKNOWN;
  HostFacts host = good_host();
  host.uvm_node = false;
  EXPECT_THAT(trouble_of(host).hint, HasSubstr("modprobe nvidia_uvm"));
  EXPECT_THAT(trouble_of(good_host()).hint, HasSubstr("rmmod nvidia_uvm"));
}

TEST_F(CudaDiscovery, MissingLibraryTellsContainerDriverAndCardApart) {
  HostFacts host;
  EXPECT_THAT(explain_missing_driver(host, "no such file").reason,
              AllOf(HasSubstr("no such file"), HasSubstr("no NVIDIA card")));
  host.card_on_bus = true;
  EXPECT_THAT(explain_missing_driver(host, "").reason, HasSubstr("no driver is installed"));
  EXPECT_EQ(explain_missing_driver(host, "").finding, "no-driver");
  host.kernel_driver = true;
  EXPECT_THAT(explain_missing_driver(host, "").hint, HasSubstr("libcuda1"));
  host.container = true;
  EXPECT_THAT(explain_missing_driver(host, "").hint, HasSubstr("--gpus all"));
  EXPECT_EQ(explain_missing_driver(host, "").finding, "container-without-gpu");
}

TEST_F(CudaDiscovery, ALibraryThatIsThereAndCannotBeLoadedIsNamed) {
  for (const char* message :
       {"/opt/lib/libcuda.so.1: file too short", "/opt/lib/libcuda.so.1: invalid ELF header",
        "libcuda.so.1: libnvidia-x.so.5: cannot open shared object file: No such file or directory",
        "/opt/lib/libcuda.so.1: cannot open shared object file: Permission denied"}) {
    const Trouble trouble = explain_missing_driver({}, message);
    EXPECT_EQ(trouble.finding, "driver-unloadable") << message;
    EXPECT_EQ(trouble.evidence, message);
  }
  for (const char* message : {"libcuda.so.1: cannot open shared object file: Too many open files",
                              "libcuda.so.1: failed to map segment from shared object"}) {
    EXPECT_EQ(explain_missing_driver({}, message).finding, "tight-limits") << message;
  }
  EXPECT_EQ(explain_missing_driver({}, "libcuda.so.1: cannot open shared object file: No such file").finding,
            "no-driver");
}

TEST_F(CudaDiscovery, BackendWithoutDriverListsOneUnusableEntryAndRefusesToOpen) {
  CudaBackend backend(
      {[] { return Library({"libcuda-that-is-not-there.so.1"}); }, [] { return HostFacts{}; }, nullptr});
  const auto all = backend.list();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_FALSE(all[0].usable);
  EXPECT_EQ(all[0].id, "cuda:0");
  try {
    (void)backend.open(0);
    FAIL() << "opened a device without a driver";
  } catch (const DeviceError& error) {
    EXPECT_THAT(error.what(), HasSubstr("libcuda.so.1"));
    EXPECT_FALSE(error.hint().empty());
  }
}

/// OVERTAKE_VENDOR_LIBRARIES=no for its life.
class WithoutVendorLibraries {
 public:
  WithoutVendorLibraries() {
    if (const char* text = std::getenv(name)) before_ = text;
    setenv(name, "no", 1);
  }
  ~WithoutVendorLibraries() { before_ ? setenv(name, before_->c_str(), 1) : unsetenv(name); }
  WithoutVendorLibraries(const WithoutVendorLibraries&) = delete;
  WithoutVendorLibraries& operator=(const WithoutVendorLibraries&) = delete;

 private:
  static constexpr const char* name = "OVERTAKE_VENDOR_LIBRARIES";
  std::optional<std::string> before_;
};

TEST_F(CudaDiscovery, ADeviceWithoutAnyKernelsIsNotUsable) {
  const WithoutVendorLibraries nothing_to_compile_with;
  fake.version = 12000;
  if (has_precompiled(fake.version)) GTEST_SKIP() << "this build's compiler is of CUDA 12";
  CudaBackend backend({nullptr, good_host, lookup});
  const auto all = backend.list();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_FALSE(all[0].usable);
  EXPECT_THAT(all[0].reason, AllOf(HasSubstr("NVRTC"), HasSubstr("CUDA 12")));
  EXPECT_THAT(all[0].hint, HasSubstr("pip install nvidia-cuda-nvrtc-cu12"));
  EXPECT_EQ(all[0].name, "NVIDIA H200") << "what is known of it is still told";
  EXPECT_THROW((void)backend.open(0), DeviceError);
}

TEST_F(CudaDiscovery, KernelsCompiledAheadMakeADeviceUsableWithoutNvrtc) {
  if (!has_precompiled(fake.version)) GTEST_SKIP() << "this build had no compiler for CUDA";
  const WithoutVendorLibraries nothing_to_compile_with;
  CudaBackend backend({nullptr, good_host, lookup});
  EXPECT_TRUE(backend.list().at(0).usable);
}

TEST_F(CudaDiscovery, ErrorsNameCallCodeAndCure) {
  const DriverApi api = find_driver_functions(lookup).api;
  EXPECT_NO_THROW(check(api, CUDA_SUCCESS, "nothing"));
  try {
    DriverApi named;
    named.cuGetErrorName = api.cuGetErrorName;
    check(named, CUDA_ERROR_ILLEGAL_ADDRESS, "launching kernel x");
    FAIL() << "an error code passed";
  } catch (const DeviceError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("launching kernel x"), HasSubstr("700")));
    EXPECT_THAT(error.hint(), HasSubstr("compute-sanitizer"));
  }
}

TEST(CudaCompilerChoice, AMissingCompilerIsAnAnswer) {
  std::string why;
  EXPECT_EQ(Compiler::open({"libnvrtc-that-is-not-there.so"}, 90, why), nullptr);
  EXPECT_THAT(why, HasSubstr("libnvrtc-that-is-not-there.so"));
}

TEST(CudaParallel, RunsEveryJobOnceAndPassesErrorsOn) {
  std::vector<std::atomic<int>> counts(100);
  run_parallel(counts.size(), [&](std::size_t index) { ++counts[index]; });
  for (const auto& count : counts) EXPECT_EQ(count, 1);
  EXPECT_THROW(run_parallel(10,
                            [](std::size_t index) {
                              if (index == 3) throw DeviceError("three");
                            }),
               DeviceError);
}

}  // namespace
}  // namespace overtake::backend::cuda
