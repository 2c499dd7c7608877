// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "doctor/page.hpp"

namespace overtake {
namespace {

constexpr const char* indent = "  ";

/// Cuts a text between words into lines of at most `most` characters; 0: no limit.
std::vector<std::string> lines_of(const std::string& text, std::size_t most) {
  std::vector<std::string> lines(1);
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::string& line = lines.back();
    if (most > 0 && !line.empty() && line.size() + 1 + word.size() > most) {
      lines.push_back(word);
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
  }
  return lines;
}

/// Names lined up, each with its value behind it, in a page of `width` characters; 0: no limit.
std::string facts_text(const std::vector<report::Fact>& facts, int width) {
  std::size_t longest = 0;
  for (const report::Fact& fact : facts) longest = std::max(longest, fact.name.size());
  const std::size_t begin = 2 + longest + 2;
  constexpr std::size_t least = 20;
  const auto page = static_cast<std::size_t>(std::max(width, 0));
  const std::size_t most = page == 0 ? 0 : std::max(least, page - std::min(page, begin));
  std::string text;
  for (const report::Fact& fact : facts) {
    std::string name = fact.name;
    for (const std::string& line : lines_of(fact.value, most)) {
      text += fmt::format("{}{:<{}}  {}\n", indent, std::exchange(name, ""), longest, line);
    }
  }
  return text;
}

std::string indented(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) result += line.empty() ? "\n" : indent + line + "\n";
  return result;
}

int inner(int width) { return width > 2 ? width - 2 : width; }

std::string device_text(const Diagnosis& diagnosis, const DeviceCheckup& checkup, int width) {
  const DeviceInfo& info = checkup.info;
  const std::string name = info.name.empty() || info.name == info.id ? "" : ": " + info.name;
  std::string text =
      fmt::format("{}{}\n{}", info.id, name, facts_text(doctor::device_facts(diagnosis, checkup), width));
  const report::Table rates = doctor::rates_table(checkup);
  if (!rates.rows.empty()) text += indented(report::table_text(rates, inner(width)));
  return text + "\n";
}

std::string finding_text(const Finding& finding, int width) {
  std::vector<report::Fact> facts{{"cause", finding.cause}};
  const bool is_told = finding.cause.find(finding.evidence) != std::string::npos;
  if (!is_told) facts.push_back({"evidence", finding.evidence});
  if (!finding.cure.empty()) facts.push_back({"cure", finding.cure});
  return fmt::format("{} {}{}\n{}", doctor::severity_name(finding.severity), finding.id,
                     finding.device.empty() ? "" : ", " + finding.device, facts_text(facts, width));
}

}  // namespace

std::string to_text(const Diagnosis& diagnosis, int width) {
  std::string text;
  for (const DeviceCheckup& checkup : diagnosis.devices) text += device_text(diagnosis, checkup, width);
  text += "machine\n" + facts_text(doctor::host_facts(diagnosis), width) + "\n";
  if (!diagnosis.libraries.empty()) {
    text += "libraries that are loaded\n";
    text += indented(report::table_text(doctor::library_table(diagnosis), inner(width))) + "\n";
  }
  text += diagnosis.findings.empty() ? "findings: none\n" : "findings\n";
  for (const Finding& finding : diagnosis.findings) text += indented(finding_text(finding, inner(width)));
  return text + fmt::format("\n{} ({})\n", doctor::headline(diagnosis), report::seconds(diagnosis.seconds));
}

}  // namespace overtake
