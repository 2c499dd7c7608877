// SPDX-License-Identifier: MIT
// What has a shape that depends on values: nonzero, compress, unique.
#include <fmt/format.h>

#include <algorithm>

#include "graph/node.hpp"
#include "graph/primitives/order.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

// Sorted values of a flat array with how they came there.
struct Distinct {
  Array order;   // (n): places in the array, sorted by value
  Array is_new;  // (n): the first of its value in that order
  Array begins;  // (values): where in that order each value begins
  Array values;
};

Distinct distinct_of(std::string_view name, const Array& a) {
  graph::require_defined(name, a);
  const std::int64_t n = a.size();
  const Array flat = reshape(a, {n});
  Distinct result;
  if (n == 0) {
    result.order = result.begins = zeros(Shape{0}, DType::int64, a.device());
    result.is_new = zeros(Shape{0}, DType::boolean, a.device());
    result.values = flat;
    return result;
  }
  result.order = argsort(flat);
  const Array sorted = graph::taken(flat, result.order);
  const Array place = arange(n, DType::int64, a.device());
  const Array before = graph::taken(sorted, maximum(place - 1, 0));
  result.is_new = logical_or(equal(place, 0), not_equal(sorted, before));
  overtake::eval(std::vector<Array>{result.order, result.is_new});
  result.begins = graph::true_places(result.is_new);
  result.values = graph::taken(flat, graph::taken(result.order, result.begins));
  return result;
}

Array counts_of(const Distinct& distinct) {
  const std::int64_t values = distinct.begins.size();
  if (values == 0) return distinct.begins;
  const Array next = arange(values, DType::int64, distinct.begins.device()) + 1;
  const Array ends =
      where(less(next, values), graph::taken(distinct.begins, minimum(next, values - 1)), distinct.order.size());
  return ends - distinct.begins;
}

// The number of each element's value; the order's own order says where each element went.
Array inverse_of(const Distinct& distinct, const Shape& shape) {
  if (shape.size() == 0) return zeros(shape, DType::int64, distinct.order.device());
  const Array number = cumulative_sum(distinct.is_new) - 1;
  const Array went_to = argsort(astype(distinct.order, graph::id_type(shape.size() - 1)));
  return reshape(graph::taken(number, went_to), shape.to_vector());
}

}  // namespace

namespace graph {

Array true_places(const Array& flat) {
  if (flat.size() == 0) return zeros(Shape{0}, DType::int64, flat.device());
  const Array counts = cumulative_sum(flat);
  counts.eval();
  const auto total = slice(counts, flat.size() - 1, flat.size()).item<std::int64_t>();
  if (total == 0) return zeros(Shape{0}, DType::int64, flat.device());
  return search(counts, arange(total, DType::int64, flat.device()) + 1, false, {});
}

}  // namespace graph

std::vector<Array> nonzero(const Array& a) {
  graph::require_defined("nonzero", a);
  if (a.shape().rank() == 0) {
    throw UsageError("[nonzero] of an array without axes", "Give it one with reshape().");
  }
  const Array places = graph::true_places(reshape(graph::as_type(a, DType::boolean), {a.size()}));
  std::vector<Array> result(a.shape().rank());
  std::int64_t step = 1;
  for (std::size_t axis = result.size(); axis-- > 0;) {
    const std::int64_t extent = std::max<std::int64_t>(a.shape()[axis], 1);
    result[axis] = remainder(floor_divide(places, step), extent);
    step *= extent;
  }
  return result;
}

Array compress(const Array& a, const Array& mask) {
  graph::require_defined("compress", a);
  graph::require_defined("compress", mask);
  const auto& extents = a.shape().to_vector();
  const std::vector<std::int64_t>& chosen = mask.shape().to_vector();
  if (chosen.empty() || chosen.size() > extents.size() || !std::equal(chosen.begin(), chosen.end(), extents.begin())) {
    throw UsageError(fmt::format("[compress] an array of shape {} and a mask of shape {}", a.shape().to_string(),
                                 mask.shape().to_string()),
                     "The mask must have the extents of the array's first axes.");
  }
  std::vector<std::int64_t> flat{mask.size()};
  flat.insert(flat.end(), extents.begin() + static_cast<std::ptrdiff_t>(chosen.size()), extents.end());
  const Array places = graph::true_places(reshape(graph::as_type(mask, DType::boolean), {mask.size()}));
  return graph::taken(reshape(a, flat), places);
}

Array unique_values(const Array& a) { return distinct_of("unique_values", a).values; }

UniqueCounts unique_counts(const Array& a) {
  const Distinct distinct = distinct_of("unique_counts", a);
  return {distinct.values, counts_of(distinct)};
}

UniqueInverse unique_inverse(const Array& a) {
  const Distinct distinct = distinct_of("unique_inverse", a);
  return {distinct.values, inverse_of(distinct, a.shape())};
}

UniqueAll unique_all(const Array& a) {
  const Distinct distinct = distinct_of("unique_all", a);
  const Array first = distinct.begins.size() == 0 ? distinct.begins : graph::taken(distinct.order, distinct.begins);
  return {distinct.values, first, inverse_of(distinct, a.shape()), counts_of(distinct)};
}

}  // namespace overtake
