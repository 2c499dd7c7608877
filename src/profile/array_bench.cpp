// SPDX-License-Identifier: MIT
#include "overtake/array_bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/placement.hpp"
#include "overtake/stream.hpp"

namespace overtake {
namespace {

using Clock = std::chrono::steady_clock;
using Work = std::function<void()>;

constexpr std::int64_t least_elements = 1 << 10;
constexpr std::int64_t most_elements = std::int64_t{1} << 31;

/// The shortest run that fits into the time, after one that warms up.
double best_seconds(const Device& device, const Work& work, double budget) {
  constexpr int most_runs = 1000;
  const auto run = [&] {
    const auto start = Clock::now();
    work();
    device.synchronize();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  double spent = run();
  double best = std::numeric_limits<double>::infinity();
  for (int runs = 0; runs < 2 || (spent < budget && runs < most_runs); ++runs) {
    const double seconds = run();
    best = std::min(best, seconds);
    spent += seconds;
  }
  return best;
}

Array random_array(const Shape& shape, std::uint32_t stream, const Device& device) {
  Array values = uniform(shape, 7, stream, full({}, 0, DType::int32, device));
  values.eval();
  return values;
}

/// Bytes a second of copies that follow each other without a gap, by the device's events.
double link_rate(const PinnedBuffer& memory, const Shape& shape, bool is_upload) {
  constexpr int copies = 4;
  const Stream stream(memory.device(), is_upload ? StreamKind::upload : StreamKind::download);
  double best = std::numeric_limits<double>::infinity();
  const Array array = upload_async(memory, DType::float32, shape);
  memory.device().synchronize();
  for (int round = 0; round < 3; ++round) {
    std::vector<Array> kept;
    const Event before = stream.record();
    for (int i = 0; i < copies; ++i) {
      if (is_upload) {
        kept.push_back(upload_async(memory, DType::float32, shape));
      } else {
        (void)download_async(array, memory);
      }
    }
    best = std::min(best, stream.record().seconds_since(before) / copies);
  }
  return static_cast<double>(memory.bytes()) / std::max(best, 1e-9);
}

/// The works on one device.
class Bench {
 public:
  Bench(const Device& device, const ArrayBenchOptions& options) : device_(device), options_(options) {
    result_.device = device.info();
    const bool is_gpu = result_.device.kind == DeviceKind::gpu;
    result_.elements = options.elements > 0 ? options.elements : std::int64_t{1} << (is_gpu ? 26 : 24);
    side_ = static_cast<std::int64_t>(std::sqrt(static_cast<double>(result_.elements)));
    n_ = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(std::max<std::int64_t>(side_ / 2, 1))));
  }

