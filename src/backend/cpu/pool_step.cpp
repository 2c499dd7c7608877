// SPDX-License-Identifier: MIT
// Pooling and its gradients: rows of windows or of the image, some at a time, finished while they are in the cache.
#include <algorithm>
#include <vector>

#include "backend/cpu/image_order.hpp"
#include "backend/cpu/pool_rows.hpp"
#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {
namespace {

struct Range {
  std::int64_t begin = 0, end = 0;
};

class PoolStep final : public Step {
 public:
  PoolStep(const Operation& operation, int threads)
      : core_(std::get<PoolCore>(operation.core)), tape_(operation.tape, operation.extent) {
    ImageExtents& e = core_.extents;
    turns_ = core_.channels_last && core_.y_channels_first;
    if (!core_.channels_last) {  // every channel an image of its own
      e.n *= e.c;
      e.c = 1;
    }
    threads_ = worthwhile_threads(static_cast<double>(operation.extent.size() * core_.r * core_.s), threads);
    const std::int64_t length = (is_forward() ? e.q : e.w) * e.c, height = is_forward() ? e.p : e.h;
    rows_ = std::clamp<std::int64_t>(most_floats / length, 1, height);
    // Windows that do not overlap lie in one group of rows each.
    const std::int64_t stride = core_.steps.stride[0];
    if (!is_forward() && rows_ < height) rows_ = (rows_ + stride - 1) / stride * stride;
    if (turns_ && is_forward()) rows_ = height;
    groups_ = (height + rows_ - 1) / rows_;
  }

  void bind(SlotPointers slots) override {
    x_ = address_of(slots, core_.x);
    dy_ = address_of(slots, core_.dy);
    tape_.bind(slots);
  }

  void run() override {
    const ImageExtents& e = core_.extents;
    const std::int64_t height = is_forward() ? e.p : e.h, length = (is_forward() ? e.q : e.w) * e.c;
    parallel_ranges(e.n * groups_, 1, threads_, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> values(static_cast<std::size_t>(std::min(rows_, height) * length));
      std::vector<float> turned(turns_ ? static_cast<std::size_t>(std::max(e.p, std::int64_t{1}) * e.q * e.c) : 0);
      for (std::int64_t at = begin; at < end; ++at) {
        const std::int64_t image = at / groups_, first = at % groups_ * rows_;
        const Range rows{first, std::min(first + rows_, height)};
        if (is_forward()) {
          forward(image, rows, values.data());
          if (turns_) turn(values.data(), turned.data(), e.p * e.q, e.c);
        } else {
          gradient(image, rows, values.data(), turned.data());
        }
        const std::int64_t from = (image * height + rows.begin) * length;
        tape_.run(from, from + (rows.end - rows.begin) * length,
                  turns_ && is_forward() ? turned.data() : values.data());
      }
    });
  }

 private:
  static constexpr std::int64_t most_floats = 8192;  // they stay in the first-level cache

  [[nodiscard]] bool is_forward() const { return core_.kind == PoolKind::max || core_.kind == PoolKind::average; }

  // (rows, columns) as (columns, rows).
  template <class T>
  static void turn(const T* from, T* to, std::int64_t rows, std::int64_t columns) {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) to[column * rows + row] = from[row * columns + column];
    }
  }

  // The gradients by an image's windows with the channels last, in `to`.
  template <class T>
  void turn_gradients(std::int64_t image, void* to) const {
    const std::int64_t places = core_.extents.p * core_.extents.q, channels = core_.extents.c;
    turn(reinterpret_cast<const T*>(dy_) + image * channels * places, static_cast<T*>(to), channels, places);
  }

  // The windows of row p of them.
  [[nodiscard]] PoolRow windows(std::int64_t image, std::int64_t p) const {
    const ImageExtents& e = core_.extents;
    const std::int64_t padding = core_.steps.padding[0], begin = p * core_.steps.stride[0] - padding;
    const Range inside{std::max<std::int64_t>(begin, 0), std::min(begin + core_.r, e.h)};
    PoolRow row{.kind = core_.kind, .dtype = x_ != nullptr ? core_.x.dtype : core_.dy.dtype};
    const auto size = static_cast<std::int64_t>(size_of(row.dtype));
    if (x_ != nullptr) row.x = x_ + (image * e.h + inside.begin) * e.w * e.c * size;
    if (dy_ != nullptr) row.dy = dy_ + (image * e.p + p) * e.q * e.c * size;
    row.rows = inside.end - inside.begin;
    row.w = e.w;
    row.c = e.c;
    row.windows = e.q;
    row.columns = core_.s;
    row.stride = core_.steps.stride[1];
    row.padding = core_.steps.padding[1];
    row.count_padding = core_.count_padding;
    row.apart = core_.steps.stride[0] >= core_.r && core_.steps.stride[1] >= core_.s;
    row.counted_rows = core_.count_padding ? std::min(begin + core_.r, e.h + padding) - begin : row.rows;
    return row;
  }

  void forward(std::int64_t image, const Range& rows, float* values) const {
    for (std::int64_t p = rows.begin; p < rows.end; ++p) {
      PoolRow row = windows(image, p);
      row.out = values + (p - rows.begin) * core_.extents.q * core_.extents.c;
      pool_row(row);
    }
  }

  // Of the rows of an image: the windows that lie in them add what is theirs.
  void gradient(std::int64_t image, const Range& rows, float* values, float* turned) const {
    const ImageExtents& e = core_.extents;
    const bool is_narrow = core_.dy.dtype == DType::bfloat16;
    if (turns_) is_narrow ? turn_gradients<std::uint16_t>(image, turned) : turn_gradients<float>(image, turned);
    const std::int64_t padding = core_.steps.padding[0], stride = core_.steps.stride[0], before = rows.begin + padding;
    std::fill_n(values, (rows.end - rows.begin) * e.w * e.c, 0.0F);
    const std::int64_t first = before < core_.r ? 0 : (before - core_.r) / stride + 1;
    const std::int64_t end = std::min((rows.end - 1 + padding) / stride + 1, e.p);
    for (std::int64_t p = first; p < end; ++p) {
      PoolRow row = windows(image, p);
      const std::int64_t top = std::max<std::int64_t>(p * stride - padding, 0);
      row.first = std::max(rows.begin - top, std::int64_t{0});
      row.last = std::min(rows.end - top, row.rows);
      row.out = values + (top - rows.begin) * e.w * e.c;
      if (turns_) {
        const auto size = static_cast<std::int64_t>(size_of(core_.dy.dtype));
        row.dy = reinterpret_cast<const std::byte*>(turned) + p * e.q * e.c * size;
      }
      pool_row(row);
    }
  }

  PoolCore core_;
  TapeRunner tape_;
  bool turns_ = false;  // the windows lie with their channels first, the images do not
  int threads_ = 1;
  std::int64_t rows_ = 1, groups_ = 1;  // computed at a time; of an image
  const std::byte* x_ = nullptr;
  const std::byte* dy_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_pool_step(const Operation& operation, int threads) {
  return std::make_unique<PoolStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
