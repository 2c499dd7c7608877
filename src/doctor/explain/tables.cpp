// SPDX-License-Identifier: MIT
#include "doctor/explain/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "overtake/error.hpp"

namespace overtake::embedded {
extern const std::string_view explain_advice;
extern const std::string_view explain_cuda;
extern const std::string_view explain_cudnn;
extern const std::string_view explain_cublas;
extern const std::string_view explain_nvrtc;
extern const std::string_view explain_opencl;
extern const std::string_view explain_hip;
extern const std::string_view explain_phrases;
extern const std::string_view explain_findings;
}  // namespace overtake::embedded

namespace overtake::doctor {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// The pieces between the separators, without spaces round them.
std::vector<std::string_view> divided(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t end = text.find(separator);
    pieces.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + separator.size());
  }
}

/// Lines that are neither empty nor comments.
std::vector<std::string_view> lines_of(std::string_view table) {
  std::vector<std::string_view> lines = divided(table, "\n");
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [](std::string_view line) { return line.empty() || line.front() == '#'; }),
              lines.end());
  return lines;
}

[[noreturn]] void refuse(std::string_view line) {
  throw InternalError(fmt::format("explain: a table has a line that means nothing: \"{}\"", line));
}

std::vector<Advice> read_advice() {
  std::vector<Advice> all;
  for (const std::string_view line : lines_of(embedded::explain_advice)) {
    if (line.front() == '[' && line.back() == ']') {
      all.push_back({line.substr(1, line.size() - 2), {}, {}, {}});
      continue;
    }
    const std::size_t colon = line.find(": ");
    if (all.empty() || colon == std::string_view::npos) refuse(line);
    const std::string_view what = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 2);
    if (what == "cause") {
      all.back().causes.push_back(value);
    } else if (what == "check") {
      all.back().check = value;
    } else if (what == "findings") {
      all.back().findings = divided(value, ",");
    } else {
      refuse(line);
    }
  }
  return all;
}

const Advice* find_advice(const std::vector<Advice>& all, std::string_view id, std::string_view line) {
  const auto found = std::find_if(all.begin(), all.end(), [id](const Advice& each) { return each.id == id; });
  if (found == all.end()) refuse(line);
  return &*found;
}

std::vector<ErrorCode> read_codes(std::string_view table, const std::vector<Advice>& advice) {
  std::vector<ErrorCode> codes;
  for (const std::string_view line : lines_of(table)) {
    const std::vector<std::string_view> fields = divided(line, "|");
    if (fields.size() != 4) refuse(line);
    ErrorCode code{{}, divided(fields[1], ","), find_advice(advice, fields[2], line), fields[3]};
    for (const std::string_view text : divided(fields[0], ",")) {
      int number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size()) refuse(line);
      code.numbers.push_back(number);
    }
    codes.push_back(std::move(code));
  }
  return codes;
}

/// Rows "| `id` | what it means | cure | made by |" of the doctor's page.
std::vector<KnownFinding> read_findings() {
  std::vector<KnownFinding> findings;
  const auto plain = [](std::string_view cell) {
    std::string text(cell);
    std::erase(text, '`');
    return text;
  };
  for (const std::string_view line : lines_of(embedded::explain_findings)) {
    if (!line.starts_with("| `")) continue;
    const std::vector<std::string_view> cells = divided(line, " | ");
    constexpr std::size_t of_findings = 4;
    if (cells.size() != of_findings) continue;  // of another table
    std::string id = plain(cells[0]);
    id.erase(0, id.find_first_not_of("| "));
    findings.push_back({std::move(id), plain(cells[1]), plain(cells[2])});
  }
  if (findings.empty()) refuse("docs/doctor.md has no table of findings");
  return findings;
}

void read_phrases(ErrorTables& tables) {
  for (const std::string_view line : lines_of(embedded::explain_phrases)) {
    const std::vector<std::string_view> fields = divided(line, " | ");
    Phrase phrase;
    phrase.parts = divided(fields[0], " ... ");
    if (fields.size() == 2) {
      phrase.code = tables.named(fields[1]);
      if (phrase.code == nullptr) refuse(line);
    } else if (fields.size() == 4) {
      phrase.title = fields[1];
      phrase.advice = find_advice(tables.advice, fields[2], line);
      phrase.meaning = fields[3];
    } else {
      refuse(line);
    }
    tables.phrases.push_back(std::move(phrase));
  }
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& letter : result) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return result;
}

const ErrorCode* ErrorTables::named(std::string_view name) const {
  const std::string wanted = lower(name);
  for (const Vendor& vendor : vendors) {
    for (const ErrorCode& code : vendor.codes) {
      for (const std::string_view each : code.names) {
        if (each.size() == wanted.size() && lower(each) == wanted) return &code;
      }
    }
  }
  return nullptr;
}

const ErrorTables& error_tables() {
  static const ErrorTables tables = [] {
    ErrorTables made;
    made.advice = read_advice();
    const auto add = [&made](std::string_view name, std::vector<std::string_view> prefixes, std::string_view functions,
                             std::string_view table) {
      made.vendors.push_back({name, std::move(prefixes), functions, read_codes(table, made.advice)});
    };
    // The order in which the meanings of a number are told that comes without a word of its origin.
    add("CUDA", {"cuda", "nvidia"}, "cu", embedded::explain_cuda);
    add("OpenCL", {"opencl", "pyopencl", "pocl", "clinfo", "cl_"}, "cl", embedded::explain_opencl);
    add("cuDNN", {"cudnn", "libcudnn"}, {}, embedded::explain_cudnn);
    add("cuBLAS", {"cublas", "libcublas"}, {}, embedded::explain_cublas);
    add("NVRTC", {"nvrtc", "libnvrtc"}, {}, embedded::explain_nvrtc);
    add("HIP", {"hip", "rocm"}, {}, embedded::explain_hip);
    read_phrases(made);
    made.findings = read_findings();
    return made;
  }();
  return tables;
}

}  // namespace overtake::doctor
