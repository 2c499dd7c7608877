// SPDX-License-Identifier: MIT
// What the operator table must hold: every function of ops.hpp, and through them every element function of tapes.
#include <gtest/gtest.h>

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
    {"take_batch", "Semantics.TakeBatchWalksThroughTheIndices"},
};

TEST(OperatorTable, HoldsEveryFunctionOfArrays) {
  std::ifstream header(OVERTAKE_TEST_DATA "/../include/overtake/ops.hpp");
  if (!header) GTEST_SKIP() << "the sources are not on this machine";
  std::set<std::string> names;
  for (const OperatorCase& each : operator_table()) names.insert(each.name.substr(0, each.name.find("_all")));
  const std::string declaration = "[[nodiscard]] Array ";
  int functions = 0;
  for (std::string line; std::getline(header, line);) {
    const std::size_t parameters = line.find('(');
    if (!line.starts_with(declaration) || parameters == std::string::npos) continue;
    const std::string name = line.substr(declaration.size(), parameters - declaration.size());
    ++functions;
    EXPECT_TRUE(names.contains(name) || elsewhere.contains(name)) << name << " is missing";
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
    const std::vector<std::shared_ptr<graph::Node>> targets{(each.call(upload(inputs, Device())) * 1.0F).node()};
    for (const backend::Operation& operation : graph::make_plan(targets, {}).schedule.operations) {
      for (const backend::TapeInstruction& instruction : operation.tape.code) reached.insert(instruction.code);
      const auto* reduce = std::get_if<backend::ReduceCore>(&operation.core);
      if (reduce == nullptr) continue;
      for (const backend::TapeInstruction& instruction : reduce->input.code) reached.insert(instruction.code);
    }
  }
  for (const backend::TapeCode code : element_codes()) {
    if (code == backend::TapeCode::floor) continue;  // no function of arrays makes it: DialectMap has it
    EXPECT_TRUE(reached.contains(code)) << "code " << static_cast<int>(code);
  }
}

}  // namespace
}  // namespace overtake::oracle
