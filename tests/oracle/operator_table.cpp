// SPDX-License-Identifier: MIT
#include "oracle/operator_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

#include "oracle/image_cases.hpp"
#include "oracle/truth/elements.hpp"

namespace overtake::oracle {
namespace {

using backend::TapeCode;
using Arrays = const std::vector<Array>&;
using Tensors = const std::vector<Tensor>&;
using Extents = std::vector<std::int64_t>;
using Table = std::vector<OperatorCase>;

const std::vector<Extents> unary_shapes{{1}, {3, 5}, {100, 4}, {4097}, {2, 3, 2, 5}, {}};

using Truth1 = std::function<double(double)>;
using Truth2 = std::function<double(double, double)>;

void add_unary(Table& table, const std::string& name, Array (*call)(const Array&), const Truth1& truth, double low = -2,
               double high = 2, bool differentiable = true, double keep_from_zero = 0, double tolerance = 4e-6) {
  for (const Extents& shape : unary_shapes) {
    table.push_back({.name = name,
                     .shapes = {shape},
                     .low = low,
                     .high = high,
                     .call = [call](Arrays in) { return call(in[0]); },
                     .truth = [truth](Tensors in) { return map1(in[0], truth); },
                     .differentiable = differentiable,
                     .tolerance = tolerance,
                     .keep_from_zero = keep_from_zero});
  }
}

void add_binary(Table& table, const std::string& name, Array (*call)(const Array&, const Array&), const Truth2& truth,
                double low = -2, double high = 2, bool differentiable = true) {
  const std::vector<std::vector<Extents>> shapes{
      {{7}, {7}},          {{100, 8}, {8}},    {{5, 1}, {1, 6}},      {{3, 4}, {}},
      {{2, 3, 4}, {3, 1}}, {{1, 1}, {4, 129}}, {{6, 5, 4, 3}, {4, 3}}};
  for (const auto& shape : shapes) {
    table.push_back({.name = name,
                     .shapes = shape,
                     .low = low,
                     .high = high,
                     .call = [call](Arrays in) { return call(in[0], in[1]); },
                     .truth = [truth](Tensors in) { return map2(in[0], in[1], truth); },
                     .differentiable = differentiable});
  }
}

// Every function of the one table, where it has floats.
template <class... Operands>
void add_element_function(Table& table, TapeCode code, Array (*call)(Operands...), bool differentiable) {
  const backend::ElementFunction& function = *backend::element_function(code);
  if (!function.takes(backend::ValueType::float32)) return;  // ElementTypes has it
  const std::string name(function.name);
  const auto low = static_cast<double>(function.low), high = static_cast<double>(function.high);
  if constexpr (sizeof...(Operands) == 1) {
    const bool has_a_kink = code == TapeCode::abs || code == TapeCode::sign;
    add_unary(table, name, call, one(code), low, high, differentiable, has_a_kink ? 1e-2 : 0);
  } else {
    add_binary(table, name, call, two(code), low, high, differentiable && code != TapeCode::copysign);
  }
}

double phi(double x) { return 0.5 * (1 + std::erf(x / std::numbers::sqrt2)); }

void add_element_wise(Table& table) {
#define OVERTAKE_ROW(name, arity, types, result, low, high, body, da, db)                \
  add_element_function(table, TapeCode::name, OVERTAKE_FUNCTION_##arity(overtake::name), \
                       std::string_view(#da) != "NONE");
#define OVERTAKE_FUNCTION_ONE(name) static_cast<Array (*)(const Array&)>(name)
#define OVERTAKE_FUNCTION_TWO(name) static_cast<Array (*)(const Array&, const Array&)>(name)
  ELEMENT_FUNCTIONS(OVERTAKE_ROW)
#undef OVERTAKE_ROW
  add_unary(
      table, "relu", relu, [](double x) { return std::max(x, 0.0); }, -2, 2, true, 1e-2);
  add_unary(
      table, "leaky_relu", [](const Array& a) { return leaky_relu(a, 0.1F); },
      [](double x) { return x > 0 ? x : 0.1 * x; }, -2, 2, true, 1e-2);
  // 1 + erf cancels for negative x: the error is absolute there.
  add_unary(
      table, "gelu", gelu, [](double x) { return x * phi(x); }, -2, 4, true, 0.1, 1e-5);
  add_unary(
      table, "silu", silu, [](double x) { return x * sigmoid_of(x); }, -8, 8);
  add_binary(
      table, "greater", greater, [](double x, double y) { return x > y ? 1.0 : 0.0; }, -2, 2, false);
  add_binary(
      table, "greater_equal", greater_equal, [](double x, double y) { return x >= y ? 1.0 : 0.0; }, -2, 2, false);
  table.push_back(
      {.name = "where",
       .shapes = {{9, 5}, {5}, {9, 1}},
       .call = [](Arrays in) { return where(greater(in[0], 0.0F), in[1], in[2]); },
       .truth =
           [](Tensors in) { return choose(map1(in[0], [](double x) { return x > 0 ? 1.0 : 0.0; }), in[1], in[2]); },
       .keep_from_zero = 1e-2});
}

using Reduction = Array (*)(const Array&, std::optional<int>, bool);

void add_reduction(Table& table, const std::string& name, Reduction call, double (*truth)(const std::vector<double>&)) {
  for (const Extents& shape :
       std::vector<Extents>{{1}, {7}, {1000}, {70001}, {3, 5}, {100, 33}, {4, 3, 300}, {513, 2}}) {
    // Terms cancel: what a sum rounds by grows with the number of its terms, how large it is does not.
    const auto terms = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    const double scale = std::max(10.0, std::sqrt(static_cast<double>(terms)));
    table.push_back({.name = name + "_all",
                     .shapes = {shape},
                     .call = [call](Arrays in) { return call(in[0], {}, false); },
                     .truth =
                         [truth](Tensors in) {
                           return Tensor{{}, {truth(in[0].values)}};
                         },
                     .tolerance = 2e-5,
                     .scale = scale});
    for (int axis = 0; axis < static_cast<int>(shape.size()); ++axis) {
      table.push_back({.name = name + "_axis" + std::to_string(axis),
                       .shapes = {shape},
                       .call = [call, axis](Arrays in) { return call(in[0], axis, false); },
                       .truth = [truth, axis](Tensors in) { return reduce_axis(in[0], axis, truth); },
                       .tolerance = 2e-5,
                       .scale = scale});
    }
  }
}

void add_reductions(Table& table) {
  add_reduction(
      table, "sum", [](const Array& a, std::optional<int> axis, bool keep) { return sum(a, axis, keep); }, sum_of);
  add_reduction(
      table, "mean", [](const Array& a, std::optional<int> axis, bool keep) { return mean(a, axis, keep); }, mean_of);
  add_reduction(
      table, "max", [](const Array& a, std::optional<int> axis, bool keep) { return overtake::max(a, axis, keep); },
      max_of);
  add_reduction(
      table, "min", [](const Array& a, std::optional<int> axis, bool keep) { return overtake::min(a, axis, keep); },
      min_of);
  // A chain that is inlined into the reduction, with broadcasts.
  table.push_back({.name = "mean_squared_error",
                   .shapes = {{100, 3}, {3}},
                   .call = [](Arrays in) { return mean(square(in[0] - in[1])); },
                   .truth =
                       [](Tensors in) {
                         const Tensor d = map2(in[0], in[1], [](double x, double y) { return (x - y) * (x - y); });
                         return Tensor{{}, {mean_of(d.values)}};
                       }});
}

std::vector<std::int32_t> labels_for(std::int64_t rows, std::int64_t classes) {
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < rows; ++i) labels.push_back(static_cast<std::int32_t>((i * 7 + 3) % classes));
  return labels;
}

void add_rows(Table& table) {
  for (const Extents& shape : std::vector<Extents>{{1, 1}, {100, 2}, {7, 3}, {5, 1000}, {33, 65}, {2, 3, 4}, {6}}) {
    table.push_back({.name = "softmax",
                     .shapes = {shape},
                     .low = -4,
                     .high = 4,
                     .call = [](Arrays in) { return softmax(in[0]); },
                     .truth = [](Tensors in) { return map_rows(in[0], softmax_of); }});
    table.push_back({.name = "log_softmax",
                     .shapes = {shape},
                     .low = -4,
                     .high = 4,
                     .call = [](Arrays in) { return log_softmax(in[0]); },
                     .truth = [](Tensors in) { return map_rows(in[0], log_softmax_of); }});
    if (shape.size() != 2) continue;
    const std::vector<std::int32_t> labels = labels_for(shape[0], shape[1]);
    table.push_back({.name = "cross_entropy_rows",
                     .shapes = {shape},
                     .low = -4,
                     .high = 4,
                     .call =
                         [labels](Arrays in) {
                           const auto rows = static_cast<std::int64_t>(labels.size());
                           return cross_entropy_rows(in[0], Array::from(labels, Shape{rows}, in[0].device()));
                         },
                     .truth =
                         [labels](Tensors in) {
                           const Tensor logs = map_rows(in[0], log_softmax_of);
                           Tensor result{{in[0].extents[0]}, {}};
                           for (std::size_t i = 0; i < labels.size(); ++i) {
                             const auto columns = static_cast<std::size_t>(in[0].extents[1]);
                             result.values.push_back(-logs.values[i * columns + static_cast<std::size_t>(labels[i])]);
                           }
                           return result;
                         }});
  }
}

void add_products(Table& table) {
  const std::vector<std::array<std::int64_t, 3>> sizes{
      {1, 1, 1},     {2, 3, 4},     {100, 4, 2},  {100, 2, 64}, {13, 17, 19},  {33, 65, 7},
      {100, 64, 32}, {128, 96, 80}, {1, 300, 40}, {257, 1, 31}, {2, 1032, 516}};  // the last one: product_thin.k
  for (const auto& [m, n, k] : sizes) {
    table.push_back({.name = "matmul",
                     .shapes = {{m, k}, {k, n}},
                     .call = [](Arrays in) { return matmul(in[0], in[1]); },
                     .truth = [](Tensors in) { return product(in[0], in[1]); }});
    table.push_back({.name = "matmul_transposed_right",
                     .shapes = {{m, k}, {n, k}},
                     .call = [](Arrays in) { return matmul(in[0], transpose(in[1])); },
                     .truth = [](Tensors in) { return product(in[0], transposed(in[1])); }});
    table.push_back({.name = "matmul_transposed_left",
                     .shapes = {{k, m}, {k, n}},
                     .call = [](Arrays in) { return matmul(transpose(in[0]), in[1]); },
                     .truth = [](Tensors in) { return product(transposed(in[0]), in[1]); }});
    table.push_back({.name = "linear_relu",
                     .shapes = {{m, k}, {n, k}, {n}},
                     .call = [](Arrays in) { return silu(matmul(in[0], transpose(in[1])) + in[2]); },
                     .truth =
                         [](Tensors in) {
                           const Tensor z =
                               map2(product(in[0], transposed(in[1])), in[2], [](double x, double y) { return x + y; });
                           return map1(z, [](double x) { return x * sigmoid_of(x); });
                         },
                     .scale = 1});  // product and bias may cancel
  }
}

void add_shapes(Table& table) {
  table.push_back({.name = "reshape",
                   .shapes = {{4, 6}},
                   .call =
                       [](Arrays in) {
                         return reshape(in[0], {3, -1}) * 2.0F;
                       },
                   .truth =
                       [](Tensors in) {
                         Tensor result = map1(in[0], [](double x) { return 2 * x; });
                         result.extents = {3, 8};
                         return result;
                       }});
  table.push_back(
      {.name = "transpose",
       .shapes = {{5, 7}, {7, 5}},
       .call = [](Arrays in) { return transpose(in[0]) * in[1]; },
       .truth = [](Tensors in) { return map2(transposed(in[0]), in[1], [](double x, double y) { return x * y; }); }});
  table.push_back({.name = "reshape_of_transpose",
                   .shapes = {{5, 7}},
                   .call = [](Arrays in) { return reshape(transpose(in[0]), {35}); },
                   .truth =
                       [](Tensors in) {
                         Tensor result = transposed(in[0]);
                         result.extents = {35};
                         return result;
                       }});
  table.push_back({.name = "broadcast_to",
                   .shapes = {{3, 1}},
                   .call =
                       [](Arrays in) {
                         return broadcast_to(in[0], Shape{2, 3, 4});
                       },
                   .truth =
                       [](Tensors in) {
                         return broadcast(in[0], {2, 3, 4});
                       }});
  table.push_back({.name = "slice",
                   .shapes = {{9, 4}},
                   .call = [](Arrays in) { return square(slice(in[0], 2, 7)); },
                   .truth =
                       [](Tensors in) {
                         Tensor result{{5, 4}, {in[0].values.begin() + 8, in[0].values.begin() + 28}};
                         return map1(result, [](double x) { return x * x; });
                       }});
  table.push_back({.name = "take",
                   .shapes = {{9, 4}},
                   .call =
                       [](Arrays in) {
                         const std::vector<std::int32_t> rows{8, 0, 3, 3};
                         return take(in[0], Array::from(rows, Shape{4}, in[0].device()));
                       },
                   .truth =
                       [](Tensors in) {
                         Tensor result{{4, 4}, {}};
                         for (const int row : {8, 0, 3, 3}) {
                           for (int j = 0; j < 4; ++j)
                             result.values.push_back(in[0].values[static_cast<std::size_t>(row * 4 + j)]);
                         }
                         return result;
                       },
                   .differentiable = false});
}

// Expressions that share nodes, use values twice, and mix layouts: what fusion must not get wrong.
void add_compositions(Table& table) {
  table.push_back({.name = "diamond",
                   .shapes = {{6, 5}, {5, 4}},
                   .call =
                       [](Arrays in) {
                         const Array z = matmul(in[0], in[1]);
                         const Array y = overtake::tanh(z);
                         return y * z + sigmoid(y) * mean(z, 0);
                       },
                   .truth =
                       [](Tensors in) {
                         const Tensor z = product(in[0], in[1]);
                         const Tensor y = map1(z, [](double x) { return std::tanh(x); });
                         const Tensor m = reduce_axis(z, 0, mean_of);
                         const auto times = [](double a, double b) { return a * b; };
                         return map2(map2(y, z, times), map2(map1(y, sigmoid_of), m, times),
                                     [](double a, double b) { return a + b; });
                       }});
  table.push_back({.name = "normalise_rows",
                   .shapes = {{17, 9}},
                   .call =
                       [](Arrays in) {
                         const Array centred = in[0] - mean(in[0], 1, true);
                         return centred / overtake::sqrt(mean(square(centred), 1, true) + 0.1F);
                       },
                   .truth =
                       [](Tensors in) {
                         Tensor m = reduce_axis(in[0], 1, mean_of);
                         m.extents.push_back(1);
                         const Tensor c = map2(in[0], m, [](double a, double b) { return a - b; });
                         Tensor v = reduce_axis(map1(c, [](double x) { return x * x; }), 1, mean_of);
                         v.extents.push_back(1);
                         return map2(c, v, [](double a, double b) { return a / std::sqrt(b + 0.1); });
                       }});
}

Table make_table() {
  Table table;
  add_element_wise(table);
  add_reductions(table);
  add_rows(table);
  add_products(table);
  add_shapes(table);
  add_compositions(table);
  add_images(table);
  return table;
}

}  // namespace

const std::vector<OperatorCase>& operator_table() {
  static const Table table = make_table();
  return table;
}

std::vector<Array> upload(const std::vector<Tensor>& tensors, const Device& device) {
  std::vector<Array> arrays;
  for (const Tensor& tensor : tensors) {
    const std::vector<float> values(tensor.values.begin(), tensor.values.end());
    arrays.push_back(Array::from(values, Shape(tensor.extents), device));
  }
  return arrays;
}

}  // namespace overtake::oracle
