// SPDX-License-Identifier: MIT
#include "output/search_output.hpp"

#include <fmt/format.h>

#include "output/terminal.hpp"
#include "overtake/error.hpp"
#include "overtake/report.hpp"

namespace cli {
namespace {

namespace report = overtake::report;

std::string timing_text(const overtake::SearchResult& result) {
  const overtake::SearchTiming& t = result.timing;
  if (!(t.wall > 0)) return {};
  const overtake::Prediction& of = result.prediction;
  const std::string predicted =
      of.device.empty() ? "" : fmt::format(", predicted {}", report::seconds(of.seconds - of.start_seconds));
  std::string shares;
  for (const overtake::DeviceShare& share : result.devices) {
    if (result.devices.size() < 2) break;
    shares +=
        fmt::format("{}{} on {}", shares.empty() ? "shared: " : ", ", report::counted(share.jobs, "fit"), share.device);
  }
  if (!shares.empty()) shares += "\n";
  return fmt::format("time: {}{} (startup {}, upload {}, compute {}, scoring {}, refit {}) on {}\n{}",
                     report::seconds(t.wall), predicted, report::seconds(t.startup), report::seconds(t.upload),
                     report::seconds(t.compute), report::seconds(t.scoring), report::seconds(t.refit), result.device,
                     shares);
}

}  // namespace

std::string parameters_text(const overtake::Parameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, overtake::to_text(value));
  }
  return text;
}

std::string plan_text(const overtake::SearchPlan& plan) {
  std::string text = fmt::format("{} x {} = {}", report::counted(plan.candidates, "candidate"),
                                 report::counted(plan.folds, "fold"), report::counted(plan.jobs, "fit"));
  if (plan.models > 0) text += " from " + report::counted(plan.models, "model");
  return text;
}

std::string result_text(const overtake::SearchResult& result, int top) {
  return overtake::to_text(result, top, standard_output().width) + timing_text(result);
}

void write_results(const overtake::SearchResult& result, const std::string& json, const std::string& html,
                   std::string_view settings_json, std::string_view title, const overtake::TableDescription* data) {
  if (!json.empty()) write_output(json, overtake::to_json(result, settings_json));
  if (!html.empty()) write_output(html, overtake::to_html(result, title, data));
}

}  // namespace cli
