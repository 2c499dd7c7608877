// SPDX-License-Identifier: MIT
// The three streams of a GPU, and memory that copies into it need not wait for.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "backend/api/streams.hpp"
#include "backend/common/caching_allocator.hpp"
#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

class CudaDevice;

/// An event of a stream.
class CudaMark final : public Mark {
 public:
  CudaMark(const CudaDevice& device, EventHandle event) : device_(device), event_(std::move(event)) {}
  ~CudaMark() override;
  [[nodiscard]] bool is_passed() const override;
  void wait() const override;
  [[nodiscard]] double seconds_since(const Mark& earlier) const override;

  [[nodiscard]] CUevent event() const noexcept { return event_.get(); }

 private:
  const CudaDevice& device_;
  EventHandle event_;
};

/// An event that is recorded now.
[[nodiscard]] EventHandle record_event(const DriverApi& api, CUstream stream, CUevent_flags flags);

/// The work stream, and the two for copies from when they are first asked for. Thread-safe.
class Lanes {
 public:
  explicit Lanes(const DriverApi& api);
  [[nodiscard]] CUstream of(Lane lane);
  [[nodiscard]] bool is_used(Lane lane) const noexcept { return static_cast<bool>(streams_[index(lane)]); }
  [[nodiscard]] CUstream work() const noexcept { return streams_[0].get(); }
  void synchronize(Lane lane);
  /// All that were ever used.
  void synchronize();

 private:
  static constexpr std::size_t index(Lane lane) noexcept { return static_cast<std::size_t>(lane); }

  const DriverApi& api_;
  std::mutex mutex_;
  std::array<StreamHandle, 3> streams_;
};

/// Blocks of memory that arrays came into by copies and have left again, each with the moment from which on no work
/// uses it: the next copy waits for that moment and not for all the work that is under way. A few; others go back to
/// the allocator, whose blocks are for the work stream. Thread-safe.
class IncomingBlocks {
 public:
  struct Free {
    CachingAllocator::Block block;
    EventHandle unused_from;
  };
  /// One of that size; its event is null where there is none.
  [[nodiscard]] Free take(std::size_t block_bytes);
  /// Keeps a block. Gives back one that it has no place for any more; its event is null where there is none.
  [[nodiscard]] Free keep(Free free);
  [[nodiscard]] std::vector<Free> take_all();

 private:
  static constexpr std::size_t most = 4;  // two buffers that take turns, twice
  std::mutex mutex_;
  std::vector<Free> blocks_;
};

}  // namespace overtake::backend::cuda
