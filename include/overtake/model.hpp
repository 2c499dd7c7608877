// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/preprocessing.hpp"
#include "overtake/data/table_parts.hpp"
#include "overtake/device.hpp"

namespace overtake {

/// What training gave, whichever estimator was trained. `inputs` is rows x features, row-major; a size that is no
/// multiple of the features is a UsageError.
class Model {
 public:
  virtual ~Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  /// In one phrase: "random-forest of 100 trees for 4 features and 3 classes".
  [[nodiscard]] virtual std::string describe() const = 0;
  /// Rows x classes: the share of each class; of a regression rows x 1: the numbers.
  [[nodiscard]] virtual std::vector<double> predict(std::span<const float> inputs) const = 0;
  /// The class of each row, counted from 0: the most likely one, the first of equals. Throws UsageError for regression.
  [[nodiscard]] virtual std::vector<std::int32_t> predict_classes(std::span<const float> inputs) const = 0;
  /// The leaf each row reaches in each tree: rows x trees. Throws UsageError for models without trees.
  [[nodiscard]] virtual std::vector<std::int32_t> apply(std::span<const float> inputs) const;
  /// Widths of a network's layers, inputs first; empty for what the CPU alone predicts.
  [[nodiscard]] virtual std::vector<std::int64_t> widths() const { return {}; }
  /// Writes it as one file, which appears complete or not at all. Throws as save_forest() and its like do.
  virtual void save(const std::filesystem::path& path,
                    const std::map<std::string, std::string>& metadata = {}) const = 0;

 protected:
  Model() = default;
};

/// A model with what makes its inputs of a table: all that a model file holds.
struct TableModel {
  std::shared_ptr<const Model> model;
  Preprocessing preprocessing;
};

/// Reads what write_model() wrote, whichever estimator it is; networks compute on `device`. Throws DataError naming the
/// file for one that is damaged, is no model, or does not say how its inputs are prepared, UsageError for a forest on
/// another device than the CPU, which forests predict on.
/// Throws DeviceError, before the file is read, where the process would hold more than `host_memory_limit` (0: what
/// there is) while it is.
[[nodiscard]] TableModel read_model(const std::filesystem::path& path, const Device& device = {},
                                    std::uint64_t host_memory_limit = 0);
/// Writes a model that read_model() reads. Throws what Model::save() throws.
void write_model(const std::filesystem::path& path, const Model& model, const Preprocessing& preprocessing);
/// A forest as the bytes of its file, and back; `name` stands for the file in messages. Throw as the two above do, and
/// UsageError for a network.
[[nodiscard]] std::string model_bytes(const Model& model, const Preprocessing& preprocessing);
[[nodiscard]] TableModel parse_model(std::string_view bytes, const std::string& name);

/// What an answer holds besides the target.
struct AnswerOptions {
  bool probabilities = false;  ///< each class's share, as probability_CLASS
  bool leaves = false;         ///< the leaf in each tree, as leaf_0, leaf_1, ...
};

/// The answers to every row of a table (read with preprocessing.table_options()), as a table: the target, in its unit
/// or as the classes' names, then what `options` asks for. Throws UsageError for what the model has no answer to, and
/// what Preprocessing::transform() throws.
[[nodiscard]] Table predict(const TableModel& model, const Table& data, const AnswerOptions& options = {},
                            TransformReport* report = nullptr);

/// How good answers are where the table has the target in every row: accuracy, or r2 (NaN for fewer than two rows);
/// nothing where it has not. Throws DataError for a class that training did not see.
[[nodiscard]] std::optional<double> score_of(const TableModel& model, const Table& answers, const Table& data);

/// How a file is answered where memory is limited; runs and their plans go by the same.
struct AnswersRoom {
  std::uint64_t part_bytes = PartSize{}.bytes;  ///< of the file
  std::uint64_t layer_bytes = 0;  ///< of a network's layers in the computer's memory, beside its programs; 0: no limit
};

/// The parts and layers with which the whole process keeps to `host_memory_limit` (0: none) while `model` answers on
/// `device`. Throws DeviceError where there is no room for parts of 1 MiB and, of a network whose layers are in the
/// computer's memory, its programs and 64 rows.
[[nodiscard]] AnswersRoom room_for_answers(const Model& model, const Device& device, std::uint64_t host_memory_limit);

/// The answers to a file, part by part: what read_table(), predict() and score_of() give, in memory that does not grow
/// with the file. The first part that shows something wrong throws.
class FilePredictor {
 public:
  /// `reading`: preprocessing.table_options(), or those with another notation. `part_bytes`: about the memory that a
  /// part takes. `model` must outlive it. Throws what TableReader and predict() throw.
  FilePredictor(const TableModel& model, const std::filesystem::path& data, const TableOptions& reading,
                const AnswerOptions& options = {}, std::uint64_t part_bytes = PartSize{}.bytes);
  ~FilePredictor();
  FilePredictor(const FilePredictor&) = delete;
  FilePredictor& operator=(const FilePredictor&) = delete;

  /// The answers to the next rows; nothing behind the last. Throws what read_table(), predict() and score_of() throw.
  [[nodiscard]] std::optional<Table> next();
  /// True once next() gave the last answers.
  [[nodiscard]] bool at_end() const noexcept;
  /// Bytes of the file that the answered rows took; about, where it is not plain text.
  [[nodiscard]] std::uint64_t file_bytes() const noexcept;
  /// What the cells held besides values; complete at the end.
  [[nodiscard]] const TransformReport& report() const noexcept;
  /// That of score_of(), over all rows; known at the end.
  [[nodiscard]] std::optional<double> score() const noexcept;
  /// Rows answered so far.
  [[nodiscard]] std::int64_t rows() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace overtake
