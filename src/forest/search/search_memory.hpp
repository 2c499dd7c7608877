// SPDX-License-Identifier: MIT
// What a search over forests takes of the computer's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "forest/grow/need.hpp"
#include "forest/search/prepared_candidates.hpp"
#include "overtake/memory.hpp"

namespace overtake::forest {

/// Jobs that one grown forest serves.
struct Sharing {
  std::size_t set = 0;
  ForestJob forest;
  std::vector<search_detail::Job> jobs;
};

/// Plans the memory of batches and of the refit. What it is made of must outlive it.
class SearchMemory {
 public:
  /// `device`: the one that takes the computer's memory.
  SearchMemory(PreparedCandidates& prepared, const Dataset& data, const SearchOptions& options, std::size_t device)
      : prepared_(prepared), data_(data), options_(options), device_(device) {}

  /// The most that all trees of a batch can take.
  [[nodiscard]] std::uint64_t most_tree_bytes(const std::vector<Sharing>& batch) const;
  /// Beside what is held already, where scoring the largest batch or the refit takes most. On the host, and on
  /// OpenCL there, one tree of the batch is grown for that; for few trees how full they are is guessed by smaller ones,
  /// and on other devices without any.
  /// Work that could be cut into smaller parts to keep to the limit of the computer's memory is.
  [[nodiscard]] MemoryPlan plan(const std::vector<Sharing>& largest);

 private:
  [[nodiscard]] MemoryPlan plan_within_limit(const std::vector<Sharing>& largest);
  [[nodiscard]] MemoryPlan plan(const std::vector<Sharing>& largest, double filled);
  [[nodiscard]] const Device& device() const;
  [[nodiscard]] const Sharing& deepest(const std::vector<Sharing>& groups) const;
  [[nodiscard]] double likely_share(const std::vector<Sharing>& groups) const;
  [[nodiscard]] std::optional<double> filled_share(const std::vector<Sharing>& groups);
  [[nodiscard]] std::size_t limits_of(const Sharing& group) const;
  [[nodiscard]] MemoryPlan scoring_memory(const std::vector<Sharing>& groups, double filled);
  [[nodiscard]] std::uint64_t helped_bytes(std::size_t set, std::span<const ForestJob> jobs, double filled);
  [[nodiscard]] MemoryPlan refit_memory(double filled, bool grows = true);
  [[noreturn]] void refuse(const std::vector<Sharing>& groups, const TreeRefused& refusal);

  PreparedCandidates& prepared_;
  const Dataset& data_;
  const SearchOptions& options_;
  std::size_t device_;
};

}  // namespace overtake::forest
