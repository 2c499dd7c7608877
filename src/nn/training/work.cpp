// SPDX-License-Identifier: MIT
#include "overtake/nn/work.hpp"

#include <algorithm>

namespace overtake {

NetworkWork network_work(const NetworkShape& shape) {
  constexpr std::int64_t wide_layer = 32;
  NetworkWork work;
  double weights = 0, widths = 0;
  for (std::size_t layer = 1; layer < shape.widths.size(); ++layer) {
    const auto wide = static_cast<double>(shape.widths[layer]);
    weights += (static_cast<double>(shape.widths[layer - 1]) + 1) * wide;
    widths += wide;
    if (shape.widths[layer] >= wide_layer) work.wide_layers += 1;
  }
  const std::int64_t batch = std::clamp<std::int64_t>(shape.batch_size, 1, std::max<std::int64_t>(1, shape.rows));
  if (shape.rows % batch != 0) work.wide_layers *= 2;  // the last batch of an epoch has products of its own size
  const auto rows = static_cast<double>(shape.rows), validation = static_cast<double>(shape.validation_rows);
  const double inputs = shape.widths.empty() ? 0 : static_cast<double>(shape.widths.front());
  work.epochs = shape.epochs;
  work.judged = shape.validation_rows > 0 ? work.epochs : 0;
  const std::int64_t steps_per_epoch = (shape.rows + batch - 1) / batch;
  work.steps = work.epochs * static_cast<double>(steps_per_epoch);
  work.layers = work.steps * static_cast<double>(shape.widths.size() - 1);
  work.flops = work.epochs * weights * (6 * rows + 2 * validation);
  work.weights = work.steps * weights;
  work.values = work.epochs * widths * (rows + validation);
  work.row_values = work.epochs * rows * inputs;
  // Weight and gradient, one more that the Trainer keeps, and the moments; outputs and their gradients of a batch, and
  // outputs of all validation rows.
  const double kept = weights * (3 + shape.moments) + 2 * widths * static_cast<double>(batch) + widths * validation;
  const double data = (rows + validation) * (inputs + 1);
  work.device_bytes = sizeof(float) * (kept + 2 * data);  // rows in order, and shuffled
  work.transfer_bytes = sizeof(float) * (data + 2 * weights);
  return work;
}

NetworkWork answering_work(const std::vector<std::int64_t>& widths, std::int64_t rows) {
  constexpr std::int64_t batch = 4096;
  constexpr double of_a_step = 1.0 / 3;  // forward, of forward, backward and update
  NetworkWork work = network_work({widths, rows, 0, batch, 1, 0});
  const double inputs = widths.empty() ? 0 : static_cast<double>(widths.front());
  const double weights = work.steps > 0 ? work.weights / work.steps : 0;
  const double at_once = static_cast<double>(std::min(rows, batch));
  double widest = 0;
  for (std::size_t layer = 1; layer < widths.size(); ++layer) {
    widest = std::max(widest, static_cast<double>(widths[layer - 1] + widths[layer]));
  }
  for (double* count : {&work.steps, &work.layers, &work.flops}) *count *= of_a_step;
  work.weights = work.row_values = 0;
  work.transfer_bytes = sizeof(float) * (static_cast<double>(rows) * inputs + weights);
  work.device_bytes = sizeof(float) * (weights + at_once * (inputs + widest));
  return work;
}

report::Json to_json(const NetworkWork& work) {
  report::Json json = report::Json::object();
  json.set("steps", work.steps).set("epochs", work.epochs).set("layers", work.layers).set("flops", work.flops);
  json.set("wide_layers", work.wide_layers)
      .set("weights", work.weights)
      .set("values", work.values)
      .set("row_values", work.row_values);
  return json.set("device_bytes", work.device_bytes).set("transfer_bytes", work.transfer_bytes);
}

}  // namespace overtake