  ArrayBench run() {
    const MeasuredPeak peak = measure_peak(device_);
    result_.copy_gbs = peak.gbs;
    result_.peak_gflops = peak.gflops;
    element_works();
    order_works();
    copy_works();
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool is_stopped() const { return options_.stop != nullptr && options_.stop->requested(); }

  /// Measures a work whose arrays `make` gets ready.
  void add(const std::string& name, double amount, BenchFloor bound, const std::function<Work()>& make) {
    if (is_stopped()) return;
    if (options_.observer != nullptr) {
      options_.observer->on_progress({.done = static_cast<std::int64_t>(result_.rows.size()),
                                      .total = 13,
                                      .what = fmt::format("{} on {}", name, result_.device.id)});
    }
    ArrayBenchRow row;
    row.work = name;
    row.amount = amount;
    row.bound = bound;
    try {
      row.seconds = best_seconds(device_, make(), options_.seconds);
      row.rate = amount / row.seconds;
      if (result_.rows.empty()) result_.copy_gbs = std::max(result_.copy_gbs, row.rate * 1e-9);  // the copy comes first
      row.floor = (bound == BenchFloor::products ? result_.peak_gflops : result_.copy_gbs) * 1e9;
    } catch (const DeviceError& error) {  // no memory for it
      row.failure = error.what();
    }
    result_.rows.push_back(std::move(row));
  }

  void element_works() {
    const auto n = result_.elements;
    const double bytes = 4.0 * static_cast<double>(n);
    const Array a = random_array({n}, 0, device_);
    const Array b = random_array({n}, 1, device_);
    const Array c = random_array({n}, 2, device_);
    add("copy", 2 * bytes, BenchFloor::memory, [&] { return Work([&] { (a + 0.0F).eval(); }); });
    add("a*b+c", 4 * bytes, BenchFloor::memory, [&] { return Work([&] { (a * b + c).eval(); }); });
    add("where, with branches", 2 * bytes, BenchFloor::memory,
        [&] { return Work([&] { where(a > 0.5F, sqrt(a) * exp(-a), sin(a) + a * a).eval(); }); });
    add("mean", bytes, BenchFloor::memory, [&] { return Work([&] { mean(a).eval(); }); });
    const Array square = random_array({side_, side_}, 3, device_);
    const double part = 4.0 * static_cast<double>(side_) * static_cast<double>(side_);
    add("sum over axis 0", part, BenchFloor::memory, [&] { return Work([&] { sum(square, {0}).eval(); }); });
    add("sum over axis 1", part, BenchFloor::memory, [&] { return Work([&] { sum(square, {1}).eval(); }); });
    const Array left = random_array({n_, n_}, 4, device_);
    const auto edge = static_cast<double>(n_);
    add(fmt::format("matmul {0} x {0}", n_), 2 * edge * edge * edge, BenchFloor::products,
        [&] { return Work([&] { matmul(left, left).eval(); }); });
  }

  void order_works() {
    const auto n = result_.elements / 4;
    const double bytes = 4.0 * static_cast<double>(n);
    const Array values = random_array({n}, 5, device_);
    add("sort", 2 * bytes, BenchFloor::memory, [&] { return Work([&] { sort(values).eval(); }); });
    const Array whole = astype(values * 256.0F, DType::int32);
    whole.eval();
    add("bincount into 256", bytes, BenchFloor::memory,
        [&] { return Work([&] { bincount(whole, std::nullopt, 256).eval(); }); });
  }

  void copy_works() {
    if (is_stopped()) return;
    const auto n = result_.elements;
    const Shape shape{n};
    const auto bytes = static_cast<std::size_t>(n) * sizeof(float);
    const std::vector<float> plain(static_cast<std::size_t>(n), 1.0F);
    std::vector<float> back(plain.size());
    const PinnedBuffer pinned(bytes, device_);
    std::fill(pinned.as<float>().begin(), pinned.as<float>().end(), 1.0F);
    const Array array = Array::from(plain, shape, device_);
    const bool is_host = result_.device.kind == DeviceKind::cpu;  // a copy there reads and writes the memory
    result_.upload_gbs = is_host ? result_.copy_gbs / 2 : link_rate(pinned, shape, true) * 1e-9;
    result_.download_gbs = is_host ? result_.copy_gbs / 2 : link_rate(pinned, shape, false) * 1e-9;
    const auto cross = [&](const std::string& name, double link, const Work& work) {
      const std::size_t before = result_.rows.size();
      add(name, static_cast<double>(bytes), BenchFloor::link, [&] { return work; });
      if (result_.rows.size() > before) result_.rows.back().floor = link * 1e9;
    };
    cross("upload, pageable", result_.upload_gbs, [&] { (void)Array::from(plain, shape, device_); });
    cross("upload, pinned", result_.upload_gbs, [&] { (void)upload_async(pinned, DType::float32, shape); });
    cross("download, pageable", result_.download_gbs, [&] { array.to_memory(back.data()); });
    cross("download, pinned", result_.download_gbs, [&] { (void)download_async(array, pinned); });
  }

  Device device_;
  const ArrayBenchOptions& options_;
  ArrayBench result_;
  std::int64_t side_ = 0, n_ = 0;
};

std::vector<Device> devices_of(const ArrayBenchOptions& options) {
  std::vector<Device> devices;
  for (const std::string& name : options.devices) devices.emplace_back(name);
  if (!options.devices.empty()) return devices;
  for (const DeviceInfo& info : list_devices()) {
    if (info.usable && is_available(info.id)) devices.emplace_back(info.id);
  }
  return devices;
}

const char* name_of(BenchFloor bound) {
  switch (bound) {
    case BenchFloor::products: return "products";
    case BenchFloor::link: return "link";
    case BenchFloor::memory: break;
  }
  return "memory";
}

report::Json to_json(const ArrayBenchRow& row) {
  report::Json json = report::Json::object();
  json.set("work", row.work).set("seconds", row.seconds).set("amount", row.amount).set("rate", row.rate);
  json.set("bound", name_of(row.bound)).set("floor", row.floor).set("fraction", row.fraction());
  return json.set("failure", report::Json::text_or_null(row.failure));
}

}  // namespace

std::vector<ArrayBench> bench_arrays(const ArrayBenchOptions& options) {
  if (options.elements != 0 && (options.elements < least_elements || options.elements > most_elements)) {
    throw UsageError(
        fmt::format("a bench of {} elements; there may be {} to {}", options.elements, least_elements, most_elements));
  }
  if (!(options.seconds > 0)) throw UsageError("a bench needs a positive time for each work");
  std::vector<ArrayBench> benches;
  for (const Device& device : devices_of(options)) {
    if (options.stop != nullptr && options.stop->requested()) break;
    benches.push_back(Bench(device, options).run());
  }
  return benches;
}

report::Table array_bench_table(const ArrayBench& bench) {
  report::Table table;
  table.caption = fmt::format("{} ({}), {} float32", bench.device.id, bench.device.name, report::count(bench.elements));
  table.columns = {{"work", report::Align::left}, {"time"},   {"ours"}, {"floor"},
                   {"", report::Align::left},     {"reached"}};
  for (const ArrayBenchRow& row : bench.rows) {
    if (!row.failure.empty()) {
      table.rows.push_back({row.work, "", "", "", "did not run: " + row.failure});
      continue;
    }
    table.rows.push_back({row.work, report::seconds(row.seconds), report::significant(row.rate * 1e-9),
                          report::significant(row.floor * 1e-9), row.bound == BenchFloor::products ? "GFLOP/s" : "GB/s",
                          fmt::format("{:.0f} %", 100 * row.fraction())});
  }
  return table;
}

std::string array_bench_json(const std::vector<ArrayBench>& benches) {
  report::Json devices = report::Json::array();
  std::vector<DeviceInfo> infos;
  for (const ArrayBench& bench : benches) {
    infos.push_back(bench.device);
    report::Json rows = report::Json::array();
    for (const ArrayBenchRow& row : bench.rows) rows.push(to_json(row));
    report::Json json = report::Json::object();
    json.set("device", bench.device.id).set("name", bench.device.name).set("elements", bench.elements);
    json.set("copy_gbs", bench.copy_gbs).set("peak_gflops", bench.peak_gflops);
    json.set("upload_gbs", bench.upload_gbs).set("download_gbs", bench.download_gbs);
    devices.push(json.set("rows", std::move(rows)));
  }
  report::Json json = report::Json::object();
  json.set("schema", "overtake.bench-arrays/1").set("machine", report::machine_json(report::this_machine(), infos));
  return json.set("devices", std::move(devices)).dump() + "\n";
}

}  // namespace overtake
