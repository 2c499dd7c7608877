// SPDX-License-Identifier: MIT
// Highway's vectorized quicksort of keys (hwy_contrib); no_vector_sort.cpp is in its place where there is none.
#include <hwy/contrib/sort/vqsort.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <vector>

#include "backend/cpu/key_vectors.hpp"

namespace overtake::backend::cpu {
namespace {

template <class Key>
void sort_keys(Key* keys, std::int64_t n) {
  hwy::Sorter()(keys, static_cast<std::size_t>(n), hwy::SortAscending());
}

// What sort_step.cpp does without vectors.
template <class Key>
void sort_by_passes(std::vector<Key>& keys, std::vector<Key>& moved) {
  for (std::size_t shift = 0; shift < 8 * sizeof(Key); shift += 8) {
    std::array<std::size_t, 256> places{};
    for (const Key key : keys) ++places[static_cast<std::size_t>(key >> shift) % places.size()];
    std::size_t next = 0;
    for (std::size_t& place : places) {
      const std::size_t count = place;
      place = next;
      next += count;
    }
    for (const Key key : keys) moved[places[static_cast<std::size_t>(key >> shift) % places.size()]++] = key;
    keys.swap(moved);
  }
}

template <class Work>
double seconds_of(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

template <class Key>
bool pays() {
  std::vector<Key> given(4096);
  std::uint64_t state = 1;
  for (Key& key : given) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    key = static_cast<Key>(state >> (64 - 8 * sizeof(Key)));
  }
  std::vector<Key> keys, moved(given.size());
  double by_vectors = std::numeric_limits<double>::infinity(), by_passes = by_vectors;
  for (int trial = 0; trial < 3; ++trial) {
    keys = given;
    by_vectors =
        std::min(by_vectors, seconds_of([&] { sort_keys(keys.data(), static_cast<std::int64_t>(keys.size())); }));
    keys = given;
    by_passes = std::min(by_passes, seconds_of([&] { sort_by_passes(keys, moved); }));
  }
  // The passes' keys are made without vectors, which these times leave out.
  return by_vectors < 1.5 * by_passes;
}

}  // namespace

void vector_sort(std::uint16_t* keys, std::int64_t n) { sort_keys(keys, n); }
void vector_sort(std::uint32_t* keys, std::int64_t n) { sort_keys(keys, n); }
void vector_sort(std::uint64_t* keys, std::int64_t n) { sort_keys(keys, n); }

bool vector_sort_pays(std::size_t bytes_of_key) {
  static const std::array<bool, 3> answers = {pays<std::uint16_t>(), pays<std::uint32_t>(), pays<std::uint64_t>()};
  return bytes_of_key >= 2 && answers[bytes_of_key / 4];
}

}  // namespace overtake::backend::cpu
