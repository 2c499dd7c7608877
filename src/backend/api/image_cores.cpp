// SPDX-License-Identifier: MIT
#include "backend/api/image_cores.hpp"

namespace overtake::backend {
namespace {

Shape ordered(bool channels_last, std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
  return channels_last ? Shape{n, h, w, c} : Shape{n, c, h, w};
}

}  // namespace

Shape extent_of(const ConvolutionCore& core) {
  const ImageExtents& x = core.extents;
  switch (core.kind) {
    case ConvolutionKind::forward: return ordered(core.channels_last, x.n, core.k, x.p, x.q);
    case ConvolutionKind::data_gradient: return ordered(core.channels_last, x.n, x.c, x.h, x.w);
    case ConvolutionKind::filter_gradient: break;
  }
  return ordered(core.channels_last, core.k, x.c / core.groups, core.r, core.s);
}

Shape extent_of(const PoolCore& core) {
  const ImageExtents& x = core.extents;
  const bool forward = core.kind == PoolKind::max || core.kind == PoolKind::average;
  if (forward) return ordered(core.y_channels_last(), x.n, x.c, x.p, x.q);
  return ordered(core.channels_last, x.n, x.c, x.h, x.w);
}

}  // namespace overtake::backend
