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
  /// element `begin`, in the type of the tape's core instruction; null for maps. Several threads may call this at once
  /// on disjoint ranges.
  void run(std::int64_t begin, std::int64_t end, const void* core) const;

  /// Computes at most block_size elements from `begin` and returns the last instruction's values (of result_type()),
  /// valid until this thread's next call (for the input of reductions).
  [[nodiscard]] const void* values(std::int64_t begin, std::size_t n) const;

  /// The type of the last instruction's values.
  [[nodiscard]] ValueType result_type() const noexcept { return result_of(tape_.code.back()); }

 private:
  enum class LoadKind : std::uint8_t { contiguous, scalar, periodic, strided };

  /// `is_first`: of a run, whose later blocks find the registers that are the same everywhere.
  void compute(std::int64_t begin, std::size_t n, const void* core, const void** registers, std::byte* scratch,
               bool is_first) const;
  [[nodiscard]] bool is_the_same_everywhere(const TapeInstruction& step) const;
  [[nodiscard]] bool reads_in_place(std::size_t load) const;
  void load(std::size_t index, std::int64_t begin, std::size_t n, std::byte* out, const void*& result) const;
  template <class M>
  void fill(std::size_t index, std::int64_t begin, std::size_t n, std::byte* out) const;
  void coordinates(const TapeInstruction& step, std::int64_t begin, std::size_t n, std::byte* out) const;
  void random(const TapeInstruction& step, const void* counter, std::int64_t begin, std::size_t n,
              std::byte* out) const;
  void store(std::size_t index, const void* values, std::int64_t begin, std::size_t n) const;
  [[nodiscard]] LoadKind kind_of(const Access& access) const;

  Tape tape_;
  Shape extent_;
  std::vector<LoadKind> kinds_;
  std::vector<const std::byte*> sources_;  // of loads, offset included
  std::vector<std::byte*> targets_;        // of stores
  std::vector<bool> direct_;               // instructions that write straight to their store
  std::vector<bool> same_;                 // instructions that give every block of a run the same
  std::int64_t step_;                      // elements of a block
};

}  // namespace overtake::backend::cpu
