// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "doctor/page.hpp"
#include "overtake/version.hpp"

namespace overtake {
namespace {

using report::Align;
using report::Table;

Table findings_table(const Diagnosis& diagnosis) {
  Table table;
  table.caption = "Findings";
  table.columns = {{"severity", Align::left}, {"finding", Align::left},  {"device", Align::left},
                   {"cause", Align::left},    {"evidence", Align::left}, {"cure", Align::left}};
  for (const Finding& finding : diagnosis.findings) {
    table.rows.push_back({doctor::severity_name(finding.severity), finding.id, finding.device, finding.cause,
                          finding.evidence, finding.cure});
  }
  return table;
}

Table checks_table(const DeviceCheckup& checkup) {
  Table table;
  table.caption = checkup.info.id + ": checks";
  table.columns = {{"check", Align::left}, {"time"}, {"result", Align::left}};
  for (const CheckOutcome& check : checkup.checks) {
    table.rows.push_back({check.name, report::seconds(check.seconds), check.trouble.empty() ? "right" : check.trouble});
  }
  return table;
}

}  // namespace

std::string to_html(const Diagnosis& diagnosis) {
  report::HtmlPage page;
  page.title = "Overtake: what this machine can do";
  page.headline = doctor::headline(diagnosis);
  if (!diagnosis.findings.empty()) page.tables.push_back(findings_table(diagnosis));
  for (const DeviceCheckup& checkup : diagnosis.devices) {
    const std::string& id = checkup.info.id;
    page.facts.push_back({checkup.info.name.empty() ? id : fmt::format("{}: {}", id, checkup.info.name),
                          doctor::device_facts(diagnosis, checkup)});
    Table rates = doctor::rates_table(checkup);
    rates.caption = id + ": rates";
    if (!rates.rows.empty()) page.tables.push_back(std::move(rates));
    if (!checkup.checks.empty()) page.tables.push_back(checks_table(checkup));
  }
  page.facts.push_back({"Machine", doctor::host_facts(diagnosis)});
  Table libraries = doctor::library_table(diagnosis);
  libraries.caption = "Libraries that are loaded";
  if (!libraries.rows.empty()) page.tables.push_back(std::move(libraries));
  page.footer = fmt::format("Overtake {}, overtake doctor, {}", version(), report::seconds(diagnosis.seconds));
  return report::html_page(page);
}

}  // namespace overtake
