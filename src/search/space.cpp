// SPDX-License-Identifier: MIT
// What to try: grids and random draws.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/checked.hpp"
#include "core/philox.hpp"
#include "overtake/error.hpp"
#include "overtake/search.hpp"
#include "overtake/text.hpp"
#include "search/value_list.hpp"

namespace overtake {

namespace {

using search_detail::parse_value_list;
using search_detail::split;
using search_detail::trimmed;

/// Random streams of this file; the values are part of what a seed means.
constexpr std::uint32_t draw_stream = 0x5350'4143;   // "SPAC"
constexpr std::uint32_t order_stream = 0x5350'4F52;  // "SPOR"

/// More is surely a mistake, and would fill the memory with candidates before anything is trained.
constexpr std::int64_t most_candidates = 1'000'000;
/// Spaces of words and numbers up to this size are drawn without repetition.
constexpr std::int64_t most_permuted = 1 << 20;
/// Draws for each candidate that is wanted: all combinations of a small space come up in fewer, but for rare ones.
constexpr std::uint32_t most_draws_each = 64;
/// Doubles hold every whole number up to here.
constexpr double largest_integer = 9007199254740992.0;  // 2^53

struct Assignment {
  std::string name;
  std::string_view values;
};

/// "name = values".
Assignment parse_assignment(std::string_view text, const char* form) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    throw UsageError(fmt::format("\"{}\" names no values, expected the form {}", text, form));
  }
  const std::string_view name = trimmed(text.substr(0, equals));
  const std::string_view values = trimmed(text.substr(equals + 1));
  if (name.empty()) throw UsageError(fmt::format("\"{}\" names no parameter, expected the form {}", text, form));
  if (values.empty()) throw UsageError(fmt::format("\"{}\" has no values, expected the form {}", text, form));
  return {std::string(name), values};
}

constexpr const char* grid_form = "name=value,value,... or name=[JSON list]; for example max_depth=none,3,5,10";
constexpr const char* distribution_form =
    "name=int(low,high), log-int(low,high), uniform(low,high), log-uniform(low,high) or value,value,...; for example "
    "max_depth=int(2,20)";

struct KindName {
  std::string_view name;
  Distribution::Kind kind;
};

constexpr std::array<KindName, 5> kind_names = {{{"int", Distribution::Kind::integer},
                                                 {"log-int", Distribution::Kind::log_integer},
                                                 {"uniform", Distribution::Kind::uniform},
                                                 {"log-uniform", Distribution::Kind::log_uniform},
                                                 {"choice", Distribution::Kind::choice}}};

double parse_bound(std::string_view text, std::string_view whole) {
  const std::optional<double> value = text::number(text);
  if (!value || !std::isfinite(*value)) {
    throw UsageError(
        fmt::format("\"{}\" in \"{}\" is no number, expected the form {}", text, whole, distribution_form));
  }
  return *value;
}

bool is_integer(double value) { return value == std::floor(value) && std::abs(value) < largest_integer; }

/// Why the bounds of a distribution cannot be drawn from; empty when they can.
std::string bounds_problem(const Distribution& d) {
  using Kind = Distribution::Kind;
  const bool whole = d.kind == Kind::integer || d.kind == Kind::log_integer;
  if (whole && (!is_integer(d.low) || !is_integer(d.high))) return "expected whole numbers";
  if (d.kind == Kind::log_integer && d.low < 1) return "expected a low end of at least 1";
  if (d.kind == Kind::log_uniform && !(d.low > 0)) return "expected a low end above 0";
  if (whole && d.low > d.high) return "expected the low end first";
  if (!whole && !(d.low < d.high)) return "expected a low end below the high end";
  if (!std::isfinite(d.high - d.low)) return "expected finite bounds";
  return {};
}

void check(const Distribution& d) {
  if (d.kind == Distribution::Kind::choice) {
    if (d.values.empty()) throw UsageError(fmt::format("{} has no values to choose from", d.name));
    return;
  }
  if (const std::string problem = bounds_problem(d); !problem.empty()) {
    throw UsageError(fmt::format("{}: {} to {} cannot be drawn from, {}", d.name, d.low, d.high, problem));
  }
}

/// Sorts by name and refuses a name that comes twice.
template <typename Axis>
void sort_by_name(std::vector<Axis>& axes) {
  std::stable_sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.name < b.name; });
  const auto twice =
      std::adjacent_find(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.name == b.name; });
  if (twice != axes.end()) {
    throw UsageError(fmt::format("the parameter {} is given twice", twice->name), "Give all its values at once.");
  }
}

/// The number of combinations, or none when it is above `limit`.
template <typename Axis>
std::optional<std::int64_t> combinations(const std::vector<Axis>& axes, std::int64_t limit) {
  std::int64_t count = 1;
  for (const Axis& axis : axes) {
    if (!fits_mul(count, static_cast<std::int64_t>(axis.values.size()), count) || count > limit) return std::nullopt;
  }
  return count;
}

/// Combination `index` of sorted axes, the last name varying fastest.
template <typename Axis>
Parameters combination(const std::vector<Axis>& axes, std::int64_t index) {
  Parameters parameters(axes.size());
  for (std::size_t a = axes.size(); a-- > 0;) {
    const auto count = static_cast<std::int64_t>(axes[a].values.size());
    parameters[a] = {axes[a].name, axes[a].values[static_cast<std::size_t>(index % count)]};
    index /= count;
  }
  return parameters;
}

/// A number in [0, 1) with 53 random bits.
double uniform_double(const std::array<std::uint32_t, 4>& words) {
  const std::uint64_t bits = (std::uint64_t{words[0]} << 21) ^ (std::uint64_t{words[1]} >> 11);
  return static_cast<double>(bits) * 0x1p-53;
}

