// SPDX-License-Identifier: MIT
// What stands between the brackets of an array: a[{0, Slice(1, -1, 2), ellipsis, newaxis}].
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <variant>

namespace overtake {

/// begin:end:step along an axis, with Python's rules: negative positions count from the end, all are clipped, and what
/// is left out is the end that the step comes from or goes to. Slice() is the whole axis.
struct Slice {
  std::optional<std::int64_t> begin, end;
  std::int64_t step = 1;  ///< not 0

  constexpr Slice() = default;
  constexpr Slice(std::optional<std::int64_t> from, std::optional<std::int64_t> to, std::int64_t by = 1)
      : begin(from), end(to), step(by) {}
};

/// As many whole axes as the other indices leave over; at most one in an index.
struct Ellipsis {};
inline constexpr Ellipsis ellipsis;

/// A new axis of extent 1.
struct NewAxis {};
inline constexpr NewAxis newaxis;

/// One index: a place (negative ones count from the end), a Slice, `ellipsis` or `newaxis`. Arrays of places go to
/// take() and index_put(), masks to compress() and where().
class Index {
 public:
  using Value = std::variant<std::int64_t, Slice, Ellipsis, NewAxis>;

  /// A place: the axis goes away.
  template <std::integral T>
  constexpr Index(T place) : value_(static_cast<std::int64_t>(place)) {}  // NOLINT(google-explicit-constructor)
  constexpr Index(Slice slice) : value_(slice) {}                         // NOLINT(google-explicit-constructor)
  constexpr Index(Ellipsis all) : value_(all) {}                          // NOLINT(google-explicit-constructor)
  constexpr Index(NewAxis axis) : value_(axis) {}                         // NOLINT(google-explicit-constructor)

  [[nodiscard]] constexpr const Value& value() const noexcept { return value_; }

 private:
  Value value_;
};

}  // namespace overtake
