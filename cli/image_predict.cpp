// SPDX-License-Identifier: MIT
// overtake predict with a model for images.
#include "image_predict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "command.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "overtake/vision.hpp"

namespace cli {
namespace {

/// A cell of CSV (RFC 4180).
std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char each : text) quoted += each == '"' ? std::string("\"\"") : std::string(1, each);
  return quoted + "\"";
}

/// Files that are images stand for themselves; anything else is a set of its own kind.
overtake::ImageSet set_of(const std::vector<std::string>& data) {
  const std::filesystem::path first = data.front();
  std::string extension = first.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char each) { return static_cast<char>(std::tolower(each)); });
  const bool is_image = extension == ".jpg" || extension == ".jpeg" || extension == ".png";
  if (data.size() > 1 || is_image) return overtake::ImageSet::from_files({data.begin(), data.end()});
  if (std::filesystem::is_directory(first)) return overtake::ImageSet::open(first);
  return extension == ".bin" ? overtake::ImageSet::from_cifar(first) : overtake::ImageSet::from_idx(first, {});
}

}  // namespace

int predict_images(const ImageQuestion& question) {
  check_outputs({{"--out", question.out}}, {{"MODEL", question.model}, {"DATA", question.data.front()}});
  overtake::set_cpu_threads(question.threads);
  const overtake::Device device(question.device);
  overtake::ImageModel model = overtake::load_image_model(question.model);
  const overtake::ImageSet images = set_of(question.data);
  overtake::ImageLoaderOptions reading;
  reading.batch_size = std::min<std::int64_t>(64, images.size());
  reading.threads = question.threads;
  const auto answers = classify(model, images, question.top, reading, device);
  std::string text = "image";
  const std::size_t places = answers.empty() ? 0 : answers.front().size();
  for (std::size_t place = 1; place <= places; ++place) text += fmt::format(",class_{0},probability_{0}", place);
  text += "\n";
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    const auto& of_image = answers[static_cast<std::size_t>(i)];
    text += cell(images.name(i));
    for (const overtake::ImageAnswer& answer : of_image) {
      text +=
          fmt::format(",{},{:.6f}", cell(model.classes[static_cast<std::size_t>(answer.label)]), answer.probability);
    }
    text += "\n";
    const bool is_known = images.has_labels() && !of_image.empty();
    if (is_known && images.class_names()[static_cast<std::size_t>(images.labels()[static_cast<std::size_t>(i)])] ==
                        model.classes[static_cast<std::size_t>(of_image.front().label)]) {
      ++right;
    }
  }
  write_output(question.out, text);
  if (is_standard_output(question.out)) return exit_ok;
  print(fmt::format("wrote {} predictions to {}\n", overtake::report::count(images.size()), question.out));
  if (images.has_labels()) {
    print(fmt::format(
        "accuracy: {} % ({} of {})\n",
        overtake::report::significant(100.0 * static_cast<double>(right) / static_cast<double>(images.size())), right,
        images.size()));
  }
  return exit_ok;
}

}  // namespace cli
