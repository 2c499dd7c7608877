// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "overtake/device.hpp"
#include "overtake/progress.hpp"
#include "overtake/report.hpp"
#include "overtake/stop.hpp"

namespace overtake {

/// What bound a rate has.
enum class BenchFloor : std::uint8_t {
  memory,    ///< the bytes that must move at least, at the device's measured rate of reading and writing
  products,  ///< the float32 operations at the rate of measure_peak()
  link,      ///< the bytes that cross, at the rate of back-to-back copies from or to page-locked memory
};

/// One work on one device.
struct ArrayBenchRow {
  std::string work;    ///< "a*b+c", "upload, pinned"
  double seconds = 0;  ///< the shortest of several runs
  double amount = 0;   ///< bytes; of products float32 operations
  double rate = 0;     ///< amount / seconds
  double floor = 0;    ///< the rate of the bound
  BenchFloor bound = BenchFloor::memory;
  std::string failure;  ///< why it did not run (memory, say); "" where it did
  /// Of the floor's time: 1 is as fast as the bound allows. 0 where it did not run.
  [[nodiscard]] double fraction() const noexcept { return floor > 0 ? rate / floor : 0; }
};

/// All works on one device.
struct ArrayBench {
  DeviceInfo device;
  std::int64_t elements = 0;
  double copy_gbs = 0;                      ///< measured: reading and writing, both counted
  double peak_gflops = 0;                   ///< measured
  double upload_gbs = 0, download_gbs = 0;  ///< of the link, measured; of the cpu its memory's, a copy counted once
  std::vector<ArrayBenchRow> rows;
};

struct ArrayBenchOptions {
  std::vector<std::string> devices;      ///< empty: every usable one
  std::int64_t elements = 0;             ///< float32, of the large arrays; 0: 2^26 on GPUs, 2^24 elsewhere
  double seconds = 0.15;                 ///< for each work, at least two runs
  ProgressObserver* observer = nullptr;  ///< told before each work
  const StopToken* stop = nullptr;       ///< requested: the works so far are the result
};

/// Measures copy, a*b+c, a branchy where, mean, sums over axis 0 and axis 1 of a square, sort, bincount into 256,
/// matmul and copies between host and device, on each device. Throws UsageError for options out of range and
/// DeviceError for a named device that cannot be used.
[[nodiscard]] std::vector<ArrayBench> bench_arrays(const ArrayBenchOptions& options = {});

/// The rows of one device as a table: work, rate, floor, fraction.
[[nodiscard]] report::Table array_bench_table(const ArrayBench& bench);

/// All as JSON, schema "overtake.bench-arrays/1" (docs/cli.md).
[[nodiscard]] std::string array_bench_json(const std::vector<ArrayBench>& benches);

}  // namespace overtake
