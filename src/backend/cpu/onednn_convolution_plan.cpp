// SPDX-License-Identifier: MIT
#include "backend/cpu/onednn_convolution_plan.hpp"

#include <array>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>
#include <utility>

#include "backend/cpu/onednn_support.hpp"

namespace overtake::backend::cpu {
namespace {

using dnnl::memory;
using Type = memory::data_type;

memory argument(const memory::desc& layout, const std::byte* data) {
  return {layout, onednn_engine(), const_cast<std::byte*>(data)};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

const dnnl::stream& stream() {
  thread_local const dnnl::stream mine(onednn_engine());
  return mine;
}

/// An array in our order and in the one that a primitive wants, and what brings it from one to the other.
struct Order {
  memory::desc ours, wanted;
  dnnl::reorder to_wanted, to_ours;
};

Order order(const memory::desc& ours, const memory::desc& wanted) {
  Order result{ours, wanted, {}, {}};
  if (ours == wanted) return result;
  result.to_wanted = dnnl::reorder({onednn_engine(), ours, onednn_engine(), wanted});
  result.to_ours = dnnl::reorder({onednn_engine(), wanted, onednn_engine(), ours});
  return result;
}

/// The arrays of a convolution.
struct Layouts {
  memory::desc x, filters, y;
};

memory::desc images(const memory::dims& sizes, Type type, bool channels_last) {
  return {sizes, type, channels_last ? memory::format_tag::nhwc : memory::format_tag::nchw};
}

Layouts given_layouts(const ConvolutionCore& core, std::int64_t n, Type operands, Type result) {
  const ImageExtents& e = core.extents;
  const auto of = [&](ConvolutionKind kind) { return core.kind == kind ? result : operands; };
  const memory::dim c = e.c / core.groups, r = core.r, s = core.s;
  // Filter, channel, row, column.
  memory::dims sizes{core.k, c, r, s};
  memory::dims strides =
      core.channels_last ? memory::dims{r * s * c, 1, s * c, c} : memory::dims{c * r * s, r * s, s, 1};
  if (core.groups > 1) {
    sizes[0] /= core.groups;
    sizes.insert(sizes.begin(), core.groups);
    strides.insert(strides.begin(), strides[0] * sizes[1]);
  }
  return {images({n, e.c, e.h, e.w}, of(ConvolutionKind::data_gradient), core.channels_last),
          {sizes, of(ConvolutionKind::filter_gradient), strides},
          images({n, core.k, e.p, e.q}, of(ConvolutionKind::forward), core.channels_last)};
}

memory::desc any_order(const memory::desc& layout) {
#if DNNL_VERSION_MAJOR >= 3
  return {layout.get_dims(), layout.get_data_type(), memory::format_tag::any};
#else
  return {layout.dims(), layout.data_type(), memory::format_tag::any};
#endif
}

Layouts any_order(const Layouts& layouts) {
  return {any_order(layouts.x), any_order(layouts.filters), any_order(layouts.y)};
}

struct Candidate {
  Layouts wanted;
  memory::desc scratchpad;
  dnnl::primitive primitive;
  bool is_slow = false;  // code for no processor in particular, or through a large copy
};

template <class Primitive, class Description>
Candidate candidate(const Description& description, Layouts wanted) {
  const std::string_view code = description.impl_info_str();
  const bool slow = code.find("gemm") != code.npos && code.find("brgemm") == code.npos;
  return {std::move(wanted), description.scratchpad_desc(), Primitive(description), slow || code.substr(0, 3) == "ref"};
}

// `hint`: the same arrays, all of the operands' type, for the forward convolution that a gradient belongs to.
Candidate make(const ConvolutionCore& core, const Layouts& layouts, const Layouts& hint) {
  const WindowSteps& w = core.steps;
  const memory::dims stride{w.stride[0], w.stride[1]}, dilation{w.dilation[0] - 1, w.dilation[1] - 1},
      padding{w.padding[0], w.padding[1]};
  constexpr auto direct = dnnl::algorithm::convolution_direct;
  const dnnl::engine& engine = onednn_engine();
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);  // several threads run one primitive
  using Forward = dnnl::convolution_forward;
  using Data = dnnl::convolution_backward_data;
  using Filters = dnnl::convolution_backward_weights;
  const Layouts& ahead = core.kind == ConvolutionKind::forward ? layouts : hint;
#if DNNL_VERSION_MAJOR >= 3
  const Forward::primitive_desc forward(engine, dnnl::prop_kind::forward_training, direct, ahead.x, ahead.filters,
                                        ahead.y, stride, dilation, padding, padding, attributes);
#else
  const Forward::primitive_desc forward(
      {dnnl::prop_kind::forward_training, direct, ahead.x, ahead.filters, ahead.y, stride, dilation, padding, padding},
      attributes, engine);
#endif
  if (core.kind == ConvolutionKind::forward) {
    return candidate<Forward>(forward, {forward.src_desc(), forward.weights_desc(), forward.dst_desc()});
  }
  if (core.kind == ConvolutionKind::data_gradient) {
#if DNNL_VERSION_MAJOR >= 3
    const Data::primitive_desc data(engine, direct, layouts.x, layouts.filters, layouts.y, stride, dilation, padding,
                                    padding, forward, attributes);
#else
    const Data::primitive_desc data({direct, layouts.x, layouts.filters, layouts.y, stride, dilation, padding, padding},
                                    attributes, engine, forward);
#endif
    return candidate<Data>(data, {data.diff_src_desc(), data.weights_desc(), data.diff_dst_desc()});
  }
#if DNNL_VERSION_MAJOR >= 3
  const Filters::primitive_desc filters(engine, direct, layouts.x, layouts.filters, layouts.y, stride, dilation,
                                        padding, padding, forward, attributes);
#else
  const Filters::primitive_desc filters(
      {direct, layouts.x, layouts.filters, layouts.y, stride, dilation, padding, padding}, attributes, engine, forward);
#endif
  return candidate<Filters>(filters, {filters.src_desc(), filters.diff_weights_desc(), filters.diff_dst_desc()});
}

}  // namespace

struct OneDnnConvolution::Made {
  ConvolutionKind kind;
  std::array<Order, 3> orders;  // by OneDnnArray
  memory::desc scratchpad;
  dnnl::primitive primitive;

