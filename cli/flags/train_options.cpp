// SPDX-License-Identifier: MIT
#include "flags/train_options.hpp"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "flags/names.hpp"
#include "overtake/device.hpp"
#include "overtake/error.hpp"
#include "overtake/report.hpp"
#include "overtake/text.hpp"

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

constexpr int most_threads = 4096;

double learning_rate(const TrainFlags& flags) {
  return flags.learning_rate.value_or(flags.optimizer == "sgd" ? 0.1 : 1e-3);
}

double weight_decay(const TrainFlags& flags) {
  return flags.weight_decay.value_or(flags.optimizer == "adamw" ? 0.01 : 0.0);
}

/// Refuses a number that double holds only as 0 or infinity, which the parser takes for those.
std::string out_of_range(const std::string& text) {
  errno = 0;
  static_cast<void>(std::strtod(text.c_str(), nullptr));
  return errno == ERANGE ? text + " is out of range" : "";
}

/// Refuses a whole number that the parser would replace by the largest there is.
std::string too_large(const std::string& text) {
  errno = 0;
  static_cast<void>(std::strtoll(text.c_str(), nullptr, 10));
  return errno == ERANGE ? text + " is out of range" : "";
}

CLI::Option* add_number(CLI::App& app, const std::string& name, double& value, const std::string& help) {
  return app.add_option(name, value, help)->check(out_of_range, "")->capture_default_str();
}

CLI::Option* add_number(CLI::App& app, const std::string& name, std::optional<double>& value, const std::string& help) {
  return app.add_option(name, value, help)->check(out_of_range, "");
}

/// Networks compute in float32: a setting that is not 0 must not become 0 or infinity there, nor be NaN.
void require_setting(const std::string& flag, double value) {
  const bool fits =
      value == 0 || (value >= std::numeric_limits<float>::min() && value <= std::numeric_limits<float>::max());
  require(fits, fmt::format("{} {} is not 0 or a number from 1.18e-38 to 3.4e38", flag, value));
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
  const double value = overtake::text::number(text).value_or(std::numeric_limits<double>::quiet_NaN());
  require(std::isfinite(value), fmt::format("--schedule \"{}\": \"{}\" is not a number", schedule, text),
          "Use constant, step:EPOCHS[:FACTOR], cosine or exponential:FACTOR.");
  return value;
}

/// Throws UsageError, naming the flag, for a schedule that cannot be or whose rates leave float32.
void check_schedule(const TrainFlags& flags) {
  try {
    make_schedule(flags).check(learning_rate(flags), flags.epochs);
  } catch (const UsageError& error) {
    const std::string what = error.what();
    throw UsageError(what.starts_with("--") ? what : fmt::format("--schedule \"{}\": {}", flags.schedule, what),
                     error.hint());
  }
}

}  // namespace

