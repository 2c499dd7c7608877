// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/device.hpp"
#include "overtake/forest/work.hpp"
#include "overtake/model.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/network.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/nn/work.hpp"
#include "overtake/optim.hpp"
#include "overtake/report.hpp"

/// Which processor will finish a training first, and what processors really reach.
namespace overtake {

/// A training that is to be placed. The trial steps run on models of their own; nothing of the caller's changes.
struct PlacementRequest {
  std::function<nn::Sequential()> model;  ///< builds the network; called once for each trial
  std::function<std::unique_ptr<optim::Optimizer>(nn::Module&)> optimizer;
  nn::Loss loss;
  Array inputs, targets;                        ///< the training rows, on the CPU
  Array validation_inputs, validation_targets;  ///< judged after each epoch; undefined: none
  std::int64_t batch_size = 100;
  int epochs = 100;
  int threads = 0;                 ///< of the CPU; 0: the faster of one and all
  std::uint64_t memory_limit = 0;  ///< bytes for each device; 0: no limit
  const StopToken* stop = nullptr;
};

/// What a job may take of memory, in bytes; 0: what there is.
struct MemoryLimits {
  std::uint64_t planned = 0;  ///< what is planned on the device
  std::uint64_t host = 0;     ///< the whole process, of the computer's memory
};

/// What one processor is expected to take.
struct Prediction {
  std::string device;
  int threads = 0;             ///< cpu: those asked for, else the faster of one and all
  double seconds = 0;          ///< the sum of the parts below
  double start_seconds = 0;    ///< opening the device, loading or compiling its code
  double prepare_seconds = 0;  ///< binning, on the host
  double transfer_seconds = 0;
  double compute_seconds = 0;
  double finish_seconds = 0;  ///< scoring, fetching what was trained
  double step_seconds = 0;    ///< of a network
  double batch_seconds = 0;   ///< of compute_seconds, what each batch takes anew however small it is
  std::uint64_t device_bytes = 0,
                host_bytes = 0;  ///< the most that is held at once, the second by the whole process; 0: not known
  std::string failure;           ///< not empty: cannot run this training, and why

  /// Adds the parts up.
  void total() { seconds = start_seconds + prepare_seconds + transfer_seconds + compute_seconds + finish_seconds; }
};

/// By the names of its fields, without "_seconds".
[[nodiscard]] report::Json to_json(const Prediction& prediction);

/// Which device, and why. Candidates are the CPU and the first GPU that can run the work, the largest first, whatever
/// its backend. GPUs are not even looked at when the CPU is done before one could have started. OpenCL on the CPU is no
/// candidate.
struct Placement {
  std::string device;  ///< "cpu + cuda:0" where two share the work
  /// Where two share the work: the one that does what only one can do, then the other.
  std::vector<std::string> shared;
  int threads = 0;  ///< for set_cpu_threads() when the CPU was chosen
  std::vector<Prediction> predictions;
  std::string reason;              ///< the predicted times, or why there are none, in one sentence
  std::vector<std::string> notes;  ///< a measurement of the devices that was damaged, say

