// SPDX-License-Identifier: MIT
// Trees that grow together on a device.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/api/device.hpp"
#include "forest/device/data.hpp"
#include "forest/device/plan.hpp"
#include "forest/device/program.hpp"
#include "forest/grow/impurity.hpp"
#include "overtake/forest/parameters.hpp"
#include "overtake/stop.hpp"

namespace overtake::forest {

/// One batch: its tables, lists and nodes on the device. grow() grows it; the trees stay there until it is destroyed.
class KernelBatch {
 public:
  KernelBatch(backend::Device& device, KernelProgram& program, const Problem& problem, const KernelData& data,
              std::span<const ForestJob> jobs, const GrowBatch& batch, const BatchRules& rules);

  /// Enqueues all kernels. Waits for the host once a level while there are large nodes, else not at all. False when
  /// `stop`, asked at each wait, said so: the device does nothing then, and the trees are not whole.
  [[nodiscard]] bool grow(const StopToken* stop);
  /// How often the host waited.
  [[nodiscard]] std::int64_t waits() const noexcept { return waits_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept;

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
  [[nodiscard]] std::int64_t node_capacity() const noexcept { return capacity_.nodes; }

  /// A table on the device.
  [[nodiscard]] BufferPtr& table(Table which) noexcept { return tables_[static_cast<std::size_t>(which)]; }
  /// The batch's control block, to be looked at later; the last call to a batch.
  [[nodiscard]] BufferPtr take_control() noexcept { return std::move(table(Table::control)); }

 private:
  void make_tables(std::span<const ForestJob> jobs, const GrowBatch& batch);
  void allocate();
  void upload_preset_weights(std::span<const ForestJob> jobs);
  void draw_rows();
  [[nodiscard]] bool grow_large(const StopToken* stop);
  [[nodiscard]] bool grow_subtrees(const StopToken* stop);
  [[nodiscard]] backend::KernelArgument of(Table which) { return arg(table(which)); }

  backend::Device& device_;
  KernelProgram& program_;
  const Problem& problem_;
  const KernelData& data_;
  BatchRules rules_;
  std::vector<TreeRow> tree_rows_;
  std::vector<JobRow> job_rows_;
  std::vector<std::int32_t> job_of_slot_;  // index into the jobs given
  BatchCapacity capacity_;
  std::int64_t waits_ = 0;
  std::vector<TallyRow> tallies_;
  std::array<BufferPtr, batch_tables> tables_;
};

/// Throws InternalError if a batch met more rows than it has room for. Waits for the device.
void require_no_overflow(backend::Device& device, const backend::Buffer& control);

}  // namespace overtake::forest
