// SPDX-License-Identifier: MIT
#include "nn/training/row_sums.hpp"

#include <array>

#include "graph/compiled_step.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

// 1 for a right row, 0 for a wrong one; for binary_error the mean over the row's elements.
Array right_rows(ErrorRate error_rate, const Array& output, const Array& target, std::int64_t rows) {
  if (error_rate == ErrorRate::class_error) return equal(argmax(output, -1), target);
  const Array right = equal(greater(output, 0.0F), reshape(target, output.shape().to_vector()));
  if (right.size() == rows) return reshape(right, {rows});
  return mean(reshape(right, {rows, -1}), 1);
}

}  // namespace

RowSums::RowSums(std::int64_t rows, ErrorRate error_rate, const Device& device)
    : rows_(rows), error_rate_(error_rate), device_(device) {
  if (empty()) return;
  losses_ = graph::copy_of(zeros(Shape{rows}, device));
  bad_ = graph::copy_of(zeros(Shape{rows}, device));
  if (error_rate_ != ErrorRate::none) correct_ = graph::copy_of(zeros(Shape{rows}, device));
}

void RowSums::add(const Array& row_losses, const Array& output, const Array& target) {
  losses_ = losses_ + row_losses;
  // x - x is 0 for every finite x and NaN for the others; NaN differs from 0.
  bad_ = bad_ + not_equal(losses_ - losses_, 0.0F);
  if (error_rate_ != ErrorRate::none) correct_ = correct_ + right_rows(error_rate_, output, target, rows_);
}

void RowSums::clear() {
  if (empty()) return;
  losses_ = zeros(Shape{rows_}, device_);
  if (error_rate_ != ErrorRate::none) correct_ = zeros(Shape{rows_}, device_);
}

Array RowSums::loss() const { return empty() ? zeros(Shape{}, device_) : sum(losses_); }

Array RowSums::correct() const {
  return empty() || error_rate_ == ErrorRate::none ? zeros(Shape{}, device_) : sum(correct_);
}

Array RowSums::bad_steps() const { return empty() ? zeros(Shape{}, device_) : overtake::max(bad_); }

std::vector<Array*> RowSums::state() {
  if (empty()) return {};
  std::vector<Array*> result = {&losses_, &bad_};
  if (error_rate_ != ErrorRate::none) result.push_back(&correct_);
  return result;
}

Array packed(const Array& first, const Array& second, const Array& third) {
  const Array position = arange(3, DType::int32, first.device());
  const auto at = [&](std::int32_t index) {
    return equal(position, Array::from(std::array<std::int32_t, 1>{index}, Shape{1}, first.device()));
  };
  // where() and not a product with the mask: NaN times 0 is NaN.
  return where(at(0), first, where(at(1), second, third));
}

}  // namespace overtake::nn
