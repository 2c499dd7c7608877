// SPDX-License-Identifier: MIT
// Parts of arrays by places, slices, ellipsis and new axes: what a[{...}] is made of, for lists made at run time; and
// parts replaced.
//
// A place outside of its axis is a UsageError that names function, place and extent. Of arrays of places (take(),
// take_along_axis(), index_add(), index_put()) those are checked when the function is called where they are on the cpu,
// which computes them. On other devices that would make the program wait for the device: there places outside read NaN
// (whole numbers: the smallest value of int32 or int64, narrowed) and are left out when writing, unless
// OVERTAKE_CHECK_INDICES=yes in the environment asks for the check everywhere. In compiled steps nothing is checked.
#pragma once

#include <vector>

#include "overtake/array.hpp"

namespace overtake {

/// a[{...}] for indices that are known at run time only. Throws UsageError for a place outside, a step of 0, more
/// indices than axes and a second ellipsis. Differentiable.
[[nodiscard]] Array indexed(const Array& a, const std::vector<Index>& indices);

/// `a` with the part a[{...}] replaced: x = assigned_at(x, {0, Slice(1, -1)}, 5) is NumPy's x[0, 1:-1] = 5. `values`
/// broadcasts to the part and takes the type of `a`; other handles to `a` keep their values. Throws UsageError as
/// indexed(), and for values of another shape. Differentiable by both.
[[nodiscard]] Array assigned_at(const Array& a, const std::vector<Index>& indices, const Array& values);

}  // namespace overtake