  /// Of the chosen device; null: there is none.
  [[nodiscard]] const Prediction* chosen() const noexcept;
};

/// Which devices are looked at.
enum class Candidates {
  likely,  ///< those of Placement's rule
  all,     ///< each that is listed, usable or not
};

/// Times a few steps of the training on the CPU (with `threads`, or with one thread and all) and on the GPU, each for a
/// fraction of a second, and chooses the device with the shorter predicted time. Leaves the number of CPU threads at
/// the CPU's prediction. Throws DeviceError when no device can run the training.
[[nodiscard]] Placement choose_device(const PlacementRequest& request);

/// For a network that train_network() is to train on `data`: by predict_network(), nothing is trained. Sets the number
/// of CPU threads to that of the CPU's prediction. Throws what check_network_memory() throws, too.
[[nodiscard]] Placement choose_device(const PreparedData& data, const NetworkOptions& options, int threads = 0,
                                      Candidates candidates = Candidates::likely);

/// Work that two devices can do together; by default it cannot be shared.
struct Shareable {
  std::int64_t parts = 0;  ///< of about one size, each run by one device
  std::int64_t last = 0;   ///< more parts of that size, which one device runs when all others are done
};

/// What the CPU and another device take together: the most even split of the parts, the CPU with a thread less, which
/// feeds the device; one that computes on the CPU's cores, too, has the half of them. Its failure is that of one of
/// them, or that they do not fit side by side.
[[nodiscard]] Prediction predict_together(const Prediction& cpu, const Prediction& device, const Shareable& work,
                                          const MemoryLimits& limits = {});

/// The same where it pays: nothing where that is not at least a twentieth and 0.1 s earlier than the better of them
/// alone, or where they cannot.
[[nodiscard]] std::optional<Prediction> predict_shared(const Prediction& cpu, const Prediction& device,
                                                       const Shareable& work, const MemoryLimits& limits = {});

/// Chooses by what `predict` says of each device, and of the CPU and the GPU together where `work` can be shared; of
/// `likely` ones a GPU is opened before it is chosen. Throws DeviceError when no device can run the work.
[[nodiscard]] Placement choose_device(const std::function<Prediction(const DeviceInfo&)>& predict,
                                      Candidates candidates = Candidates::likely, const Shareable& work = {},
                                      const MemoryLimits& limits = {});

/// Two devices that are to share work, by name: "cpu,cuda:0". Opens them. Throws UsageError unless they are the CPU and
/// one other; DeviceError as Device does.
[[nodiscard]] Placement share_between(std::string_view devices);

/// Adds what the devices of `placement.shared` take together to its predictions, of which two are theirs.
void add_together(Placement& placement, const Shareable& work, const MemoryLimits& limits = {});

/// Whether predictions for the devices of a placement need no measurement: their rates were kept before.
[[nodiscard]] bool is_predictable(const Placement& asked);

/// Tells what devices that were asked for are expected to take, and two of them together, in `asked`'s predictions and
/// reason.
void predict_asked(Placement& asked, const std::function<Prediction(const DeviceInfo&)>& predict,
                   const Shareable& work = {}, const MemoryLimits& limits = {});

/// What forests take on a device, by its rates (docs/placement.md). Opens the CPU or a GPU whose rates were never
/// measured here, to measure them. What can be cut into parts keeps to the limits; what is more than they allow by a
/// fifth or more, which is how far predictions of memory may be off, is the prediction's failure.
[[nodiscard]] Prediction predict_forest(const ForestWork& work, const DeviceInfo& device,
                                        const MemoryLimits& limits = {});

/// For forests: by predict_forest() within the limits.
[[nodiscard]] Placement choose_device(const ForestWork& work, const MemoryLimits& limits,
                                      Candidates candidates = Candidates::likely);

/// What training a network takes on a device, likewise. `threads` of the CPU; 0: the faster of one and all.
[[nodiscard]] Prediction predict_network(const NetworkWork& work, const DeviceInfo& device, int threads = 0);

/// What there is to say of the measurements that this process made for its predictions: that kept ones were damaged,
/// that other programs used the cores. Gives each once; choose_device() puts them into Placement::notes.
[[nodiscard]] std::vector<std::string> take_prediction_notes();

/// Compares a run that did all of the work with its prediction. Where it computed on the CPU in less than half of the
/// predicted time, by at least 0.2 s, the next process measures the speed of the CPU again: true then. False where that
/// was measured three times already, or found to be the same twice.
bool doubt_rates(const Prediction& predicted, double compute_seconds);

/// What answering every row of a file takes, told by its first rows.
struct AnswersForecast {
  std::int64_t rows = 0;
  bool rows_counted = false;  ///< the whole file was read; else they are estimated by the bytes of the first
  Placement placement;        ///< of every device; the choice is the one asked for
};

/// Answers the first rows of a file, for a quarter of a second, and scales up: reading is part of `prepare_seconds`,
/// writing of `finish_seconds`. Networks on other devices than the CPU are predicted by rates; forests predict on the
/// CPU alone. The parameters are FilePredictor's; `device`: the one asked for. Throws what FilePredictor throws, and
/// UsageError for what can be read only once (a pipe).
[[nodiscard]] AnswersForecast forecast_answers(const TableModel& model, const std::filesystem::path& data,
                                               const TableOptions& reading, const AnswerOptions& options,
                                               const AnswersRoom& room, const std::string& device = "cpu");

/// A device that this machine need not have, for predict_forest() and predict_network(): "l4", "rtx-4090" by its
/// maker's data sheet, "cpu-16" as so many cores of this machine's kind. Estimates: docs/placement.md says how far they
/// were off. Throws UsageError for other names.
[[nodiscard]] DeviceInfo known_device(std::string_view name);
/// The names of data sheets.
[[nodiscard]] std::vector<std::string> known_device_names();

/// Threads that the CPU computes with from now on, at most 4096: networks, forests, and the predictions of forests.
/// 0: OVERTAKE_THREADS, or one for each core this process may use. Throws UsageError for other numbers.
void set_cpu_threads(int threads);

/// The same for what the calling thread does alone; 0: what the process has.
void set_cpu_threads_here(int threads);

/// How many that is now, for the calling thread.
[[nodiscard]] int cpu_threads();

/// Throws UsageError, naming the variable, for an environment variable whose value cannot be used (OVERTAKE_THREADS). A
/// program calls it when it starts; without it such a value counts as unset.
void check_environment();

/// What a device reached in a short measurement.
struct MeasuredPeak {
  double gflops =
      0;  ///< float32, a multiply-add counted as 2: matrix product, elsewhere than on the CPU also plain chains
  double gbs = 0;  ///< reading and writing large arrays, 1e9 bytes a second, both directions counted
};

/// Measures for about `seconds` (each of the two figures takes half), the compiling of kernels not counted. Throws
/// DeviceError when the device fails.
[[nodiscard]] MeasuredPeak measure_peak(const Device& device, double seconds = 0.3);

}  // namespace overtake
