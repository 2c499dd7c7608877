// SPDX-License-Identifier: MIT
// What a diagnosis looks like, and what it means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "doctor/checks.hpp"
#include "overtake/doctor.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

DeviceCheckup gpu() {
  DeviceCheckup checkup;
  checkup.info.id = "cuda:0";
  checkup.info.backend = "cuda";
  checkup.info.kind = DeviceKind::gpu;
  checkup.info.name = "A <GPU>";
  checkup.info.memory_bytes = std::uint64_t{8} << 30U;
  checkup.works = true;
  checkup.driver_limit = "CUDA 13.0";
  checkup.runtime = "cuBLASLt 13.1.0";
  checkup.compiler = "NVRTC 13.0";
  checkup.checks = {{"copies", 0.1, ""}, {"matrix products", 0.2, ""}};
  checkup.rates.precisions = {{"fp32", 5000, 10000}, {"bf16", 0, 80000}};
  checkup.rates.upload_gbs = 12;
  checkup.free_bytes = std::uint64_t{1} << 30U;
  checkup.holders = {{4711, "python3", std::uint64_t{6} << 30U}};
  return checkup;
}

Diagnosis diagnosis_with(Severity severity) {
  Diagnosis diagnosis;
  diagnosis.devices = {gpu()};
  diagnosis.host.processor = "A processor";
  diagnosis.libraries = {{"libcuda.so.1", "/usr/lib/libcuda.so.1", "580.65", "LD_LIBRARY_PATH", {"/opt/libcuda.so.1"}}};
  diagnosis.findings = {{"memory-held", severity, "cuda:0", "much is taken", "1 GiB is free", "close it"}};
  return diagnosis;
}

TEST(DoctorPage, ShowsEveryPartOnce) {
  const std::string text = to_text(diagnosis_with(Severity::warning));
  EXPECT_THAT(text, AllOf(HasSubstr("cuda:0: A <GPU>\n"), HasSubstr("2 of 2 right"), HasSubstr("driver limit"),
                          HasSubstr("CUDA 13.0"), HasSubstr("cuBLASLt 13.1.0"), HasSubstr("NVRTC 13.0")));
  EXPECT_THAT(text, AllOf(HasSubstr("8.00 GiB, 1.00 GiB free; process 4711 (python3) holds 6.00 GiB"),
                          HasSubstr("50 %"), HasSubstr("580.65"), HasSubstr("not taken")));
  EXPECT_THAT(text, AllOf(HasSubstr("warning memory-held, cuda:0\n"), HasSubstr("evidence  1 GiB is free"),
                          HasSubstr("cure      close it"), HasSubstr("healthy: cuda:0 computes rightly")));
}

TEST(DoctorPage, KeepsToItsWidth) {
  Diagnosis diagnosis = diagnosis_with(Severity::warning);
  for (int i = 0; i < 40; ++i) diagnosis.findings[0].cause += " and more";
  diagnosis.libraries.clear();
  const std::string text = to_text(diagnosis, 60);
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin)) {
    EXPECT_LE(end - begin, 60U) << text.substr(begin, end - begin);
  }
}

TEST(DoctorPage, NamesTheTroubleOfACheckAndTheFindingOfADeviceThatCannotBeUsed) {
  Diagnosis diagnosis;
  DeviceCheckup failed = gpu();
  failed.works = false;
  failed.checks[1].trouble = "it computes wrongly";
  DeviceCheckup absent;
  absent.info.id = absent.info.backend = "opencl";
  diagnosis.devices = {failed, absent};
  diagnosis.findings = {{"wrong-results", Severity::error, "cuda:0", "wrong", "", ""},
                        {"no-opencl-icd", Severity::note, "opencl", "none", "", ""}};
  const std::string text = to_text(diagnosis);
  EXPECT_THAT(text, AllOf(HasSubstr("1 right; matrix products: it computes wrongly"),
                          HasSubstr("see the finding wrong-results"), HasSubstr("see the finding no-opencl-icd"),
                          HasSubstr("no device computes rightly; 1 error")));
}

TEST(DoctorPage, OnlyErrorsAndWhatIsUnmetMakeItUnhealthy) {
  EXPECT_TRUE(diagnosis_with(Severity::note).healthy());
  EXPECT_TRUE(diagnosis_with(Severity::warning).healthy());
  EXPECT_FALSE(diagnosis_with(Severity::error).healthy());
  Diagnosis unmet = diagnosis_with(Severity::note);
  unmet.unmet = {"opencl"};
  EXPECT_FALSE(unmet.healthy());
}

