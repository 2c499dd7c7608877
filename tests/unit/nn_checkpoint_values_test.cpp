// SPDX-License-Identifier: MIT
// A checkpoint whose checksum is right and whose values cannot be: refused, naming what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "nn_support.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/trainer.hpp"

namespace overtake::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr const char* key = "overtake.checkpoint";

FitReport train(const std::filesystem::path& path, bool resume, double rate = 0.01) {
  nn::Sequential model(nn::Linear(2, 4), nn::Tanh(), nn::Dropout(0.1F), nn::Linear(4, 2));
  model.initialize(9);
  optim::AdamW optimizer(model.parameters(), rate);
  const Dataset data = disc(60, 2);
  TrainerOptions options;
  options.epochs = resume ? 6 : 3;
  options.batch_size = 25;
  options.validation_fraction = 0.2;
  options.checkpoint_path = path.string();
  options.resume = resume;
  Trainer trainer(model, nn::Loss::cross_entropy(), optimizer, options);
  return trainer.fit(data.inputs, data.labels);
}

class NnCheckpointValues : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = fresh_path("values.safetensors");
    (void)train(path_, false);
    good_ = read_safetensors(path_);
  }

  std::string refused(const std::function<void(TensorFile&)>& change) {
    TensorFile file = good_;
    change(file);
    write_safetensors(path_, file);  // with a proper checksum
    return message_of<DataError>([&] { (void)train(path_, true); });
  }

  std::string refused_with(const std::string& name, const Json& value) {
    return refused([&](TensorFile& file) {
      Json json = Json::parse(file.metadata.at(key));
      json[name] = value;
      file.metadata[key] = json.dump();
    });
  }

  std::string refused_without(const std::string& name) {
    return refused([&](TensorFile& file) {
      Json json = Json::parse(file.metadata.at(key));
      json.erase(name);
      file.metadata[key] = json.dump();
    });
  }

  std::string refused_number(const std::string& tensor, std::size_t index, double value) {
    return refused([&](TensorFile& file) {
      for (NamedArray& named : file.tensors) {
        if (named.name == tensor) std::memcpy(named.array.bytes.data() + 8 * index, &value, sizeof(value));
      }
    });
  }

  std::filesystem::path path_;
  TensorFile good_;
};

TEST_F(NnCheckpointValues, TheFileAsItIsResumes) { EXPECT_EQ(train(path_, true).resumed_epoch, 3); }

TEST_F(NnCheckpointValues, CountsThatCannotBe) {
  for (const char* name : {"epoch", "best_epoch", "previous_epoch"}) {
    for (const Json& value : {Json(-1), Json(std::int64_t{1} << 40), Json(1e300), Json(2.5), Json("3"), Json(),
                              Json(std::uint64_t{1} << 63), Json::array({1})}) {
      EXPECT_THAT(refused_with(name, value), AllOf(HasSubstr("values.safetensors"), HasSubstr(name))) << value;
    }
    EXPECT_THAT(refused_without(name), HasSubstr(std::string("lacks ") + name));
  }
  EXPECT_THAT(refused_with("epoch", 2), HasSubstr("expected a whole number from 0 to 2"));
  EXPECT_THAT(refused_with("epoch", 4), HasSubstr("epoch is 4, its history ends with 3"));
  EXPECT_THAT(refused_with("best_epoch", 0), HasSubstr("best_epoch is 0"));
  EXPECT_THAT(refused_with("best_epoch", 1), HasSubstr("best_epoch is 1"));
  EXPECT_THAT(refused_with("best_epoch", 4), HasSubstr("best_epoch"));
}

TEST_F(NnCheckpointValues, HistoriesThatCannotBe) {
  for (const double value : {static_cast<double>(NAN), static_cast<double>(INFINITY), 1e300, -1.0, 0.0, 1.5,
                             1099511627776.0, 2.0 /* twice */, 5.0 /* beyond the last */}) {
    EXPECT_THAT(refused_number("history", 0, value), HasSubstr("values.safetensors")) << value;
  }
  EXPECT_THAT(refused_number("history", 1, -1), HasSubstr("history of epoch 1"));
  EXPECT_THAT(refused_number("history", 2, INFINITY), HasSubstr("history of epoch 1"));
  EXPECT_THAT(refused_number("history", 3, 1e300), HasSubstr("history of epoch 1"));
  EXPECT_THAT(refused_number("best_loss", 0, NAN), HasSubstr("best_loss"));
  EXPECT_THAT(refused_number("best_loss", 0, -1e300), HasSubstr("best_loss"));
  const auto reshaped = [&](std::vector<std::int64_t> extents, const char* name) {
    return refused([&](TensorFile& file) {
      for (NamedArray& named : file.tensors) {
        if (named.name == name) named.array.extents = extents;
      }
    });
  };
  EXPECT_THAT(reshaped({18}, "history"), HasSubstr("history"));
  EXPECT_THAT(reshaped({9, 2}, "history"), HasSubstr("history"));
  EXPECT_THAT(reshaped({2, 4}, "model.0.weight"), HasSubstr("model.0.weight"));
}

TEST_F(NnCheckpointValues, CountersThatCannotBe) {
  const auto refused_bytes = [&](const char* name, auto value) {
    return refused([&](TensorFile& file) {
      for (NamedArray& named : file.tensors) {
        if (named.name == name) std::memcpy(named.array.bytes.data(), &value, sizeof(value));
      }
    });
  };
  for (const float value : {-1.0F, 1e30F, 0.5F, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_THAT(refused_bytes("optimizer.step", value), HasSubstr("optimizer.step is no count")) << value;
  }
  EXPECT_THAT(refused_bytes("model.2.counter", std::int32_t{-7}), HasSubstr("model.2.counter is no count"));
}

TEST_F(NnCheckpointValues, PartsThatDoNotBelong) {
  EXPECT_THAT(refused_with("tempo", 3), HasSubstr("unknown key \"tempo\""));
  EXPECT_THAT(refused([](TensorFile& f) { f.metadata[key] = std::string(200'000, '['); }),
              HasSubstr("deeper than 100 levels"));
  EXPECT_THAT(refused_with("settings", Json::array()), HasSubstr("settings"));
  EXPECT_THAT(refused_with("ended", "bored"), HasSubstr("why its training ended"));
  EXPECT_THAT(refused_with("ended", "diverged"), HasSubstr("contradicts itself"));
  EXPECT_THAT(refused_with("divergence", {{"first_bad_step", -1}, {"message", ""}, {"weights_epoch", 1}}),
              HasSubstr("first_bad_step"));
  Json settings = Json::parse(good_.metadata.at(key))["settings"];
  settings["clip"] = "0.5";
  EXPECT_THAT(refused_with("settings", settings), HasSubstr("\"clip\" was \"0.5\", is now (not known)"));
  EXPECT_THAT(refused([](TensorFile& f) {
                f.tensors.push_back({"x", host_array(std::vector<float>{1}, {1})});
              }),
              HasSubstr("tensors that belong to no checkpoint"));
  const auto without = [&](const std::string& prefix) {
    return refused([&](TensorFile& file) {
      std::erase_if(file.tensors, [&](const NamedArray& named) { return named.name.starts_with(prefix); });
    });
  };
  EXPECT_THAT(without("best.0"), HasSubstr("incomplete"));
  EXPECT_THAT(without("best."), HasSubstr("holds no weights of it"));
  EXPECT_THAT(without("optimizer."), HasSubstr("optimizer."));
  EXPECT_THAT(without("history"), HasSubstr("history"));
}

}  // namespace
}  // namespace overtake::testing
