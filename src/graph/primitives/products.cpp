// SPDX-License-Identifier: MIT
// Products of any shape and type, made of the matrix product of float32 or of sums.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "graph/primitives/linear.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

std::int64_t last(const Array& a, std::size_t from_end) { return a.shape()[a.shape().rank() - from_end]; }

// (m, k) x (k, n) of one type.
Array matrix_product(const Array& a, const Array& b) {
  if (a.dtype() == DType::float32) return graph::float_matmul(a, b);
  const Shape shape{a.shape()[0], a.shape()[1], b.shape()[1]};
  const Array left = broadcast_to(expand_dims(a, 2), shape), right = broadcast_to(expand_dims(b, 0), shape);
  return sum(left * right, 1, false, a.dtype());
}

// (..., m, k) x (..., k, n) whose leading axes broadcast.
Array batched_product(const Array& a, const Array& b) {
  const auto leading = [](const Array& each) {
    return Shape(std::vector<std::int64_t>(each.shape().extents().begin(), each.shape().extents().end() - 2));
  };
  const std::int64_t m = last(a, 2), k = last(a, 1), n = last(b, 1);
  const Shape batch = broadcast_shapes(leading(a), leading(b));
  std::vector<std::int64_t> extents = batch.to_vector();
  extents.insert(extents.end(), {m, n});
  if (Shape(extents).size() == 0) return zeros(Shape(extents), a.dtype(), a.device());
  // One matrix on the right: the rows of all on the left belong together.
  if (leading(b).size() == 1) return reshape(matrix_product(reshape(a, {-1, k}), reshape(b, {k, n})), extents);
  const auto spread = [&](const Array& each, std::int64_t rows, std::int64_t columns) {
    std::vector<std::int64_t> full = batch.to_vector();
    full.insert(full.end(), {rows, columns});
    return reshape(broadcast_to(each, Shape(full)), {batch.size(), rows, columns});
  };
  const Array left = spread(a, m, k), right = spread(b, k, n);
  std::vector<Array> products;
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    const Array x = reshape(slice(left, i, i + 1), {m, k}), y = reshape(slice(right, i, i + 1), {k, n});
    products.push_back(reshape(matrix_product(x, y), {1, m, n}));
  }
  return reshape(concat(products), extents);
}

// Half precision is multiplied in float32.
template <class Product>
Array in_computing_type(std::string_view name, const Array& a, const Array& b, Product product) {
  const DType dtype = graph::common_type(name, std::vector<Array>{a, b});
  const DType computed = is_floating(dtype) && size_of(dtype) < sizeof(float) ? DType::float32 : dtype;
  return graph::as_type(product(graph::as_type(a, computed), graph::as_type(b, computed)), dtype);
}

[[noreturn]] void mismatch(const Array& a, const Array& b) {
  throw UsageError(
      fmt::format("[matmul] {} x {}: expected (m, k) x (k, n)", a.shape().to_string(), b.shape().to_string()),
      "Use reshape() or matrix_transpose() to line up the inner extents.");
}

std::vector<std::int64_t> picked(const Shape& shape, const std::vector<int>& axes) {
  std::vector<std::int64_t> extents;
  for (const int axis : axes) extents.push_back(shape[static_cast<std::size_t>(axis)]);
  return extents;
}