  [[nodiscard]] const Order& of(OneDnnArray array) const { return orders[static_cast<std::size_t>(array)]; }
};

OneDnnConvolution::OneDnnConvolution(const ConvolutionCore& core, std::int64_t images, OneDnnTypes types) {
  const Type operands = types.bfloat16_operands ? Type::bf16 : Type::f32;
  const Layouts given = given_layouts(core, images, operands, types.bfloat16_result ? Type::bf16 : Type::f32);
  const Layouts hint = given_layouts(core, images, operands, operands);
  // Filters are few beside images: always in the order that is best.
  Candidate best = make(core, {given.x, any_order(given.filters), given.y}, {hint.x, any_order(hint.filters), hint.y});
  if (best.is_slow) {
    Candidate other = make(core, any_order(given), any_order(hint));
    if (!other.is_slow) best = std::move(other);
  }
  Order x = order(given.x, best.wanted.x), y = order(given.y, best.wanted.y);
  Order filters = order(given.filters, best.wanted.filters);
  std::array<Order, 3> orders;
  switch (core.kind) {
    case ConvolutionKind::forward: orders = {std::move(x), std::move(filters), std::move(y)}; break;
    case ConvolutionKind::data_gradient: orders = {std::move(y), std::move(filters), std::move(x)}; break;
    case ConvolutionKind::filter_gradient: orders = {std::move(x), std::move(y), std::move(filters)}; break;
  }
  made_ = std::make_shared<const Made>(Made{core.kind, std::move(orders), best.scratchpad, best.primitive});
}

bool OneDnnConvolution::reorders(OneDnnArray array) const { return static_cast<bool>(made_->of(array).to_wanted); }

std::size_t OneDnnConvolution::wanted_bytes(OneDnnArray array) const { return made_->of(array).wanted.get_size(); }

void OneDnnConvolution::to_wanted(OneDnnArray array, const std::byte* from, std::byte* to) const {
  const Order& order = made_->of(array);
  order.to_wanted.execute(stream(),
                          {{DNNL_ARG_FROM, argument(order.ours, from)}, {DNNL_ARG_TO, argument(order.wanted, to)}});
}

void OneDnnConvolution::to_ours(OneDnnArray array, const std::byte* from, std::byte* to) const {
  const Order& order = made_->of(array);
  order.to_ours.execute(stream(),
                        {{DNNL_ARG_FROM, argument(order.wanted, from)}, {DNNL_ARG_TO, argument(order.ours, to)}});
}

std::size_t OneDnnConvolution::scratchpad_bytes() const { return made_->scratchpad.get_size(); }

void OneDnnConvolution::execute(const Arguments& arguments) const {
  const bool forward = made_->kind == ConvolutionKind::forward, data = made_->kind == ConvolutionKind::data_gradient;
  const int a = data ? DNNL_ARG_DIFF_DST : DNNL_ARG_SRC, b = forward || data ? DNNL_ARG_WEIGHTS : DNNL_ARG_DIFF_DST;
  const int result = forward ? DNNL_ARG_DST : data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_DIFF_WEIGHTS;
  made_->primitive.execute(stream(), {{a, argument(made_->of(OneDnnArray::a).wanted, arguments.a)},
                                      {b, argument(made_->of(OneDnnArray::b).wanted, arguments.b)},
                                      {result, argument(made_->of(OneDnnArray::result).wanted, arguments.result)},
                                      {DNNL_ARG_SCRATCHPAD, argument(made_->scratchpad, arguments.scratchpad)}});
}

}  // namespace overtake::backend::cpu
