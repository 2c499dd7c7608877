// SPDX-License-Identifier: MIT
// The host's side of a loader: threads that read and decode images in the order of an epoch, and pack them into memory
// that the device copies from.
//
//   order_ -> next_ (taken by a thread) -> results_ (in order, some still decoded) -> line_ (decoded, good)
//          -> ready_ (packed batches by number) -> next()
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/threads.hpp"
#include "image/prepare.hpp"
#include "image/set.hpp"

namespace overtake::image {

/// Page-locked memory that batches are packed into, one after the other.
struct Slot {
  std::unique_ptr<backend::HostMemory> memory;
  std::unique_ptr<backend::Mark> copied;  ///< when it may be written again; null: now
};

struct PackedBatch {
  Slot slot;
  std::size_t bytes = 0;        ///< that are to be copied
  std::size_t pixel_bytes = 0;  ///< of which are pixels
  std::vector<std::int32_t> labels;
  std::vector<std::int64_t> images;
  std::int64_t end = 0;  ///< as ImageBatch::end
};

class Pipeline {
 public:
  /// Throws DeviceError where no thread can be started.
  Pipeline(std::shared_ptr<const Content> content, const ImageLoaderOptions& options, backend::Device& device);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// `from`: a place in the order, up to size().
  void begin_epoch(std::uint32_t epoch, std::size_t from);
  /// The next batch; nothing at the end of the epoch or, if nobody is to wait, when it is not ready. Its slot is to be
  /// given back. Throws what went wrong.
  [[nodiscard]] std::optional<PackedBatch> next(bool wait);
  void give_back(Slot slot);

  [[nodiscard]] std::int64_t size() const noexcept { return content_->size(); }
  [[nodiscard]] std::int64_t batches_per_epoch() const noexcept;
  [[nodiscard]] ImageLoaderStats stats() const;
  [[nodiscard]] std::vector<std::string> skipped() const;

 private:
  using Lock = std::unique_lock<std::mutex>;
  /// Of an image that a thread has taken.
  struct Result {
    bool is_done = false;
    Ready ready;
    std::exception_ptr failure;
  };

  void serve();
  void decode_one(Lock& lock);
  void pack_one(Lock& lock);
  [[nodiscard]] Ready read(std::int64_t index, std::uint32_t epoch) const;
  /// Moves what is done, from the front, into the line; says there what is broken.
  void line_up();
  void drop(Result& broken);
  void fail(std::exception_ptr failure);
  [[nodiscard]] PackedBatch packed(const std::vector<Ready>& images, Slot slot);
  // With the lock held:
  [[nodiscard]] bool is_all_taken() const noexcept { return next_ == order_.size(); }
  [[nodiscard]] std::size_t next_count() const noexcept;  ///< of the images of the next batch in the line; 0: not yet
  [[nodiscard]] bool can_pack() const noexcept { return !free_.empty() && next_count() > 0; }
  [[nodiscard]] bool can_decode() const noexcept;
  [[nodiscard]] bool is_over() const noexcept;
  void reset(std::size_t from);

  const std::shared_ptr<const Content> content_;
  const ImageLoaderOptions options_;
  backend::Device& device_;
  const std::size_t batch_size_;
  std::size_t most_unpacked_ = 0;  ///< images decoded or under way

  mutable std::mutex mutex_;
  std::condition_variable work_;   ///< for the threads
  std::condition_variable there_;  ///< for next()
  bool stop_ = false;
  std::uint64_t generation_ = 0;  ///< of begin_epoch(): what is of an earlier one is dropped
  std::uint32_t epoch_ = 0;
  std::vector<std::int32_t> order_;
  std::size_t next_ = 0;
  std::deque<Result> results_;
  std::size_t first_result_ = 0;  ///< the position of the first result in the order
  std::deque<Ready> line_;
  std::map<std::int64_t, PackedBatch> ready_;
  std::int64_t packed_ = 0, handed_out_ = 0;  ///< batches of this epoch
  int packing_ = 0;
  std::exception_ptr failure_;
  std::vector<Slot> free_;
  std::uint64_t bytes_ = 0;  ///< of images that are decoded and not handed out
  ImageLoaderStats stats_;
  std::map<std::int64_t, std::string> skipped_;

  ThreadGroup threads_;  // last: they end before anything else does
};

}  // namespace overtake::image
