// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <optional>

#include "core/nearest.hpp"
#include "forest/model/class_weight_text.hpp"
#include "overtake/error.hpp"
#include "overtake/forest/parameters.hpp"

namespace overtake {

std::string_view name_of(Criterion criterion) noexcept {
  switch (criterion) {
    case Criterion::gini: return "gini";
    case Criterion::entropy: return "entropy";
    case Criterion::squared_error: return "squared_error";
    case Criterion::friedman_mse: return "friedman_mse";
    case Criterion::poisson: return "poisson";
  }
  return "unknown";
}

std::string_view name_of(ForestKind kind) noexcept {
  return kind == ForestKind::random_forest ? "random-forest" : "extra-trees";
}

namespace {

constexpr int most_trees = 1 << 30;  // four random streams each, numbered in 32 bits

/// One value on its way into a parameter: knows how to complain.
class Setting {
 public:
  Setting(std::string_view name, const ParameterValue& value, std::string_view accepted)
      : name_(name), value_(value), accepted_(accepted) {}

  [[noreturn]] void refuse(const std::string& hint = {}) const {
    throw UsageError(fmt::format("{}: {} is not accepted; expected {}", name_, to_text(value_), accepted_), hint);
  }

  [[nodiscard]] bool is_none() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] const std::string* word() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }

  [[nodiscard]] bool flag() const {
    if (const bool* flag = std::get_if<bool>(&value_)) return *flag;
    refuse();
  }

  [[nodiscard]] std::int64_t whole_between(std::int64_t lowest, std::int64_t highest) const {
    if (const std::int64_t* number = integer()) {
      if (*number >= lowest && *number <= highest) return *number;
    } else if (const double* real = std::get_if<double>(&value_)) {
      if (*real == std::floor(*real) && std::fabs(*real) < 1e15) {
        refuse(fmt::format("Write it without a point: {}={:.0f}.", name_, *real));
      }
    }
    refuse();
  }
  [[nodiscard]] int int_between(int lowest, int highest) const {
    return static_cast<int>(whole_between(lowest, highest));
  }

  /// A number; a whole one counts too.
  [[nodiscard]] double number_between(double lowest, double highest) const {
    double number = std::numeric_limits<double>::quiet_NaN();
    if (integer() != nullptr) number = static_cast<double>(*integer());
    if (const double* real = std::get_if<double>(&value_)) number = *real;
    if (number >= lowest && number <= highest) return number;
    refuse();
  }

  /// A whole number of at least `least`, or a share: a number with a point above 0 and up to 1 (below 1 if `open`).
  [[nodiscard]] CountOrFraction count_or_share(std::int64_t least, bool open) const {
    if (const double* share = std::get_if<double>(&value_)) {
      if (*share > 0 && (open ? *share < 1 : *share <= 1)) return *share;
      if (*share > 1 && *share == std::floor(*share)) {
        refuse("A number with a point is a share of the rows; a count is written without a point.");
      }
      refuse();
    }
    return whole_between(least, std::numeric_limits<std::int32_t>::max());
  }

 private:
  std::string_view name_;
  const ParameterValue& value_;
  std::string_view accepted_;
};

Criterion criterion_of(const Setting& setting) {
  if (const std::string* word = setting.word()) {
    for (const auto criterion :
         {Criterion::gini, Criterion::entropy, Criterion::squared_error, Criterion::friedman_mse, Criterion::poisson}) {
      if (*word == name_of(criterion)) return criterion;
    }
    if (*word == "log_loss") return Criterion::entropy;
    if (*word == "mse") setting.refuse("It is called squared_error.");
    if (*word == "absolute_error" || *word == "mae") {
      setting.refuse("Overtake has no absolute_error: medians cannot be kept as sums. Use squared_error.");
    }
    static const std::vector<std::string> words = {"gini",          "entropy",      "log_loss",
                                                   "squared_error", "friedman_mse", "poisson"};
    const std::string near = nearest(*word, words);
    if (!near.empty()) setting.refuse(fmt::format("Did you mean {}?", near));
  }
  setting.refuse();
}

MaxFeatures max_features_of(const Setting& setting) {
  if (setting.is_none()) return parameter::none;
  const std::string* word = setting.word();
  if (word == nullptr) return setting.count_or_share(1, false);
  MaxFeatures wanted;
  for (const auto kind : {MaxFeatures::Kind::sqrt, MaxFeatures::Kind::log2}) {
    wanted.kind = kind;
    if (*word == (kind == MaxFeatures::Kind::sqrt ? "sqrt" : "log2")) return wanted;
  }
  if (*word == "auto") setting.refuse("What auto meant is sqrt for classification and none for regression.");
  setting.refuse();
}

ClassWeight class_weight_of(const Setting& setting) {
  ClassWeight weight;
  if (setting.is_none()) return weight;
  const std::string* word = setting.word();
  if (word == nullptr) setting.refuse();
  weight.kind = ClassWeight::Kind::balanced;
  if (*word == "balanced") return weight;
  weight.kind = ClassWeight::Kind::balanced_subsample;
  if (*word == "balanced_subsample") return weight;
  const auto given = forest::parse_class_weights(*word);
  if (!given) setting.refuse("Weights are finite numbers of at least 0; every class is named once.");
  return *given;
}

