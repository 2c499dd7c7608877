// SPDX-License-Identifier: MIT
// Damaged files must end in a DataError or in a well-formed result, never in a crash. The sanitizer builds make this
// test sharp.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/philox.hpp"
#include "data_support.hpp"
#include "overtake/data.hpp"
#include "overtake/data/safetensors.hpp"

namespace overtake {
namespace {

using test::TempFolder;

/// Numbers below a bound, from one Philox stream.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  std::size_t below(std::size_t bound) { return philox::bits(seed_, 0, 0, index_++) % bound; }

 private:
  std::uint64_t seed_;
  std::uint64_t index_ = 0;
};

/// One to four edits: flip, overwrite with a byte that means something, insert, erase, repeat a piece.
std::string mutated(std::string text, Dice& dice) {
  constexpr std::string_view special("\0\xFF,;\"\n\r\t{}[]:-9'.e\x80\x7F", 20);
  for (std::size_t edits = 1 + dice.below(4); edits > 0 && !text.empty(); --edits) {
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

/// Reads mutations of `seed_text`; counts both ends so that the test would notice if one never came up.
void run(const std::string& seed_text, const std::function<void(const std::filesystem::path&)>& read) {
  constexpr int rounds = 1000;
  const TempFolder folder;
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < rounds; ++i) {
    Dice dice(static_cast<std::uint64_t>(i));
    const auto path = folder.file("mutated", mutated(seed_text, dice));
    try {
      read(path);
      ++accepted;
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("mutated"), std::string::npos) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_EQ(accepted + refused, rounds);
}

TEST(Mutation, Csv) {
  run("name,x,y\n\"a,b\",1.5,cat\nb,NA,dog\n\"c\"\"d\",-2e3,\"two\nlines\"\r\n\xC3\xA4,4,cat\n", [](const auto& path) {
    const Table table = read_table(path);
    for (const Column& column : table.columns) {
      const bool numeric = column.kind == ColumnKind::numeric;
      EXPECT_EQ(numeric ? column.numbers.size() : column.codes.size(), static_cast<std::size_t>(table.rows));
      for (const std::int32_t code : column.codes) EXPECT_LT(code, static_cast<std::int32_t>(column.categories.size()));
    }
  });
}

TEST(Mutation, Npy) {
  const TempFolder folder;
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  write_npy(folder / "a.npy", host_array(values, {2, 3}));
  run(test::read_bytes(folder / "a.npy"), [](const auto& path) {
    const HostArray array = read_npy(path);
    EXPECT_EQ(to_float32(array).size() * size_of(array.type), array.bytes.size());
  });
}

TEST(Mutation, Idx) {
  run(std::string("\0\0\x0B\x02\0\0\0\x02\0\0\0\x02\0\x01\0\x02\0\x03\0\x04", 20), [](const auto& path) {
    const HostArray array = read_idx(path);
    EXPECT_EQ(to_float32(array).size() * size_of(array.type), array.bytes.size());
  });
}

TEST(Mutation, Safetensors) {
  const TempFolder folder;
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  TensorFile file;
  file.metadata = {{"k", "v"}};
  file.tensors = {{"a", host_array(values, {2, 3})}, {"b", host_array(values, {6})}};
  write_safetensors(folder / "m", file);
  run(test::read_bytes(folder / "m"), [&](const auto& path) {
    const TensorFile read = read_safetensors(path);
    // What passes has the content that was written, unless the edit hit the checksum's own key.
    if (read.metadata.contains(std::string(checksum_key))) {
      EXPECT_EQ(content_checksum(read), content_checksum(file));
    }
  });
}

TEST(Mutation, Preprocessing) {
  const TempFolder folder;
  const Table table = read_table(folder.file("t.csv", "x,c,y\n1,r,a\n2,s,b\n"));
  run(Preprocessing::fit(table, "y").to_json(), [&](const auto& path) {
    const Preprocessing back = Preprocessing::from_json(test::read_bytes(path), path.string());
    EXPECT_EQ(Preprocessing::from_json(back.to_json()).to_json(), back.to_json());
  });
}

}  // namespace
}  // namespace overtake