void add_train_flags(CLI::App& app, TrainFlags& flags) {
  add_reading_flags(app, flags);
  app.add_option("--target", flags.target, "Column to predict")->required()->type_name("COLUMN");
  app.add_option("--hidden", flags.hidden, "Widths of the hidden layers; \"\" for none")->capture_default_str();
  app.add_option("--activation", flags.activation, "relu, leaky_relu, tanh, sigmoid, gelu or silu")
      ->capture_default_str();
  add_number(app, "--dropout", flags.dropout, "Share of each hidden layer that is dropped in training");
  app.add_option("--epochs", flags.epochs, "Passes over the data")->capture_default_str();
  app.add_option("--batch-size", flags.batch_size, "Rows in a training step; all rows where there are fewer")
      ->check(too_large, "")
      ->capture_default_str();
  add_number(app, "--lr", flags.learning_rate, "Learning rate (default: 0.1 for sgd, else 0.001)");
  app.add_option("--optimizer", flags.optimizer, "sgd, adam or adamw")->capture_default_str();
  add_number(app, "--momentum", flags.momentum, "Of sgd");
  add_number(app, "--weight-decay", flags.weight_decay,
             "Pull of the weights to zero (default: 0.01 for adamw, else 0)");
  app.add_option("--schedule", flags.schedule, "constant, step:EPOCHS[:FACTOR], cosine or exponential:FACTOR")
      ->capture_default_str();
  add_number(app, "--validation", flags.validation, "Share of the rows set aside to judge the model, at least one");
  app.add_option("--patience", flags.patience, "Stop after so many epochs without improvement (0: never)")
      ->capture_default_str();
  app.add_option("--device", flags.device, "auto, cpu, cuda, cuda:1, opencl:0, ...")->capture_default_str();
  app.add_option("--seed", flags.seed, "Of weights, shuffling, dropout and the validation rows")
      ->capture_default_str()
      ->check(seed_check());
  app.add_option("--threads", flags.threads, "CPU threads (0: all)")->capture_default_str();
  read_as_size(*app.add_option("--memory-limit", flags.memory_limit,
                               "Most memory of the table, and on the device, e.g. 512MiB"));
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
  const bool has_hidden = !parse_sizes(flags.hidden, "--hidden").empty();
  require_setting("--dropout", flags.dropout);
  require(static_cast<float>(flags.dropout) < 1,
          fmt::format("--dropout must be at least 0 and below 1, not {}", flags.dropout));
  require(flags.dropout == 0 || has_hidden, "--dropout belongs to hidden layers, and --hidden has none");
  require(flags.epochs >= 1, fmt::format("--epochs must be at least 1, not {}", flags.epochs));
  require(flags.batch_size >= 1, fmt::format("--batch-size must be at least 1, not {}", flags.batch_size));
  require_setting("--lr", learning_rate(flags));
  require_setting("--weight-decay", weight_decay(flags));
  require_setting("--momentum", flags.momentum);
  check_schedule(flags);
  require(flags.validation >= 0 && flags.validation < 1,
          fmt::format("--validation must be at least 0 and below 1, not {}", flags.validation));
  require(flags.patience >= 0, fmt::format("--patience must not be negative, but is {}", flags.patience));
  require(flags.threads >= 0 && flags.threads <= most_threads,
          fmt::format("--threads must be from 0 to {}, not {}", most_threads, flags.threads));
  require(flags.checkpoint_every >= 1,
          fmt::format("--checkpoint-every must be at least 1, not {}", flags.checkpoint_every));
  require(flags.momentum == 0 || flags.optimizer == "sgd", "--momentum belongs to --optimizer sgd");
  require(!flags.resume || !flags.checkpoint.empty(), "--resume needs --checkpoint FILE, the file to continue from");
}

void check_network_memory(const TrainFlags& flags, std::int64_t inputs, std::int64_t outputs, std::int64_t rows) {
  constexpr double value_bytes = sizeof(float);
  double weights = 0;
  double widths = 0;
  auto before = static_cast<double>(inputs);
  std::vector<std::int64_t> layers = parse_sizes(flags.hidden, "--hidden");
  layers.push_back(outputs);
  for (const std::int64_t width : layers) {
    weights += (before + 1) * static_cast<double>(width);
    widths += static_cast<double>(width);
    before = static_cast<double>(width);
  }
  const auto refuse_beyond = [&](const std::string& who, std::uint64_t limit, double need) {
    if (limit == 0 || need <= static_cast<double>(limit)) {
      return;
    }
    throw overtake::DeviceError(
        fmt::format("--hidden {}: the network has {} weights and needs at least {}, but {} has {}", flags.hidden,
                    overtake::report::significant(weights), overtake::report::bytes(static_cast<std::uint64_t>(need)),
                    who, overtake::report::bytes(limit)),
        "Use narrower layers or a smaller batch.");
  };
  // The network is made on the CPU and moved from there.
  refuse_beyond("the computer", overtake::Device("cpu").info().memory_bytes, value_bytes * weights);
  // Weight and gradient, one more that the Trainer keeps, momentum or Adam's two moments.
  const int copies = 3 + (flags.optimizer != "sgd" ? 2 : flags.momentum > 0 ? 1 : 0);
  const auto batch = static_cast<double>(std::min(flags.batch_size, rows));
  const double need = value_bytes * (copies * weights + batch * widths);
  if (flags.memory_limit > 0) {
    refuse_beyond("--memory-limit", flags.memory_limit, need);
  }
  if (flags.device != "auto") {
    refuse_beyond(flags.device, overtake::Device(flags.device).info().memory_bytes, need);
  }
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
  const double decay = weight_decay(flags);
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
  text += fmt::format(" -> {}", outputs);
  return parse_sizes(flags.hidden, "--hidden").empty() ? text : fmt::format("{}, {}", text, flags.activation);
}

}  // namespace cli
