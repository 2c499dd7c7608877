// SPDX-License-Identifier: MIT
// Copies that nobody waits for, and what orders them (docs/transfers.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "overtake/array.hpp"
#include "overtake/device.hpp"

namespace overtake {

namespace backend {
class Mark;
}

/// The queues of a device: what is in one is done in order, the three go on side by side. Arrays are safe in all of
/// them: work waits for the uploads of the arrays that it uses, a download for the work that computes its array, and
/// memory is used again only when every queue is done with it. The cpu does everything at once; OpenCL has one queue.
enum class StreamKind : std::uint8_t {
  work,      ///< what eval() computes, and copies that are waited for: Array::from(), to_vector()
  upload,    ///< upload_async()
  download,  ///< download_async()
};

/// A moment in a stream: when all that it was asked for before is done. Copies are cheap and name the same moment.
class Event {
 public:
  /// A moment that is over; of no device.
  Event() = default;

  /// Whether it is over. Does not wait.
  [[nodiscard]] bool is_done() const;
  /// Waits until it is over.
  void synchronize() const;
  /// Seconds from `earlier`, an event of the same device, to this one, by the device's clock where it has one. Waits
  /// for both. Throws UsageError for events of two devices or of none.
  [[nodiscard]] double seconds_since(const Event& earlier) const;

  /// For Overtake's own modules.
  explicit Event(std::shared_ptr<const backend::Mark> mark) noexcept : mark_(std::move(mark)) {}
  [[nodiscard]] const backend::Mark* mark() const noexcept { return mark_.get(); }

 private:
  std::shared_ptr<const backend::Mark> mark_;
};

/// One of the three queues of a device; a handle, and cheap to copy.
class Stream {
 public:
  explicit Stream(const Device& device, StreamKind kind = StreamKind::work) noexcept : device_(device), kind_(kind) {}

  [[nodiscard]] const Device& device() const noexcept { return device_; }
  [[nodiscard]] StreamKind kind() const noexcept { return kind_; }
  /// The end of what it was asked for so far. Arrays that were not evaluated are not asked for.
  [[nodiscard]] Event record() const;
  /// What it is asked for from now on waits for the event, of any device. The host does not wait, unless the event is
  /// of another kind of device. Arrays need none of this.
  void wait(const Event& event) const;
  /// Waits until it is done with all that it was asked for.
  void synchronize() const;

 private:
  Device device_;
  StreamKind kind_;
};

/// Memory of the host that a device copies from and to: page-locked for CUDA, which copies nearly twice as fast then
/// and without the host; ordinary memory for other devices. Copies of the handle share the memory, which is freed with
/// the last of them, after the copies from and to it. One that was moved from has none: UsageError where it is used.
class PinnedBuffer {
 public:
  /// Uninitialised. Throws DeviceError when the system has no such memory left.
  PinnedBuffer(std::size_t bytes, const Device& device);

  [[nodiscard]] void* data() const noexcept;
  [[nodiscard]] std::size_t bytes() const noexcept;
  [[nodiscard]] const Device& device() const;
  /// The memory as elements of a type.
  template <typename T>
  requires is_element<T>
  [[nodiscard]] std::span<T> as() const noexcept { return {static_cast<T*>(data()), bytes() / sizeof(T)}; }

 private:
  friend Array upload_async(const PinnedBuffer& values, DType dtype, const Shape& shape, std::size_t offset);
  friend Event download_async(const Array& array, const PinnedBuffer& to, std::size_t offset);
  struct State;
  [[nodiscard]] State& state(const char* function) const;
  std::shared_ptr<State> state_;
};

/// An array on the buffer's device, of row-major elements that begin `offset` bytes into it. Returns at once; whatever
/// uses the array waits for the copy. Do not write to the memory before Stream(device, StreamKind::upload).record() is
/// done. Throws UsageError for elements beyond the buffer.
[[nodiscard]] Array upload_async(const PinnedBuffer& values, DType dtype, const Shape& shape, std::size_t offset = 0);

/// Evaluates and copies the row-major elements to the buffer, from `offset` bytes on. Returns at once: they are there
/// when the event is done. Throws UsageError for elements beyond the buffer, or a buffer of another device.
Event download_async(const Array& array, const PinnedBuffer& to, std::size_t offset = 0);

}  // namespace overtake
