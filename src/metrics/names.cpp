// SPDX-License-Identifier: MIT
// What metrics are called, what they are for, and which class they are about.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "core/nearest.hpp"
#include "overtake/error.hpp"
#include "overtake/metrics.hpp"
#include "overtake/text.hpp"

namespace overtake {

namespace {

struct MetricInfo {
  Metric metric;
  std::string_view name;
  std::string_view alias;  ///< empty: none
};

constexpr std::array<MetricInfo, 17> infos = {{
    {Metric::accuracy, "accuracy", ""},
    {Metric::balanced_accuracy, "balanced_accuracy", ""},
    {Metric::f1_macro, "f1_macro", ""},
    {Metric::f1_micro, "f1_micro", ""},
    {Metric::f1_weighted, "f1_weighted", ""},
    {Metric::f1, "f1", ""},
    {Metric::precision, "precision", ""},
    {Metric::precision_macro, "precision_macro", ""},
    {Metric::recall, "recall", ""},
    {Metric::recall_macro, "recall_macro", ""},
    {Metric::roc_auc, "roc_auc", "auc"},
    {Metric::roc_auc_ovr, "roc_auc_ovr", ""},
    {Metric::neg_log_loss, "neg_log_loss", "log_loss"},
    {Metric::r2, "r2", ""},
    {Metric::neg_mean_squared_error, "neg_mean_squared_error", "mse"},
    {Metric::neg_root_mean_squared_error, "neg_root_mean_squared_error", "rmse"},
    {Metric::neg_mean_absolute_error, "neg_mean_absolute_error", "mae"},
}};

constexpr std::string_view error_prefix = "neg_";

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return detail::ascii_lower(x) == detail::ascii_lower(y); });
}

/// A number as numbers are usually written: 01 and 1e0 are names.
std::optional<double> usual_number(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0' && digits[1] != '.') return std::nullopt;
  return text::number(text);
}

/// The place of the class that Python would find equal to 1; -1: none is.
std::int32_t class_one(std::span<const std::string> names) {
  const bool truths = names.size() == 2 && same_word(names[0], "false") && same_word(names[1], "true");
  if (truths) return 1;
  std::int32_t one = -1;
  for (std::size_t c = 0; c < names.size(); ++c) {
    const std::optional<double> number = usual_number(names[c]);
    if (!number) return -1;  // the labels are text, and no text equals 1
    if (*number == 1) one = static_cast<std::int32_t>(c);
  }
  return one;
}

/// The class of that name, or the only one that is the same number (1 and 1.0, -1 with U+2212 for its minus); -1: none.
std::int32_t find_class(std::span<const std::string> names, std::string_view wanted) {
  const auto exact = std::find(names.begin(), names.end(), wanted);
  if (exact != names.end()) return static_cast<std::int32_t>(exact - names.begin());
  const auto number_of = [](std::string_view label) {
    constexpr std::string_view unicode_minus = "\xE2\x88\x92";
    const bool minus = label.starts_with(unicode_minus);
    return usual_number(minus ? "-" + std::string(label.substr(unicode_minus.size())) : std::string(label));
  };
  const std::optional<double> value = number_of(wanted);
  const auto same = [&](const std::string& name) { return value && number_of(name) == value; };
  if (std::count_if(names.begin(), names.end(), same) != 1) return -1;
  return static_cast<std::int32_t>(std::find_if(names.begin(), names.end(), same) - names.begin());
}

}  // namespace

std::span<const Metric> all_metrics() noexcept {
  static const auto list = [] {
    std::array<Metric, infos.size()> metrics{};
    std::transform(infos.begin(), infos.end(), metrics.begin(), [](const MetricInfo& info) { return info.metric; });
    return metrics;
  }();
  return list;
}

std::string_view name_of(Metric metric) noexcept {
  for (const MetricInfo& info : infos) {
    if (info.metric == metric) return info.name;
  }
  return "unknown";
}

