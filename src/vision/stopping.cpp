// SPDX-License-Identifier: MIT
#include "vision/stopping.hpp"

#include <utility>

#include "backend/api/device.hpp"
#include "core/clock.hpp"
#include "graph/node.hpp"
#include "overtake/memory.hpp"

namespace overtake::vision {
namespace {

// A wait that people mind, and what being able to end it may cost of it.
constexpr double long_seconds = 1, least_share = 50;
// Of the memory that is left.
constexpr std::uint64_t most_memory = 4;

thread_local const StopToken* asked = nullptr;

void throw_if_stopped() {
  if (asked->requested()) throw Stopped();
}

}  // namespace

Stoppable::Stoppable(const StopToken& token) : polling_(throw_if_stopped) { asked = &token; }

Stoppable::~Stoppable() { asked = nullptr; }

Undo::Undo(std::vector<Array> arrays) : arrays_(std::move(arrays)) {
  for (const Array& array : arrays_) bytes_ += array.node()->buffer->bytes();
}

bool Undo::keep(double batch_seconds) {
  const bool is_known = batch_seconds > 0;
  if (is_known && (batch_seconds < long_seconds || batch_seconds < least_share * copy_seconds_)) {
    values_ = {};
    return false;
  }
  if (values_.empty()) {
    if (bytes_ > host_memory_left(0) / most_memory) return false;
    for (const Array& array : arrays_) values_.emplace_back(array.node()->buffer->bytes());
  }
  const auto start = Clock::now();
  for (std::size_t i = 0; i < arrays_.size(); ++i) {
    const backend::Buffer& buffer = *arrays_[i].node()->buffer;
    buffer.device().download(buffer, 0, values_[i].data(), values_[i].size());
  }
  copy_seconds_ = seconds_since(start);
  return true;
}

void Undo::restore() const {
  for (std::size_t i = 0; i < arrays_.size(); ++i) {
    backend::Buffer& buffer = *arrays_[i].node()->buffer;
    buffer.device().upload(buffer, 0, values_[i].data(), values_[i].size());
  }
}

}  // namespace overtake::vision
