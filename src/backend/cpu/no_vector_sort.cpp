// SPDX-License-Identifier: MIT
// In the place of vector_sort.cpp where Highway comes without its sorter.
#include <algorithm>

#include "backend/cpu/key_vectors.hpp"

namespace overtake::backend::cpu {

void vector_sort(std::uint16_t* keys, std::int64_t n) { std::sort(keys, keys + n); }
void vector_sort(std::uint32_t* keys, std::int64_t n) { std::sort(keys, keys + n); }
void vector_sort(std::uint64_t* keys, std::int64_t n) { std::sort(keys, keys + n); }

bool vector_sort_pays(std::size_t /*bytes_of_key*/) { return false; }

}  // namespace overtake::backend::cpu
