// SPDX-License-Identifier: MIT
// What a diagnosis looks like, and what it means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

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

TEST(DoctorPage, WhatIsUnknownIsSaidToBe) {
  Diagnosis diagnosis;
  EXPECT_THAT(to_text(diagnosis), AllOf(HasSubstr("unknown, unknown usable"), HasSubstr("processor      unknown")));
  EXPECT_EQ(nlohmann::json::parse(to_json(diagnosis))["host"]["usable_memory_bytes"], nullptr);
  diagnosis.host.usable_memory_bytes = std::uint64_t{5} << 30U;
  EXPECT_THAT(to_text(diagnosis), HasSubstr("unknown, 5.00 GiB usable"));
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

class DoctorNames : public ::testing::Test {
 protected:
  void set(const char* name, const std::string& value) {
    const char* old = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    before_.emplace_back(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
    ::setenv(name, value.c_str(), 1);
  }
  ~DoctorNames() override {
    for (auto it = before_.rbegin(); it != before_.rend(); ++it) {
      if (it->second) {
        ::setenv(it->first, it->second->c_str(), 1);
      } else {
        ::unsetenv(it->first);
      }
    }
  }

 private:
  std::vector<std::pair<const char*, std::optional<std::string>>> before_;
};

TEST_F(DoctorNames, OfAComputerIsHiddenInWholeAndInParts) {
  set("HOSTNAME", "gpu01.corp.example.com");
  EXPECT_EQ(anonymous("gpu01.corp.example.com, gpu01, GPU01-ib0, db.corp.example.com, gpu012"),
            "HOST, HOST, HOST-ib0, db.HOST, gpu012");
}

TEST_F(DoctorNames, OfUsersAreHiddenWhereverHomesLie) {
  set("HOME", "/somewhere/else");
  for (const char* path :
       {"/home/corp.com/anna", "/home1/paula", "/nfs/homes/quentin", "/data/users/grace", "/u/walter", "/run/media/tim",
        "/afs/x/user/v/victor", "/home/o'brien", "/Users/max", "/mnt/c/Users/eve", "/home/m/mia"}) {
    const std::string result = anonymous(std::string("cannot read '") + path + "/lib/libx.so'");
    EXPECT_THAT(result, testing::EndsWith("/USER/lib/libx.so'")) << path;
    EXPECT_THAT(anonymous(path), testing::EndsWith("/USER")) << path;
  }
  EXPECT_EQ(anonymous("/home/john.doe"), "/home/USER");
  EXPECT_EQ(anonymous("/home/maria lopez/lib and /usr/lib"), "/home/USER/lib and /usr/lib");
  EXPECT_EQ(anonymous("/home/max and /usr/lib, /var/home/eve: no"), "/home/USER and /usr/lib, /var/home/USER: no");
}

TEST_F(DoctorNames, TheHomeIsHiddenWhateverItIsCalled) {
  for (const char* home : {"/home/maria lopez", "/home/o'brien", "/vol 7/staff/zoe", "/vol7/staff/zoe/"}) {
    set("HOME", home);
    std::string folder = home;
    if (folder.back() == '/') folder.pop_back();
    EXPECT_EQ(anonymous(folder), "~");
    EXPECT_EQ(anonymous(folder + "/.cache/x"), "~/.cache/x");
    EXPECT_EQ(anonymous("LD_LIBRARY_PATH=" + folder + "/lib:/usr/lib"), "LD_LIBRARY_PATH=~/lib:/usr/lib");
  }
  set("HOME", "/");
  EXPECT_EQ(anonymous("/usr/lib"), "/usr/lib");
}

TEST_F(DoctorNames, ThatAreWordsOfReportsAreHiddenOnlyWhereTheyAreNames) {
  set("HOME", "/");
  for (const char* name : {"overtake", "cpu", "driver", "a"}) {
    set("USER", name);
    const std::string text = std::string("the driver of a cpu, overtake-trial: ") + name;
    EXPECT_EQ(anonymous(text), text);
    EXPECT_EQ(anonymous(std::string("/scratch/") + name + "/x, LOGNAME=" + name), "/scratch/USER/x, LOGNAME=USER");
    EXPECT_EQ(anonymous(std::string(name) + "@far"), "USER@far");
  }
}

TEST_F(DoctorNames, UuidsAreHiddenInEveryLength) {
  for (const char* uuid : {"GPU-8932f937", "GPU-8932f937-d72c", "MIG-8932f937-d72c-4106-c12f-20bd9faed9f6",
                           "MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/1/0", "8932f937d72c4106c12f20bd9faed9f6"}) {
    EXPECT_EQ(anonymous(std::string(uuid) + ",0"), "UUID,0");
  }
  EXPECT_EQ(anonymous("GPU-accelerated, GPU-0x"), "GPU-accelerated, GPU-0x");
}

TEST_F(DoctorNames, ABundleKeepsItsOwnWordsAndKeys) {
  set("USER", "healthy");
  set("HOSTNAME", "schema");
  set("CUDA_VISIBLE_DEVICES", "schema\x1b[31m\nsecond");
  set("GPU_TOKEN", "secret");
  set("OVERTAKE_TOKEN", "secret");
  Diagnosis diagnosis = diagnosis_with(Severity::warning);
  diagnosis.findings[0].evidence = "/scratch/healthy/x on schema";
  const std::string text = to_bundle(diagnosis);
  EXPECT_THAT(text, AllOf(HasSubstr(R"("schema": "overtake.doctor/1")"), HasSubstr(R"("healthy": true)"),
                          HasSubstr("healthy: cuda:0 computes rightly"), HasSubstr("/scratch/USER/x on HOST")));
  EXPECT_THAT(text, HasSubstr("  CUDA_VISIBLE_DEVICES=HOST\\x1b[31m\\nsecond\n"));
  EXPECT_THAT(text, AllOf(Not(HasSubstr("secret")), Not(HasSubstr("\x1b"))));
}

backend::TrialRun run_that_says(const std::string& reason) {
  backend::TrialRun run;
  run.kind = backend::TrialRun::Kind::not_started;
  run.reason = reason;
  return run;
}

TEST(DoctorLimits, AreTheCauseWhereTheSystemRefuses) {
  const auto id_of = [](const char* reason) {
    const auto finding = doctor::limits_finding(run_that_says(reason), "cpu");
    return finding ? finding->id + ": " + finding->cure : "";
  };
  EXPECT_THAT(id_of("it cannot be tried: pipe: Too many open files"),
              HasSubstr("tight-limits: raise the limit of open"));
  EXPECT_THAT(id_of("it cannot be tried: trial: Resource temporarily unavailable"), HasSubstr("ulimit -u"));
  EXPECT_THAT(id_of("its trial failed: the system started 1 of 8 threads and refuses more"), HasSubstr("ulimit -u"));
  EXPECT_THAT(id_of("its trial failed: std::bad_alloc"), HasSubstr("memory"));
  backend::TrialRun starved =
      run_that_says("the system ended its trial by SIGKILL for want of memory: 14 MiB are left");
  starved.finding = "memory-low";
  const auto finding = doctor::limits_finding(starved, "opencl:0");
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->id, "memory-low");
  EXPECT_EQ(finding->device, "opencl:0");
  EXPECT_EQ(finding->severity, Severity::error);
  EXPECT_EQ(finding->evidence, starved.reason);
  EXPECT_THAT(finding->cure, AllOf(HasSubstr("docker run --memory"), HasSubstr("--mem"), HasSubstr("memory.max")));
  EXPECT_EQ(id_of("overtake-trial is not installed with the library"), "");
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

TEST(DoctorExamines, WithoutTheProgramThatTriesDriversNothingIsVerified) {
  DoctorOptions options;
  options.devices = {"cpu", "cpu:0", "cpu"};
  options.measure = false;
  for (const char* program : {"/nonexistent", "/bin/true"}) {
    ::setenv("OVERTAKE_TRIAL_PROGRAM", program, 1);
    const Diagnosis diagnosis = examine(options);
    ASSERT_EQ(diagnosis.devices.size(), 1U) << "one device, however often it is named";
    EXPECT_FALSE(diagnosis.devices[0].works);
    EXPECT_FALSE(diagnosis.healthy());
    EXPECT_THAT(diagnosis.findings, testing::Contains(testing::Field(&Finding::id, "not-tried"))) << program;
    EXPECT_THAT(to_text(diagnosis),
                AllOf(HasSubstr("no device computes rightly"), HasSubstr("OVERTAKE_TRIAL_PROGRAM")));
  }
  ::unsetenv("OVERTAKE_TRIAL_PROGRAM");
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
