// SPDX-License-Identifier: MIT
// What the page of a diagnosis says, for text and HTML alike.
#pragma once

#include <string>
#include <vector>

#include "overtake/doctor.hpp"
#include "overtake/report.hpp"

namespace overtake::doctor {

/// "healthy: cpu and opencl:0 compute rightly", or what is amiss, in one sentence.
[[nodiscard]] std::string headline(const Diagnosis& diagnosis);

/// Driver limit, runtime, compiler, checks and memory of one of its devices, a line each; of one that cannot be used
/// the finding that says why.
[[nodiscard]] std::vector<report::Fact> device_facts(const Diagnosis& diagnosis, const DeviceCheckup& checkup);

/// What was measured against what could be; no rows where nothing was.
[[nodiscard]] report::Table rates_table(const DeviceCheckup& checkup);

[[nodiscard]] std::vector<report::Fact> host_facts(const Diagnosis& diagnosis);

/// Memory that can be used, not more than there is; 0: unknown.
[[nodiscard]] std::uint64_t usable_bytes(const HostCheckup& host) noexcept;

[[nodiscard]] report::Table library_table(const Diagnosis& diagnosis);

/// "error", "warning" or "note".
[[nodiscard]] const char* severity_name(Severity severity) noexcept;

}  // namespace overtake::doctor
