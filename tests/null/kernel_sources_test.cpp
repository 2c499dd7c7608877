// SPDX-License-Identifier: MIT
// The kernels written for a handful of expressions, against recorded ones: a change of the planner or of the lowering
// shows in a diff what it does to the code that devices compile. Whether kernels are right is tests/oracle's concern.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "backend/common/lower/lowering.hpp"
#include "backend/null/null_device.hpp"
#include "kernels/sources.hpp"
#include "overtake/ops.hpp"

namespace overtake {
namespace {

namespace fs = std::filesystem;
using backend::LoweredArgument;
using backend::LoweredKernel;

Array leaf(const Shape& shape) {
  return Array::from(std::vector<float>(static_cast<std::size_t>(shape.size())), shape, "null");
}

Array int_leaf(const Shape& shape) {
  return Array::from(std::vector<std::int32_t>(static_cast<std::size_t>(shape.size())), shape, "null");
}

struct Case {
  const char* name;  ///< also the file's: tests/golden/kernels/NAME.txt
  std::function<Array()> expression;
};

// Operands are made one after the other: nodes are planned in the order in which they were made, and C++ leaves the
// order of a call's arguments to the compiler.
Array map_expression() {
  const Array x = leaf({100, 30}), row = leaf({30}), column = leaf({100, 1});
  const Array below = less(x, row);
  const Array powers = exp(column);
  const Array twice = x * 2.0F;
  return where(below, powers, twice);
}

Array random_expression() {
  const Array x = leaf({8, 5}), counter = int_leaf({1});
  return x * uniform({8, 5}, 7, 3, counter);
}

Array softmax_expression() {
  const Array logits = leaf({100, 10}), shift = leaf({10});
  return softmax(logits + shift);
}

Array layer_expression() {
  const Array x = leaf({100, 64}), weight = leaf({32, 64}), bias = leaf({32});
  return relu(matmul(x, transpose(weight)) + bias);
}

Array split_product_expression() {
  const Array a = leaf({100, 4096}), b = leaf({4096, 2});
  return matmul(a, b);
}

Array take_expression() {
  const Array table = leaf({1000, 6}), indices = int_leaf({100}), mean = leaf({6});
  return take(table, indices) - mean;
}

std::vector<Case> cases() {
  return {{"map", map_expression},
          {"random_map", random_expression},
          {"sum_of_squares",
           [] {
             return sum(square(leaf({50, 30})), 1);
           }},
          {"softmax", softmax_expression},
          {"matmul_bias_relu", layer_expression},
          {"matmul_split", split_product_expression},
          {"take", take_expression}};
}

void replace_all(std::string& text, std::string_view old, std::string_view now) {
  for (std::size_t at = text.find(old); at != std::string::npos; at = text.find(old, at + now.size())) {
    text.replace(at, old.size(), now);
  }
}

std::string text_of(const LoweredArgument& argument) {
  switch (argument.kind) {
    case LoweredArgument::Kind::slot: return fmt::format("slot {}", argument.slot);
    case LoweredArgument::Kind::offset: return fmt::format("offset {} of slot {}", argument.value, argument.slot);
    case LoweredArgument::Kind::scratch: return "scratch";
    case LoweredArgument::Kind::int32: return fmt::format("{}", argument.value);
    case LoweredArgument::Kind::offset64:
    case LoweredArgument::Kind::int64:
    case LoweredArgument::Kind::index: break;  // these arrays are small
  }
  return "?";
}

/// What was written for this operation; of the texts that are the same for all, and under version control themselves,
/// only the names, and so nothing of the hash over them.
std::string text_of(const LoweredKernel& kernel) {
  std::string source = kernel.source;
  for (const auto& [name, text] :
       {std::pair("tape", embedded::kernel_tape), std::pair("philox", embedded::kernel_philox),
        std::pair("graph/map", embedded::kernel_map), std::pair("graph/reduce", embedded::kernel_reduce),
        std::pair("graph/rows", embedded::kernel_rows), std::pair("graph/gather", embedded::kernel_gather),
        std::pair("graph/matmul", embedded::kernel_matmul)}) {
    replace_all(source, text, fmt::format("... src/kernels/{}.k ...\n", name));
  }
  source.erase(source.find("#undef ENTRY"));  // to the end: every macro, those of the templates too
  replace_all(source, kernel.entry, kernel.entry.substr(0, kernel.entry.rfind('_')) + "_HASH");
  const auto& [groups, size] = kernel.geometry;
  std::string text = fmt::format("== {} x {} groups of {}\n", groups[0], groups[1], size[0]);
  for (const LoweredArgument& argument : kernel.arguments) text += "argument: " + text_of(argument) + "\n";
  return text + source;
}

std::string lowered_text(const Array& array) {
  array.eval();
  const backend::LoweringTraits gpu{132, 48 * 1024, 1024, true};
  const auto& device = static_cast<backend::null::NullDevice&>(Device("null").impl());
  std::string text;
  for (const backend::Operation& operation : device.record().schedules.back().operations) {
    const backend::LoweredOperation lowered = backend::lower(operation, gpu);
    text += fmt::format("= {}: scratch {} bytes, {} of them zero\n", operation.name, lowered.scratch_bytes,
                        lowered.zeroed_bytes);
    for (const LoweredKernel& kernel : lowered.kernels) text += text_of(kernel);
  }
  return text;
}

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// "line 7: -old +new", for the first line that differs.
std::string first_difference(const std::string& old_text, const std::string& new_text) {
  std::istringstream old_lines(old_text), new_lines(new_text);
  for (int number = 1;; ++number) {
    std::string before, now;
    const bool has_before = !std::getline(old_lines, before).fail();
    const bool has_now = !std::getline(new_lines, now).fail();
    if (!has_before && !has_now) return "none";
    if (has_before != has_now || before != now) return fmt::format("line {}\n- {}\n+ {}", number, before, now);
  }
}

TEST(KernelSources, AreThoseRecorded) {
  const fs::path recorded = fs::path(OVERTAKE_TEST_DATA) / "golden" / "kernels";
  const fs::path now = fs::absolute("kernel_sources");
  fs::remove_all(now);
  for (const Case& each : cases()) {
    const std::string text = lowered_text(each.expression());
    const fs::path file = recorded / fmt::format("{}.txt", each.name);
    if (text == read(file)) continue;
    fs::create_directories(now);
    std::ofstream(now / file.filename(), std::ios::binary) << text;
    ADD_FAILURE() << "The kernels of '" << each.name << "' are not those of " << file.string() << ": "
                  << first_difference(read(file), text)
                  << "\nIf the change is meant, record it and review the diff:\n  cp " << (now / "*.txt").string()
                  << " " << recorded.string();
  }
}

}  // namespace
}  // namespace overtake
