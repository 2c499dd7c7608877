// SPDX-License-Identifier: MIT
// The losses of a Trainer: functions that keep the rows apart.
#include "overtake/nn/loss.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <vector>

#include "core/nearest.hpp"
#include "nn/layers/loss_terms.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

// (rows, ...) -> (rows,): the mean of each row. One column needs no reduction.
Array row_means(const Array& values) {
  const Shape& shape = values.shape();
  if (shape.rank() == 0) return reshape(values, {1});
  if (shape.rank() == 1) return values;
  const std::int64_t rows = shape[0];
  if (values.size() == rows) return reshape(values, {rows});
  return mean(reshape(values, {rows, -1}), 1);
}

// In the name, since checkpoints compare it.
std::string name_with(const CrossEntropyOptions& options) {
  std::vector<std::string> settings;
  if (options.weight.defined()) {
    settings.push_back(fmt::format("weight=[{}]", fmt::join(options.weight.to_vector<float>(), ", ")));
  }
  if (options.label_smoothing > 0) settings.push_back(fmt::format("label_smoothing={}", options.label_smoothing));
  return settings.empty() ? "cross_entropy" : fmt::format("cross_entropy({})", fmt::join(settings, ", "));
}

}  // namespace

Array Loss::operator()(const Array& output, const Array& target) const {
  if (!rows) throw UsageError("the loss has no function");
  return mean(rows(output, target));
}

Loss Loss::cross_entropy() {
  return {"cross_entropy", [](const Array& o, const Array& t) { return cross_entropy_rows(widened(o), t); },
          ErrorRate::class_error};
}

Loss Loss::cross_entropy(const CrossEntropyOptions& options) {
  check_cross_entropy(options);
  if (options.reduction != Reduction::mean || options.sample_weight.defined() || options.ignore_index) {
    throw UsageError(
        "[cross_entropy] a Trainer's loss takes class weights and label smoothing alone, got another option",
        "nn::cross_entropy in a loop by hand takes the others.");
  }
  const auto rows = [options](const Array& output, const Array& labels) {
    const WeightedRows terms = cross_entropy_terms(output, labels, options);
    if (!terms.weights.defined()) return terms.losses;
    return terms.losses * (static_cast<float>(terms.losses.size()) / sum(terms.weights));
  };
  return {name_with(options), rows, ErrorRate::class_error};
}

Loss Loss::mse() {
  return {"mse", [](const Array& o, const Array& t) { return row_means(squared_error(o, t)); }, ErrorRate::none};
}

Loss Loss::l1() {
  return {"l1", [](const Array& o, const Array& t) { return row_means(absolute_error(o, t)); }, ErrorRate::none};
}

Loss Loss::huber(double delta) {
  check_huber_delta(delta);
  return {fmt::format("huber(delta={})", delta),
          [delta](const Array& o, const Array& t) { return row_means(huber_error(o, t, delta)); }, ErrorRate::none};
}

Loss Loss::smooth_l1(double beta) {
  check_smooth_l1_beta(beta);
  return {fmt::format("smooth_l1(beta={})", beta),
          [beta](const Array& o, const Array& t) { return row_means(smooth_l1_error(o, t, beta)); }, ErrorRate::none};
}

Loss Loss::binary_cross_entropy_with_logits() {
  return {"binary_cross_entropy_with_logits",
          [](const Array& o, const Array& t) { return row_means(logistic_error(o, t, Array())); },
          ErrorRate::binary_error};
}

Loss Loss::named(const std::string& name) {
  static const std::map<std::string, Loss (*)()> makers = {
      {"cross_entropy", [] { return cross_entropy(); }},
      {"mse", [] { return mse(); }},
      {"l1", [] { return l1(); }},
      {"huber", [] { return huber(); }},
      {"smooth_l1", [] { return smooth_l1(); }},
      {"binary_cross_entropy_with_logits", [] { return binary_cross_entropy_with_logits(); }}};
  const auto found = makers.find(name);
  if (found != makers.end()) return found->second();
  std::vector<std::string> names;
  for (const auto& [known, maker] : makers) names.push_back(known);
  const std::string near = nearest(name, names);
  throw UsageError(fmt::format("there is no loss \"{}\"", name),
                   near.empty() ? fmt::format("{}", fmt::join(names, ", ")) : "Did you mean " + near + "?");
}

}  // namespace overtake::nn
