// SPDX-License-Identifier: MIT
// overtake predict with a model for images.
#include "image_predict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "command.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/data/table.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "overtake/text.hpp"
#include "overtake/vision.hpp"

namespace cli {
namespace {

/// A text and a number for each place; nothing of images that have no answer there.
overtake::Table table_of(const overtake::ImageModel& model, const overtake::ImageSet& images,
                         const std::vector<std::vector<overtake::ImageAnswer>>& answers) {
  overtake::Table table;
  table.rows = images.size();
  overtake::Column names = overtake::text_column("image", {}, {});
  for (std::int64_t i = 0; i < images.size(); ++i) {
    names.codes.push_back(static_cast<std::int32_t>(i));
    names.categories.push_back(images.name(i));
  }
  table.columns.push_back(std::move(names));
  const std::size_t places = answers.empty() ? 0 : answers.front().size();
  for (std::size_t place = 0; place < places; ++place) {
    overtake::Column label = overtake::text_column(fmt::format("class_{}", place + 1), {}, model.classes);
    overtake::Column probability;
    probability.name = fmt::format("probability_{}", place + 1);
    for (const auto& of_image : answers) {
      constexpr double digits = 1e6;
      label.codes.push_back(of_image[place].label);
      probability.numbers.push_back(std::round(static_cast<double>(of_image[place].probability) * digits) / digits);
    }
    table.columns.push_back(std::move(label));
    table.columns.push_back(std::move(probability));
  }
  return table;
}

std::int64_t count_right(const overtake::ImageModel& model, const overtake::ImageSet& images,
                         const std::vector<std::vector<overtake::ImageAnswer>>& answers) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < images.labels().size(); ++i) {
    const std::string& truth = images.class_names()[static_cast<std::size_t>(images.labels()[i])];
    right += truth == model.classes[static_cast<std::size_t>(answers[i].front().label)] ? 1 : 0;
  }
  return right;
}

}  // namespace

void print_notes(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) {
    print_error(fmt::format("note: {}\n", overtake::text::printable_line(note)));
  }
}

void print_skipped(const std::vector<std::string>& skipped) {
  for (const std::string& broken : skipped) {
    print_error(fmt::format("note: skipped {}\n", overtake::text::printable_line(broken)));
  }
}

int predict_images(const ImageQuestion& question) {
  std::vector<Input> inputs = {{"MODEL", question.model}};
  for (const std::string& path : question.data) inputs.push_back({"DATA", path});
  check_outputs({{"--out", question.out}}, inputs);
  overtake::set_cpu_threads(question.threads);
  const auto precision =
      question.precision.empty() ? overtake::Precision::fp32 : overtake::precision_named(question.precision);
  const overtake::Device device(question.device);
  overtake::ImageModel model = overtake::load_image_model(question.model);
  const auto images = overtake::ImageSet::from_paths({question.data.begin(), question.data.end()});
  print_notes(images.notes());
  overtake::ImageLoaderOptions reading;
  reading.batch_size = std::min<std::int64_t>(64, images.size());
  reading.threads = question.threads;
  const auto answers = classify(model, images, question.top, reading, device, precision);
  TableOutput output(question.out);
  output.add(table_of(model, images, answers));
  output.commit();
  if (is_standard_output(question.out)) return exit_ok;
  print(fmt::format("wrote {} predictions to {}\n", overtake::report::count(images.size()), question.out));
  if (images.has_labels()) {
    const std::int64_t right = count_right(model, images, answers);
    print(fmt::format(
        "accuracy: {} % ({} of {})\n",
        overtake::report::significant(100.0 * static_cast<double>(right) / static_cast<double>(images.size())), right,
        images.size()));
  }
  return exit_ok;
}

}  // namespace cli
