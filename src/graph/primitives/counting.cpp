// SPDX-License-Identifier: MIT
// bincount, histogram.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/node.hpp"
#include "graph/primitives/creation.hpp"
#include "graph/primitives/order.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

// How many of the input (n) are each of 0 ... bins - 1.
class Counts final : public graph::Core {
 public:
  [[nodiscard]] std::string_view name() const override { return "bincount"; }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array&,
                                       const std::vector<bool>&) const override {
    return {Array()};
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>& in, const Shape& shape) const override {
    return backend::HistogramCore{.n = in[0].shape[0], .bins = shape[0], .ids = in[0].access()};
  }
  [[nodiscard]] Epilogue epilogue() const override { return Epilogue::none; }
};

Array counts_of(const Array& ids, std::int64_t bins) {
  const Shape shape{bins};
  if (ids.size() == 0 || bins == 0) return zeros(shape, DType::int64, ids.device());
  return graph::make_node(std::make_shared<Counts>(), {graph::in_memory(ids)}, shape, DType::int64);
}

std::pair<double, double> checked_range(std::pair<double, double> range) {
  auto [low, high] = range;
  if (!std::isfinite(low) || !std::isfinite(high) || low > high) {
    throw UsageError(fmt::format("[histogram] the range {} to {}: expected finite numbers that ascend", low, high),
                     "Name a range; elements outside are not counted.");
  }
  if (low == high) return {low - 0.5, high + 0.5};
  return {low, high};
}

std::pair<double, double> whole_range(const Array& a) {
  if (a.size() == 0) return {0, 1};
  const Array low = min(a), high = max(a);
  overtake::eval(std::vector<Array>{low, high});
  return {low.item<double>(), high.item<double>()};
}

}  // namespace

Array bincount(const Array& a, const std::optional<Array>& weights, std::int64_t minlength) {
  graph::require_defined("bincount", a);
  if (a.shape().rank() != 1 || !is_integer(a.dtype())) {
    throw UsageError(fmt::format("[bincount] of {} {}: expected whole numbers along one axis", name_of(a.dtype()),
                                 a.shape().to_string()));
  }
  if (minlength < 0) throw UsageError(fmt::format("[bincount] minlength {}: expected at least 0", minlength));
  if (weights && weights->shape() != a.shape()) {
    throw UsageError(fmt::format("[bincount] weights of shape {} for numbers of shape {}", weights->shape().to_string(),
                                 a.shape().to_string()));
  }
  std::int64_t rows = minlength;
  if (a.size() > 0) {
    const Array low = min(a), high = max(a);
    overtake::eval(std::vector<Array>{low, high});
    if (low.item<double>() < 0) {
      throw UsageError(fmt::format("[bincount] a negative number, {}", low.item<std::int64_t>()),
                       "Shift the numbers so that the smallest is 0.");
    }
    constexpr double most = 1LL << 40;
    if (high.item<double>() >= most) {
      throw UsageError(
          fmt::format("[bincount] the number {}: a count for each up to it is too much", high.item<std::uint64_t>()),
          "unique_counts() counts those that occur.");
    }
    rows = std::max(rows, high.item<std::int64_t>() + 1);
  }
  if (!weights) return counts_of(a, rows);
  const Array heavy = is_floating(weights->dtype()) ? *weights : graph::as_type(*weights, DType::float32);
  if (a.size() == 0) return zeros(Shape{rows}, heavy.dtype(), a.device());
  return reshape(graph::segment_sum(reshape(heavy, {1, a.size(), 1}), graph::segments_of(a, rows)), {rows});
}

double epsilon_of(DType type) {
  return type == DType::float64 ? std::numeric_limits<double>::epsilon()
                                : double{std::numeric_limits<float>::epsilon()};
}

// Whether even_bins() finds the bins: the edges are rounded by less than an eighth of a bin, and so is its quotient.
bool are_even(std::int64_t bins, double low, double high, DType type, DType step) {
  if (type != DType::float32 && type != DType::float64) return false;
  const double width = (high - low) / static_cast<double>(bins), largest = std::max(std::abs(low), std::abs(high));
  const double quotient_error = epsilon_of(step) * (4 * largest / width + 2 * static_cast<double>(bins));
  return width > 4 * epsilon_of(type) * largest && quotient_error < 0.1;
}

// The bin of each value, `bins` for those outside. A quotient that is a third of a bin too low gives the bin or the one
// before; which of the two, the edge between them says, computed as linspace() does.
Array even_bins(const Array& values, std::int64_t bins, double low, double high) {
  const DType type = values.dtype(), step = graph::step_type(values.device());
  const auto count = static_cast<double>(bins);
  const double width = (high - low) / count;
  constexpr double too_low = 1.0 / 3;
  const Array next = floor((astype(values, step) - (low - (1 - too_low) * width)) * (1 / width));
  const Array edge = astype(graph::linspace_at(next, low, high, bins, false), type);
  const Array bin = next + astype(greater_equal(values, edge), step);  // one more than the bin
  const auto rounded = [&](double limit) { return type == DType::float32 ? double{static_cast<float>(limit)} : limit; };
  const Array is_inside = logical_and(greater_equal(values, rounded(low)), less_equal(values, rounded(high)));
  return where(is_inside, astype(minimum(bin, count) - 1, DType::int32), bins);
}

Histogram histogram(const Array& a, std::int64_t bins, std::optional<std::pair<double, double>> range) {
  graph::require_defined("histogram", a);
  if (bins < 1) throw UsageError(fmt::format("[histogram] {} bins: expected at least 1", bins));
  const auto [low, high] = checked_range(range ? *range : whole_range(a));
  const DType type = is_floating(a.dtype()) ? a.dtype() : DType::float32;
  const Array edges = linspace(low, high, bins + 1, true, type, a.device());
  if (a.size() == 0) return {zeros(Shape{bins}, DType::int64, a.device()), edges};
  const Array values = reshape(graph::as_type(a, type), {a.size()});
  if (are_even(bins, low, high, type, graph::step_type(a.device())))
    return {counts_of(even_bins(values, bins, low, high), bins), edges};
  // The number of edges at or below a value is 1 in the first bin; the last edge itself belongs to the last one.
  const Array last = slice(edges, bins, bins + 1);
  const Array above = searchsorted(edges, values, SearchSide::right);
  const Array bin = where(equal(values, last), bins, above) - 1;
  const Array counted = logical_and(greater_equal(bin, 0), less(bin, bins));
  return {counts_of(where(logical_and(counted, equal(values, values)), bin, bins), bins), edges};
}

}  // namespace overtake
