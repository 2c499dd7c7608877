// SPDX-License-Identifier: MIT
#include "search/journal/identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "core/fingerprint.hpp"
#include "data/set/folds.hpp"
#include "search/journal/parameters_json.hpp"

namespace overtake::search_detail {

namespace {

using detail::Fingerprint;

/// Raised when the same search on the same data would give other scores than before: by other folds, other trees, other
/// formulas. The journals of before can be shown then, and no longer continued.
constexpr std::string_view results_generation = "1";

/// Keys of fingerprints, whose values say nothing to people, and what a difference means.
struct Meaning {
  std::string_view key, text;
};
constexpr std::array<Meaning, 6> meanings = {{
    {"results", "holds scores that another version of Overtake computed by other rules"},
    {"data", "holds a search of other data: the same shape, but other values"},
    {"names", "holds a search of data whose columns or classes have other names"},
    {"sample_weight", "holds a search with other sample weights"},
    {"candidates_fingerprint", "holds a search of other candidates"},
    {"fold_rows", "holds a search with other folds: other rows are in them"},
}};

/// What a journal without the row means. A row that comes to be written later has its default here, so that journals of
/// before stay those of the same search.
constexpr std::array<Meaning, 6> defaults = {{
    {"results", "1"},
    {"sample_weight", "none"},
    {"repeats", "1"},
    {"shuffle", "false"},
    {"fold_seed", "0"},
    {"seed", "0"},
}};

std::string_view kind_name(FoldKind kind) {
  switch (kind) {
    case FoldKind::automatic: break;
    case FoldKind::k_fold: return "k_fold";
    case FoldKind::stratified: return "stratified";
    case FoldKind::group: return "group";
    case FoldKind::time_series: return "time_series";
    case FoldKind::predefined: return "predefined";
    case FoldKind::holdout: return "holdout";
  }
  return "automatic";
}

std::string data_fingerprint(const Dataset& data) {
  Fingerprint fingerprint;
  fingerprint.add_values(std::span<const float>(data.inputs));
  fingerprint.add_values(std::span<const std::int32_t>(data.labels));
  fingerprint.add_values(std::span<const double>(data.targets));
  return fingerprint.hex();
}

std::string names_fingerprint(const SearchOptions& options) {
  Fingerprint fingerprint;
  for (const std::string& name : options.feature_names) fingerprint.add(name);
  fingerprint.add("classes");
  for (const std::string& name : options.class_names) fingerprint.add(name);
  return fingerprint.hex();
}

std::string fold_fingerprint(const std::vector<Fold>& folds) {
  Fingerprint fingerprint;
  for (const Fold& fold : folds) {
    fingerprint.add_values(std::span<const std::int32_t>(fold.train));
    fingerprint.add_values(std::span<const std::int32_t>(fold.test));
  }
  return fingerprint.hex();
}

std::string weight_fingerprint(const std::vector<float>& weights) {
  if (weights.empty()) return "none";
  Fingerprint fingerprint;
  fingerprint.add_values(std::span<const float>(weights));
  return fingerprint.hex();
}

/// The distinct values of a parameter in the order they come; of many only the first and their number.
std::string values_text(const std::vector<Parameters>& candidates, const std::string& name) {
  constexpr std::size_t shown = 12;
  std::set<std::string> seen;
  std::string text;
  for (const Parameters& parameters : candidates) {
    for (const auto& [key, value] : parameters) {
      if (key != name || !seen.insert(to_text(value)).second || seen.size() > shown) continue;
      text += (text.empty() ? "" : ",") + to_text(value);
    }
  }
  return seen.size() <= shown ? text : fmt::format("{},... ({} values)", text, seen.size());
}

void add_candidates(Identity& rows, const SearchInput& input) {
  Parameters fixed = input.options.fixed;
  std::sort(fixed.begin(), fixed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::set<std::string> names;
  Fingerprint fingerprint;
  for (const Parameters& parameters : input.candidates) {
    for (const auto& [name, value] : parameters) names.insert(name);
    fingerprint.add(parameters_json(parameters));
  }
  // Of a parameter that is both, the fixed value is that of the candidates that do not set it.
  for (const auto& [name, value] : fixed) {
    rows.push_back({names.contains(name) ? name + " (fixed)" : name, to_text(value)});
  }
  for (const std::string& name : names) rows.push_back({name, values_text(input.candidates, name)});
  rows.push_back({"candidates", fmt::format("{}", input.candidates.size())});
  rows.push_back({"candidates_fingerprint", fingerprint.hex()});
}

void add_folds(Identity& rows, const SearchInput& input) {
  if (!input.options.given_folds.empty()) {
    rows.push_back({"fold_kind", "given"});
    rows.push_back({"cv", fmt::format("{}", input.folds.size())});
    rows.push_back({"fold_rows", fold_fingerprint(input.folds)});
    return;
  }
  const FoldOptions& folds = input.options.folds;
  const FoldKind kind = resolved_kind(folds.kind, input.data.task);
  rows.push_back({"fold_kind", std::string(kind_name(kind))});
  const bool one_split = kind == FoldKind::holdout;
  rows.push_back(one_split ? IdentityRow{"test_size", fmt::format("{}", folds.test_size)}
                           : IdentityRow{"cv", fmt::format("{}", kind == FoldKind::predefined
                                                                     ? static_cast<int>(input.folds.size())
                                                                     : folds.n_splits)});
  const bool random = folds.shuffle || folds.n_repeats > 1 || one_split;
  rows.push_back({"repeats", fmt::format("{}", folds.n_repeats)});
  rows.push_back({"shuffle", random ? "true" : "false"});
  if (random) rows.push_back({"fold_seed", fmt::format("{}", folds.seed)});
  rows.push_back({"fold_rows", fold_fingerprint(input.folds)});
}

const IdentityRow* find(const Identity& rows, const std::string& key) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const IdentityRow& row) { return row.key == key; });
  return found == rows.end() ? nullptr : &*found;
}

