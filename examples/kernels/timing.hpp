// SPDX-License-Identifier: MIT
// What the examples of this folder share: which device, and how long work takes there and on the cpu.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/device.hpp"

namespace example {

/// The first argument, or the GPU with the highest rate, or the cpu.
inline overtake::Device device_of(int argc, char** argv) {
  if (argc > 1) return overtake::Device(argv[1]);
  std::string best = "cpu";
  double rate = -1;
  for (const overtake::DeviceInfo& info : overtake::list_devices()) {
    if (!info.usable || info.kind != overtake::DeviceKind::gpu || info.peak_gflops <= rate) continue;
    best = info.id, rate = info.peak_gflops;
  }
  return overtake::Device(best);
}

/// The second argument, or `usual`.
inline std::int64_t size_of(int argc, char** argv, std::int64_t usual) {
  return argc > 2 ? std::max(std::atoll(argv[2]), 1LL) : usual;
}

using Clock = std::chrono::steady_clock;

inline double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// The median of up to nine runs, after one that compiles; about half a second in all.
template <typename Work>
double milliseconds(const Work& work) {
  work();
  std::vector<double> times;
  for (double spent = 0; times.size() < 9 && spent < 500; spent += times.back()) {
    const auto begin = Clock::now();
    work();
    times.push_back(milliseconds_since(begin));
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

/// Times of `work(inputs, device)`, which gives an array, from inputs that lie on the cpu.
template <typename Work>
void show_times(const overtake::Device& device, const std::vector<overtake::Array>& inputs, const Work& work) {
  const auto once = [&work](const std::vector<overtake::Array>& given, const overtake::Device& where) {
    const overtake::Array result = work(given, where);
    result.eval();
    where.synchronize();
    return result;
  };
  const overtake::Device cpu;
  std::printf("%-10s %9.3f ms\n", "cpu", milliseconds([&] { once(inputs, cpu); }));
  if (device == cpu) return;
  const auto there = [&inputs, &device] {
    std::vector<overtake::Array> moved;
    for (const overtake::Array& each : inputs) moved.push_back(each.to(device));
    return moved;
  };
  const std::vector<overtake::Array> moved = there();
  const double alone = milliseconds([&] { once(moved, device); });
  const double all = milliseconds([&] { (void)once(there(), device).to(cpu); });
  std::printf("%-10s %9.3f ms, %.3f ms with the copies\n", device.id().c_str(), alone, all);
}

/// Says whether a result is right; the program's exit status.
inline int verdict(bool right) {
  std::puts(right ? "right" : "WRONG");
  return right ? 0 : 1;
}

}  // namespace example