Metric parse_metric(std::string_view name) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '-', '_');
  std::vector<std::string> names;
  std::string list;
  for (const MetricInfo& info : infos) {
    const bool negated = info.name.starts_with(error_prefix);
    if (wanted == info.name || (!info.alias.empty() && wanted == info.alias) ||
        (negated && wanted == info.name.substr(error_prefix.size()))) {
      return info.metric;
    }
    names.emplace_back(info.name);
    if (!info.alias.empty()) names.emplace_back(info.alias);
    list += fmt::format("{}{}", list.empty() ? "" : ", ", info.alias.empty() ? info.name : info.alias);
  }
  const std::string near = nearest(wanted, names);
  throw UsageError(fmt::format("unknown metric \"{}\"{}", name, near.empty() ? "" : "; did you mean " + near + "?"),
                   fmt::format("Metrics: {}.", list));
}

std::size_t metric_index(std::span<const Metric> scored, std::string_view name, std::string_view what) {
  const auto found = std::find(scored.begin(), scored.end(), parse_metric(name));
  if (found != scored.end()) return static_cast<std::size_t>(found - scored.begin());
  std::vector<std::string_view> names;
  for (const Metric metric : scored) names.push_back(name_of(metric));
  throw UsageError(fmt::format("{} {}: the search does not score it", what, name),
                   names.empty() ? std::string("It scores the default metric alone; name those to score.")
                                 : fmt::format("It has {}.", fmt::join(names, ", ")));
}

bool is_for(Metric metric, Task task) noexcept {
  const bool numbers = metric == Metric::r2 || metric == Metric::neg_mean_squared_error ||
                       metric == Metric::neg_root_mean_squared_error || metric == Metric::neg_mean_absolute_error;
  return numbers == (task == Task::regression);
}

Metric default_metric(Task task) noexcept { return task == Task::regression ? Metric::r2 : Metric::accuracy; }

bool needs_probabilities(Metric metric) noexcept {
  return metric == Metric::roc_auc || metric == Metric::roc_auc_ovr || metric == Metric::neg_log_loss;
}

bool is_about_one_class(Metric metric) noexcept {
  return metric == Metric::f1 || metric == Metric::precision || metric == Metric::recall || metric == Metric::roc_auc;
}

void check_metric(Metric metric, Task task, std::int32_t classes) {
  if (!is_for(metric, task)) {
    const bool labels = task == Task::classification;
    throw UsageError(fmt::format("the metric {} is for {}, and the target is a {}", name_of(metric),
                                 labels ? "numbers" : "classes", labels ? "class" : "number"),
                     labels ? "Use accuracy or f1_macro, say." : "Use r2, mse, rmse or mae.");
  }
  if (!is_about_one_class(metric) || classes <= 2) return;
  const std::string several = metric == Metric::roc_auc ? "roc_auc_ovr"
                              : metric == Metric::f1    ? "f1_macro, f1_micro or f1_weighted"
                                                        : fmt::format("{}_macro", name_of(metric));
  throw UsageError(fmt::format("the metric {} is for two classes, and the target has {}", name_of(metric), classes),
                   fmt::format("Use {}.", several));
}

std::int32_t positive_class(Metric metric, std::span<const std::string> class_names, std::string_view wanted) {
  static const std::vector<std::string> numbered = {"0", "1"};
  const std::span<const std::string> names = class_names.empty() ? std::span(numbered) : class_names;
  if (!wanted.empty()) {
    if (const std::int32_t found = find_class(names, wanted); found >= 0) return found;
    throw UsageError(fmt::format("the positive class {} is none of the classes {}", wanted, fmt::join(names, ", ")),
                     "Name a class as it stands in the data.");
  }
  if (metric == Metric::roc_auc) return 1;
  const std::int32_t one = class_one(names);
  if (one >= 0) return one;
  // A single class that is not 1: nothing is positive, as for scikit-learn, and the score is 0.
  if (names.size() == 1) return 1;
  throw UsageError(
      fmt::format("{} is about one of two classes, and neither of {} is 1", name_of(metric), fmt::join(names, ", ")),
      fmt::format("Say which with --positive-class {} or --positive-class {}; {}_macro is about both.", names[0],
                  names[1], name_of(metric)));
}

}  // namespace overtake
