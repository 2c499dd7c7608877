// SPDX-License-Identifier: MIT
#include "oracle/random_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>
#include <random>

#include "oracle/truth/elements.hpp"

namespace overtake::oracle {
namespace {

using backend::TapeCode;
using Extents = std::vector<std::int64_t>;

constexpr std::int64_t most_elements = 300;

std::int64_t count(const Extents& extents) {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
}

std::optional<Extents> common(const Extents& a, const Extents& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Extents result(rank);
  for (std::size_t back = 1; back <= rank; ++back) {
    const std::int64_t x = back <= a.size() ? a[a.size() - back] : 1;
    const std::int64_t y = back <= b.size() ? b[b.size() - back] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    result[rank - back] = std::max(x, y);
  }
  return count(result) <= most_elements ? std::optional(result) : std::nullopt;
}

bool is_binary(ProgramOp op) { return op >= ProgramOp::average; }

/// The shape of a step's result; nothing where the operation cannot be had of its inputs.
std::optional<Extents> shape_of(const ProgramStep& step, const Extents& a, const Extents& b) {
  const auto number = static_cast<std::int64_t>(step.number);
  switch (step.op) {
    case ProgramOp::transpose: return a.size() == 2 ? std::optional(Extents{a[1], a[0]}) : std::nullopt;
    case ProgramOp::flatten: return Extents{count(a)};
    case ProgramOp::split: {
      if (a.empty() || a.size() > 3 || a.back() % number != 0) return std::nullopt;
      Extents result = a;
      result.back() /= number;
      result.push_back(number);
      return result;
    }
    case ProgramOp::cut: {
      if (a.empty() || number >= a[0]) return std::nullopt;
      Extents result = a;
      result[0] -= number;
      return result;
    }
    case ProgramOp::broadcast: {
      if (a.size() > 2 || count(a) * number > most_elements) return std::nullopt;
      Extents result = a;
      result.insert(result.begin(), number);
      return result;
    }
    case ProgramOp::mean_all: return Extents{};
    case ProgramOp::mean_axis: {
      if (number >= static_cast<std::int64_t>(a.size())) return std::nullopt;
      Extents result = a;
      result[static_cast<std::size_t>(number)] = 1;
      return result;
    }
    case ProgramOp::max_axis: {
      if (number >= static_cast<std::int64_t>(a.size())) return std::nullopt;
      Extents result = a;
      result.erase(result.begin() + number);
      return result;
    }
    case ProgramOp::sum_rows: return a.empty() ? std::nullopt : std::optional(Extents(a.begin() + 1, a.end()));
    case ProgramOp::softmax: return a.size() == 2 ? std::optional(a) : std::nullopt;
    case ProgramOp::matmul:
      return a.size() == 2 && b.size() == 2 && a[1] == b[0] && a[0] * b[1] <= most_elements
                 ? std::optional(Extents{a[0], b[1]})
                 : std::nullopt;
    default: return is_binary(step.op) ? common(a, b) : std::optional(a);
  }
}

std::vector<float> condition_of(const Program& program, const ProgramStep& step, const Extents& extents) {
  std::mt19937_64 engine(program.seed ^ static_cast<std::uint64_t>(step.number));
  std::vector<float> values(static_cast<std::size_t>(count(extents)));
  for (float& value : values) value = static_cast<float>(engine() & 1U);
  return values;
}

Array lazily(const Program& program, const ProgramStep& step, const Array& a, const Array& b) {
  const auto number = static_cast<std::int64_t>(step.number);
  const auto with_number = [&] { return static_cast<float>(step.number); };
  switch (step.op) {
    case ProgramOp::negative: return -a;
    case ProgramOp::scale: return a * with_number();
    case ProgramOp::tanh: return tanh(a);
    case ProgramOp::sigmoid: return sigmoid(a);
    case ProgramOp::sin: return sin(a);
    case ProgramOp::cos: return cos(a);
    case ProgramOp::erf: return erf(a);
    case ProgramOp::silu: return silu(a);
    case ProgramOp::square: return square(tanh(a));
    case ProgramOp::softmax: return softmax(a);
    case ProgramOp::detach: return a.detach();
    case ProgramOp::relu: return relu(a);
    case ProgramOp::absolute: return abs(a);
    case ProgramOp::transpose: return transpose(a);
    case ProgramOp::flatten: return reshape(a, {-1});
    case ProgramOp::split: {
      Extents extents = a.shape().to_vector();
      extents.back() /= number;
      extents.push_back(number);
      return reshape(a, extents);
    }
    case ProgramOp::cut: return slice(a, number, a.shape()[0]);
    case ProgramOp::broadcast: {
      Extents extents = a.shape().to_vector();
      extents.insert(extents.begin(), number);
      return broadcast_to(a, Shape(extents));
    }
    case ProgramOp::mean_all: return mean(a);
    case ProgramOp::mean_axis: return mean(a, static_cast<int>(number), true);
    case ProgramOp::max_axis: return max(a, static_cast<int>(number));
    case ProgramOp::sum_rows: return sum(a, 0) * (1.0F / static_cast<float>(a.shape()[0]));
    case ProgramOp::average: return (a + b) * 0.5F;
    case ProgramOp::half_difference: return (a - b) * 0.5F;
    case ProgramOp::multiply: return tanh(a) * b;
    case ProgramOp::maximum: return maximum(a, b);
    case ProgramOp::select: {
      const Shape shape = broadcast_shapes(a.shape(), b.shape());
      return where(Array::from(condition_of(program, step, shape.to_vector()), shape, a.device()), a, b);
    }
    case ProgramOp::matmul: return matmul(a, b) * (1.0F / static_cast<float>(a.shape()[1]));
  }
  return {};
}

Tensor in_double(const Program& program, const ProgramStep& step, const Tensor& a, const Tensor& b) {
  const double number = static_cast<float>(step.number);
  Tensor result = a;
  switch (step.op) {
    case ProgramOp::negative: return map1(a, one(TapeCode::negative));
    case ProgramOp::scale: return map1(a, [number](double x) { return x * number; });
    case ProgramOp::tanh: return map1(a, one(TapeCode::tanh));
    case ProgramOp::sigmoid: return map1(a, one(TapeCode::sigmoid));
    case ProgramOp::sin: return map1(a, one(TapeCode::sin));
    case ProgramOp::cos: return map1(a, one(TapeCode::cos));
    case ProgramOp::erf: return map1(a, one(TapeCode::erf));
    case ProgramOp::silu: return map1(a, [](double x) { return x * sigmoid_of(x); });
    case ProgramOp::square: return map1(a, [](double x) { return std::tanh(x) * std::tanh(x); });
    case ProgramOp::softmax: return map_rows(a, softmax_of);
    case ProgramOp::detach: return a;
    case ProgramOp::relu: return map1(a, [](double x) { return std::max(x, 0.0); });
    case ProgramOp::absolute: return map1(a, one(TapeCode::abs));
    case ProgramOp::transpose: return transposed(a);
    case ProgramOp::flatten:
    case ProgramOp::split: result.extents = *shape_of(step, a.extents, {}); return result;
    case ProgramOp::cut:
      result.extents = *shape_of(step, a.extents, {});
      result.values.assign(a.values.end() - count(result.extents), a.values.end());
      return result;
    case ProgramOp::broadcast: return broadcast(a, *shape_of(step, a.extents, {}));
    case ProgramOp::mean_all: return {{}, {mean_of(a.values)}};
    case ProgramOp::mean_axis:
      result = reduce_axis(a, static_cast<int>(step.number), mean_of);
      result.extents = *shape_of(step, a.extents, {});
      return result;
    case ProgramOp::max_axis: return reduce_axis(a, static_cast<int>(step.number), max_of);
    case ProgramOp::sum_rows: return reduce_axis(a, 0, mean_of);
    case ProgramOp::average: return map2(a, b, [](double x, double y) { return (x + y) / 2; });
    case ProgramOp::half_difference: return map2(a, b, [](double x, double y) { return (x - y) / 2; });
    case ProgramOp::multiply: return map2(a, b, [](double x, double y) { return std::tanh(x) * y; });
    case ProgramOp::maximum: return map2(a, b, two(TapeCode::maximum));
    case ProgramOp::select: {
      const Extents extents = *common(a.extents, b.extents);
      const std::vector<float> condition = condition_of(program, step, extents);
      return choose({extents, {condition.begin(), condition.end()}}, a, b);
    }
    case ProgramOp::matmul: return map1(product(a, b), [&](double x) { return x / static_cast<double>(a.extents[1]); });
  }
  return result;
}

ProgramStep draw_step(std::mt19937_64& engine, int values, bool smooth) {
  const auto below = [&](int n) { return static_cast<int>(engine() % static_cast<std::uint64_t>(n)); };
  ProgramStep step;
  for (bool fits = false; !fits;) {
    step.op = static_cast<ProgramOp>(below(static_cast<int>(ProgramOp::matmul) + 1));
    const bool rough = step.op == ProgramOp::relu || step.op == ProgramOp::absolute || step.op == ProgramOp::max_axis ||
                       step.op == ProgramOp::maximum;
    fits = !(smooth && rough);
  }
  // Mostly the newest value, so that chains grow; now and then any other.
  const auto some_value = [&] { return below(3) > 0 ? values - 1 : below(values); };
  step.a = some_value();
  step.b = below(2) == 0 ? some_value() : below(values);
  switch (step.op) {
    case ProgramOp::scale: step.number = (below(2) == 0 ? -1 : 1) * (0.25 + below(100) / 140.0); break;
    case ProgramOp::split:
    case ProgramOp::broadcast: step.number = 2 + below(2); break;
    case ProgramOp::cut: step.number = 1; break;
    case ProgramOp::mean_axis:
    case ProgramOp::max_axis: step.number = below(3); break;
    case ProgramOp::select: step.number = below(1 << 20); break;
    default: break;
  }
  return step;
}

}  // namespace

std::string Program::describe() const {
  std::string text = fmt::format("program of seed {}, {} steps", seed, steps.size());
  if (steps.size() > 40) return text;
  for (std::size_t i = 0; i < leaves.size(); ++i)
    text += fmt::format("\n  v{} = leaf {}", i, Shape(leaves[i]).to_string());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    text += fmt::format("\n  v{} = op{}(v{}, v{}, {})", leaves.size() + i, static_cast<int>(steps[i].op), steps[i].a,
                        steps[i].b, steps[i].number);
  }
  for (const int output : outputs) text += fmt::format("\n  wanted: v{}", output);
  return text;
}

