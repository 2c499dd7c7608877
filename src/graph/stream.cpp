// SPDX-License-Identifier: MIT
#include "overtake/stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "backend/api/device.hpp"
#include "core/checked.hpp"
#include "graph/node.hpp"
#include "graph/tracing.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

backend::Lane lane_of(StreamKind kind) {
  switch (kind) {
    case StreamKind::upload: return backend::Lane::upload;
    case StreamKind::download: return backend::Lane::download;
    case StreamKind::work: break;
  }
  return backend::Lane::work;
}

}  // namespace

bool Event::is_done() const { return mark_ == nullptr || mark_->is_passed(); }

void Event::synchronize() const {
  if (mark_ != nullptr) mark_->wait();
}

double Event::seconds_since(const Event& earlier) const {
  if (mark_ == nullptr || earlier.mark_ == nullptr) {
    throw UsageError("[seconds_since] an event that nobody recorded has no time", "Stream::record() makes events.");
  }
  return mark_->seconds_since(*earlier.mark_);
}

Event Stream::record() const { return Event(device_.impl().mark(lane_of(kind_))); }

void Stream::wait(const Event& event) const {
  if (event.mark() != nullptr) device_.impl().wait(lane_of(kind_), *event.mark());
}

void Stream::synchronize() const { device_.impl().synchronize_lane(lane_of(kind_)); }

/// The memory, and the copies from and to it that may be under way.
struct PinnedBuffer::State {
  explicit State(std::size_t bytes, const Device& of) : device(of), memory(of.impl().allocate_host(bytes)) {}
  ~State() {
    for (const Event& event : {last_upload, last_download}) {
      try {
        event.synchronize();
      } catch (const Error&) {  // a device that fails copies nothing more
      }
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// Where elements are. Throws UsageError beyond the memory.
  [[nodiscard]] std::byte* at(std::size_t offset, std::size_t wanted, const char* function) const {
    if (offset <= memory->bytes() && wanted <= memory->bytes() - offset) {
      return static_cast<std::byte*>(memory->data()) + offset;
    }
    throw UsageError(
        fmt::format("[{}] {} bytes from byte {} on, of a buffer of {}", function, wanted, offset, memory->bytes()));
  }
  void keep(Event& last, Event event) {
    const std::lock_guard lock(mutex);
    last = std::move(event);
  }

  Device device;
  std::unique_ptr<backend::HostMemory> memory;
  std::mutex mutex;
  Event last_upload, last_download;  // streams are in order: the last is done last
};

PinnedBuffer::PinnedBuffer(std::size_t bytes, const Device& device) : state_(std::make_shared<State>(bytes, device)) {}

PinnedBuffer::State& PinnedBuffer::state(const char* function) const {
  if (state_ != nullptr) return *state_;
  throw UsageError(fmt::format("[{}] the buffer was moved from: it has no memory", function));
}

void* PinnedBuffer::data() const noexcept { return state_ == nullptr ? nullptr : state_->memory->data(); }
std::size_t PinnedBuffer::bytes() const noexcept { return state_ == nullptr ? 0 : state_->memory->bytes(); }
const Device& PinnedBuffer::device() const { return state("device").device; }

Array upload_async(const PinnedBuffer& values, DType dtype, const Shape& shape, std::size_t offset) {
  PinnedBuffer::State& state = values.state("upload_async");
  const std::size_t bytes = checked_mul(static_cast<std::size_t>(shape.size()), size_of(dtype), "an array");
  const std::byte* source = state.at(offset, bytes, "upload_async");
  backend::Device& device = state.device.impl();
  std::shared_ptr<backend::Buffer> buffer = device.allocate_incoming(std::max<std::size_t>(bytes, 1));
  if (bytes > 0) {
    device.upload_async(*buffer, source, bytes);
    state.keep(state.last_upload, Stream(state.device, StreamKind::upload).record());
  }
  return graph::make_leaf(shape, dtype, std::move(buffer));
}

Event download_async(const Array& array, const PinnedBuffer& to, std::size_t offset) {
  PinnedBuffer::State& state = to.state("download_async");
  if (array.device() != state.device) {
    throw UsageError(fmt::format("[download_async] the array is on {}, the buffer is for {}", array.device().id(),
                                 state.device.id()));
  }
  graph::require_fixed("download_async", *array.node());
  const std::size_t bytes = checked_mul(static_cast<std::size_t>(array.size()), size_of(array.dtype()), "an array");
  std::byte* destination = state.at(offset, bytes, "download_async");
  array.eval();
  if (bytes > 0) state.device.impl().download_async(*array.node()->buffer, destination, bytes);
  Event done = Stream(state.device, StreamKind::download).record();
  state.keep(state.last_download, done);
  return done;
}

}  // namespace overtake
