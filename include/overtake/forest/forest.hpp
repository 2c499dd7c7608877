// SPDX-License-Identifier: MIT
// A trained forest: predictions, exports, its file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/forest/parameters.hpp"
#include "overtake/model.hpp"

namespace overtake {

/// One tree: node 0 is the root, nodes are in depth-first order with the left child first, as in scikit-learn.
struct Tree {
  std::vector<std::int32_t> feature;   ///< -1: a leaf
  std::vector<double> threshold;       ///< left if value <= threshold (NaN for leaves)
  std::vector<std::uint8_t> nan_left;  ///< where a missing value goes
  std::vector<std::int32_t> left;      ///< child, -1 for leaves
  std::vector<std::int32_t> right;
  std::vector<double> impurity;
  std::vector<std::int32_t> samples;     ///< distinct training rows
  std::vector<double> weighted_samples;  ///< with bootstrap counts and weights
  std::vector<double> value;             ///< node x outputs: share of each class, or the mean

  [[nodiscard]] std::int32_t nodes() const noexcept { return static_cast<std::int32_t>(feature.size()); }
  /// Bit for bit: the NaN of two leaves are equal.
  friend bool operator==(const Tree& a, const Tree& b);
};

/// A trained forest: plain data. Predictions are means over the trees in their order, in double: the same bits
/// everywhere.
struct Forest {
  ForestParameters parameters;
  std::int32_t features = 0;
  std::int32_t classes = 0;                ///< 0: regression
  std::vector<std::string> feature_names;  ///< empty, or one a feature
  std::vector<std::string> class_names;    ///< empty, or one a class
  std::vector<Tree> trees;
  std::vector<double> feature_importances;  ///< mean decrease in impurity, sums to 1 (or all 0)
  std::optional<double> oob_score;     ///< accuracy or r2 on the `oob_rows` rows that some tree did not see; empty: not
                                       ///< asked for, or not defined (no such row; r2 of a single one)
  std::int64_t oob_rows = 0;           ///< rows that oob_score judges: with few trees not all of the training rows
  std::vector<double> oob_prediction;  ///< rows x outputs, with parameters.oob_score: class shares or numbers; NaN:
                                       ///< the row was in the bag of every tree
  /// Names the data that the forest was grown from: sizes and hashes of inputs, targets and sample weights. What a warm
  /// start compares. Empty: not known (read from a file of an earlier version).
  std::string data_fingerprint;

  [[nodiscard]] std::int32_t outputs() const noexcept { return classes > 0 ? classes : 1; }

  /// Class shares, rows x classes. `inputs` is rows x features, row-major, NaN: missing. Throws UsageError for
  /// regression forests or a size that is no multiple of `features`.
  [[nodiscard]] std::vector<double> predict_proba(std::span<const float> inputs) const;
  /// The class with the largest share (the first of equals).
  [[nodiscard]] std::vector<std::int32_t> predict(std::span<const float> inputs) const;
  /// Regression.
  [[nodiscard]] std::vector<double> predict_values(std::span<const float> inputs) const;
  /// The leaf each row reaches in each tree: rows x trees.
  [[nodiscard]] std::vector<std::int32_t> apply(std::span<const float> inputs) const;
  /// The nodes that a row passes in tree `tree`, root first.
  [[nodiscard]] std::vector<std::int32_t> decision_path(std::span<const float> row, std::size_t tree) const;

  /// Bit for bit.
  friend bool operator==(const Forest& a, const Forest& b);
};

/// A tree as indented text (scikit-learn's export_text), "|--- petal_length <= 2.45". Numbers have as many digits as
/// reading the same double back takes, or `digits` after the decimal point. Throws UsageError for a tree that does not
/// exist and for `digits` beyond 0 to 17.
[[nodiscard]] std::string export_text(const Forest& forest, std::size_t tree, int max_depth = 10,
                                      std::optional<int> digits = {});
/// A tree in Graphviz' DOT language. `digits` and errors as in export_text.
[[nodiscard]] std::string export_dot(const Forest& forest, std::size_t tree, std::optional<int> digits = {});

namespace forest {
class Walks;
}

/// A forest behind the face that all models have. Its trees are made ready for walks once, at the first prediction (24
/// bytes a node stay held), by whichever thread comes first.
class ForestModel final : public Model {
 public:
  explicit ForestModel(Forest forest);
  ~ForestModel() override;
  [[nodiscard]] const Forest& forest() const noexcept { return forest_; }
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] std::vector<double> predict(std::span<const float> inputs) const override;
  [[nodiscard]] std::vector<std::int32_t> predict_classes(std::span<const float> inputs) const override;
  [[nodiscard]] std::vector<std::int32_t> apply(std::span<const float> inputs) const override;
  void save(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata = {}) const override;

 private:
  [[nodiscard]] const forest::Walks& walks() const;

  Forest forest_;
  mutable std::once_flag walked_;
  mutable std::unique_ptr<const forest::Walks> walks_;
};

/// The forest of a search's model. Throws UsageError for null and for a model that is none.
[[nodiscard]] const Forest& forest_of(const Model* model);

/// How a table becomes the inputs of a forest that was trained on arrays: a column of numbers for each feature, by the
/// names of the features where they differ from one another, else feature_0, feature_1, ...; cells may be missing. The
/// target is called "target", its classes have the names of the forest's or their numbers. `categories`: the features
/// that are columns of text, with what set_categories() returned.
[[nodiscard]] Preprocessing plain_columns(const Forest& forest,
                                          const std::map<std::int64_t, std::vector<std::string>>& categories = {});

/// The rows that tree `tree` drew from `rows` training rows, in the order of drawing and as often as they were drawn;
/// without bootstrap every row once. Worked out anew. Where rows weigh nothing, a tree may have drawn on until one does
/// (docs/forests.md); those are not told. Throws UsageError for a tree that does not exist and for no rows.
[[nodiscard]] std::vector<std::int32_t> drawn_rows(const Forest& forest, std::int64_t rows, std::size_t tree);
/// How many they are.
[[nodiscard]] std::int64_t draw_count(const Forest& forest, std::int64_t rows);

/// A forest read from a file.
struct LoadedForest {
  Forest forest;
  std::map<std::string, std::string> metadata;  ///< what save_forest was given
};

/// Writes a forest as one file (safetensors with a checksum; parameters and names in its metadata). The file appears
/// complete or not at all. Throws UsageError for a forest without trees, a metadata key that begins with "overtake." or
/// names that are not UTF-8, DataError when the file cannot be written.
void save_forest(const std::filesystem::path& path, const Forest& forest,
                 const std::map<std::string, std::string>& metadata = {});
/// Throws DataError naming the file and what is wrong: missing, truncated, altered, no forest, inconsistent nodes.
[[nodiscard]] LoadedForest load_forest(const std::filesystem::path& path);
/// The bytes of that file, and the forest in them; `name` stands for the file in messages. Throw as the two above do.
[[nodiscard]] std::string forest_bytes(const Forest& forest, const std::map<std::string, std::string>& metadata = {});
[[nodiscard]] LoadedForest parse_forest(std::string_view bytes, const std::string& name);

}  // namespace overtake
