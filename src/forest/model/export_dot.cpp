// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "forest/model/export_names.hpp"
#include "overtake/forest.hpp"

namespace overtake {
namespace {

/// A text inside a quoted label: quotes and backslashes escaped, line ends as \n.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      result += c;
    } else {
      result += ' ';
    }
  }
  return result;
}

std::string label_of(const Forest& forest, const Tree& tree, std::int32_t node, std::optional<int> digits) {
  const auto text = [&](double number) { return forest::number_text(number, digits); };
  std::string label;
  if (tree.feature[node] >= 0) {
    label += fmt::format("{} <= {}\\n", escaped(forest::feature_name(forest, tree.feature[node])),
                         text(tree.threshold[node]));
  }
  label += fmt::format("{} = {}\\nsamples = {}\\n", name_of(forest.parameters.criterion), text(tree.impurity[node]),
                       tree.samples[node]);
  if (forest.classes == 0) return label + "value = " + text(tree.value[node]);
  constexpr std::int32_t most_shares = 10;  // more would make boxes wider than screens
  if (forest.classes <= most_shares) {
    label += "value = [";
    for (std::int32_t c = 0; c < forest.classes; ++c) {
      label += fmt::format("{}{}", c > 0 ? ", " : "",
                           text(tree.value[std::size_t(node) * std::size_t(forest.classes) + std::size_t(c)]));
    }
    label += "]\\n";
  }
  return label + "class = " + escaped(forest::class_name(forest, forest::majority(forest, tree, node)));
}

/// The words on an arrow: which answer it is, and whether missing values go there.
std::string edge_of(const Tree& tree, std::int32_t node, bool left) {
  const bool missing = (tree.nan_left[node] != 0) == left;
  return fmt::format("{}{}", left ? "true" : "false", missing ? " or missing" : "");
}

}  // namespace

std::string export_dot(const Forest& forest, std::size_t number, std::optional<int> digits) {
  forest::check_digits(digits);
  const Tree& tree = forest::tree_at(forest, number);
  std::string dot = "digraph tree {\n  node [shape=box, fontname=\"helvetica\"];\n  edge [fontname=\"helvetica\"];\n";
  for (std::int32_t node = 0; node < tree.nodes(); ++node) {
    dot += fmt::format("  {} [label=\"{}\"];\n", node, label_of(forest, tree, node, digits));
    if (tree.feature[node] < 0) continue;
    for (const bool left : {true, false}) {
      dot += fmt::format("  {} -> {} [label=\"{}\"];\n", node, left ? tree.left[node] : tree.right[node],
                         edge_of(tree, node, left));
    }
  }
  return dot + "}\n";
}

}  // namespace overtake
