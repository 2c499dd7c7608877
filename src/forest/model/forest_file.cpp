// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>

#include "data/file/tensor_pieces.hpp"
#include "forest/model/forest_metadata.hpp"
#include "forest/tree/out_of_bag.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake {
namespace {

constexpr const char* own_prefix = "overtake.";
constexpr const char* forest_key = "overtake.forest";

template <typename T>
constexpr ElementType element_type = std::is_same_v<T, double>         ? ElementType::float64
                                     : std::is_same_v<T, std::int32_t> ? ElementType::int32
                                                                       : ElementType::uint8;

/// The arrays that all trees have, by the names of their tensors.
template <typename Visit>
void for_each_array(const Visit& visit) {
  visit("feature", &Tree::feature);
  visit("threshold", &Tree::threshold);
  visit("nan_left", &Tree::nan_left);
  visit("left", &Tree::left);
  visit("right", &Tree::right);
  visit("impurity", &Tree::impurity);
  visit("samples", &Tree::samples);
  visit("weighted_samples", &Tree::weighted_samples);
}

/// The same array of all trees, one after the other, as one tensor.
template <typename Array>
data::TensorPieces tensor_of(std::string name, const Forest& forest, std::vector<std::int64_t> extents,
                             const Array& array_of) {
  using T = typename std::decay_t<decltype(array_of(forest.trees.front()))>::value_type;
  std::uint64_t bytes = 0;
  for (const Tree& tree : forest.trees) bytes += data::piece_of(array_of(tree)).size();
  return {std::move(name), element_type<T>, std::move(extents), bytes,
          [&forest, array_of](const data::TensorPieces::Take& take) {
            for (const Tree& tree : forest.trees) take(data::piece_of(array_of(tree)));
          }};
}

template <typename T>
data::TensorPieces tensor_of(std::string name, const std::vector<T>& values, std::vector<std::int64_t> extents) {
  return {std::move(name), element_type<T>, std::move(extents), values.size() * sizeof(T),
          [&values](const data::TensorPieces::Take& take) { take(data::piece_of(values)); }};
}

/// The number of nodes of each tree.
data::TensorPieces node_counts(const Forest& forest) {
  const std::size_t trees = forest.trees.size();
  return {"nodes",
          element_type<std::int32_t>,
          {static_cast<std::int64_t>(trees)},
          trees * sizeof(std::int32_t),
          [&forest](const data::TensorPieces::Take& take) {
            std::vector<std::int32_t> nodes;
            for (const Tree& tree : forest.trees) nodes.push_back(tree.nodes());
            take(data::piece_of(nodes));
          }};
}

/// Reads one file; every message begins with its name.
class Reader {
 public:
  Reader(const TensorFile& file, std::string context) : file_(file), context_(std::move(context)) {}

  [[nodiscard]] Forest read() {
    const auto found = file_.metadata.find(forest_key);
    if (found == file_.metadata.end()) {
      fail("it holds no forest of Overtake",
           "save_forest() and `overtake train --estimator random-forest --save` write them.");
    }
    Forest forest = forest::forest_from_metadata(found->second, context_);
    read_trees(forest);
    forest.feature_importances = take<double>("feature_importances", {forest.features});
    for (const double importance : forest.feature_importances) {
      if (!(importance >= 0)) fail("a feature importance is no number of at least 0");
    }
    if (const HostArray* tensor = file_.find("oob_prediction")) {
      if (tensor->extents.size() != 2) fail("the tensor \"oob_prediction\" should have two dimensions");
      forest.oob_prediction = take<double>("oob_prediction", {tensor->extents[0], forest.outputs()});
      forest.oob_rows = forest::rows_out_of_bag(forest);
    }
    if (taken_ != file_.tensors.size()) fail("it holds tensors that belong to no forest");
    return forest;
  }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& hint = "Train and save the forest again.") const {
    throw DataError(fmt::format("{}: {}", context_, what), hint);
  }

