// SPDX-License-Identifier: MIT
// overtake predict with a model for images.
#include "image_predict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "command.hpp"
#include "flags/names.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/data/table.hpp"
#include "overtake/error.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "overtake/vision.hpp"

namespace cli {
namespace {

using Answers = std::vector<std::vector<overtake::ImageAnswer>>;

/// A text and a number for each place; nothing of images that have no answer.
overtake::Table table_of(const overtake::ImageModel& model, const overtake::ImageSet& images, const Answers& answers,
                         std::int64_t top) {
  overtake::Table table;
  overtake::Column names = overtake::text_column("image", {}, {});
  for (std::int64_t i = 0; i < images.size(); ++i) {
    if (answers[static_cast<std::size_t>(i)].empty()) continue;
    names.codes.push_back(static_cast<std::int32_t>(table.rows++));
    names.categories.push_back(images.name(i));
  }
  table.columns.push_back(std::move(names));
  const std::size_t places = std::min(static_cast<std::size_t>(top), model.classes.size());
  for (std::size_t place = 0; place < places; ++place) {
    overtake::Column label = overtake::text_column(fmt::format("class_{}", place + 1), {}, model.classes);
    overtake::Column probability;
    probability.name = fmt::format("probability_{}", place + 1);
    for (const auto& of_image : answers) {
      if (of_image.empty()) continue;
      constexpr double digits = 1e6;
      label.codes.push_back(of_image[place].label);
      probability.numbers.push_back(std::round(static_cast<double>(of_image[place].probability) * digits) / digits);
    }
    table.columns.push_back(std::move(label));
    table.columns.push_back(std::move(probability));
  }
  return table;
}

/// Of the images that have labels and answers; "" where no label is a class that the model knows.
std::string accuracy_text(const overtake::ImageModel& model, const overtake::ImageSet& images, const Answers& answers) {
  std::int64_t right = 0, asked = 0;
  bool knows = false;
  for (std::size_t i = 0; i < images.labels().size(); ++i) {
    if (answers[i].empty()) continue;
    const std::string& truth = images.class_names()[static_cast<std::size_t>(images.labels()[i])];
    knows = knows || std::find(model.classes.begin(), model.classes.end(), truth) != model.classes.end();
    right += truth == model.classes[static_cast<std::size_t>(answers[i].front().label)] ? 1 : 0;
    ++asked;
  }
  if (!knows) return "";
  return fmt::format("accuracy: {} % ({} of {})\n",
                     overtake::report::significant(100.0 * static_cast<double>(right) / static_cast<double>(asked)),
                     right, asked);
}

}  // namespace

int predict_images(const ImageQuestion& question) {
  std::vector<Input> inputs = {{"MODEL", question.model}};
  if (!question.labels.empty()) inputs.push_back({"--labels", question.labels});
  for (const std::string& path : question.data) inputs.push_back({"DATA", path});
  check_outputs({{"--out", question.out}}, inputs);
  overtake::set_cpu_threads(question.threads);
  const auto precision =
      question.precision.empty() ? overtake::Precision::fp32 : overtake::precision_named(question.precision);
  const overtake::Device device(question.device);
  overtake::ImageModel model = overtake::load_image_model(question.model);
  const auto images = overtake::ImageSet::from_paths({question.data.begin(), question.data.end()}, question.labels);
  print_notes(images.notes());
  overtake::ImageLoaderOptions reading;
  reading.batch_size = std::min<std::int64_t>(64, images.size());
  reading.threads = question.threads;
  if (!question.on_broken.empty()) reading.on_broken = parse_broken_rule(question.on_broken);
  std::vector<std::string> skipped;
  const Answers answers = classify(model, images, question.top, reading, device, precision, &skipped);
  print_notes(skipped, "skipped: ");
  const overtake::Table table = table_of(model, images, answers, question.top);
  if (table.rows == 0) throw overtake::DataError("no image could be read", "The notes above say why.");
  TableOutput output(question.out);
  output.add(table);
  output.commit();
  if (is_standard_output(question.out)) return exit_ok;
  print(fmt::format("wrote {} predictions to {}\n", overtake::report::count(table.rows), question.out) +
        accuracy_text(model, images, answers));
  return exit_ok;
}

}  // namespace cli
