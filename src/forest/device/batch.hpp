// SPDX-License-Identifier: MIT
// Trees that grow together on a device.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/api/device.hpp"
#include "forest/device/data.hpp"
#include "forest/device/grower.hpp"
#include "forest/device/plan.hpp"
#include "forest/device/program.hpp"
#include "forest/grow/impurity.hpp"
#include "overtake/forest.hpp"
#include "overtake/trainer.hpp"

namespace overtake::forest {

/// Bounds of KernelTuning::large_rows where it is chosen here.
inline constexpr std::int32_t least_large_rows = 1024;

/// What a batch takes beside its rows, nodes, histograms and scratch (KernelBatch::allocate): for each tree its rows of
/// tables and two queues, for each large node its places in lists, queues and chunks, and for the batch itself.
inline constexpr std::uint64_t batch_bytes_per_tree =
    sizeof(TreeRow) + sizeof(JobRow) + sizeof(TallyRow) + 2 * sizeof(QueueRow) + 4;
inline constexpr std::uint64_t batch_bytes_per_large =
    sizeof(LargeRow) + 2 * sizeof(LevelRow) + 2 * sizeof(QueueRow) * subtrees_per_large + 4;
inline constexpr std::uint64_t batch_bytes = 1024;
inline constexpr std::int32_t most_large_rows = 4096;

/// One batch: its tables, lists and nodes on the device. grow() grows it; the trees stay there until it is destroyed.
class KernelBatch {
 public:
  KernelBatch(backend::Device& device, KernelProgram& program, const Problem& problem, const KernelData& data,
              std::span<const ForestJob> jobs, const GrowBatch& batch, const KernelTuning& tuning);

  /// Enqueues all kernels. Waits for the host once a level while there are large nodes, else not at all. False when
  /// `stop`, asked at each wait, said so: the device does nothing then, and the trees are not whole.
  [[nodiscard]] bool grow(const StopToken* stop);
  /// How often the host waited.
  [[nodiscard]] std::int64_t waits() const noexcept { return waits_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

  /// A tree's nodes as they lie on the device.
  struct RawTree {
    std::vector<NodeRecord> records;
    std::vector<std::uint32_t> sums;
    bool has_rows = false;
    std::array<LeafRows, 2> lists;  ///< rows of the leaves at even and at odd depths, each where its leaf lies
  };
  /// `rows`: of numbers the lists of rows too, for impurities.
  [[nodiscard]] RawTree fetch(std::size_t slot, bool rows);
  /// The tree in canonical order, with the canonical number of each node on the device (-1: not in the tree), and with
  /// impurities where the lists of rows were fetched. May be called from several threads.
  struct OrderedTree {
    GrownTree tree;
    std::vector<std::int32_t> number_of;
  };
  [[nodiscard]] OrderedTree order(const RawTree& raw, Criterion criterion) const;

  [[nodiscard]] const std::vector<TreeRow>& trees() const noexcept { return tree_rows_; }
  [[nodiscard]] std::int64_t node_room() const noexcept { return node_room_; }

  /// The batch's control block, to be looked at later; the last call to a batch.
  [[nodiscard]] BufferPtr take_control() noexcept { return std::move(control_); }

  BufferPtr tree_table, job_table, nodes, stats;

 private:
  void choose_large_rows(std::span<const ForestJob> jobs, const GrowBatch& batch);
  void make_tables(std::span<const ForestJob> jobs, const GrowBatch& batch);
  void allocate();
  void upload_preset_weights(std::span<const ForestJob> jobs);
  void draw_rows();
  [[nodiscard]] bool grow_large(const StopToken* stop);
  [[nodiscard]] bool grow_subtrees(const StopToken* stop);
  [[nodiscard]] BufferPtr take(std::uint64_t size);

  backend::Device& device_;
  KernelProgram& program_;
  const Problem& problem_;
  const KernelData& data_;
  KernelTuning tuning_;
  std::vector<TreeRow> tree_rows_;
  std::vector<JobRow> job_rows_;
  std::vector<std::int32_t> job_of_slot_;  // index into the jobs given
  std::int64_t rows_room_ = 0, node_room_ = 0;
  std::int64_t most_large_ = 0;  // large nodes at one level
  std::int64_t queue_room_ = 0;
  std::int64_t waits_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<TallyRow> tallies_;
  BufferPtr lists_, tally_, control_, queue_, given_, active_, next_, large_, features_, swaps_, hist_, chunks_,
      scratch_;
};

/// Throws InternalError if a batch met more rows than it has room for. Waits for the device.
void require_no_overflow(backend::Device& device, const backend::Buffer& control);

}  // namespace overtake::forest