TEST(DoctorPage, JsonHasTheSchema) {
  const auto json = nlohmann::json::parse(to_json(diagnosis_with(Severity::warning)));
  EXPECT_EQ(json["schema"], "overtake.doctor/1");
  EXPECT_EQ(json["healthy"], true);
  const auto& device = json["devices"][0];
  EXPECT_EQ(device["holders"][0]["process"], 4711);
  EXPECT_EQ(device["checks"][0]["trouble"], nullptr);
  EXPECT_EQ(device["rates"]["precisions"][0]["measured_gflops"], 5000);
  EXPECT_EQ(device["rates"]["precisions"][1]["measured_gflops"], nullptr);
  EXPECT_EQ(json["findings"][0]["severity"], "warning");
  EXPECT_EQ(json["libraries"][0]["others"][0], "/opt/libcuda.so.1");
}

TEST(DoctorPage, HtmlEscapesNames) {
  const std::string page = to_html(diagnosis_with(Severity::warning));
  EXPECT_THAT(page, AllOf(HasSubstr("A &lt;GPU&gt;"), Not(HasSubstr("A <GPU>")), HasSubstr("memory-held")));
  EXPECT_THAT(page, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("<canvas")), Not(HasSubstr("{{")))) << "no chart";
}

TEST(DoctorAnonymous, TakesNamesAndNumbersOut) {
  ::setenv("HOME", "/data/people/erika", 1);
  ::setenv("USER", "erika", 1);
  EXPECT_EQ(anonymous("/data/people/erika/x and /home/max/y, /Users/max"), "~/x and /home/USER/y, /Users/USER");
  EXPECT_EQ(anonymous("erika, erikas, xerika erika_1 (erika)"), "USER, erikas, xerika erika_1 (USER)");
  EXPECT_EQ(anonymous("GPU-01234567-89ab-cdef-0123-456789abcdef"), "UUID");
  EXPECT_EQ(anonymous("\"serial\": \"1320\", Serial Number : 42-A"), "\"serial\": \"NUMBER\", Serial Number : NUMBER");
  EXPECT_EQ(anonymous("driver 580.65.06, CUDA 13.0, 0000:3B:00.0"), "driver 580.65.06, CUDA 13.0, 0000:3B:00.0");
  ::unsetenv("USER");
}

TEST(DoctorMemory, FindsWhoHoldsIt) {
  DeviceCheckup checkup = gpu();
  auto findings = doctor::memory_findings(checkup);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].id, "memory-held");
  EXPECT_THAT(findings[0].evidence, HasSubstr("process 4711 (python3): 6.00 GiB"));
  checkup.free_bytes = 1 << 20;
  findings = doctor::memory_findings(checkup);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].id, "no-device-memory");
  EXPECT_EQ(findings[0].severity, Severity::error);
  checkup.free_bytes = checkup.info.memory_bytes;
  EXPECT_THAT(doctor::memory_findings(checkup), IsEmpty());
}

TEST(DoctorExamines, TheCpuForReal) {
  class Witness : public DoctorObserver {
   public:
    void on_step(const std::string& what) override { seen += what + "\n"; }
    std::string seen;
  } witness;
  DoctorOptions options;
  options.devices = {"cpu"};
  options.measure = false;
  options.observer = &witness;
  const Diagnosis diagnosis = examine(options);
  ASSERT_EQ(diagnosis.devices.size(), 1U);
  EXPECT_TRUE(diagnosis.devices[0].works);
  EXPECT_GT(diagnosis.devices[0].checks.size(), 10U);
  EXPECT_THAT(diagnosis.unmet, IsEmpty());
  EXPECT_THAT(witness.seen, AllOf(HasSubstr("cpu: matrix products\n"), HasSubstr("cache")));
}

TEST(DoctorExamines, NothingForANameThatIsNoDevices) {
  DoctorOptions options;
  options.devices = {"gpu"};
  EXPECT_THROW((void)examine(options), UsageError);
}

TEST(DoctorExamines, NothingMoreOnceItIsStopped) {
  StopToken stop;
  stop.request();
  DoctorOptions options;
  options.stop = &stop;
  const Diagnosis diagnosis = examine(options);
  EXPECT_TRUE(diagnosis.interrupted);
  EXPECT_THAT(diagnosis.devices, IsEmpty());
}

}  // namespace
}  // namespace overtake
