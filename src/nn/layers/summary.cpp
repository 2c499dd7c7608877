// SPDX-License-Identifier: MIT
#include "overtake/nn/summary.hpp"

#include <map>

#include "nn/layers/layer_watch.hpp"
#include "nn/training/mode_guard.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/images.hpp"
#include "overtake/nn/layers.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

thread_local LayerWatch* newest = nullptr;

void name_parts(Module& module, const std::string& prefix, std::map<const Module*, std::string>& names) {
  for (const NamedModule& part : module.children()) {
    const std::string name = prefix + part.name;
    names.emplace(part.module, name);
    name_parts(*part.module, name + ".", names);
  }
}

double flops_of(Module& layer, const Array& output) {
  const auto results = static_cast<double>(output.size());
  if (const auto* convolution = dynamic_cast<const Conv2d*>(&layer)) {
    const Size2d size = convolution->kernel_size();
    const std::int64_t channels = convolution->in_channels() / convolution->options().groups;
    return 2 * results * static_cast<double>(size.height * size.width * channels);
  }
  const auto* linear = dynamic_cast<const Linear*>(&layer);
  return linear == nullptr ? 0 : 2 * results * static_cast<double>(linear->in_features());
}

}  // namespace

LayerWatch::LayerWatch(Told told) : told_(std::move(told)), before_(newest) { newest = this; }
LayerWatch::~LayerWatch() { newest = before_; }

void LayerWatch::tell(Module& layer, const Array& input, const Array& output) {
  if (newest != nullptr && layer.children().empty()) newest->told_(layer, input, output);
}

std::vector<LayerSummary> summarize(Module& model, const Shape& input) {
  std::map<const Module*, std::string> names;
  name_parts(model, "", names);
  std::vector<LayerSummary> layers;
  const LayerWatch watch([&](Module& layer, const Array&, const Array& output) {
    LayerSummary row{.name = names[&layer], .type = layer.spec().type, .output = output.shape()};
    row.parameters = layer.parameter_count();
    row.flops = flops_of(layer, output);
    row.output_bytes = static_cast<std::uint64_t>(output.size()) * sizeof(float);
    layers.push_back(std::move(row));
  });
  const ModeGuard mode(model, false);
  static_cast<void>(model.forward(zeros(input, model.device())));
  return layers;
}

report::Table summary_table(const std::vector<LayerSummary>& layers) {
  report::Table table;
  table.columns = {{"layer", report::Align::left},
                   {"", report::Align::left},
                   {"output", report::Align::left},
                   {"parameters"},
                   {"GFLOP"},
                   {"memory"}};
  LayerSummary all;
  const auto row = [](const LayerSummary& each, const std::string& output) {
    return std::vector<std::string>{each.name,
                                    each.type,
                                    output,
                                    report::count(each.parameters),
                                    each.flops > 0 ? report::significant(each.flops / 1e9) : "",
                                    report::bytes(each.output_bytes)};
  };
  for (const LayerSummary& each : layers) {
    table.rows.push_back(row(each, each.output.to_string()));
    all.parameters += each.parameters;
    all.flops += each.flops;
    all.output_bytes += each.output_bytes;
  }
  all.name = "all";
  table.rows.push_back(row(all, ""));
  return table;
}

}  // namespace overtake::nn
