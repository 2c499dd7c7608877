// SPDX-License-Identifier: MIT
// Model files, whichever estimator they hold.
#include "overtake/model.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"
#include "overtake/memory.hpp"
#include "overtake/nn/model_file.hpp"
#include "overtake/nn/network.hpp"

namespace overtake {
namespace {

constexpr const char* preprocessing_key = "preprocessing";

Preprocessing preprocessing_of(const std::map<std::string, std::string>& metadata, const std::string& path) {
  const auto found = metadata.find(preprocessing_key);
  if (found != metadata.end()) return Preprocessing::from_json(found->second, path);
  throw DataError(fmt::format("{}: the model does not say how its inputs are prepared", path),
                  "Use a file that \"overtake train --save\" wrote.");
}

/// Before data are read and encoded, which may take much memory.
void check_belongs(const std::string& path, const char* kind, const Preprocessing& how, std::int64_t inputs,
                   std::int64_t outputs, bool same_task) {
  if (same_task && how.inputs() == inputs && how.outputs() == outputs) return;
  throw DataError(fmt::format("{0}: its {1} and its description of the columns do not belong together: the {1} takes "
                              "{2} inputs and gives {3} outputs, the description says {4} and {5}",
                              path, kind, inputs, outputs, how.inputs(), how.outputs()),
                  fmt::format("Train and save the {} again.", kind));
}

TableModel checked_forest(LoadedForest loaded, const std::string& path) {
  const Forest& forest = loaded.forest;
  Preprocessing how = preprocessing_of(loaded.metadata, path);
  const bool same_task = (forest.classes > 0) == (how.task == Task::classification);
  check_belongs(path, "forest", how, forest.features, forest.outputs(), same_task);
  return {std::make_shared<ForestModel>(std::move(loaded.forest)), std::move(how)};
}

TableModel read_forest(const std::string& path, const Device& device) {
  if (device.id() != Device().id()) {
    throw UsageError(fmt::format("{} is a forest, and forests predict on the CPU, not on {}", path, device.id()),
                     "Leave the device out.");
  }
  return checked_forest(load_forest(path), path);
}

TableModel read_network(const std::string& path, const Device& device) {
  LoadedModel loaded = load_model(path);
  Preprocessing how = preprocessing_of(loaded.metadata, path);
  check_belongs(path, "network", how, loaded.inputs, loaded.outputs, true);
  loaded.model.to(device);
  return {std::make_shared<NetworkModel>(std::move(loaded.model), how), std::move(how)};
}

}  // namespace

std::vector<std::int32_t> Model::apply(std::span<const float> /*inputs*/) const {
  throw UsageError(fmt::format("leaves (apply, --apply) belong to forests, and this is a {}", describe()));
}

TableModel read_model(const std::filesystem::path& path, const Device& device, std::uint64_t host_memory_limit) {
  constexpr std::uint64_t copies = 3;  // the bytes of the file, the values in them, the trees or layers
  std::error_code unknown;             // reading says what is wrong
  const std::uintmax_t bytes = std::filesystem::file_size(path, unknown);
  MemoryPlan need;
  if (!unknown) need.add("the model while it is read", copies * bytes);
  require_host_memory(need, host_memory_limit, "reading the model", "use a smaller model.");
  // Whether the file must have a checksum, the reader of the one or the other model knows.
  const bool holds_forest = read_safetensors(path).metadata.contains("overtake.forest");
  return holds_forest ? read_forest(path.string(), device) : read_network(path.string(), device);
}

std::string model_bytes(const Model& model, const Preprocessing& preprocessing) {
  const auto* forest = dynamic_cast<const ForestModel*>(&model);
  if (forest == nullptr) {
    throw UsageError(fmt::format("only forests become bytes, and this is a {}", model.describe()),
                     "Write it to a file (overtake_model_save, write_model).");
  }
  return forest_bytes(forest->forest(), {{preprocessing_key, preprocessing.to_json()}});
}

TableModel parse_model(std::string_view bytes, const std::string& name) {
  return checked_forest(parse_forest(bytes, name), name);
}

void write_model(const std::filesystem::path& path, const Model& model, const Preprocessing& preprocessing) {
  model.save(path, {{preprocessing_key, preprocessing.to_json()}});
}

}  // namespace overtake
