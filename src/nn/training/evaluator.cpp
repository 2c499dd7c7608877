// SPDX-License-Identifier: MIT
#include "nn/training/evaluator.hpp"

#include <limits>
#include <optional>
#include <vector>

#include "graph/compiled_step.hpp"
#include "nn/training/mode_guard.hpp"
#include "nn/training/row_sums.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {

struct Evaluator::Impl {
  Impl(ErrorRate which, std::int64_t row_count, std::int64_t batch, const Device& device)
      : error_rate(which),
        rows(row_count),
        full_batches(row_count / batch),
        counter(graph::copy_of(zeros(Shape{1}, DType::int32, device))),
        full(batch, which, device),
        tail(row_count % batch, which, device) {}

  ErrorRate error_rate;
  std::int64_t rows;
  std::int64_t full_batches;
  Array counter;
  RowSums full;
  RowSums tail;
  std::optional<graph::CompiledStep> full_step;
  std::optional<graph::CompiledStep> tail_step;
  std::optional<graph::CompiledStep> summary;
};

namespace {

std::vector<Array*> joined(std::vector<Array*> first, const std::vector<Array*>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

Evaluator::Evaluator(Module& model, const Loss& loss, const Array& inputs, const Array& targets, std::int64_t batch,
                     Precision precision)
    : impl_(std::make_unique<Impl>(loss.error_rate, inputs.shape()[0], batch, inputs.device())) {
  const ModeGuard mode(model, false);
  Impl& impl = *impl_;
  const auto add = [&](RowSums& sums, const Array& x, const Array& t) {
    const BufferGuard untouched(model);
    const Array output = output_of(model, x, precision);
    sums.add(loss.rows(output, t), output, t);
    return std::vector<Array>();
  };
  std::vector<Array> changing;  // training goes on between two evaluations
  for (const Parameter* parameter : model.parameters()) changing.push_back(parameter->value);
  for (const NamedValue& buffer : model.buffers()) changing.push_back(*buffer.value);
  const Array order = arange(impl.rows, DType::int32, inputs.device());
  order.eval();
  impl.full_step.emplace(
      joined(impl.full.state(), {&impl.counter}),
      [&] {
        const Array start = impl.counter;
        impl.counter = start + astype(ones(Shape{1}, start.device()), DType::int32);
        return add(impl.full, take_batch(inputs, order, start, batch), take_batch(targets, order, start, batch));
      },
      true, changing);
  if (!impl.tail.empty()) {
    const std::int64_t begin = impl.full_batches * batch;
    impl.tail_step.emplace(
        impl.tail.state(),
        [&] { return add(impl.tail, slice(inputs, begin, impl.rows), slice(targets, begin, impl.rows)); }, true,
        changing);
  }
  impl.summary.emplace(joined(joined(impl.full.state(), impl.tail.state()), {&impl.counter}), [&] {
    const Array result = packed(impl.full.loss() + impl.tail.loss(), impl.full.correct() + impl.tail.correct(),
                                impl.full.bad_steps() + impl.tail.bad_steps());
    impl.full.clear();
    impl.tail.clear();
    impl.counter = astype(zeros(Shape{1}, inputs.device()), DType::int32);
    return std::vector<Array>{result};
  });
}

Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;

Evaluation Evaluator::run() {
  impl_->full_step->run(static_cast<int>(impl_->full_batches));
  if (impl_->tail_step) impl_->tail_step->run(1);
  impl_->summary->run(1);
  const std::vector<float> values = impl_->summary->outputs().front().to_vector<float>();
  const auto rows = static_cast<double>(impl_->rows);
  // Wrong rows over all rows, and not 1 minus the share of right ones: the same double as counting answers gives.
  return {.loss = values[0] / rows,
          .error = impl_->error_rate == ErrorRate::none ? std::numeric_limits<double>::quiet_NaN()
                                                        : (rows - values[1]) / rows};
}

double Evaluator::compile_seconds() const {
  double seconds = impl_->full_step->stats().compile_seconds + impl_->summary->stats().compile_seconds;
  if (impl_->tail_step) seconds += impl_->tail_step->stats().compile_seconds;
  return seconds;
}

}  // namespace overtake::nn
