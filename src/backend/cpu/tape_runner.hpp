// SPDX-License-Identifier: MIT
// Runs the element-wise part of an operation over ranges of its elements, a block at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/api/operation.hpp"

namespace overtake::backend::cpu {

/// Base addresses of a schedule's slots.
using SlotPointers = std::span<std::byte* const>;

class TapeRunner {
 public:
  TapeRunner(const Tape& tape, const Shape& extent);

  /// Looks up the slots; to be called before run() whenever buffers changed.
  void bind(SlotPointers slots);

  /// Computes elements [begin, end) of the extent (row-major) and stores them. `core` points to the core's value of
  /// element `begin`; null for maps. Several threads may call this at once on disjoint ranges.
  void run(std::int64_t begin, std::int64_t end, const float* core) const;

  /// Computes at most block_size elements from `begin` and returns the last instruction's values, valid until this
  /// thread's next call (for the input of reductions).
  [[nodiscard]] const float* values(std::int64_t begin, std::size_t n) const;

  /// The address of a contiguous operand if the tape is nothing but one such load; else null.
  [[nodiscard]] const float* plain_load() const noexcept { return plain_load_; }

 private:
  enum class LoadKind : std::uint8_t { contiguous, scalar, periodic, strided };

  void compute(std::int64_t begin, std::size_t n, const float* core, const float** registers, float* scratch) const;
  void fill(const Access& access, const float* base, LoadKind kind, std::int64_t begin, std::size_t n,
            float* out) const;
  void fill_strided(const Access& access, const float* base, std::int64_t begin, std::size_t n, float* out) const;
  void coordinates(std::size_t axis, std::int64_t begin, std::size_t n, float* out) const;
  void random(const RandomKey& key, const float* counter, std::int64_t begin, std::size_t n, float* out) const;
  [[nodiscard]] LoadKind kind_of(const Access& access) const;

  Tape tape_;
  Shape extent_;
  std::vector<LoadKind> kinds_;
  std::vector<const float*> sources_;  // of loads, offset included
  std::vector<float*> targets_;        // of stores
  std::vector<bool> direct_;           // instructions that write straight to their store
  const float* plain_load_ = nullptr;
};

}  // namespace overtake::backend::cpu
