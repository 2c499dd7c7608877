// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "core/philox.hpp"
#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

constexpr std::uint32_t disc_stream = 0x4449'5343;  // "DISC": part of what a seed means

/// (x - mean) / std over all entries; std with ddof 1, as torch.std.
void standardise(std::vector<float>& values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0.0;
  for (const float value : values) sum += value;
  const double mean = sum / count;
  double squares = 0.0;
  for (const float value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / (count - 1.0));
  const double divisor = deviation > 0.0 ? deviation : 1.0;
  for (float& value : values) value = static_cast<float>((value - mean) / divisor);
}

}  // namespace

Dataset disc(std::int64_t rows, std::uint64_t seed) {
  constexpr std::int64_t most = std::int64_t{1} << 30;
  if (rows < 1 || rows >= most) {
    throw UsageError(fmt::format("{} samples, expected 1 to {}", rows, most - 1), "1000 is usual.");
  }
  constexpr auto radius_squared = static_cast<float>(0.5 * std::numbers::inv_pi);
  Dataset data;
  data.rows = rows;
  data.features = 2;
  data.classes = 2;
  data.inputs.resize(static_cast<std::size_t>(rows) * 2);
  philox::fill_uniform(data.inputs, seed, disc_stream, 0);
  data.labels.reserve(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < data.inputs.size(); i += 2) {
    const float x = data.inputs[i];
    const float y = data.inputs[i + 1];
    data.labels.push_back(x * x + y * y - radius_squared > 0.0F ? 0 : 1);
  }
  standardise(data.inputs);
  return data;
}

}  // namespace overtake
