// SPDX-License-Identifier: MIT
// What answering a file takes, told by its first rows.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "overtake/nn/network.hpp"
#include "overtake/placement.hpp"

namespace overtake {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// A model that measures how long it answers.
class TimedModel final : public Model {
  template <typename Answer>
  [[nodiscard]] auto timed(Answer answer) const {
    const auto start = Clock::now();
    auto answers = answer();
    seconds_ += seconds_since(start);
    return answers;
  }

 public:
  explicit TimedModel(std::shared_ptr<const Model> of) : of_(std::move(of)) {}

  [[nodiscard]] std::string describe() const override { return of_->describe(); }
  [[nodiscard]] std::vector<double> predict(std::span<const float> inputs) const override {
    return timed([&] { return of_->predict(inputs); });
  }
  [[nodiscard]] std::vector<std::int32_t> predict_classes(std::span<const float> inputs) const override {
    return timed([&] { return of_->predict_classes(inputs); });
  }
  [[nodiscard]] std::vector<std::int32_t> apply(std::span<const float> inputs) const override {
    return timed([&] { return of_->apply(inputs); });
  }
  void save(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata) const override {
    of_->save(path, metadata);
  }
  [[nodiscard]] double seconds() const noexcept { return seconds_; }

 private:
  std::shared_ptr<const Model> of_;
  mutable double seconds_ = 0;
};

/// What some rows took.
struct Sample {
  std::int64_t rows = 0;
  double reading = 0, answering = 0, writing = 0;  ///< seconds
};

Sample operator-(const Sample& a, const Sample& b) {
  return {a.rows - b.rows, a.reading - b.reading, a.answering - b.answering, a.writing - b.writing};
}

struct First {
  Sample all;
  Sample settled;  ///< without the first part, where there were more
  std::int64_t first_rows = 0;
  std::uint64_t file_bytes = 0;
  bool is_all = false;
};

constexpr std::uint64_t sample_part_bytes = std::uint64_t{2} << 20;

First answer_first_rows(const TableModel& model, const std::filesystem::path& data, const TableOptions& reading,
                        const AnswerOptions& options) {
  constexpr double enough_seconds = 0.25;
  const auto timed = std::make_shared<const TimedModel>(model.model);
  const TableModel asked{timed, model.preprocessing};
  FilePredictor predictor(asked, data, reading, options, sample_part_bytes);
  TableWriter nowhere("/dev/null");
  First first;
  Sample warm_up;
  const double before = timed->seconds();
  const auto start = Clock::now();
  while (const std::optional<Table> answers = predictor.next()) {
    const auto answered = Clock::now();
    nowhere.add(*answers);
    first.all.writing += seconds_since(answered);
    first.all.rows = predictor.rows();
    first.all.answering = timed->seconds() - before;
    first.all.reading = seconds_since(start) - first.all.writing - first.all.answering;
    if (warm_up.rows == 0) warm_up = first.all;
    if (seconds_since(start) > enough_seconds) break;
  }
  first.first_rows = warm_up.rows;
  first.settled = first.all.rows > warm_up.rows ? first.all - warm_up : first.all;
  first.file_bytes = predictor.file_bytes();
  first.is_all = predictor.at_end();
  return first;
}

/// Throws UsageError for what is gone once it was read.
std::uint64_t size_of(const std::filesystem::path& data) {
  std::error_code error;
  if (std::filesystem::exists(data, error) && !std::filesystem::is_regular_file(data, error)) {
    throw UsageError(data.string() + " is no file, and a plan reads the first rows before the run does",
                     "Write the rows into a file.");
  }
  const std::uintmax_t bytes = std::filesystem::file_size(data, error);
  return error ? 0 : bytes;  // reading says what is wrong
}

/// What a network takes of the computer's memory beside its weights.
std::uint64_t bytes_computing(const std::vector<std::int64_t>& widths, std::int64_t rows, const DeviceInfo& device,
                              const AnswersRoom& room) {
  if (widths.empty()) return 0;
  const auto memory = [&](std::int64_t of) { return memory_of_answers(widths, of, device).bytes(MemoryPlace::host); };
  const std::uint64_t always = memory(0);
  const auto layers = [&](std::int64_t batch) {  // those of the last rows have a plan of their own
    return memory(std::min(rows, batch)) + memory(rows > batch ? rows % batch : 0) - 2 * always;
  };
  std::int64_t batch = 4096;
  if (room.layer_bytes == 0) return always + layers(batch);
  const std::uint64_t most = room.layer_bytes + room.part_bytes;  // in which NetworkModel halves it until it fits
  while (batch > 1 && memory(std::min(rows, batch)) - always > most) batch /= 2;
  return always + std::min(layers(batch), most);
}

/// What the rows of a part hold, by measurements: about half of what they may take, beside buffers. Text of little is
/// held at sixteen times its bytes at most.
std::uint64_t bytes_of_parts(std::uint64_t part_bytes, std::uint64_t file_bytes) {
  constexpr std::uint64_t buffers = std::uint64_t{2} << 20, times = 16;
  return std::min(part_bytes / 2 + buffers, times * file_bytes);
}

}  // namespace

AnswersForecast forecast_answers(const TableModel& model, const std::filesystem::path& data,
                                 const TableOptions& reading, const AnswerOptions& options, const AnswersRoom& room,
                                 const std::string& device) {
  const std::uint64_t held = host_memory_held(), peak = host_memory_peak();  // the model took more as it was read
  const std::uint64_t file_bytes = size_of(data);
  const First first = answer_first_rows(model, data, reading, options);
  AnswersForecast forecast;
  forecast.rows_counted = first.is_all;
  forecast.rows = first.all.rows;
  if (!first.is_all && first.file_bytes > 0) {
    const double times = static_cast<double>(file_bytes) / static_cast<double>(first.file_bytes);
    forecast.rows = static_cast<std::int64_t>(static_cast<double>(first.all.rows) * std::max(1.0, times));
  }
  const auto rows = static_cast<double>(forecast.rows);
  const double scale = first.settled.rows > 0 ? rows / static_cast<double>(first.settled.rows) : 0;
  const double parts = first.first_rows > 0 ? rows / static_cast<double>(first.first_rows) : 0;
  const auto all_bytes = static_cast<std::uint64_t>(parts * static_cast<double>(sample_part_bytes));
  const std::vector<std::int64_t> widths = model.model->widths();
  const auto predict_on = [&](const DeviceInfo& on) {
    Prediction of;
    of.device = on.id;
    if (on.kind == DeviceKind::cpu) {
      of.threads = cpu_threads();
      of.compute_seconds = scale * first.settled.answering;
    } else if (widths.empty()) {
      of.failure = "forests predict on the CPU";
      return of;
    } else {
      of = predict_network(answering_work(widths, forecast.rows), on);
    }
    of.prepare_seconds += scale * first.settled.reading;
    of.finish_seconds += scale * first.settled.writing;
    if (on.id == device && is_in_host_memory(on.kind)) of.host_bytes = 0;  // what is open is held
    of.host_bytes = std::max(of.host_bytes, held + bytes_computing(widths, forecast.rows, on, room));
    of.host_bytes = std::max(peak, of.host_bytes + bytes_of_parts(std::min(room.part_bytes, all_bytes), file_bytes));
    of.total();
    return of;
  };
  forecast.placement = choose_device(predict_on, Candidates::all);
  forecast.placement.device = device;
  forecast.placement.reason = "asked for";
  return forecast;
}

}  // namespace overtake
