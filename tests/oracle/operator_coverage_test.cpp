// SPDX-License-Identifier: MIT
// What the operator table must hold: every function of ops.hpp, and through them every element function of tapes.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "graph/planner.hpp"
#include "oracle/operator_table.hpp"
#include "oracle/truth/elements.hpp"

namespace overtake::oracle {
namespace {

// Functions without a float input or a float result, and those of more than arrays: named tests hold them.
const std::map<std::string, std::string> elsewhere{
    {"full", "Semantics.ConstantsFeedEveryKindOfOperation"},
    {"zeros", "Semantics.ConstantsFeedEveryKindOfOperation"},
    {"ones", "Semantics.ConstantsFeedEveryKindOfOperation"},
    {"arange", "Semantics.UniformIsPhilox"},
    {"uniform", "Semantics.UniformIsPhilox"},
    {"astype", "Semantics.FloatToIntegerIsDefinedEverywhere"},
    {"argmax", "Semantics.ArgmaxTakesTheFirstOfTies"},
    {"argmin", "Semantics.ArgmaxTakesTheFirstOfTies"},
    {"all", "ElementTypes.TruthsOfAxes"},
    {"any", "ElementTypes.TruthsOfAxes"},
    {"count_nonzero", "ElementTypes.TruthsOfAxes"},
    {"prod", "ElementTypes.TruthsOfAxes"},
    {"bitwise_and", "ElementTypes.WholeNumbersWrapRound"},
    {"bitwise_or", "ElementTypes.WholeNumbersWrapRound"},
    {"bitwise_xor", "ElementTypes.WholeNumbersWrapRound"},
    {"bitwise_invert", "ElementTypes.WholeNumbersWrapRound"},
    {"bitwise_left_shift", "ElementTypes.WholeNumbersWrapRound"},
    {"bitwise_right_shift", "ElementTypes.ShiftsToTheRight"},
    {"logical_and", "ElementTypes.Logic"},
    {"logical_not", "ElementTypes.Logic"},
    {"logical_or", "ElementTypes.Logic"},
    {"logical_xor", "ElementTypes.Logic"},
    {"clip", "ElementTypes.PartsAndOrders"},
    {"coordinates", "ElementTypes.PartsAndOrders"},
    {"expand_dims", "ElementTypes.PartsAndOrders"},
    {"eye", "ElementTypes.PartsAndOrders"},
    {"flip", "ElementTypes.PartsAndOrders"},
    {"linspace", "ElementTypes.PartsAndOrders"},
    {"matrix_transpose", "ElementTypes.PartsAndOrders"},
    {"moveaxis", "ElementTypes.PartsAndOrders"},
    {"permute_dims", "ElementTypes.PartsAndOrders"},
    {"squeeze", "ElementTypes.PartsAndOrders"},
    {"take_along_axis", "ElementTypes.PartsAndOrders"},
    {"norm", "ElementTypes.Statistics"},
    {"indexed", "Indexing.PlacesSlicesEllipsisAndNewAxes"},
    {"assigned_at", "Indexing.PartsAreReplaced"},
    {"concat", "Joining.ConcatAndStack"},
    {"stack", "Joining.ConcatAndStack"},
    {"tile", "Joining.RepeatedRolledPadded"},
    {"repeat", "Joining.RepeatedRolledPadded"},
    {"roll", "Joining.RepeatedRolledPadded"},
    {"pad", "Joining.RepeatedRolledPadded"},
    {"tril", "Joining.RepeatedRolledPadded"},
    {"triu", "Joining.RepeatedRolledPadded"},
    {"assigned", "Joining.RegionsAreAssigned"},
    {"vecdot", "Products.OfOtherTypes"},
    {"outer", "Products.OfOtherTypes"},
    {"dot", "Products.OfOtherTypes"},
    {"tensordot", "Products.OfOtherTypes"},
    {"einsum", "Products.EinsumSumsAndRefuses"},
    {"std", "ElementTypes.Statistics"},
    {"var", "ElementTypes.Statistics"},
    {"random_bits", "ElementTypes.RandomBits"},
    {"take_batch", "Semantics.TakeBatchWalksThroughTheIndices"},
    {"cumulative_sum", "Sorting.RunningSumsOfWholeNumbers"},
    {"cumulative_prod", "Sorting.RunningSumsOfWholeNumbers"},
    {"sort", "Sorting.EveryTypeAndSize"},
    {"argsort", "Sorting.EveryTypeAndSize"},
    {"searchsorted", "Sorting.Search"},
    {"index_add", "Scattering.IndexAdd"},
    {"index_put", "Scattering.IndexPutKeepsTheLast"},
    {"bincount", "Scattering.Bincount"},
    {"compress", "Scattering.NonzeroAndCompress"},
    {"unique_values", "Scattering.Unique"},
};

TEST(OperatorTable, HoldsEveryFunctionOfArrays) {
  const std::filesystem::path folder = OVERTAKE_TEST_DATA "/../include/overtake/ops";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the sources are not on this machine";
  std::set<std::string> names;
  for (const OperatorCase& each : operator_table()) names.insert(each.name.substr(0, each.name.find("_all")));
  const std::string declaration = "[[nodiscard]] Array ";
  int functions = 0;
  const auto check = [&](const std::string& line) {
    const std::size_t parameters = line.find('(');
    if (!line.starts_with(declaration) || parameters == std::string::npos) return;
    const std::string name = line.substr(declaration.size(), parameters - declaration.size());
    ++functions;
    EXPECT_TRUE(names.contains(name) || elsewhere.contains(name)) << name << " is missing";
  };
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream header(file.path());
    for (std::string line; std::getline(header, line);) check(line);
  }
  EXPECT_GT(functions, 50) << "ops.hpp is not read as it is written";
}

// A code that is added has no truth until one is written (the compiler asks for it); then it must be reached from here.
TEST(OperatorTable, ReachesEveryElementFunction) {
  std::set<backend::TapeCode> reached;
  for (const OperatorCase& each : operator_table()) {
    std::vector<Tensor> inputs;
    for (const auto& extents : each.shapes) {
      Tensor tensor{extents, {}};
      tensor.values.resize(static_cast<std::size_t>(tensor.size()), 0.5);
      inputs.push_back(std::move(tensor));
    }
    const Array result = astype(each.call(upload(inputs, Device())), DType::float32);
    const std::vector<std::shared_ptr<graph::Node>> targets{(result * 1.5F).node()};
    for (const backend::Operation& operation : graph::make_plan(targets, {}).schedule.operations) {
      for (const backend::TapeInstruction& instruction : operation.tape.code) reached.insert(instruction.code);
      const auto* reduce = std::get_if<backend::ReduceCore>(&operation.core);
      if (reduce == nullptr) continue;
      for (const backend::TapeInstruction& instruction : reduce->input.code) reached.insert(instruction.code);
    }
  }
  for (const backend::TapeCode code : element_codes()) {
    EXPECT_TRUE(element_truth(code)) << "no truth for code " << static_cast<int>(code);
    if (code > backend::TapeCode::not_equal) continue;  // conversions: ElementTypes has them
    EXPECT_TRUE(reached.contains(code)) << "code " << static_cast<int>(code);
  }
}

}  // namespace
}  // namespace overtake::oracle
