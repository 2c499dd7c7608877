// SPDX-License-Identifier: MIT
#include "overtake/nn/summary.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "backend/api/details.hpp"
#include "backend/api/device.hpp"
#include "nn/layers/layer_watch.hpp"
#include "nn/training/mode_guard.hpp"
#include "overtake/error.hpp"
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

double attribute(const LayerSpec& spec, std::string_view name) {
  for (const auto& [known, value] : spec.attributes) {
    if (known == name) return value;
  }
  throw InternalError(fmt::format("{} has no {}", spec.type, name));
}

// Multiply-adds of each result, twice.
double flops_of(const LayerSpec& spec, const Array& output) {
  const auto results = static_cast<double>(output.size());
  if (spec.type == "Linear") return 2 * results * attribute(spec, "in_features");
  if (spec.type != "Conv2d") return 0;
  const double window = attribute(spec, "kernel_size_0") * attribute(spec, "kernel_size_1");
  return 2 * results * window * attribute(spec, "in_channels") / attribute(spec, "groups");
}

}  // namespace

LayerWatch::LayerWatch(Told told) : told_(std::move(told)), before_(newest) { newest = this; }
LayerWatch::~LayerWatch() { newest = before_; }

std::int64_t LayerWatch::count() { return newest == nullptr ? 0 : newest->count_; }

void LayerWatch::tell(Module& layer, const Module& computed, const Array& input, const Array& output) {
  if (newest == nullptr || !layer.children().empty()) return;
  ++newest->count_;
  newest->told_(layer, computed.spec(), input, output);
}

std::string convolution_library(const Device& device) {
  std::string library = device.impl().details().convolutions;
  return library.empty() ? "Overtake's own kernels" : library;
}

Summary summarize(Module& model, const Shape& input) {
  std::map<const Module*, std::string> names;
  name_parts(model, "", names);
  Summary summary;
  summary.parameters = model.parameter_count();
  summary.device = model.device().id();
  summary.convolutions = convolution_library(model.device());
  const LayerWatch watch([&](Module& layer, const LayerSpec& spec, const Array&, const Array& output) {
    LayerSummary row{.name = names[&layer], .type = spec.type, .output = output.shape()};
    row.parameters = layer.parameter_count();
    row.flops = flops_of(spec, output);
    row.output_bytes = static_cast<std::uint64_t>(output.size()) * sizeof(float);
    summary.layers.push_back(std::move(row));
  });
  const ModeGuard mode(model, false);
  static_cast<void>(model(zeros(input, model.device())));
  return summary;
}

report::Table summary_table(const Summary& summary) {
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
  for (const LayerSummary& each : summary.layers) {
    table.rows.push_back(row(each, each.output.to_string()));
    all.flops += each.flops;
    all.output_bytes += each.output_bytes;
  }
  all.name = "all";
  all.parameters = summary.parameters;
  table.rows.push_back(row(all, ""));
  return table;
}

std::string summary_text(const Summary& summary, int width) {
  return fmt::format("{}convolutions on {}: {}\n", table_text(summary_table(summary), width), summary.device,
                     summary.convolutions);
}

}  // namespace overtake::nn
