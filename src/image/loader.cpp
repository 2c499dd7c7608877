// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "backend/api/device.hpp"
#include "core/checked.hpp"
#include "graph/node.hpp"
#include "image/pipeline.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

ImageLoaderOptions checked(const ImageSet& set, const ImageLoaderOptions& options) {
  options.check();
  if (set.size() == 0) throw UsageError("a set without images", "Name files or folders that hold some.");
  static_cast<void>(narrow<std::int32_t>(set.size(), "the number of images"));
  return options;
}

}  // namespace

void ImageBatch::write_inputs(backend::Buffer& inputs, std::int64_t first, std::int64_t count) const {
  if (first < 0 || count < 1 || count > size() - first) {
    throw UsageError(fmt::format("{} images from {} on, of a batch of {}", count, first, size()));
  }
  prepare_->launch(*packed_, first, count, inputs);
}

Array ImageBatch::inputs() const {
  const Shape shape = prepare_->shape(size());
  const std::size_t bytes = static_cast<std::size_t>(shape.size()) * size_of(prepare_->dtype());
  std::shared_ptr<backend::Buffer> buffer = packed_->device().allocate(bytes);
  write_inputs(*buffer);
  return graph::make_leaf(shape, prepare_->dtype(), std::move(buffer));
}

ImageLoader::ImageLoader(const ImageSet& set, const ImageLoaderOptions& options, const Device& device)
    : device_(device),
      prepare_(std::make_shared<image::Prepare>(device.impl(), checked(set, options))),
      pipeline_(std::make_unique<image::Pipeline>(set.content(), options, device.impl())) {}

ImageLoader::~ImageLoader() {
  try {  // nothing is copied from the pipeline's memory when that goes
    device_.impl().synchronize_lane(backend::Lane::upload);
  } catch (...) {
    // A device that fails copies no more.
  }
}

void ImageLoader::begin_epoch(std::int64_t epoch, std::int64_t from) {
  if (epoch < 0) throw UsageError(fmt::format("epoch {}, expected 0 or more", epoch));
  if (from < 0 || from > pipeline_->size()) {
    throw UsageError(fmt::format("from {}, expected 0 to {}, the number of images", from, pipeline_->size()));
  }
  ahead_.reset();
  pipeline_->begin_epoch(narrow<std::uint32_t>(epoch, "the epoch"), static_cast<std::size_t>(from));
}

std::optional<ImageBatch> ImageLoader::upload(bool wait) {
  std::optional<image::PackedBatch> packed = pipeline_->next(wait);
  if (!packed) return std::nullopt;
  backend::Device& device = device_.impl();
  ImageBatch batch;
  batch.prepare_ = prepare_;
  batch.labels = std::move(packed->labels);
  batch.images = std::move(packed->images);
  batch.end = packed->end;
  try {
    batch.packed_ = device.allocate_incoming(packed->bytes);
    device.upload_async(*batch.packed_, packed->slot.memory->data(), packed->bytes);
    packed->slot.copied = device.mark(backend::Lane::upload);
  } catch (...) {
    pipeline_->give_back(std::move(packed->slot));
    throw;
  }
  pipeline_->give_back(std::move(packed->slot));
  return batch;
}

std::int64_t ImageLoader::batches_per_epoch() const noexcept { return pipeline_->batches_per_epoch(); }
ImageLoaderStats ImageLoader::stats() const { return pipeline_->stats(); }
std::vector<std::string> ImageLoader::skipped() const { return pipeline_->skipped(); }

std::optional<ImageBatch> ImageLoader::next() {
  std::optional<ImageBatch> batch = std::exchange(ahead_, std::nullopt);
  if (!batch) batch = upload(true);
  if (batch) ahead_ = upload(false);
  return batch;
}

}  // namespace overtake
