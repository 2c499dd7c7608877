// SPDX-License-Identifier: MIT
// Replays the corpus, past crashes included, without a fuzzer: each input as it is, then with small changes that are
// the same in every run.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/philox.hpp"
#include "fuzz.hpp"

namespace overtake::fuzz {
namespace {

/// Numbers below a bound, from one Philox stream.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  std::size_t below(std::size_t bound) { return philox::bits(seed_, 5, 0, index_++) % bound; }

 private:
  std::uint64_t seed_;
  std::uint64_t index_ = 0;
};

/// One to three edits: flip a bit, overwrite or insert a byte that means something, erase or repeat a piece.
std::string changed(std::string text, std::uint64_t seed) {
  constexpr std::string_view special("\0\xFF,;\"\n\r\t{}[]:-9'.e\x80\x7F 01u", 24);
  Dice dice(seed);
  for (std::size_t edits = 1 + dice.below(3); edits > 0 && !text.empty(); --edits) {
    const std::size_t at = dice.below(text.size());
    switch (dice.below(5)) {
      case 0: text[at] = static_cast<char>(text[at] ^ (1 << dice.below(8))); break;
      case 1: text[at] = special[dice.below(special.size())]; break;
      case 2: text.insert(at, 1, special[dice.below(special.size())]); break;
      case 3: text.erase(at, 1 + dice.below(8)); break;
      default: text.insert(at, std::string(text, dice.below(text.size()), 1 + dice.below(16))); break;
    }
  }
  return text;
}

std::vector<std::filesystem::path> inputs_of(const NamedTarget& target) {
  std::vector<std::filesystem::path> inputs;
  const std::filesystem::path folder = std::filesystem::path(OVERTAKE_TEST_DATA) / "fuzz" / "corpus" / target.name;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) inputs.push_back(entry.path());
  std::sort(inputs.begin(), inputs.end());
  return inputs;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The first fault among an input and its changes; "" where there is none.
std::string fault_in(const NamedTarget& target, const std::string& input, std::uint64_t changes) {
  for (std::uint64_t change = 0; change <= changes; ++change) {
    const std::string text = change == 0 ? input : changed(input, change);
    try {
      run(target.run, text);
    } catch (const std::logic_error& fault) {
      return std::string("change ") + std::to_string(change) + ": " + fault.what();
    }
  }
  return {};
}

class Corpus : public ::testing::TestWithParam<NamedTarget> {};

TEST_P(Corpus, HoldsNoFault) {
  constexpr std::size_t large = std::size_t{1} << 14;
  const std::vector<std::filesystem::path> inputs = inputs_of(GetParam());
  ASSERT_FALSE(inputs.empty());
  for (const std::filesystem::path& path : inputs) {
    const std::string input = bytes_of(path);
    EXPECT_EQ(fault_in(GetParam(), input, input.size() > large ? 5 : 100), "") << path;
  }
}

/// A corpus of inputs that are all refused would test the first check alone.
TEST_P(Corpus, GetsThroughTheReader) {
  bool accepted = false;
  for (const std::filesystem::path& path : inputs_of(GetParam())) {
    try {
      GetParam().run(bytes_of(path));
      accepted = accepted || path.filename().string().starts_with("good");
    } catch (const std::exception& error) {
      EXPECT_FALSE(path.filename().string().starts_with("good")) << path << ": " << error.what();
    }
  }
  EXPECT_TRUE(accepted) << "no input of " << GetParam().name << " is called good*";
}

std::vector<NamedTarget> all_but_planted() {
  std::vector<NamedTarget> list = targets();
  std::erase_if(list, [](const NamedTarget& target) { return std::string_view(target.name) == "planted"; });
  return list;
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, ::testing::ValuesIn(all_but_planted()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(PlantedFault, IsFound) {
  const std::vector<NamedTarget> list = targets();
  const auto planted =
      std::find_if(list.begin(), list.end(), [](const auto& t) { return std::string_view(t.name) == "planted"; });
  ASSERT_NE(planted, list.end());
  EXPECT_EQ(fault_in(*planted, "bag of letters", 0), "");
  EXPECT_NE(fault_in(*planted, "bug", 0), "");
  EXPECT_NE(fault_in(*planted, "bg of letters", 20'000), "") << "small changes do not find what is one letter away";
}

}  // namespace
}  // namespace overtake::fuzz
