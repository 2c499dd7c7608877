// SPDX-License-Identifier: MIT
#include "backend/cpu/onednn_convolution_plan.hpp"

#include <string_view>

namespace overtake::backend::cpu {
namespace {

using Type = memory::data_type;

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

struct Made {
  Layouts wanted;
  memory::desc scratchpad;
  dnnl::primitive primitive;
  bool is_slow = false;  // code for no processor in particular, or through a large copy
};

template <class Primitive, class Description>
Made made(const Description& description, Layouts wanted) {
  const std::string_view code = description.impl_info_str();
  const bool slow = code.find("gemm") != code.npos && code.find("brgemm") == code.npos;
  return {std::move(wanted), description.scratchpad_desc(), Primitive(description), slow || code.substr(0, 3) == "ref"};
}

// `hint`: the same arrays, all of the operands' type, for the forward convolution that a gradient belongs to.
Made make(const ConvolutionCore& core, const Layouts& layouts, const Layouts& hint) {
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
    return made<Forward>(forward, {forward.src_desc(), forward.weights_desc(), forward.dst_desc()});
  }
  if (core.kind == ConvolutionKind::data_gradient) {
#if DNNL_VERSION_MAJOR >= 3
    const Data::primitive_desc data(engine, direct, layouts.x, layouts.filters, layouts.y, stride, dilation, padding,
                                    padding, forward, attributes);
#else
    const Data::primitive_desc data({direct, layouts.x, layouts.filters, layouts.y, stride, dilation, padding, padding},
                                    attributes, engine, forward);
#endif
    return made<Data>(data, {data.diff_src_desc(), data.weights_desc(), data.diff_dst_desc()});
  }
#if DNNL_VERSION_MAJOR >= 3
  const Filters::primitive_desc filters(engine, direct, layouts.x, layouts.filters, layouts.y, stride, dilation,
                                        padding, padding, forward, attributes);
#else
  const Filters::primitive_desc filters(
      {direct, layouts.x, layouts.filters, layouts.y, stride, dilation, padding, padding}, attributes, engine, forward);
#endif
  return made<Filters>(filters, {filters.src_desc(), filters.diff_weights_desc(), filters.diff_dst_desc()});
}

}  // namespace

OneDnnOrder::OneDnnOrder(const memory::desc& given, const memory::desc& wanted) : given_(given), wanted_(wanted) {
  if (given == wanted) return;
  to_wanted_ = dnnl::reorder({onednn_engine(), given, onednn_engine(), wanted});
  to_given_ = dnnl::reorder({onednn_engine(), wanted, onednn_engine(), given});
}

void OneDnnOrder::apply(const dnnl::stream& stream, const std::byte* from, std::byte* to) const {
  to_wanted_.execute(stream,
                     {{DNNL_ARG_FROM, onednn_argument(given_, from)}, {DNNL_ARG_TO, onednn_argument(wanted_, to)}});
}

void OneDnnOrder::undo(const dnnl::stream& stream, const std::byte* from, std::byte* to) const {
  to_given_.execute(stream,
                    {{DNNL_ARG_FROM, onednn_argument(wanted_, from)}, {DNNL_ARG_TO, onednn_argument(given_, to)}});
}

OneDnnConvolution::OneDnnConvolution(const ConvolutionCore& core, std::int64_t images, OneDnnTypes types)
    : kind_(core.kind) {
  const Type operands = types.bfloat16_operands ? Type::bf16 : Type::f32;
  const Layouts given = given_layouts(core, images, operands, types.bfloat16_result ? Type::bf16 : Type::f32);
  const Layouts hint = given_layouts(core, images, operands, operands);
  // Filters are few beside images: always in the order that is best.
  Made best = make(core, {given.x, any_order(given.filters), given.y}, {hint.x, any_order(hint.filters), hint.y});
  if (best.is_slow) {
    Made other = make(core, any_order(given), any_order(hint));
    if (!other.is_slow) best = std::move(other);
  }
  scratchpad_ = best.scratchpad;
  primitive_ = std::move(best.primitive);
  const OneDnnOrder x(given.x, best.wanted.x), filters(given.filters, best.wanted.filters), y(given.y, best.wanted.y);
  const bool forward = kind_ == ConvolutionKind::forward, data = kind_ == ConvolutionKind::data_gradient;
  a_ = data ? y : x;
  b_ = forward || data ? filters : y;
  result_ = forward ? y : data ? x : filters;
}

void OneDnnConvolution::execute(const dnnl::stream& stream, const Arguments& arguments) const {
  const bool forward = kind_ == ConvolutionKind::forward, data = kind_ == ConvolutionKind::data_gradient;
  primitive_.execute(
      stream, {{data ? DNNL_ARG_DIFF_DST : DNNL_ARG_SRC, onednn_argument(a_.wanted(), arguments.a)},
               {forward || data ? DNNL_ARG_WEIGHTS : DNNL_ARG_DIFF_DST, onednn_argument(b_.wanted(), arguments.b)},
               {forward ? DNNL_ARG_DST
                : data  ? DNNL_ARG_DIFF_SRC
                        : DNNL_ARG_DIFF_WEIGHTS,
                onednn_argument(result_.wanted(), arguments.result)},
               {DNNL_ARG_SCRATCHPAD, onednn_argument(scratchpad_, arguments.scratchpad)}});
}

}  // namespace overtake::backend::cpu