ParameterValue to_value(const CountOrFraction& wanted) {
  if (wanted.is_fraction) return wanted.value;
  return static_cast<std::int64_t>(wanted.value);
}

ParameterValue to_value(const MaxFeatures& wanted) {
  switch (wanted.kind) {
    case MaxFeatures::Kind::sqrt: return std::string("sqrt");
    case MaxFeatures::Kind::log2: return std::string("log2");
    case MaxFeatures::Kind::all: return 1.0;
    case MaxFeatures::Kind::count: return static_cast<std::int64_t>(wanted.value);
    case MaxFeatures::Kind::fraction: break;
  }
  return wanted.value;
}

ParameterValue to_value(const ClassWeight& weight) {
  switch (weight.kind) {
    case ClassWeight::Kind::equal: return std::monostate{};
    case ClassWeight::Kind::balanced: return std::string("balanced");
    case ClassWeight::Kind::balanced_subsample: return std::string("balanced_subsample");
    case ClassWeight::Kind::given: break;
  }
  return forest::class_weights_text(weight.given);
}

ParameterValue to_value(const std::optional<int>& number) {
  if (!number) return std::monostate{};
  return std::int64_t{*number};
}

/// What is known of one parameter.
struct Entry {
  const char* name;
  const char* accepted;
  void (*set)(ForestParameters&, const Setting&);
  ParameterValue (*get)(const ForestParameters&);
};

using Self = ForestParameters;
constexpr int most = std::numeric_limits<int>::max();
constexpr double largest = std::numeric_limits<double>::max();

const Entry entries[] = {
    {"n_estimators", "a whole number from 1 to 1073741824",
     [](Self& p, const Setting& s) { p.n_estimators = s.int_between(1, most_trees); },
     [](const Self& p) -> ParameterValue { return std::int64_t{p.n_estimators}; }},
    {"criterion", "gini, entropy or log_loss (classification), squared_error, friedman_mse or poisson (regression)",
     [](Self& p, const Setting& s) { p.criterion = criterion_of(s); },
     [](const Self& p) -> ParameterValue { return std::string(name_of(p.criterion)); }},
    {"max_depth", "none or a whole number from 1 to 2147483647",
     [](Self& p, const Setting& s) {
       p.max_depth = s.is_none() ? std::nullopt : std::optional(s.int_between(1, most));
     },
     [](const Self& p) { return to_value(p.max_depth); }},
    {"min_samples_split", "a whole number from 2 to 2147483647, or a share of the rows above 0.0 and up to 1.0",
     [](Self& p, const Setting& s) { p.min_samples_split = s.count_or_share(2, false); },
     [](const Self& p) { return to_value(p.min_samples_split); }},
    {"min_samples_leaf", "a whole number from 1 to 2147483647, or a share of the rows above 0.0 and below 1.0",
     [](Self& p, const Setting& s) { p.min_samples_leaf = s.count_or_share(1, true); },
     [](const Self& p) { return to_value(p.min_samples_leaf); }},
    {"min_weight_fraction_leaf", "a number from 0 to 0.5",
     [](Self& p, const Setting& s) { p.min_weight_fraction_leaf = s.number_between(0, 0.5); },
     [](const Self& p) -> ParameterValue { return p.min_weight_fraction_leaf; }},
    {"max_features", "sqrt, log2, none, a whole number from 1 to 2147483647, or a share above 0.0 and up to 1.0",
     [](Self& p, const Setting& s) { p.max_features = max_features_of(s); },
     [](const Self& p) { return to_value(p.max_features); }},
    {"max_leaf_nodes", "none or a whole number from 2 to 2147483647",
     [](Self& p, const Setting& s) {
       p.max_leaf_nodes = s.is_none() ? std::nullopt : std::optional(s.int_between(2, most));
     },
     [](const Self& p) { return to_value(p.max_leaf_nodes); }},
    {"min_impurity_decrease", "a number of at least 0",
     [](Self& p, const Setting& s) { p.min_impurity_decrease = s.number_between(0, largest); },
     [](const Self& p) -> ParameterValue { return p.min_impurity_decrease; }},
    {"bootstrap", "true or false", [](Self& p, const Setting& s) { p.bootstrap = s.flag(); },
     [](const Self& p) -> ParameterValue { return p.bootstrap; }},
    {"oob_score", "true or false", [](Self& p, const Setting& s) { p.oob_score = s.flag(); },
     [](const Self& p) -> ParameterValue { return p.oob_score; }},
    {"random_state", "a whole number from 0 to 9223372036854775807",
     [](Self& p, const Setting& s) {
       if (s.is_none()) s.refuse("Results are repeatable here: choose a seed, 0 by default.");
       p.random_state = static_cast<std::uint64_t>(s.whole_between(0, std::numeric_limits<std::int64_t>::max()));
     },
     [](const Self& p) -> ParameterValue { return static_cast<std::int64_t>(p.random_state); }},
    {"warm_start", "true or false", [](Self& p, const Setting& s) { p.warm_start = s.flag(); },
     [](const Self& p) -> ParameterValue { return p.warm_start; }},
    {"class_weight", "none, balanced, balanced_subsample, or weights as name:weight,name:weight or {\"name\":weight}",
     [](Self& p, const Setting& s) { p.class_weight = class_weight_of(s); },
     [](const Self& p) { return to_value(p.class_weight); }},
    {"ccp_alpha", "a number of at least 0",
     [](Self& p, const Setting& s) { p.ccp_alpha = s.number_between(0, largest); },
     [](const Self& p) -> ParameterValue { return p.ccp_alpha; }},
    {"max_samples", "none, a whole number from 1 to 2147483647, or a share of the rows above 0.0 and up to 1.0",
     [](Self& p, const Setting& s) {
       p.max_samples = s.is_none() ? std::nullopt : std::optional(s.count_or_share(1, false));
     },
     [](const Self& p) -> ParameterValue {
       if (!p.max_samples) return std::monostate{};
       return to_value(*p.max_samples);
     }},
    {"max_bins", "a whole number from 2 to 65535",
     [](Self& p, const Setting& s) { p.max_bins = s.int_between(2, 65535); },
     [](const Self& p) -> ParameterValue { return std::int64_t{p.max_bins}; }},
};

