// SPDX-License-Identifier: MIT
#include "user_kernel/watch.hpp"

#include <fmt/format.h>

#include <array>

namespace overtake::user_kernel {
namespace {

constexpr std::size_t watch_words = 8;  // count, kind, line, array, place (2), item (2)

}  // namespace

std::string watch_parameters(const Watching& watching) {
  std::string list = "GLOBAL int* overtake_watch";
  if (watching.places) list += ", int64 overtake_item";
  return watching.time_limit > 0 ? list.append(", uint64* overtake_loops") : list;
}

std::string watch_arguments(const Watching& watching) {
  std::string list = "overtake_watch";
  if (watching.places) list += ", overtake_item";
  return watching.time_limit > 0 ? list.append(", overtake_loops") : list;
}

std::string watch_functions(const Watching& watching) {
  constexpr double turns_in_a_second = 1e8;  // where a device has no clock
  return fmt::format(R"(
#define OVERTAKE_NANOSECONDS {}ull
#define OVERTAKE_TURNS {}ull
DEVICE void overtake_note(int kind, int line, int array, int64 place, int64 item, GLOBAL int* watch) {{
  if (ATOMIC_ADD(watch, 1) != 0) return;
  watch[1] = kind;
  watch[2] = line;
  watch[3] = array;
  watch[4] = (int)(uint32)place;
  watch[5] = (int)(place >> 32);
  watch[6] = (int)(uint32)item;
  watch[7] = (int)(item >> 32);
}}
DEVICE int64 overtake_at(int64 place, int64 size, int array, int line, int64 item, GLOBAL int* watch) {{
  if (place >= 0 && place < size) return place;
  overtake_note(1, line, array, place, item, watch);
  return 0;
}}
DEVICE int64 overtake_from(int64 place, int64 begin, int64 size, int array, int line, int64 item, GLOBAL int* watch) {{
  if (array < 0 || (begin + place >= 0 && begin + place < size)) return place;
  overtake_note(1, line, array, begin + place, item, watch);
  return -begin;
}}
DEVICE int64 overtake_step(int64 step, int line, int64 item, GLOBAL int* watch) {{
  if (step == 0) overtake_note(3, line, 0, 0, item, watch);
  return step;
}}
DEVICE int64 overtake_linear(void) {{
  return GLOBAL_ID(0) + (int64)GLOBAL_SIZE(0) * (GLOBAL_ID(1) + (int64)GLOBAL_SIZE(1) * GLOBAL_ID(2));
}}
DEVICE int overtake_is_late(GLOBAL int* watch, uint64* loops, int line) {{
  if (ATOMIC_ADD(watch, 0) == 0) {{
#ifdef NANOSECONDS
    if (NANOSECONDS - loops[1] < OVERTAKE_NANOSECONDS) return 0;
#else
    if (loops[0] < OVERTAKE_TURNS) return 0;
#endif
    overtake_note(2, line, 0, 0, overtake_linear(), watch);
  }}
  --loops[0];  // the next turn of whatever loop asks again, and ends that
  return 1;
}}
#ifdef NANOSECONDS
#define OVERTAKE_LOOPS uint64 overtake_own[2] = {{0, NANOSECONDS}}, *overtake_loops = overtake_own; (void)overtake_loops;
#else
#define OVERTAKE_LOOPS uint64 overtake_own[2] = {{0, 0}}, *overtake_loops = overtake_own; (void)overtake_loops;
#endif
#define OVERTAKE_GOES_ON(line) \
  ((++overtake_loops[0] & 1023u) != 0u || !overtake_is_late(overtake_watch, overtake_loops, line))
)",
                     static_cast<std::uint64_t>(watching.time_limit * 1e9),
                     static_cast<std::uint64_t>(watching.time_limit * turns_in_a_second));
}

WatchBuffer::WatchBuffer(backend::Device& device)
    : device_(device), buffer_(device.allocate(watch_words * sizeof(std::int32_t))) {
  const std::array<std::int32_t, watch_words> zeros{};
  device_.upload(*buffer_, 0, zeros.data(), sizeof(zeros));
}

WatchBuffer::Fault WatchBuffer::read() const {
  std::array<std::int32_t, watch_words> words{};
  device_.download(*buffer_, 0, words.data(), sizeof(words));
  if (words[0] == 0) return {};
  const auto joined = [&](std::size_t low) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(static_cast<std::uint32_t>(words[low + 1])) << 32U |
                                     static_cast<std::uint32_t>(words[low]));
  };
  return {static_cast<Fault::Kind>(words[1]), words[2], words[3], joined(4), joined(6)};
}

}  // namespace overtake::user_kernel
