// SPDX-License-Identifier: MIT
// JSON of strangers: whoever reads some bounds how deep it nests, and takes numbers only where they fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/shallow_json.hpp"
#include "core/whole_number.hpp"
#include "data/table/reading_json.hpp"
#include "forest/model/class_weight_text.hpp"
#include "forest_support.hpp"
#include "nn_support.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"
#include "overtake/nn/model_file.hpp"
#include "overtake/search.hpp"
#include "search/journal/parameters_json.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

std::string repeated(const std::string& part, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += part;
  return text;
}

// Enough that a recursion over the levels overflows a stack of 8 MiB.
std::string deep_list() { return repeated("[", 200'000) + repeated("]", 200'000); }
std::string deep_object() { return repeated("{\"a\":", 200'000) + "1" + repeated("}", 200'000); }

TEST(StrangerJson, DepthIsBoundedExactly) {
  const auto nested = [](int levels) { return repeated("[", levels) + repeated("]", levels); };
  EXPECT_EQ(shallow_json(nested(deepest_json)), nested(deepest_json));
  EXPECT_EQ(shallow_json(nested(deepest_json + 1)), "");
  EXPECT_EQ(shallow_json(deep_object()), "");
  const std::string wide = "[" + repeated("[{}],", 1000) + "0]";
  EXPECT_EQ(shallow_json(wide), wide);
  const std::string quoted = "[\"" + repeated("[", 1000) + "\\\"" + repeated("{", 1000) + "\\\\\"]";
  EXPECT_EQ(shallow_json(quoted), quoted);
  EXPECT_TRUE(Json::accept(quoted));
  EXPECT_EQ(shallow_json("[\"\\\\\"," + nested(deepest_json) + "]"), "");  // the text ends before the brackets
}

TEST(StrangerJson, EveryReaderRefusesDeepNesting) {
  const std::filesystem::path path = fresh_path("nested");
  nn::Sequential model = small_model();
  save_forest(path, small_forest());
  const TensorFile forest = read_safetensors(path);
  save_model(path, model);
  const TensorFile network = read_safetensors(path);
  const auto refused = [&](TensorFile file, const std::string& key, const std::string& text) {
    file.metadata[key] = text;
    write_safetensors(path, file);
    return message_of<DataError>([&] {
      if (key == "overtake.forest") {
        (void)load_forest(path);
      } else {
        (void)load_model(path);
      }
    });
  };
  for (const std::string& text : {deep_list(), deep_object()}) {
    EXPECT_THAT(refused(forest, "overtake.forest", text), HasSubstr("deeper than 100 levels"));
    EXPECT_THAT(refused(network, "overtake.model", text), HasSubstr("deeper than 100 levels"));
    for (const char* key : {"format", "layers"}) {  // deep inside what is otherwise in order
      const std::string whole = network.metadata.at("overtake.model");
      const std::size_t at = whole.find(std::string("\"") + key + "\":") + std::string(key).size() + 3;
      EXPECT_THAT(refused(network, "overtake.model", whole.substr(0, at) + text + "," + whole.substr(at)),
                  HasSubstr("deeper than 100 levels"));
    }
    EXPECT_THROW((void)Preprocessing::from_json(text, "it"), DataError);
    EXPECT_THROW((void)Preprocessing::from_json("{\"schema\":" + text + "}", "it"), DataError);
    EXPECT_THROW((void)data::reading_from_json(text, "it"), DataError);
    EXPECT_THROW((void)parse_grid_axis("a=[" + text + "]"), UsageError);
    EXPECT_THROW((void)parse_distribution("a=choice([" + text + "])"), UsageError);
    EXPECT_EQ(forest::parse_class_weights("{\"a\":" + text + "}"), std::nullopt);
    EXPECT_THROW((void)search_detail::parse_parameters_json("{\"a\":" + text + "}"), DataError);
    EXPECT_THROW((void)to_json(SearchResult(), "{\"a\":" + text + "}"), UsageError);
  }
}

TEST(StrangerJson, WholeNumbersAreCheckedBeforeTheyAreCast) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(whole_number(5.0, 0, 10), 5);
  EXPECT_EQ(whole_number(-9223372036854775808.0, -most - 1, most), -most - 1);
  for (const double value :
       std::initializer_list<double>{NAN, INFINITY, -INFINITY, 1e300, -1e300, 9223372036854775808.0, 0.5, 11.0, -1.0}) {
    EXPECT_EQ(whole_number(value, 0, 10), std::nullopt) << value;
  }
  EXPECT_EQ(whole_number(9223372036854775808.0, -most - 1, most), std::nullopt);
  EXPECT_EQ(whole_number(Json(most), 0, most), most);
  EXPECT_EQ(whole_number(Json(std::uint64_t{1} << 63), -most - 1, most), std::nullopt);
  for (const Json& value : {Json(), Json("5"), Json(5.0), Json(1099511627776), Json(-1), Json::array({5})}) {
    EXPECT_EQ(whole_number(value, 0, 10), std::nullopt) << value;
  }
}

TEST(StrangerJson, WaysOfReadingKeepTheirDefaultsAndRefuseUnknownKeys) {
  EXPECT_EQ(data::reading_from_json("{}", "it"), Reading());
  Reading other;
  other.delimiter = ';';
  EXPECT_EQ(data::reading_from_json(R"({"delimiter":";"})", "it"), other);
  const auto refused = [](const char* text) {
    return message_of<DataError>([&] { (void)data::reading_from_json(text, "it"); });
  };
  EXPECT_THAT(refused(R"({"delimeter":";"})"), HasSubstr("\"delimeter\""));
  EXPECT_THAT(refused(R"({"encoding":"klingon"})"), HasSubstr("klingon"));
  EXPECT_THAT(refused(R"({"delimiter":[]})"), HasSubstr("it: the stored way of reading"));
  EXPECT_THAT(refused("[]"), HasSubstr("object"));
}

}  // namespace
}  // namespace overtake::testing
