// SPDX-License-Identifier: MIT
#include "image/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <numeric>
#include <system_error>
#include <utility>

#include "core/parallel.hpp"
#include "core/philox.hpp"
#include "core/wait_until_true.hpp"
#include "overtake/error.hpp"

namespace overtake::image {
namespace {

constexpr std::uint32_t order_stream = 0x494D'474F;  // "IMGO"

using Clock = std::chrono::steady_clock;

}  // namespace

Pipeline::Pipeline(std::shared_ptr<const Content> content, const ImageLoaderOptions& options, backend::Device& device)
    : content_(std::move(content)),
      options_(options),
      device_(device),
      batch_size_(static_cast<std::size_t>(options.batch_size)),
      free_(static_cast<std::size_t>(options.batches_ahead)) {
  const auto threads = static_cast<std::size_t>(options.threads > 0 ? options.threads : thread_count());
  most_unpacked_ = batch_size_ + threads;
  threads_.reserve(threads);
  try {
    for (std::size_t i = 0; i < threads; ++i) threads_.start([this] { serve(); });
  } catch (const std::system_error&) {
    if (threads_.size() > 0) return;  // fewer are slower, and give the same
    throw DeviceError("the system starts no thread to decode images",
                      "Raise its limits of processes and memory (ulimit -u, ulimit -v).");
  }
}

Pipeline::~Pipeline() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
}

void Pipeline::reset(std::size_t from) {
  ++generation_;
  for (auto& [number, batch] : ready_) free_.push_back(std::move(batch.slot));
  ready_.clear();
  results_.clear();
  line_.clear();
  first_result_ = next_ = from;
  packed_ = handed_out_ = 0;
  bytes_ = 0;
  failure_ = nullptr;
}

void Pipeline::begin_epoch(std::uint32_t epoch, std::size_t from) {
  const auto count = static_cast<std::int32_t>(content_->size());
  std::vector<std::int32_t> order;
  if (options_.shuffle) {
    order = philox::permutation(count, options_.seed, order_stream, epoch);
  } else {
    order.resize(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), 0);
  }
  {
    const std::lock_guard lock(mutex_);
    reset(from);
    epoch_ = epoch;
    order_ = std::move(order);
  }
  work_.notify_all();
}

bool Pipeline::can_decode() const noexcept {
  if (failure_ || is_all_taken()) return false;
  const std::size_t unpacked = results_.size() + line_.size();
  if (unpacked >= most_unpacked_) return false;
  return bytes_ < options_.memory_bytes || (unpacked < batch_size_ && ready_.empty() && packing_ == 0);
}

std::size_t Pipeline::next_count() const noexcept {
  if (line_.size() >= batch_size_) return batch_size_;
  const bool is_last = !failure_ && is_all_taken() && results_.empty();
  return is_last && !options_.drop_last ? line_.size() : 0;
}

bool Pipeline::is_over() const noexcept {
  return is_all_taken() && results_.empty() && next_count() == 0 && packing_ == 0 && ready_.empty();
}

void Pipeline::serve() {
  Lock lock(mutex_);
  while (true) {
    wait_until_true(work_, lock, [this] { return stop_ || can_pack() || can_decode(); });
    if (stop_) return;
    if (can_pack()) {
      pack_one(lock);
    } else {
      decode_one(lock);
    }
  }
}

Ready Pipeline::read(std::int64_t index, std::uint32_t epoch) const {
  Ready ready{.index = index, .place = 0, .image = {}, .placement = {}};
  const Draw draw{.seed = options_.seed, .image = index, .epoch = epoch};
  const auto choose = [&](int height, int width, bool scales) {
    ready.placement = place(options_.transform, draw, height, width, scales && options_.scaled_decoding);
    return ready.placement.cut;
  };
  try {
    ready.image = content_->read(index, options_.channels, choose);
  } catch (const std::bad_alloc&) {
    throw DeviceError(fmt::format("no memory to decode {}", content_->name(index)),
                      "Use fewer threads, or smaller batches.");
  }
  return ready;
}

void Pipeline::decode_one(Lock& lock) {
  const std::size_t position = next_++;
  const std::int64_t index = order_[position];
  const std::uint64_t generation = generation_;
  const std::uint32_t epoch = epoch_;
  results_.emplace_back();
  lock.unlock();
  Result result;
  result.ready.index = index;
  try {
    result.ready = read(index, epoch);
    result.ready.place = static_cast<std::int64_t>(position);
  } catch (...) {
    result.failure = std::current_exception();
  }
  result.is_done = true;
  lock.lock();
  if (generation != generation_) return;
  bytes_ += result.ready.image.pixels.size();
  stats_.peak_bytes = std::max(stats_.peak_bytes, bytes_);
  results_[position - first_result_] = std::move(result);
  line_up();
}