bool is_default(const IdentityRow& row) {
  return std::any_of(defaults.begin(), defaults.end(),
                     [&](const Meaning& meaning) { return meaning.key == row.key && meaning.text == row.value; });
}

}  // namespace

Identity identity_of(const SearchInput& input, const SearchResult& result) {
  const Dataset& data = input.data;
  Identity rows;
  rows.push_back({"results", std::string(results_generation)});
  rows.push_back({"rows", fmt::format("{}", data.rows)});
  rows.push_back({"features", fmt::format("{}", data.features)});
  rows.push_back({"task", std::string(name_of(data.task))});
  rows.push_back({"classes", fmt::format("{}", data.classes)});
  rows.push_back({"data", data_fingerprint(data)});
  rows.push_back({"names", names_fingerprint(input.options)});
  rows.push_back({"sample_weight", weight_fingerprint(input.options.sample_weight)});
  rows.push_back({"estimator", result.estimator});
  add_candidates(rows, input);
  add_folds(rows, input);
  rows.push_back({"seed", fmt::format("{}", input.options.seed)});
  std::string metrics;
  for (const Metric metric : result.metrics) metrics += (metrics.empty() ? "" : ",") + std::string(name_of(metric));
  rows.push_back({"metrics", metrics});
  std::string positive;
  for (const std::string& name : result.positive_classes) positive += (positive.empty() ? "" : ",") + name;
  if (!positive.empty()) rows.push_back({"positive_class", positive});
  return rows;
}

std::optional<std::string> difference(const Identity& journal, const Identity& search) {
  const auto readable = [](const IdentityRow& row) { return fmt::format("{}={:.200}", row.key, row.value); };
  const auto gone = std::find_if(journal.begin(), journal.end(), [&](const IdentityRow& row) {
    return find(search, row.key) == nullptr && !is_default(row);
  });
  for (const IdentityRow& row : search) {
    const IdentityRow* other = find(journal, row.key);
    if (other != nullptr ? other->value == row.value : is_default(row)) continue;
    // A parameter that only the journal has says more than another number of candidates.
    if (row.key.starts_with("candidates") && gone != journal.end()) break;
    for (const Meaning& meaning : meanings) {
      if (meaning.key == row.key) return std::string(meaning.text);
    }
    if (other == nullptr) return fmt::format("holds a search without {}, this one has {}", row.key, readable(row));
    return fmt::format("holds a search with {}, this one has {}", readable(*other), readable(row));
  }
  if (gone == journal.end()) return std::nullopt;
  return fmt::format("holds a search with {}, this one has no {}", readable(*gone), gone->key);
}

}  // namespace overtake::search_detail
