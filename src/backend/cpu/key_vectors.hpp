// SPDX-License-Identifier: MIT
// Keys of sorting (backend/api/sort_key.hpp) of many values at once, and Highway's sorter of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/api/sort_key.hpp"

namespace overtake::backend::cpu {

/// keys[i] = sort_key(values[i], ..., exact), i < n. Both may be the same.
void make_keys(const std::uint16_t* values, std::uint16_t* keys, std::int64_t n, const KeyForm& form, bool descending);
void make_keys(const std::uint32_t* values, std::uint32_t* keys, std::int64_t n, const KeyForm& form, bool descending);
void make_keys(const std::uint64_t* values, std::uint64_t* keys, std::int64_t n, const KeyForm& form, bool descending);

/// values[i] = sort_value(keys[i], ...), i < n. Both may be the same.
void turn_back(const std::uint16_t* keys, std::uint16_t* values, std::int64_t n, const KeyForm& form, bool descending);
void turn_back(const std::uint32_t* keys, std::uint32_t* values, std::int64_t n, const KeyForm& form, bool descending);
void turn_back(const std::uint64_t* keys, std::uint64_t* values, std::int64_t n, const KeyForm& form, bool descending);

/// Ascending, in place, on the calling thread. Only where vector_sort_pays().
void vector_sort(std::uint16_t* keys, std::int64_t n);
void vector_sort(std::uint32_t* keys, std::int64_t n);
void vector_sort(std::uint64_t* keys, std::int64_t n);

/// Whether vector_sort() is faster than passes of 8 bits for keys of so many bytes (2, 4, 8) on this processor:
/// measured in a millisecond when first asked. Highway 1.0.3 compresses vectors with an instruction that is slow on
/// Zen 4. False where a build has no such sorter.
[[nodiscard]] bool vector_sort_pays(std::size_t bytes_of_key);

}  // namespace overtake::backend::cpu