Program draw_program(std::uint64_t seed, int length, bool smooth) {
  static const std::vector<Extents> shapes{{},     {1},    {5},    {8},    {17},   {2, 3},    {3, 2},
                                           {4, 4}, {5, 8}, {8, 5}, {1, 6}, {6, 1}, {2, 3, 4}, {300}};
  std::mt19937_64 engine(seed);
  Program program;
  program.seed = seed;
  for (std::uint64_t i = 0; i < 1 + seed % 4; ++i) program.leaves.push_back(shapes[engine() % shapes.size()]);
  std::vector<Extents> extents = program.leaves;
  while (static_cast<int>(program.steps.size()) < length) {
    const ProgramStep step = draw_step(engine, static_cast<int>(extents.size()), smooth);
    const auto shape =
        shape_of(step, extents[static_cast<std::size_t>(step.a)], extents[static_cast<std::size_t>(step.b)]);
    if (!shape) continue;
    program.steps.push_back(step);
    extents.push_back(*shape);
  }
  program.outputs.push_back(static_cast<int>(extents.size()) - 1);
  for (std::uint64_t i = 0; i < engine() % 4; ++i)
    program.outputs.push_back(static_cast<int>(engine() % extents.size()));
  return program;
}

std::vector<Tensor> draw_leaves(const Program& program) {
  std::mt19937_64 engine(program.seed + 1);
  std::uniform_real_distribution<float> uniform(-2, 2);
  std::vector<Tensor> leaves;
  for (const Extents& extents : program.leaves) {
    Tensor tensor{extents, {}};
    for (std::int64_t i = 0; i < count(extents); ++i) tensor.values.push_back(uniform(engine));
    leaves.push_back(std::move(tensor));
  }
  return leaves;
}

std::vector<Array> run_lazily(const Program& program, const std::vector<Array>& leaves) {
  std::vector<Array> values = leaves;
  for (const ProgramStep& step : program.steps) {
    const Array a = values[static_cast<std::size_t>(step.a)], b = values[static_cast<std::size_t>(step.b)];
    values.push_back(lazily(program, step, a, b));
  }
  std::vector<Array> outputs;
  for (const int output : program.outputs) outputs.push_back(values[static_cast<std::size_t>(output)]);
  return outputs;
}

std::vector<Tensor> run_in_double(const Program& program, const std::vector<Tensor>& leaves,
                                  const std::vector<Tensor>* detached) {
  std::vector<Tensor> values = leaves;
  values.reserve(leaves.size() + program.steps.size());
  for (const ProgramStep& step : program.steps) {
    if (step.op == ProgramOp::detach && detached != nullptr) {
      values.push_back((*detached)[values.size()]);
      continue;
    }
    values.push_back(
        in_double(program, step, values[static_cast<std::size_t>(step.a)], values[static_cast<std::size_t>(step.b)]));
  }
  return values;
}

}  // namespace overtake::oracle