void Pipeline::line_up() {
  while (!failure_ && !results_.empty() && results_.front().is_done) {
    if (results_.front().failure) {
      drop(results_.front());
    } else {
      line_.push_back(std::move(results_.front().ready));
    }
    results_.pop_front();
    ++first_result_;
  }
  if (failure_ || is_over()) there_.notify_all();
  work_.notify_one();  // this thread packs or decodes on; another may now, too
}

void Pipeline::drop(Result& broken) {
  try {
    std::rethrow_exception(broken.failure);
  } catch (const DataError& error) {
    if (options_.on_broken == OnBroken::skip) {
      skipped_.emplace(broken.ready.index, error.what());
      return;
    }
  } catch (...) {
    // Anything else is no fault of the image.
  }
  fail(broken.failure);
}

void Pipeline::fail(std::exception_ptr failure) {
  if (!failure_) failure_ = std::move(failure);
  there_.notify_all();
}

void Pipeline::pack_one(Lock& lock) {
  const auto count = static_cast<std::ptrdiff_t>(next_count());
  std::vector<Ready> images(std::make_move_iterator(line_.begin()), std::make_move_iterator(line_.begin() + count));
  line_.erase(line_.begin(), line_.begin() + count);
  Slot slot = std::move(free_.back());
  free_.pop_back();
  const std::int64_t number = packed_++;
  const std::uint64_t generation = generation_;
  ++packing_;
  work_.notify_all();
  lock.unlock();
  std::optional<PackedBatch> batch;
  std::exception_ptr failure;
  try {
    batch = packed(images, std::move(slot));
  } catch (...) {
    failure = std::current_exception();
  }
  images.clear();
  lock.lock();
  --packing_;
  if (generation != generation_ || failure) {
    free_.push_back(batch ? std::move(batch->slot) : Slot{});
    if (generation == generation_) {
      line_.clear();  // the batches behind it are not to be had either
      fail(std::move(failure));
    }
  } else {
    ready_.emplace(number, std::move(*batch));
  }
  there_.notify_all();
}

PackedBatch Pipeline::packed(const std::vector<Ready>& images, Slot slot) {
  PackedBatch batch;
  batch.slot = std::move(slot);
  batch.bytes = packed_bytes(images);
  if (batch.slot.copied) batch.slot.copied->wait();
  batch.slot.copied = nullptr;
  if (!batch.slot.memory || batch.slot.memory->bytes() < batch.bytes) {
    batch.slot.memory = nullptr;
    batch.slot.memory = device_.allocate_host(batch.bytes + batch.bytes / 8);
  }
  pack(images, static_cast<std::byte*>(batch.slot.memory->data()));
  batch.end = images.back().place + 1;
  for (const Ready& ready : images) {
    batch.pixel_bytes += ready.image.pixels.size();
    batch.images.push_back(ready.index);
    if (!content_->labels.empty()) batch.labels.push_back(content_->labels[static_cast<std::size_t>(ready.index)]);
  }
  return batch;
}

std::optional<PackedBatch> Pipeline::next(bool wait) {
  const auto start = Clock::now();
  Lock lock(mutex_);
  const auto is_there = [this] { return ready_.contains(handed_out_); };
  // Batches before what failed are still handed out.
  const auto has_failed = [this] { return failure_ && packing_ == 0 && next_count() == 0; };
  if (wait) {
    wait_until_true(there_, lock, [&] { return is_there() || has_failed() || is_over(); });
    stats_.wait_seconds += std::chrono::duration<double>(Clock::now() - start).count();
  }
  if (!is_there()) {
    if (wait && has_failed()) std::rethrow_exception(failure_);
    return std::nullopt;
  }
  auto node = ready_.extract(handed_out_++);
  PackedBatch batch = std::move(node.mapped());
  bytes_ -= batch.pixel_bytes;
  stats_.bytes += batch.pixel_bytes;
  stats_.images += static_cast<std::int64_t>(batch.images.size());
  ++stats_.batches;
  return batch;
}

void Pipeline::give_back(Slot slot) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(slot));
  }
  work_.notify_all();
}

std::int64_t Pipeline::batches_per_epoch() const noexcept {
  const std::int64_t size = content_->size(), batch = options_.batch_size;
  return options_.drop_last ? size / batch : (size + batch - 1) / batch;
}

ImageLoaderStats Pipeline::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

std::vector<std::string> Pipeline::skipped() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [index, problem] : skipped_) all.push_back(problem);
  return all;
}

}  // namespace overtake::image