[[noreturn]] void refuse_name(std::string_view name) {
  std::string hint;
  if (name == "n_jobs") {
    hint = "Overtake uses all cores, and the result does not depend on their number.";
  } else if (name == "verbose") {
    hint = "Progress is shown by the program, not by the estimator.";
  } else if (name == "monotonic_cst") {
    hint = "Overtake's forests have no monotonicity constraints.";
  } else if (const std::string near = nearest(name, ForestParameters::names()); !near.empty()) {
    hint = fmt::format("Did you mean {}?", near);
  }
  const std::span<const std::string> names = ForestParameters::names();
  throw UsageError(fmt::format("{}: a forest has no such parameter; it has {}", name, fmt::join(names, ", ")), hint);
}

}  // namespace

MaxFeatures::MaxFeatures(const char* word) {
  ForestParameters parameters;
  parameters.set("max_features", word);
  *this = parameters.max_features;
}

ClassWeight::ClassWeight(const char* word) {
  ForestParameters parameters;
  parameters.set("class_weight", word);
  *this = parameters.class_weight;
}

ForestParameters ForestParameters::defaults(ForestKind kind, Task task) {
  ForestParameters parameters;
  parameters.kind = kind;
  parameters.task = task;
  parameters.bootstrap = kind == ForestKind::random_forest;
  if (task == Task::regression) {
    parameters.criterion = Criterion::squared_error;
    parameters.max_features = parameter::none;
  }
  return parameters;
}

void ForestParameters::set(std::string_view name, const ParameterValue& value) {
  for (const Entry& entry : entries) {
    if (name == entry.name) return entry.set(*this, Setting(entry.name, value, entry.accepted));
  }
  refuse_name(name);
}

void ForestParameters::set(const Parameters& parameters) {
  for (const auto& [name, value] : parameters) set(name, value);
}

Parameters ForestParameters::all() const {
  Parameters values;
  for (const Entry& entry : entries) values.emplace_back(entry.name, entry.get(*this));
  return values;
}

std::span<const std::string> ForestParameters::names() {
  static const std::vector<std::string> list = [] {
    std::vector<std::string> result;
    for (const Entry& entry : entries) result.emplace_back(entry.name);
    return result;
  }();
  return list;
}

void ForestParameters::check() const {
  constexpr auto largest_seed = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (random_state > largest_seed) {  // all() could not say it
    throw UsageError(fmt::format("random_state (--seed): {} is not accepted; expected a whole number from 0 to {}",
                                 random_state, largest_seed));
  }
  // Fields may have been written to directly: every value must pass its own rules.
  ForestParameters copy;
  copy.set(all());
  const bool for_classes = criterion == Criterion::gini || criterion == Criterion::entropy;
  if (for_classes != (task == Task::classification)) {
    throw UsageError(fmt::format("criterion: {} is for {}, and this is {}", name_of(criterion),
                                 for_classes ? "classes" : "numbers", for_classes ? "regression" : "classification"),
                     for_classes ? "Use squared_error, friedman_mse or poisson." : "Use gini or entropy.");
  }
  if (!bootstrap && oob_score) {
    throw UsageError("oob_score: true is not accepted with bootstrap=false; no row is out of any tree's bag",
                     "Set bootstrap=true, or score on rows of your own.");
  }
  if (!bootstrap && max_samples) {
    throw UsageError(fmt::format("max_samples: {} is not accepted with bootstrap=false; expected none",
                                 to_text(to_value(*max_samples))),
                     "Set bootstrap=true: max_samples is how many rows a bootstrap sample draws.");
  }
  if (task == Task::regression && class_weight.kind != ClassWeight::Kind::equal) {
    throw UsageError(
        fmt::format("class_weight: {} is not accepted in regression; expected none", to_text(to_value(class_weight))),
        "Give sample weights instead.");
  }
}

}  // namespace overtake