std::int64_t product_of(const std::vector<std::int64_t>& extents) {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace

Array matmul(const Array& a, const Array& b) {
  graph::require_defined("matmul", a);
  graph::require_defined("matmul", b);
  const std::size_t left = a.shape().rank(), right = b.shape().rank();
  if (left == 0 || right == 0) mismatch(a, b);
  const Array x = left == 1 ? reshape(a, {1, a.size()}) : a;
  const Array y = right == 1 ? reshape(b, {b.size(), 1}) : b;
  if (last(x, 1) != last(y, 2)) mismatch(a, b);
  Array result = in_computing_type("matmul", x, y, [](const Array& p, const Array& q) {
    return p.shape().rank() == 2 && q.shape().rank() == 2 ? matrix_product(p, q) : batched_product(p, q);
  });
  if (right == 1) result = squeeze(result, {-1});
  if (left == 1) result = squeeze(result, {right == 1 ? -1 : -2});
  return result;
}

Array vecdot(const Array& a, const Array& b, int axis) {
  return in_computing_type("vecdot", a, b, [axis](const Array& x, const Array& y) {
    const std::vector<Array> both = graph::broadcast_all("vecdot", {x, y});
    return sum(both[0] * both[1], axis, false, x.dtype());
  });
}

Array dot(const Array& a, const Array& b) {
  graph::require_defined("dot", a);
  graph::require_defined("dot", b);
  if (a.shape().rank() == 0 || b.shape().rank() == 0) return multiply(a, b);
  if (a.shape().rank() <= 2 && b.shape().rank() <= 2) return matmul(a, b);
  throw UsageError(
      fmt::format("[dot] shapes {} and {}: at most two axes each", a.shape().to_string(), b.shape().to_string()),
      "tensordot() takes more.");
}

Array outer(const Array& a, const Array& b) {
  graph::require_defined("outer", a);
  graph::require_defined("outer", b);
  return multiply(reshape(a, {a.size(), 1}), reshape(b, {1, b.size()}));
}

Array tensordot(const Array& a, const Array& b, const std::vector<int>& a_axes, const std::vector<int>& b_axes) {
  graph::require_defined("tensordot", a);
  graph::require_defined("tensordot", b);
  if (a_axes.size() != b_axes.size()) {
    throw UsageError(fmt::format("[tensordot] {} axes of one, {} of the other", a_axes.size(), b_axes.size()));
  }
  std::vector<int> left, right;
  for (const int axis : a_axes) left.push_back(static_cast<int>(graph::checked_axis("tensordot", axis, a.shape())));
  for (const int axis : b_axes) right.push_back(static_cast<int>(graph::checked_axis("tensordot", axis, b.shape())));
  const std::vector<std::int64_t> summed = picked(a.shape(), left);
  if (summed != picked(b.shape(), right)) {
    throw UsageError(fmt::format("[tensordot] shapes {} and {}: the axes to be summed have different extents",
                                 a.shape().to_string(), b.shape().to_string()));
  }
  const auto others = [](const Array& each, const std::vector<int>& without) {
    std::vector<int> axes;
    for (int axis = 0; axis < static_cast<int>(each.shape().rank()); ++axis) {
      if (std::find(without.begin(), without.end(), axis) == without.end()) axes.push_back(axis);
    }
    return axes;
  };
  std::vector<int> a_order = others(a, left), b_order = right;
  const std::vector<int> b_rest = others(b, right);
  std::vector<std::int64_t> extents = picked(a.shape(), a_order);
  const std::int64_t rows = product_of(extents), depth = product_of(summed);
  a_order.insert(a_order.end(), left.begin(), left.end());
  b_order.insert(b_order.end(), b_rest.begin(), b_rest.end());
  const std::vector<std::int64_t> columns = picked(b.shape(), b_rest);
  extents.insert(extents.end(), columns.begin(), columns.end());
  return reshape(matmul(reshape(permute_dims(a, a_order), {rows, depth}),
                        reshape(permute_dims(b, b_order), {depth, product_of(columns)})),
                 extents);
}

Array tensordot(const Array& a, const Array& b, int axes) {
  graph::require_defined("tensordot", a);
  if (axes < 0 || axes > static_cast<int>(a.shape().rank())) {
    throw UsageError(fmt::format("[tensordot] {} axes of an array of shape {}", axes, a.shape().to_string()));
  }
  std::vector<int> left(static_cast<std::size_t>(axes)), right(static_cast<std::size_t>(axes));
  std::iota(left.begin(), left.end(), -axes);
  std::iota(right.begin(), right.end(), 0);
  return tensordot(a, b, left, right);
}

namespace {

[[noreturn]] void bad_subscripts(std::string_view subscripts, const std::string& reason) {
  throw UsageError(fmt::format("[einsum] '{}': {}", subscripts, reason), "An example: \"ij,jk->ik\".");
}

struct Subscripts {
  std::vector<std::string> operands;
  std::string result;
};

Subscripts parsed(std::string_view text, std::size_t operands) {
  std::string clean;
  for (const char letter : text) {
    if (letter != ' ') clean += letter;
  }
  const std::size_t arrow = clean.find("->");
  Subscripts found;
  std::string inputs = clean.substr(0, arrow);
  for (std::size_t at = 0; at <= inputs.size();) {
    const std::size_t end = std::min(inputs.find(',', at), inputs.size());
    found.operands.push_back(inputs.substr(at, end - at));
    at = end + 1;
  }
  if (found.operands.size() != operands)
    bad_subscripts(text, fmt::format("labels for {} operands, {} are given", found.operands.size(), operands));
  std::map<char, int> uses;
  for (const std::string& labels : found.operands) {
    for (const char label : labels) {
      if (std::isalpha(static_cast<unsigned char>(label)) == 0) bad_subscripts(text, "labels are letters");
      if (std::count(labels.begin(), labels.end(), label) > 1) bad_subscripts(text, "a label twice in one operand");
      ++uses[label];
    }
  }
  if (arrow != std::string::npos) {
    found.result = clean.substr(arrow + 2);
  } else {
    for (const auto& [label, count] : uses) {
      if (count == 1) found.result += label;
    }
  }
  for (const char label : found.result) {
    const bool once = std::count(found.result.begin(), found.result.end(), label) == 1;
    if (!uses.contains(label) || !once) bad_subscripts(text, "the result has a label that no operand has, or twice");
  }
  return found;
}

// The array with its axes in the order of `wanted`; an axis of extent 1 for a label it has not.
Array in_order(const Array& a, const std::string& labels, const std::string& wanted) {
  std::vector<int> order;
  std::vector<std::int64_t> extents;
  for (const char label : wanted) {
    const std::size_t at = labels.find(label);
    if (at != std::string::npos) order.push_back(static_cast<int>(at));
    extents.push_back(at == std::string::npos ? 1 : a.shape()[at]);
  }
  return reshape(permute_dims(a, order), extents);
}

// Two operands as one batched product: labels of both and the result, of the sum, of one side alone.
Array pair_product(const Array& a, const std::string& left, const Array& b, const std::string& right,
                   const std::string& kept, std::string& labels) {
  std::string batch, summed, only_left, only_right;
  for (const char label : left) {
    const bool shared = right.find(label) != std::string::npos, wanted = kept.find(label) != std::string::npos;
    (shared ? (wanted ? batch : summed) : only_left) += label;
  }
  for (const char label : right) {
    if (left.find(label) == std::string::npos) only_right += label;
  }
  const Array x = in_order(a, left, batch + only_left + summed), y = in_order(b, right, batch + summed + only_right);
  const auto count = [](const Array& each, std::size_t from, std::size_t length) {
    std::int64_t total = 1;
    for (std::size_t i = from; i < from + length; ++i) total *= each.shape()[i];
    return total;
  };
  const std::int64_t batches = count(x, 0, batch.size()),
                     depth = count(x, batch.size() + only_left.size(), summed.size());
  std::vector<std::int64_t> extents(
      x.shape().extents().begin(),
      x.shape().extents().begin() + static_cast<std::ptrdiff_t>(batch.size() + only_left.size()));
  extents.insert(extents.end(), y.shape().extents().begin() + static_cast<std::ptrdiff_t>(batch.size() + summed.size()),
                 y.shape().extents().end());
  labels = batch + only_left + only_right;
  return reshape(matmul(reshape(x, {batches, count(x, batch.size(), only_left.size()), depth}),
                        reshape(y, {batches, depth, count(y, batch.size() + summed.size(), only_right.size())})),
                 extents);
}

}  // namespace

Array einsum(std::string_view subscripts, const std::vector<Array>& operands) {
  for (const Array& each : operands) graph::require_defined("einsum", each);
  const Subscripts given = parsed(subscripts, operands.size());
  std::map<char, std::int64_t> extents;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const std::string& labels = given.operands[i];
    if (labels.size() != operands[i].shape().rank()) {
      bad_subscripts(subscripts, fmt::format("'{}' for an array of shape {}", labels, operands[i].shape().to_string()));
    }
    for (std::size_t axis = 0; axis < labels.size(); ++axis) {
      const auto [found, added] = extents.try_emplace(labels[axis], operands[i].shape()[axis]);
      if (!added && found->second != operands[i].shape()[axis]) {
        bad_subscripts(subscripts, fmt::format("label {} has the extents {} and {}", labels[axis], found->second,
                                               operands[i].shape()[axis]));
      }
    }
  }
  Array result = operands[0];
  std::string labels = given.operands[0];
  for (std::size_t i = 1; i < operands.size(); ++i) {
    std::string kept = given.result;
    for (std::size_t later = i + 1; later < operands.size(); ++later) kept += given.operands[later];
    std::string made;
    result = pair_product(result, labels, operands[i], given.operands[i], kept, made);
    labels = made;
  }
  std::vector<int> gone;
  std::string left;
  for (std::size_t axis = 0; axis < labels.size(); ++axis) {
    if (given.result.find(labels[axis]) == std::string::npos) {
      gone.push_back(static_cast<int>(axis));
    } else {
      left += labels[axis];
    }
  }
  if (!gone.empty()) result = sum(result, gone, false, result.dtype());
  return in_order(result, left, given.result);
}

}  // namespace overtake