/// Rounding may carry a product to the open end of an interval.
double below(double value, double low, double high) { return std::clamp(value, low, std::nextafter(high, low)); }

ParameterValue draw(const Distribution& d, double u) {
  using Kind = Distribution::Kind;
  switch (d.kind) {
    case Kind::choice: {
      const auto count = static_cast<double>(d.values.size());
      return d.values[std::min(d.values.size() - 1, static_cast<std::size_t>(u * count))];
    }
    case Kind::integer:
      return static_cast<std::int64_t>(std::min(d.high, d.low + std::floor(u * (d.high - d.low + 1))));
    case Kind::log_integer: {
      // Whole number v has the probability log((v + 1) / v): what log-uniform real numbers rounded down give.
      const double value = std::exp(std::log(d.low) + u * (std::log(d.high + 1) - std::log(d.low)));
      return static_cast<std::int64_t>(std::clamp(std::floor(value), d.low, d.high));
    }
    case Kind::uniform: return below(d.low + u * (d.high - d.low), d.low, d.high);
    case Kind::log_uniform:
      return below(std::exp(std::log(d.low) + u * (std::log(d.high) - std::log(d.low))), d.low, d.high);
  }
  throw InternalError("a distribution of an unknown kind");
}

}  // namespace

GridAxis parse_grid_axis(std::string_view text) {
  const Assignment assignment = parse_assignment(text, grid_form);
  return {assignment.name, parse_value_list(assignment.name, assignment.values, grid_form)};
}

std::vector<Parameters> grid_candidates(std::vector<GridAxis> axes) {
  sort_by_name(axes);
  for (const GridAxis& axis : axes) {
    if (axis.values.empty()) throw UsageError(fmt::format("the grid has no values for {}", axis.name));
  }
  const auto count = combinations(axes, most_candidates);
  if (!count) {
    throw UsageError(fmt::format("the grid has more than {} candidates", most_candidates),
                     "Give fewer values, or draw candidates at random.");
  }
  std::vector<Parameters> candidates;
  candidates.reserve(static_cast<std::size_t>(*count));
  for (std::int64_t i = 0; i < *count; ++i) candidates.push_back(combination(axes, i));
  return candidates;
}

Distribution parse_distribution(std::string_view text) {
  const Assignment assignment = parse_assignment(text, distribution_form);
  Distribution result;
  result.name = assignment.name;
  const std::string_view values = assignment.values;
  const std::size_t open = values.find('(');
  if (open == std::string_view::npos || values.back() != ')') {
    result.values = parse_value_list(result.name, values, distribution_form);
    return result;
  }
  const std::string_view kind = trimmed(values.substr(0, open));
  const std::string_view inside = values.substr(open + 1, values.size() - open - 2);
  const auto* const known =
      std::find_if(kind_names.begin(), kind_names.end(), [&](const KindName& k) { return k.name == kind; });
  if (known == kind_names.end()) {
    throw UsageError(fmt::format("\"{}\" is no distribution, expected the form {}", kind, distribution_form));
  }
  result.kind = known->kind;
  if (result.kind == Distribution::Kind::choice) {
    result.values = parse_value_list(result.name, inside, distribution_form);
    return result;
  }
  const std::vector<std::string_view> bounds = split(inside);
  if (bounds.size() != 2) {
    throw UsageError(fmt::format("\"{}\" has {} bounds, expected two: {}(low,high)", text, bounds.size(), kind));
  }
  result.low = parse_bound(bounds[0], text);
  result.high = parse_bound(bounds[1], text);
  check(result);
  return result;
}

std::vector<Parameters> random_candidates(const std::vector<Distribution>& space, int count, std::uint64_t seed) {
  if (count < 1 || count > most_candidates) {
    throw UsageError(fmt::format("{} random candidates, expected 1 to {}", count, most_candidates));
  }
  if (space.empty()) throw UsageError("there is nothing to draw from", "Give at least one parameter.");
  std::vector<Distribution> axes = space;
  sort_by_name(axes);
  for (const Distribution& axis : axes) check(axis);
  std::vector<Parameters> candidates;
  const bool choices =
      std::all_of(axes.begin(), axes.end(), [](const Distribution& d) { return d.kind == Distribution::Kind::choice; });
  const auto total = choices ? combinations(axes, most_permuted) : std::nullopt;
  if (total) {
    // The first `count` of one shuffled list: no combination comes twice, and a longer search starts with a shorter's.
    const auto order = philox::permutation(static_cast<std::int32_t>(*total), seed, order_stream, 0);
    for (std::size_t i = 0; i < order.size() && i < static_cast<std::size_t>(count); ++i) {
      candidates.push_back(combination(axes, order[i]));
    }
    return candidates;
  }
  // Whole numbers repeat: a candidate that came before is drawn again, for as long as there is likely another.
  const std::uint32_t most_draws = most_draws_each * static_cast<std::uint32_t>(count);
  std::set<std::string> seen;
  for (std::uint32_t i = 0; i < most_draws && candidates.size() < static_cast<std::size_t>(count); ++i) {
    Parameters parameters;
    std::string text;
    for (std::size_t j = 0; j < axes.size(); ++j) {
      const auto words = philox::block_at(seed, draw_stream, static_cast<std::uint32_t>(j), i);
      parameters.emplace_back(axes[j].name, draw(axes[j], uniform_double(words)));
      text += to_text(parameters.back().second) + '\n';
    }
    if (seen.insert(std::move(text)).second) candidates.push_back(std::move(parameters));
  }
  return candidates;
}

}  // namespace overtake
