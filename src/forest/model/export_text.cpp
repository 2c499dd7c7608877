// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "forest/model/export_names.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake {
namespace {

/// Levels below each node; 1 for a leaf.
std::vector<std::int32_t> heights_of(const Tree& tree) {
  std::vector<std::int32_t> heights(tree.feature.size(), 1);
  for (std::int32_t node = tree.nodes() - 1; node >= 0; --node) {  // children come after their parents
    if (tree.feature[node] < 0) continue;
    heights[node] = 1 + std::max(heights[tree.left[node]], heights[tree.right[node]]);
  }
  return heights;
}

/// A line still to be written: a node, or the "> threshold" that stands between the children of one.
struct Line {
  std::int32_t node = 0;
  int depth = 1;
  bool second_half = false;
};

std::string indent_of(int depth) {
  std::string indent;
  for (int i = 1; i < depth; ++i) indent += "|   ";
  return indent + "|---";
}

/// A name that may hold line ends, which would end the tree's line too.
std::string one_line(const std::string& name) {
  std::string result;
  for (const char c : name) {
    if (c == '\n') result += "\\n";
    if (c == '\r') result += "\\r";
    if (c != '\n' && c != '\r') result += c;
  }
  return result;
}

}  // namespace

std::string export_text(const Forest& forest, std::size_t number, int max_depth, std::optional<int> digits) {
  forest::check_digits(digits);
  const Tree& tree = forest::tree_at(forest, number);
  const std::vector<std::int32_t> heights = heights_of(tree);
  const auto name_of = [&](std::int32_t feature) { return one_line(forest::feature_name(forest, feature)); };
  const auto number_of = [&](double value) { return forest::number_text(value, digits); };
  std::string text;
  std::vector<Line> open{{}};
  while (!open.empty()) {
    const Line line = open.back();
    open.pop_back();
    const std::string indent = indent_of(line.depth);
    const std::int32_t node = line.node;
    if (line.second_half) {
      text += fmt::format("{} {} >  {}\n", indent, name_of(tree.feature[node]), number_of(tree.threshold[node]));
      open.push_back({tree.right[node], line.depth + 1, false});
    } else if (tree.feature[node] < 0) {
      text += forest.classes > 0
                  ? fmt::format("{} class: {}\n", indent,
                                one_line(forest::class_name(forest, forest::majority(forest, tree, node))))
                  : fmt::format("{} value: [{}]\n", indent, number_of(tree.value[node]));
    } else if (line.depth > max_depth + 1) {
      text += fmt::format("{} truncated branch of depth {}\n", indent, heights[node]);
    } else {
      text += fmt::format("{} {} <= {}\n", indent, name_of(tree.feature[node]), number_of(tree.threshold[node]));
      open.push_back({node, line.depth, true});
      open.push_back({tree.left[node], line.depth + 1, false});
    }
  }
  return text;
}

}  // namespace overtake