  /// The values of a tensor that must have this shape.
  template <typename T>
  [[nodiscard]] std::vector<T> take(const std::string& name, const std::vector<std::int64_t>& extents) {
    const HostArray* tensor = file_.find(name);
    if (tensor == nullptr) fail(fmt::format("the tensor \"{}\" is missing", name));
    if (tensor->type != element_type<T> || tensor->extents != extents) {
      fail(fmt::format("the tensor \"{}\" is {} ({}), expected {} ({})", name, name_of(tensor->type),
                       fmt::join(tensor->extents, ", "), name_of(element_type<T>), fmt::join(extents, ", ")));
    }
    std::vector<T> values(tensor->bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
    ++taken_;
    return values;
  }

  void read_trees(Forest& forest) {
    const HostArray* counts = file_.find("nodes");
    if (counts == nullptr || counts->extents.size() != 1) fail("the list of the trees' sizes is missing");
    const std::vector<std::int32_t> nodes = take<std::int32_t>("nodes", {counts->extents[0]});
    std::int64_t total = 0;
    for (const std::int32_t count : nodes) {
      if (count < 1) fail("a tree has no nodes");
      total += count;
    }
    if (nodes.empty()) fail("it holds no trees");
    Tree all;
    for_each_array([&](const char* name, auto array) {
      all.*array = take<typename std::remove_reference_t<decltype(all.*array)>::value_type>(name, {total});
    });
    all.value = take<double>("value", {total, forest.outputs()});
    std::int64_t begin = 0;
    for (const std::int32_t count : nodes) {
      forest.trees.push_back(part_of(all, begin, count, forest.outputs()));
      check(forest, forest.trees.back());
      begin += count;
    }
  }

  [[nodiscard]] static Tree part_of(const Tree& all, std::int64_t begin, std::int64_t count, std::int64_t outputs) {
    const auto cut = [&](const auto& values, std::int64_t width = 1) {
      return std::decay_t<decltype(values)>(values.begin() + begin * width, values.begin() + (begin + count) * width);
    };
    return {cut(all.feature),  cut(all.threshold), cut(all.nan_left),         cut(all.left),          cut(all.right),
            cut(all.impurity), cut(all.samples),   cut(all.weighted_samples), cut(all.value, outputs)};
  }

  /// That walks end at leaves and stay inside: the nodes make one tree, children after their parents.
  void check(const Forest& forest, const Tree& tree) const {
    std::vector<std::uint8_t> has_parent(tree.feature.size());
    const auto number = forest.trees.size() - 1;
    const auto adopt = [&](std::int32_t child, std::int32_t parent) {
      if (child <= parent || child >= tree.nodes() || has_parent[child] != 0) {
        fail(fmt::format("tree {}: node {} has a child {}, which cannot be", number, parent, child));
      }
      has_parent[child] = 1;
    };
    for (std::int32_t node = 0; node < tree.nodes(); ++node) {
      if (node > 0 && has_parent[node] == 0) fail(fmt::format("tree {}: node {} has no parent", number, node));
      if (tree.feature[node] < -1 || tree.feature[node] >= forest.features) {
        fail(fmt::format("tree {}: node {} asks for feature {}, there are {}", number, node, tree.feature[node],
                         forest.features));
      }
      const bool leaf = tree.feature[node] < 0;
      if (leaf && (tree.left[node] != -1 || tree.right[node] != -1)) {
        fail(fmt::format("tree {}: leaf {} has children", number, node));
      }
      if (leaf != std::isnan(tree.threshold[node]) || tree.nan_left[node] > 1) {
        fail(fmt::format("tree {}: node {} has no proper threshold", number, node));
      }
      if (std::isnan(tree.impurity[node]) || !(tree.weighted_samples[node] >= 0) || tree.samples[node] < 0) {
        fail(fmt::format("tree {}: node {} has an impurity or a size that is no number", number, node));
      }
      if (leaf) continue;
      adopt(tree.left[node], node);
      adopt(tree.right[node], node);
    }
    const bool shares = forest.classes > 0;
    if (std::any_of(tree.value.begin(), tree.value.end(),
                    [&](double value) { return !std::isfinite(value) || (shares && (value < 0 || value > 1)); })) {
      fail(fmt::format("tree {}: a node's value is no {}", number, shares ? "share from 0 to 1" : "finite number"));
    }
  }

  const TensorFile& file_;
  std::string context_;
  std::size_t taken_ = 0;
};

/// `forest` outlives it.
data::PiecesFile file_of(const Forest& forest, const std::map<std::string, std::string>& metadata) {
  if (forest.trees.empty()) throw UsageError("[save_forest] the forest has no trees", "Train it first.");
  for (const auto& [names, expected] :
       {std::pair(&forest.feature_names, forest.features), std::pair(&forest.class_names, forest.classes)}) {
    if (names->empty() || static_cast<std::int32_t>(names->size()) == expected) continue;
    throw UsageError(fmt::format("[save_forest] {} names for {} features or classes", names->size(), expected),
                     "Give one for each, or none.");
  }
  data::PiecesFile file;
  for (const auto& [key, value] : metadata) {
    if (key.starts_with(own_prefix)) {
      throw UsageError(fmt::format("[save_forest] the metadata key \"{}\" is reserved", key),
                       fmt::format("Choose a key that does not start with \"{}\".", own_prefix));
    }
    file.metadata[key] = value;
  }
  file.metadata[forest_key] = forest::metadata_of(forest);

  std::int64_t total = 0;
  for (const Tree& tree : forest.trees) total += tree.nodes();
  file.tensors.push_back(node_counts(forest));
  for_each_array([&](const char* name, auto array) {
    file.tensors.push_back(tensor_of(
        name, forest, {total}, [array](const Tree& tree) -> const auto& { return tree.*array; }));
  });
  file.tensors.push_back(tensor_of(
      "value", forest, {total, forest.outputs()}, [](const Tree& tree) -> const auto& { return tree.value; }));
  file.tensors.push_back(tensor_of("feature_importances", forest.feature_importances, {forest.features}));
  if (!forest.oob_prediction.empty()) {
    const std::int64_t rows = static_cast<std::int64_t>(forest.oob_prediction.size()) / forest.outputs();
    file.tensors.push_back(tensor_of("oob_prediction", forest.oob_prediction, {rows, forest.outputs()}));
  }
  return file;
}

LoadedForest forest_in(const TensorFile& file, const std::string& name) {
  LoadedForest loaded{Reader(file, name).read(), {}};
  for (const auto& [key, value] : file.metadata) {
    if (!key.starts_with(own_prefix)) loaded.metadata[key] = value;
  }
  return loaded;
}

}  // namespace

void save_forest(const std::filesystem::path& path, const Forest& forest,
                 const std::map<std::string, std::string>& metadata) {
  data::write_safetensors(path, file_of(forest, metadata));
}

LoadedForest load_forest(const std::filesystem::path& path) {
  return forest_in(read_safetensors(path, ChecksumRule::required), path.string());
}

std::string forest_bytes(const Forest& forest, const std::map<std::string, std::string>& metadata) {
  return data::safetensors_bytes(file_of(forest, metadata));
}

LoadedForest parse_forest(std::string_view bytes, const std::string& name) {
  return forest_in(parse_safetensors(bytes, name, ChecksumRule::required), name);
}

}  // namespace overtake
