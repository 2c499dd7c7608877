// SPDX-License-Identifier: MIT
#include "train_options.hpp"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <charconv>
#include <cmath>

#include "names.hpp"
#include "overtake/error.hpp"

namespace cli {
namespace {

namespace nn = overtake::nn;
namespace optim = overtake::optim;
using overtake::UsageError;

void require(bool ok, const std::string& message, const std::string& hint = {}) {
  if (!ok) {
    throw UsageError(message, hint);
  }
}

void add_activation(nn::Sequential& model, const std::string& name) {
  if (name == "relu") {
    model.add(nn::ReLU());
  } else if (name == "leaky_relu") {
    model.add(nn::LeakyReLU());
  } else if (name == "tanh") {
    model.add(nn::Tanh());
  } else if (name == "sigmoid") {
    model.add(nn::Sigmoid());
  } else if (name == "gelu") {
    model.add(nn::GELU());
  } else {
    model.add(nn::SiLU());
  }
}

double learning_rate(const TrainFlags& flags) {
  if (flags.learning_rate > 0) {
    return flags.learning_rate;
  }
  return flags.optimizer == "sgd" ? 0.1 : 1e-3;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

double number_in(const std::string& schedule, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size() && std::isfinite(value),
          fmt::format("--schedule \"{}\": \"{}\" is not a number", schedule, text),
          "Use constant, step:EPOCHS[:FACTOR], cosine or exponential:FACTOR.");
  return value;
}

}  // namespace

void add_train_flags(CLI::App& app, TrainFlags& flags) {
  add_reading_flags(app, flags);
  app.add_option("--target", flags.target, "Column to predict")->required()->type_name("COLUMN");
  app.add_option("--hidden", flags.hidden, "Widths of the hidden layers; \"\" for none")->capture_default_str();
  app.add_option("--activation", flags.activation, "relu, leaky_relu, tanh, sigmoid, gelu or silu")
      ->capture_default_str();
  app.add_option("--dropout", flags.dropout, "Share of each hidden layer that is dropped in training")
      ->capture_default_str();
  app.add_option("--epochs", flags.epochs, "Passes over the data")->capture_default_str();
  app.add_option("--batch-size", flags.batch_size, "Rows in a training step")->capture_default_str();
  app.add_option("--lr", flags.learning_rate, "Learning rate (default: 0.1 for sgd, else 0.001)");
  app.add_option("--optimizer", flags.optimizer, "sgd, adam or adamw")->capture_default_str();
  app.add_option("--momentum", flags.momentum, "Of sgd")->capture_default_str();
  app.add_option("--weight-decay", flags.weight_decay, "Pull of the weights to zero (default: 0.01 for adamw, else 0)");
  app.add_option("--schedule", flags.schedule, "constant, step:EPOCHS[:FACTOR], cosine or exponential:FACTOR")
      ->capture_default_str();
  app.add_option("--validation", flags.validation, "Share of the rows set aside to judge the model")
      ->capture_default_str();
  app.add_option("--patience", flags.patience, "Stop after so many epochs without improvement (0: never)")
      ->capture_default_str();
  app.add_option("--device", flags.device, "auto, cpu, cuda, cuda:1, opencl:0, ...")->capture_default_str();
  app.add_option("--seed", flags.seed, "Of weights, shuffling, dropout and the validation rows")
      ->capture_default_str()
      ->check(seed_check());
  app.add_option("--threads", flags.threads, "CPU threads (0: all)")->capture_default_str();
  app.add_option("--memory-limit", flags.memory_limit, "Most memory on the device, e.g. 512MiB")
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--save", flags.save, "Write the model to a file")->type_name("FILE");
  app.add_option("--checkpoint", flags.checkpoint, "Write the state of the training to a file")->type_name("FILE");
  app.add_option("--checkpoint-every", flags.checkpoint_every, "Epochs between two checkpoints")->capture_default_str();
  app.add_flag("--resume", flags.resume, "Continue from --checkpoint if that file exists, with the same bits");
  app.add_option("--json", flags.json, "Write the result as JSON to a file (-: standard output)")->type_name("FILE");
  app.add_flag("--describe", flags.describe, "Show the table of the columns before training");
}

void check_train_flags(const TrainFlags& flags) {
  check_choice(flags.activation, {"relu", "leaky_relu", "tanh", "sigmoid", "gelu", "silu"}, "--activation");
  check_choice(flags.optimizer, {"sgd", "adam", "adamw"}, "--optimizer");
  check_choice(flags.task, {"auto", "classification", "regression"}, "--task");
  static_cast<void>(parse_sizes(flags.hidden, "--hidden"));
  static_cast<void>(make_schedule(flags));
  require(flags.dropout >= 0 && flags.dropout < 1,
          fmt::format("--dropout must be at least 0 and below 1, not {}", flags.dropout));
  require(flags.epochs >= 1, fmt::format("--epochs must be at least 1, not {}", flags.epochs));
  require(flags.batch_size >= 1, fmt::format("--batch-size must be at least 1, not {}", flags.batch_size));
  require(std::isfinite(flags.learning_rate) && flags.learning_rate >= 0,
          fmt::format("--lr must be positive, not {}", flags.learning_rate));
  require(flags.validation >= 0 && flags.validation < 1,
          fmt::format("--validation must be at least 0 and below 1, not {}", flags.validation));
  require(flags.patience >= 0, fmt::format("--patience must not be negative, but is {}", flags.patience));
  require(flags.threads >= 0, fmt::format("--threads must not be negative, but is {}", flags.threads));
  require(flags.checkpoint_every >= 1,
          fmt::format("--checkpoint-every must be at least 1, not {}", flags.checkpoint_every));
  require(flags.momentum == 0 || flags.optimizer == "sgd", "--momentum belongs to --optimizer sgd");
  require(!flags.resume || !flags.checkpoint.empty(), "--resume needs --checkpoint FILE, the file to continue from");
}

nn::Sequential make_network(const TrainFlags& flags, std::int64_t inputs, std::int64_t outputs) {
  nn::manual_seed(flags.seed);
  nn::Sequential model;
  std::int64_t width = inputs;
  for (const std::int64_t next : parse_sizes(flags.hidden, "--hidden")) {
    model.add(nn::Linear(width, next));
    add_activation(model, flags.activation);
    if (flags.dropout > 0) {
      model.add(nn::Dropout(static_cast<float>(flags.dropout)));
    }
    width = next;
  }
  model.add(nn::Linear(width, outputs));
  return model;
}

std::unique_ptr<optim::Optimizer> make_optimizer(const TrainFlags& flags, nn::Module& model) {
  const double decay = flags.weight_decay >= 0 ? flags.weight_decay : flags.optimizer == "adamw" ? 0.01 : 0.0;
  if (flags.optimizer == "sgd") {
    return std::make_unique<optim::SGD>(model.parameters(), learning_rate(flags),
                                        optim::SGDOptions{flags.momentum, false, decay});
  }
  optim::AdamOptions options;
  options.weight_decay = decay;
  if (flags.optimizer == "adam") {
    return std::make_unique<optim::Adam>(model.parameters(), learning_rate(flags), options);
  }
  return std::make_unique<optim::AdamW>(model.parameters(), learning_rate(flags), options);
}

optim::Schedule make_schedule(const TrainFlags& flags) {
  const auto parts = split(flags.schedule, ':');
  check_choice(parts[0], {"constant", "step", "cosine", "exponential"}, "--schedule");
  const auto wants = [&](std::size_t least, std::size_t most) {
    require(parts.size() > least && parts.size() <= most + 1,
            fmt::format("--schedule \"{}\" has the wrong number of parts", flags.schedule),
            "Use constant, step:EPOCHS[:FACTOR], cosine or exponential:FACTOR.");
  };
  if (parts[0] == "step") {
    wants(1, 2);
    const double epochs = number_in(flags.schedule, parts[1]);
    require(epochs >= 1 && epochs == std::floor(epochs) && epochs < 1e9,
            fmt::format("--schedule \"{}\": EPOCHS must be a positive whole number", flags.schedule));
    const double gamma = parts.size() > 2 ? number_in(flags.schedule, parts[2]) : 0.1;
    return optim::Schedule::step_lr(static_cast<int>(epochs), gamma);
  }
  if (parts[0] == "exponential") {
    wants(1, 1);
    return optim::Schedule::exponential_lr(number_in(flags.schedule, parts[1]));
  }
  wants(0, 0);
  return parts[0] == "cosine" ? optim::Schedule::cosine_annealing_lr(flags.epochs) : optim::Schedule();
}

std::string network_text(const TrainFlags& flags, std::int64_t inputs, std::int64_t outputs) {
  std::string text = fmt::format("{}", inputs);
  for (const std::int64_t width : parse_sizes(flags.hidden, "--hidden")) {
    text += fmt::format(" -> {}", width);
  }
  return text + fmt::format(" -> {}, {}", outputs, flags.activation);
}

}  // namespace cli
