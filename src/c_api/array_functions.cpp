// SPDX-License-Identifier: MIT
#include "c_api/array_functions.hpp"

#include <fmt/format.h>

#include "kernels/graph/elements.k"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"

namespace overtake::c_api {

std::int64_t Settings::whole() {
  if (integers_.empty()) throw UsageError("integers are too few for this function", "c_array.h says what it needs.");
  const std::int64_t value = integers_.front();
  integers_ = integers_.subspan(1);
  return value;
}

DType Settings::dtype() {
  const std::int64_t number = whole();
  if (number < 0 || number >= static_cast<std::int64_t>(dtype_count)) {
    throw UsageError(fmt::format("{} is no element type", number), "enum overtake_element has them.");
  }
  return static_cast<DType>(number);
}

double Settings::number() {
  if (numbers_.empty()) throw UsageError("numbers are too few for this function", "c_array.h says what it needs.");
  const double value = numbers_.front();
  numbers_ = numbers_.subspan(1);
  return value;
}

std::vector<std::int64_t> Settings::list() {
  const std::int64_t count = whole();
  if (count < 0 || count > static_cast<std::int64_t>(integers_.size())) {
    throw UsageError(fmt::format("a list of {} integers, of which {} are there", count, integers_.size()));
  }
  const auto members = integers_.first(static_cast<std::size_t>(count));
  integers_ = integers_.subspan(members.size());
  return {members.begin(), members.end()};
}

std::array<std::int64_t, 2> Settings::pair() {
  const std::int64_t first = whole();
  return {first, whole()};
}

std::vector<int> Settings::axes() {
  const std::vector<std::int64_t> given = list();
  return {given.begin(), given.end()};
}

std::optional<std::int64_t> Settings::optional_whole() { return flag() ? std::optional(whole()) : std::nullopt; }
std::optional<std::vector<int>> Settings::optional_axes() { return flag() ? std::optional(axes()) : std::nullopt; }
std::optional<std::uint64_t> Settings::seed() {
  return flag() ? std::optional(static_cast<std::uint64_t>(whole())) : std::nullopt;
}
std::optional<DType> Settings::optional_dtype() { return flag() ? std::optional(dtype()) : std::nullopt; }

namespace {

using Results = std::vector<Array>;

Axes axes_of(Settings& s) {
  const std::optional<std::vector<int>> given = s.optional_axes();
  return given ? Axes(*given) : Axes();
}

std::optional<int> optional_axis(Settings& s) {
  const std::optional<std::int64_t> given = s.optional_whole();
  return given ? std::optional(static_cast<int>(*given)) : std::nullopt;
}

std::optional<Array> optional_array(const Array& array) {
  return array.defined() ? std::optional(array) : std::nullopt;
}

// Window, stride, padding, ceil_mode.
PoolOptions pool_options(Settings& s) {
  PoolOptions options;
  options.window = s.pair();
  options.stride = s.pair();
  options.padding = s.pair();
  options.ceil_mode = s.flag();
  return options;
}

// The sources have no input that could say where they are: the device comes as an array of it, or not at all.
Device device_of(Arrays in) { return in.empty() || !in[0].defined() ? Device() : in[0].device(); }

#define OVERTAKE_CALL_ONE(name) name(in[0])
#define OVERTAKE_CALL_TWO(name) name(in[0], in[1])
#define OVERTAKE_INPUTS_ONE 1
#define OVERTAKE_INPUTS_TWO 2
#define OVERTAKE_ROW(name, arity, types, result, low, high, body, da, db) \
  {#name, OVERTAKE_INPUTS_##arity, [](Arrays in, Settings&) -> Results { return {OVERTAKE_CALL_##arity(name)}; }},
/// A function of one array whose settings are read in `...`.
#define OVERTAKE_ONE(name, ...)                                                                                  \
  {                                                                                                              \
#name, 1, []([[maybe_unused]] Arrays in, [[maybe_unused]] Settings & s) -> Results { return {__VA_ARGS__}; } \
  }
#define OVERTAKE_MANY(count, name, ...)                                                                    \
  {                                                                                                        \
#name, count, []([[maybe_unused]] Arrays in, [[maybe_unused]] Settings & s) -> Results { __VA_ARGS__ } \
  }

// NOLINTNEXTLINE(readability-function-size): a table
const std::vector<ArrayFunction>& table() {
  static const std::vector<ArrayFunction> functions {
    ELEMENT_FUNCTIONS(OVERTAKE_ROW)
    // -- elements --
    OVERTAKE_MANY(2, greater, return {greater(in[0], in[1])};),
        OVERTAKE_MANY(2, greater_equal, return {greater_equal(in[0], in[1])};),
        OVERTAKE_ONE(logical_not, logical_not(in[0])),
        OVERTAKE_MANY(2, logical_and, return {logical_and(in[0], in[1])};),
        OVERTAKE_MANY(2, logical_or, return {logical_or(in[0], in[1])};),
        OVERTAKE_MANY(2, logical_xor, return {logical_xor(in[0], in[1])};),
        OVERTAKE_MANY(3, where, return {where(in[0], in[1], in[2])};),
        OVERTAKE_MANY(3, clip, return {clip(in[0], optional_array(in[1]), optional_array(in[2]))};),
        OVERTAKE_ONE(astype, astype(in[0], s.dtype())), OVERTAKE_ONE(relu, relu(in[0])),
        OVERTAKE_ONE(leaky_relu, leaky_relu(in[0], static_cast<float>(s.number()))), OVERTAKE_ONE(gelu, gelu(in[0])),
        OVERTAKE_ONE(silu, silu(in[0])), OVERTAKE_ONE(softmax, softmax(in[0])),
        OVERTAKE_ONE(log_softmax, log_softmax(in[0])),
        OVERTAKE_MANY(2, cross_entropy_rows, return {cross_entropy_rows(in[0], in[1])};),
        OVERTAKE_ONE(detach, in[0].detach()),
        // -- reductions --
        OVERTAKE_MANY(1, sum, const Axes axes = axes_of(s); const bool keep = s.flag();
                      return {sum(in[0], axes, keep, s.optional_dtype())};),
        OVERTAKE_MANY(1, prod, const Axes axes = axes_of(s); const bool keep = s.flag();
                      return {prod(in[0], axes, keep, s.optional_dtype())};),
        OVERTAKE_MANY(1, mean, const Axes axes = axes_of(s); return {mean(in[0], axes, s.flag())};),
        OVERTAKE_MANY(1, var, const Axes axes = axes_of(s); const double correction = s.number();
                      return {var(in[0], axes, correction, s.flag())};),
        OVERTAKE_MANY(1, std, const Axes axes = axes_of(s); const double correction = s.number();
                      return {overtake::std(in[0], axes, correction, s.flag())};),
        OVERTAKE_MANY(1, max, const Axes axes = axes_of(s); return {overtake::max(in[0], axes, s.flag())};),
        OVERTAKE_MANY(1, min, const Axes axes = axes_of(s); return {overtake::min(in[0], axes, s.flag())};),
        OVERTAKE_MANY(1, any, const Axes axes = axes_of(s); return {any(in[0], axes, s.flag())};),
        OVERTAKE_MANY(1, all, const Axes axes = axes_of(s); return {all(in[0], axes, s.flag())};),
        OVERTAKE_MANY(1, count_nonzero, const Axes axes = axes_of(s); return {count_nonzero(in[0], axes, s.flag())};),
        OVERTAKE_MANY(1, norm, const double order = s.number(); const Axes axes = axes_of(s);
                      return {norm(in[0], order, axes, s.flag())};),
        OVERTAKE_MANY(1, argmax, const auto axis = optional_axis(s); return {argmax(in[0], axis, s.flag())};),
        OVERTAKE_MANY(1, argmin, const auto axis = optional_axis(s); return {argmin(in[0], axis, s.flag())};),
        // -- shapes --
        OVERTAKE_ONE(reshape, reshape(in[0], s.list())), OVERTAKE_ONE(permute_dims, permute_dims(in[0], s.axes())),
        OVERTAKE_ONE(matrix_transpose, matrix_transpose(in[0])),
        OVERTAKE_MANY(1, moveaxis, const auto source = s.axes(); return {moveaxis(in[0], source, s.axes())};),
        OVERTAKE_ONE(broadcast_to, broadcast_to(in[0], s.shape())),
        OVERTAKE_ONE(expand_dims, expand_dims(in[0], s.axis())), OVERTAKE_ONE(squeeze, squeeze(in[0], s.axes())),
        OVERTAKE_MANY(1, slice, const auto begin = s.optional_whole(); const auto end = s.optional_whole();
                      const int axis = s.axis(); return {slice(in[0], begin, end, axis, s.whole())};),
        OVERTAKE_ONE(flip, flip(in[0], s.optional_axes())),
        OVERTAKE_MANY(2, take, return {take(in[0], in[1], s.axis())};),
        OVERTAKE_MANY(2, take_along_axis, return {take_along_axis(in[0], in[1], s.axis())};),
        OVERTAKE_MANY(-1, concat, return {concat({in.begin(), in.end()}, s.axis())};),
        OVERTAKE_MANY(-1, stack, return {stack({in.begin(), in.end()}, s.axis())};),
        OVERTAKE_MANY(1, unstack, return unstack(in[0], s.axis());),
        OVERTAKE_MANY(1, split, const std::int64_t parts = s.whole(); return split(in[0], parts, s.axis());),
        OVERTAKE_MANY(1, split_at, const auto cuts = s.list(); return split_at(in[0], cuts, s.axis());),
        OVERTAKE_ONE(tile, tile(in[0], s.list())),
        OVERTAKE_MANY(1, repeat, const std::int64_t count = s.whole();
                      return {repeat(in[0], count, optional_axis(s))};),
        {"repeat_each", 2, [](Arrays in, Settings& s) -> Results { return {repeat(in[0], in[1], optional_axis(s))}; }},
        OVERTAKE_MANY(1, roll, const auto shifts = s.list(); return {roll(in[0], shifts, s.optional_axes())};),
        OVERTAKE_MANY(2, pad, std::vector<std::pair<std::int64_t, std::int64_t>> widths; const auto all = s.list();
                      for (std::size_t i = 0; i + 1 < all.size(); i += 2) widths.emplace_back(all[i], all[i + 1]);
                      return {pad(in[0], widths, in[1])};),
        OVERTAKE_ONE(tril, tril(in[0], s.whole())), OVERTAKE_ONE(triu, triu(in[0], s.whole())),
        OVERTAKE_MANY(-1, broadcast_arrays, return broadcast_arrays({in.begin(), in.end()});),
        OVERTAKE_MANY(-1, meshgrid, return meshgrid({in.begin(), in.end()}, s.flag() ? "xy" : "ij");),
        OVERTAKE_MANY(
            2, assigned, std::vector<Region> regions; const auto all = s.list();
            for (std::size_t i = 0; i + 2 < all.size(); i += 3) regions.push_back({all[i], all[i + 1], all[i + 2]});
            return {assigned(in[0], regions, in[1])};),
        // -- order --
        OVERTAKE_MANY(1, cumulative_sum, const auto axis = optional_axis(s); const auto dtype = s.optional_dtype();
                      return {cumulative_sum(in[0], axis, dtype, s.flag())};),
        OVERTAKE_MANY(1, cumulative_prod, const auto axis = optional_axis(s); const auto dtype = s.optional_dtype();
                      return {cumulative_prod(in[0], axis, dtype, s.flag())};),
        OVERTAKE_MANY(1, sort, const int axis = s.axis(); return {sort(in[0], axis, s.flag())};),
        OVERTAKE_MANY(1, argsort, const int axis = s.axis(); return {argsort(in[0], axis, s.flag())};),
        OVERTAKE_MANY(1, topk, const std::int64_t k = s.whole(); const int axis = s.axis();
                      const TopK top = topk(in[0], k, axis, s.flag()); return {top.values, top.indices};),
        OVERTAKE_MANY(3, searchsorted, const SearchSide side = s.flag() ? SearchSide::right : SearchSide::left;
                      return {searchsorted(in[0], in[1], side, optional_array(in[2]))};),
        OVERTAKE_MANY(3, index_add, return {index_add(in[0], s.axis(), in[1], in[2])};),
        OVERTAKE_MANY(3, index_put, return {index_put(in[0], s.axis(), in[1], in[2])};),
        OVERTAKE_MANY(2, bincount, return {bincount(in[0], optional_array(in[1]), s.whole())};),
        OVERTAKE_MANY(
            1, histogram, const std::int64_t bins = s.whole(); std::optional<std::pair<double, double>> range;
            if (s.flag()) {
              const double low = s.number();
              range = std::pair(low, s.number());
            } const Histogram made = histogram(in[0], bins, range);
            return {made.counts, made.edges};),
        OVERTAKE_MANY(1, nonzero, return nonzero(in[0]);), OVERTAKE_MANY(2, compress, return {compress(in[0], in[1])};),
        OVERTAKE_ONE(unique_values, unique_values(in[0])),
        OVERTAKE_MANY(1, unique_counts, const UniqueCounts u = unique_counts(in[0]); return {u.values, u.counts};),
        OVERTAKE_MANY(1, unique_inverse, const UniqueInverse u = unique_inverse(in[0]);
                      return {u.values, u.inverse_indices};),
        OVERTAKE_MANY(1, unique_all, const UniqueAll u = unique_all(in[0]);
                      return {u.values, u.indices, u.inverse_indices, u.counts};),
        // -- products --
        OVERTAKE_MANY(2, vecdot, return {vecdot(in[0], in[1], s.axis())};),
        OVERTAKE_MANY(2, outer, return {outer(in[0], in[1])};), OVERTAKE_MANY(2, dot, return {dot(in[0], in[1])};),
        OVERTAKE_MANY(2, tensordot, const auto left = s.axes(); return {tensordot(in[0], in[1], left, s.axes())};),
        OVERTAKE_MANY(-1, einsum, const auto letters = s.list();
                      const std::string subscripts(letters.begin(), letters.end());
                      return {einsum(subscripts, {in.begin(), in.end()})};),
        OVERTAKE_MANY(2, matmul, return {matmul(in[0], in[1])};),
        // -- images: pairs are height and width --
        OVERTAKE_MANY(2, conv2d, ConvolutionOptions options; options.stride = s.pair(); options.padding = s.pair();
                      options.dilation = s.pair(); options.groups = s.whole(); return {conv2d(in[0], in[1], options)};),
        OVERTAKE_MANY(1, max_pool2d, return {max_pool2d(in[0], pool_options(s))};),
        OVERTAKE_MANY(1, avg_pool2d, PoolOptions options = pool_options(s); options.count_include_pad = s.flag();
                      return {avg_pool2d(in[0], options)};),
        OVERTAKE_MANY(1, adaptive_avg_pool2d, const std::int64_t height = s.whole();
                      return {adaptive_avg_pool2d(in[0], height, s.whole())};),
        // -- sources --
        OVERTAKE_MANY(2, full, const Shape shape = s.shape(); return {full(shape, in[1], s.dtype(), device_of(in))};),
        OVERTAKE_MANY(1, arange, const double start = s.number(); const double stop = s.number();
                      const double step = s.number(); return {arange(start, stop, step, s.dtype(), device_of(in))};),
        OVERTAKE_MANY(1, linspace, const double start = s.number(); const double stop = s.number();
                      const std::int64_t count = s.whole(); const bool endpoint = s.flag();
                      return {linspace(start, stop, count, endpoint, s.dtype(), device_of(in))};),
        OVERTAKE_MANY(1, eye, const std::int64_t rows = s.whole(); const auto columns = s.optional_whole();
                      const std::int64_t k = s.whole(); return {eye(rows, columns, k, s.dtype(), device_of(in))};),
        OVERTAKE_MANY(1, coordinates, const Shape shape = s.shape();
                      return {coordinates(shape, s.axis(), device_of(in))};),
        OVERTAKE_MANY(
            1, uniform, const Shape shape = s.shape(); const auto seed = static_cast<std::uint64_t>(s.whole());
            const auto stream = static_cast<std::uint32_t>(s.whole()); return {uniform(shape, seed, stream, in[0])};),
        OVERTAKE_MANY(1, random_bits, const Shape shape = s.shape();
                      const auto seed = static_cast<std::uint64_t>(s.whole());
                      const auto stream = static_cast<std::uint32_t>(s.whole());
                      return {random_bits(shape, seed, stream, in[0])};),
        // -- random: seed, shape, then their own settings; the device comes as an array of it, unless there are rows --
        OVERTAKE_MANY(1, random_uniform, const auto seed = s.seed(); const Shape shape = s.shape();
                      const double low = s.number(); const double high = s.number();
                      return {low == 0 && high == 1 ? random::uniform(shape, device_of(in), seed)
                                                    : random::uniform(shape, low, high, device_of(in), seed)};),
        OVERTAKE_MANY(
            1, random_normal, const auto seed = s.seed(); const Shape shape = s.shape(); const double mean = s.number();
            const double deviation = s.number();
            return {mean == 0 && deviation == 1 ? random::normal(shape, device_of(in), seed)
                                                : random::normal(shape, mean, deviation, device_of(in), seed)};),
        OVERTAKE_MANY(1, random_integers, const auto seed = s.seed(); const Shape shape = s.shape();
                      const std::int64_t low = s.whole();
                      return {random::integers(low, s.whole(), shape, device_of(in), seed)};),
        OVERTAKE_MANY(1, random_bernoulli, const auto seed = s.seed(); const Shape shape = s.shape();
                      return {random::bernoulli(s.number(), shape, device_of(in), seed)};),
        OVERTAKE_MANY(1, random_permutation, const auto seed = s.seed();
                      return {random::permutation(s.whole(), device_of(in), seed)};),
        OVERTAKE_MANY(1, random_permutation_of, return {random::permutation(in[0], s.seed())};),
        OVERTAKE_MANY(1, random_choice, const auto seed = s.seed(); const Shape shape = s.shape();
                      const std::int64_t n = s.whole();
                      return {random::choice(n, shape, s.flag(), device_of(in), seed)};),
        OVERTAKE_MANY(1, random_choice_of, const auto seed = s.seed(); const Shape shape = s.shape();
                      return {random::choice(in[0], shape, s.flag(), seed)};),
  };
  return functions;
}

}  // namespace

std::span<const ArrayFunction> array_functions() { return table(); }

}  // namespace overtake::c_api
