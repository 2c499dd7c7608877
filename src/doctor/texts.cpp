// SPDX-License-Identifier: MIT
#include "doctor/texts.hpp"

#include "overtake/text.hpp"

namespace overtake::doctor {

void change_texts(Diagnosis& diagnosis, const std::function<std::string(const std::string&)>& change) {
  const auto apply = [&change](auto&... texts) { ((texts = change(texts)), ...); };
  apply(diagnosis.host.processor, diagnosis.host.system, diagnosis.host.limits, diagnosis.host.container);
  apply(diagnosis.cache_folder);
  for (DeviceCheckup& checkup : diagnosis.devices) {
    DeviceInfo& info = checkup.info;
    apply(info.driver, info.reason, info.hint, checkup.driver_limit, checkup.runtime, checkup.compiler);
    if (info.name != info.backend) apply(info.name);  // else it stands for the backend as a whole
    for (CheckOutcome& check : checkup.checks) apply(check.trouble);
    for (MemoryHolder& holder : checkup.holders) apply(holder.name);
  }
  for (LoadedLibrary& library : diagnosis.libraries) {
    apply(library.path, library.version, library.reason);
    for (std::string& other : library.others) apply(other);
  }
  for (Finding& finding : diagnosis.findings) apply(finding.cause, finding.evidence, finding.cure);
}

void make_printable(Diagnosis& diagnosis) {
  change_texts(diagnosis, [](const std::string& text) { return text::printable_line(text); });
}

}  // namespace overtake::doctor
