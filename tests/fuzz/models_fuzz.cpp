// SPDX-License-Identifier: MIT
// Models and checkpoints behind a proper checksum.
#include <cmath>
#include <limits>
#include <stdexcept>

#include "fuzz.hpp"
#include "nn/file/checkpoint.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/model_file.hpp"
#include "overtake/placement.hpp"

namespace overtake::fuzz {
namespace {

constexpr std::int64_t most_width = 4096;

const nn::Fingerprint settings = {{"seed", "0"}};

/// What a checkpoint is of.
struct Training {
  Training() {
    options.epochs = 5;
    model.initialize(1);
  }
  nn::Sequential model{nn::Linear(2, 2), nn::Dropout(0.1F)};
  optim::SGD optimizer{model.parameters(), 0.1, optim::SGDOptions{.momentum = 0.5}};
  TrainerOptions options;
};

/// A checkpoint in order, after two epochs of which the first was the better.
const TensorFile& good_checkpoint() {
  static const TensorFile file = [] {
    Training training;
    nn::TrainingState progress;
    progress.epoch = 2;
    progress.best = {1, 0.5};
    progress.history = {{1, 0.1, 0.7, 0.5, 0.5, 0.25}, {2, 0.1, 0.6, 0.25, 0.75, 0.5}};
    progress.kept.epoch = 1;
    for (const nn::NamedValue& entry : nn::model_values(training.model)) progress.kept.values.push_back(*entry.value);
    const std::filesystem::path path = scratch_path();
    nn::write_checkpoint(path, training.model, training.optimizer, progress, settings);
    TensorFile written = read_safetensors(path);
    written.metadata.erase(std::string(checksum_key));
    return written;
  }();
  return file;
}

/// `changes` in place of what has the same name.
TensorFile merged(TensorFile file, const TensorFile& changes) {
  for (const auto& [key, value] : changes.metadata) file.metadata[key] = value;
  for (const NamedArray& tensor : changes.tensors) {
    std::erase_if(file.tensors, [&](const NamedArray& other) { return other.name == tensor.name; });
    file.tensors.push_back(tensor);
  }
  return file;
}

}  // namespace

FUZZ_TARGET(forest) {
  std::filesystem::path path;
  if (!write_scratch(tensor_file(input), path)) return;
  const LoadedForest loaded = load_forest(path);
  const Forest& forest = loaded.forest;
  if (forest.features <= most_width && forest.outputs() <= most_width) {
    std::vector<float> rows(static_cast<std::size_t>(forest.features) * 3);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i % 7) - 3;
    rows[0] = std::numeric_limits<float>::quiet_NaN();
    if (forest.classes > 0) (void)forest.predict_proba(rows);
    if (forest.classes == 0) (void)forest.predict_values(rows);
    (void)forest.apply(rows);
    (void)export_text(forest, 0);
    (void)export_dot(forest, 0);
  }
  save_forest(path, forest);
  if (!(load_forest(path).forest == forest)) throw std::logic_error("a forest that does not read back");
}

FUZZ_TARGET(network) {
  std::filesystem::path path;
  if (!write_scratch(tensor_file(input), path)) return;
  LoadedModel loaded = load_model(path);
  if (loaded.inputs > 0 && loaded.inputs <= most_width) {
    const auto width = static_cast<std::size_t>(loaded.inputs);
    const Array rows = Array::from(std::vector<float>(2 * width, 0.5F), Shape{2, loaded.inputs});
    const Array outputs = nn::predict(loaded.model, rows);
    if (outputs.shape()[1] != loaded.outputs) throw std::logic_error("outputs of another width");
  }
  const std::string before = loaded.model.to_string();
  save_model(path, loaded.model);
  if (load_model(path).model.to_string() != before) throw std::logic_error("a network that does not read back");
}

FUZZ_TARGET(preprocessing) {
  const Preprocessing how = Preprocessing::from_json(input);
  (void)how.table_options();
  if (Preprocessing::from_json(how.to_json()).to_json() != how.to_json()) {
    throw std::logic_error("preprocessing that does not read back");
  }
  const Table table = read_table(scratch_file("size,colour\n1,red\n2,blue\n,red\n"));
  (void)how.transform_features(table);
}

/// The input says what is different from a checkpoint in order.
FUZZ_TARGET(checkpoint) {
  std::filesystem::path path;
  if (!write_scratch(merged(good_checkpoint(), tensor_file(input)), path)) return;
  Training training;
  const auto read = [&] {
    return nn::read_checkpoint(path, training.model, training.optimizer, training.options, true, settings);
  };
  const nn::TrainingState progress = read();
  if (progress.epoch < 0 || progress.epoch > training.options.epochs || progress.best.epoch > progress.epoch) {
    throw std::logic_error("a progress that cannot be");
  }
  nn::write_checkpoint(path, training.model, training.optimizer, progress, settings);
  if (read().history.size() != progress.history.size()) throw std::logic_error("a progress that does not read back");
}

}  // namespace overtake::fuzz
