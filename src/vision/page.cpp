// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "overtake/models.hpp"
#include "overtake/report.hpp"
#include "overtake/vision.hpp"

namespace overtake {
namespace {

// Smaller by a whole number: each pixel is the mean of a square.
Image thumbnail(const Image& image) {
  constexpr int most_side = 112;
  const int step = (std::max(image.height, image.width) + most_side - 1) / most_side;
  if (step == 1) return image;
  Image small{std::max(image.height / step, 1), std::max(image.width / step, 1), image.channels, {}};
  for (int at = 0; at < small.height * small.width * small.channels; ++at) {
    const int channel = at % small.channels, x = at / small.channels % small.width;
    const int y = at / small.channels / small.width;
    const int bottom = std::min(y * step + step, image.height), right = std::min(x * step + step, image.width);
    int sum = 0;
    for (int i = y * step; i < bottom; ++i) {
      for (int j = x * step; j < right; ++j) {
        sum += image.pixels[static_cast<std::size_t>((i * image.width + j) * image.channels + channel)];
      }
    }
    small.pixels.push_back(static_cast<std::uint8_t>(sum / ((bottom - y * step) * (right - x * step))));
  }
  return small;
}

std::vector<report::Picture> pictures_of(TrainedImageModel& trained, const ImageTrainingOptions& options,
                                         const Device& device) {
  constexpr std::int64_t most = 24;
  const std::int64_t size = trained.judged->size(), count = std::min(most, size);
  std::vector<std::int32_t> spread;
  for (std::int64_t i = 0; i < count; ++i) spread.push_back(static_cast<std::int32_t>(i * size / count));
  const ImageSet images = trained.judged->select(spread);
  ImageLoaderOptions reading;
  reading.batch_size = std::clamp<std::int64_t>(options.batch_size / trained.parts, 1, count);  // what memory allows
  reading.on_broken = options.on_broken;
  const auto answers = classify(trained.model, images, 1, reading, device);
  std::vector<report::Picture> pictures;
  for (std::int64_t i = 0; i < count; ++i) {
    if (answers[static_cast<std::size_t>(i)].empty()) continue;  // broken
    const ImageAnswer& answer = answers[static_cast<std::size_t>(i)].front();
    const std::int32_t truth = images.labels()[static_cast<std::size_t>(i)];
    const std::vector<std::string>& classes = trained.model.classes;
    const std::string share = report::significant(100 * static_cast<double>(answer.probability)) + " %";
    const bool is_right = answer.label == truth;
    pictures.push_back(
        {encode_png(thumbnail(images.read(i, trained.model.channels))), classes[static_cast<std::size_t>(truth)],
         is_right ? share : fmt::format("taken for {}, {}", classes[static_cast<std::size_t>(answer.label)], share),
         !is_right});
  }
  return pictures;
}

using Value = double (*)(const ImageEpoch&);
constexpr double none = std::numeric_limits<double>::quiet_NaN();

double validation_loss(const ImageEpoch& epoch) { return epoch.validation_loss.value_or(none); }
double validation_error(const ImageEpoch& epoch) { return 100 * epoch.validation_error.value_or(none); }
double train_loss(const ImageEpoch& epoch) { return epoch.train_loss; }
double train_error(const ImageEpoch& epoch) { return 100 * epoch.train_error; }

report::Chart chart_of(const TrainedImageModel& trained, const std::string& title, const std::string& unit,
                       const std::vector<std::pair<const char*, Value>>& lines) {
  report::Chart chart;
  chart.title = title;
  chart.x_label = "epoch";
  chart.y_label = unit;
  chart.is_linear = true;
  for (const auto& [name, value_of] : lines) {
    report::Series series{name, {}, {}, {}};
    for (const ImageEpoch& epoch : trained.epochs) {
      series.x.push_back(epoch.epoch);
      series.y.push_back(value_of(epoch));
    }
    const auto is_number = [](double value) { return std::isfinite(value); };
    if (std::any_of(series.y.begin(), series.y.end(), is_number)) chart.series.push_back(std::move(series));
  }
  return chart;
}

report::Table table_of(const TrainedImageModel& trained) {
  report::Table table;
  for (const char* title : {"epoch", "loss", "error %", "val. loss", "val. %", "img/s", "time", "wait"}) {
    table.columns.push_back({title});
  }
  for (const ImageEpoch& epoch : trained.epochs) {
    table.rows.push_back({report::count(epoch.epoch), report::significant(train_loss(epoch)),
                          report::significant(train_error(epoch)), report::significant(validation_loss(epoch)),
                          report::significant(validation_error(epoch)), report::significant(epoch.images_per_second()),
                          report::seconds(epoch.seconds), report::seconds(epoch.wait_seconds)});
  }
  return table;
}

report::FactGroup settings_of(const TrainedImageModel& trained, const ImageTrainingOptions& options) {
  const ImageTransform& how = trained.model.transform;
  const std::string weights = options.weights.empty() ? "random numbers" : options.weights.string();
  const std::string parts = trained.parts > 1 ? fmt::format(", in {} parts", trained.parts) : "";
  return {"Settings",
          {{"network",
            fmt::format("{}, {} x {}, {} classes", options.model, how.height, how.width, trained.model.classes.size())},
           {"optimizer", fmt::format("{}, learning rate {} ({}), momentum {}, weight decay {}", options.optimizer,
                                     options.first_rate(), options.schedule, options.momentum, options.weight_decay)},
           {"batch", fmt::format("{} images{}", options.batch_size, parts)},
           {"numbers", std::string(name_of(options.precision))},
           {"augmentation", options.augment && models::info_of(options.model).augments ? "crops and flips" : "none"},
           {"first weights", weights},
           {"frozen", options.freeze.empty() ? "nothing" : fmt::format("{}", fmt::join(options.freeze, ", "))},
           {"seed", fmt::format("{}", options.seed)},
           {"memory of a step", report::bytes(trained.plan_bytes)}}};
}

}  // namespace

std::string training_page(TrainedImageModel& trained, const ImageTrainingOptions& options, const std::string& data,
                          const Device& device) {
  const bool validates = !trained.epochs.empty() && trained.epochs.back().validation_error.has_value();
  report::HtmlPage page;
  page.title = fmt::format("Overtake: {} on {}", options.model, data);
  const auto epochs = report::counted(static_cast<std::int64_t>(trained.epochs.size()), "epoch");
  page.headline = epochs;
  if (!trained.epochs.empty()) {
    const ImageEpoch& last = trained.epochs.back();
    page.headline = fmt::format("{} % of {} images wrong after {}",
                                report::significant(validates ? validation_error(last) : train_error(last)),
                                validates ? "validation" : "training", epochs);
    page.charts = {
        chart_of(trained, "Error", "% of images", {{"training", train_error}, {"validation", validation_error}}),
        chart_of(trained, "Loss", "mean loss", {{"training", train_loss}, {"validation", validation_loss}}),
        chart_of(trained, "Images a second", "images/s",
                 {{"training", [](const ImageEpoch& epoch) { return epoch.images_per_second(); }}}),
        chart_of(trained, "Waiting for images", "% of the time",
                 {{"training", [](const ImageEpoch& epoch) { return 100 * epoch.wait_seconds / epoch.seconds; }}})};
  }
  if (trained.interrupted) page.notes = {"Training was interrupted: its last epoch is not complete."};
  page.tables = {table_of(trained)};
  page.pictures_title =
      fmt::format("Answers for some {} images, and how sure the network is", validates ? "validation" : "training");
  page.pictures = pictures_of(trained, options, device);
  const report::Machine machine = report::this_machine();
  page.facts = {settings_of(trained, options), report::device_facts(device.info()), report::machine_facts(machine)};
  page.footer = report::page_footer(machine);
  return report::html_page(page);
}

}  // namespace overtake
