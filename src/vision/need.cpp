// SPDX-License-Identifier: MIT
#include "vision/need.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backend/api/details.hpp"
#include "backend/api/device.hpp"
#include "graph/compiled_step.hpp"
#include "graph/primitives/layout.hpp"
#include "nn/layers/initial.hpp"
#include "overtake/models.hpp"
#include "overtake/ops.hpp"
#include "overtake/report.hpp"

namespace overtake::vision {
namespace {

/// What the work may have where nothing limits it; 0: unknown.
std::uint64_t room_of(const Device& device) {
  const std::uint64_t free_bytes = device.impl().details().free_bytes;
  return free_bytes == 0 ? 0 : free_bytes + device.impl().memory_held();
}

}  // namespace

Need need_of(const std::function<std::uint64_t(std::int64_t rows)>& bytes_of) {
  constexpr std::int64_t some = 8;
  Need need{bytes_of(1), 0, 0};
  need.each = (std::max(bytes_of(some), need.one) - need.one) / (some - 1);
  return need;
}

MemoryError too_large(const std::string& what, const Need& need, std::int64_t rows, const Device& device,
                      std::uint64_t limit, const MemoryError& cause) {
  std::string message = fmt::format("{} does not fit into the memory of {}: {} take{} {}", what, device.id(),
                                    report::counted(rows, "image"), rows == 1 ? "s" : "", report::bytes(need.of(rows)));
  if (rows > 1) message += fmt::format(", one alone {}", report::bytes(need.of(1)));
  const bool is_limit = limit > 0;
  const std::uint64_t room = is_limit ? limit : room_of(device);
  const std::string there = is_limit ? "limit " + report::bytes(room) : report::bytes(room) + " there";
  if (room == 0 || need.of(rows) <= room) {  // others hold memory, or it is in pieces
    return MemoryError(fmt::format("{}; {}", message, cause.what()), cause.hint());
  }
  if (need.of(1) > room) {
    return MemoryError(fmt::format("{} ({}: not one image fits)", message, there),
                       is_limit ? "Raise --memory-limit, or take smaller images or a smaller network."
                                : "Take smaller images or a smaller network.");
  }
  // Images that wait are as large as their files say, and libraries take some: who follows the advice should get
  // through.
  const std::uint64_t usable = std::max(room - room / 16, need.one);
  const std::uint64_t most = need.each == 0 ? 1 : (usable - need.one) / need.each + 1;
  const std::string fits = report::counted(static_cast<std::int64_t>(most), "image");
  return MemoryError(fmt::format("{} ({}: about {} fit)", message, there, fits),
                     fmt::format("Take batches of {} at most.", fits));
}

std::uint64_t answering_bytes(const ImageModel& model, std::int64_t rows) {
  const Device nowhere("null");
  nowhere.set_memory_limit(0);
  const nn::Undrawn undrawn(nowhere);
  const auto network = models::make(model.name, static_cast<std::int64_t>(model.classes.size()));
  network->to(nowhere);
  network->eval();
  const ImageTransform& how = model.transform;
  const Array images = graph::copy_of(zeros(Shape{rows, how.height, how.width, model.channels}, nowhere));
  const std::vector<Array> changing = {images};
  const graph::CompiledStep step(
      {}, [&] { return std::vector<Array>{network->forward(graph::channels_first(images))}; }, true, changing);
  return step.bytes();
}

}  // namespace overtake::vision
