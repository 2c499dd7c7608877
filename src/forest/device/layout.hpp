// SPDX-License-Identifier: MIT
// Tables that kernels/forest/*.k read and write, as the host sees them. The order of the members is the kernels'.
#pragma once

#include <cstdint>

namespace overtake::forest {

struct ShapeRow {  // ForestShape of forest/nodes.k
  std::int32_t classes = 0;
  std::int32_t features = 0;
  std::int32_t stride = 0;
  std::int32_t bins = 0;
  std::int32_t counts = 0;
  std::int32_t stats = 0;
  std::int32_t slots = 0;
  std::int32_t count_slot = 0;
  std::int32_t slab = 1;
  std::int32_t large_features = 1;
  std::int32_t large_hist = 0;
  std::int32_t scratch = 1;
  std::int32_t scratch_hist = 0;
  std::int32_t scratch_order = 0;
  std::int32_t scratch_left = 0;
  std::int32_t rest = 0;
};
static_assert(sizeof(ShapeRow) == 64);

struct JobRow {  // ForestJob of forest/nodes.k
  std::int32_t criterion = 0;
  std::int32_t random = 0;
  std::int32_t max_features = 1;
  std::int32_t min_leaf = 1;
  std::uint32_t least_weight = 0;
  std::uint32_t least_weight_twice = 0;
  std::int32_t max_depth = 0;
  std::int32_t min_split = 2;
  std::uint32_t seed_low = 0;
  std::uint32_t seed_high = 0;
  std::int32_t bootstrap = 1;
  std::int32_t draws = 0;
  std::int32_t train_first = 0;
  std::int32_t train_rows = 0;
  std::int32_t unit = -1;
  std::int32_t preset = 0;
};
static_assert(sizeof(JobRow) == 64);

struct TreeRow {  // ForestTree
  std::int32_t job = 0;
  std::int32_t number = 0;
  std::int32_t rows_first = 0;
  std::int32_t rows_room = 0;
  std::int32_t node_first = 0;
  std::int32_t node_room = 0;
  std::int32_t rest[2] = {0, 0};
};
static_assert(sizeof(TreeRow) == 32);

struct TallyRow {  // ForestTally
  std::int32_t rows = 0;
  std::int32_t nodes = 0;
};

struct LimitRow {  // ForestLimit
  std::int32_t slot_first = 0;
  std::int32_t slot_count = 0;
  std::int32_t max_depth = 0;
  std::int32_t min_split = 2;
  std::int32_t flags = -1;
  std::int32_t sums_first = 0;
  std::int32_t test_first = 0;
  std::int32_t test_rows = 0;
  std::int32_t member_first = 0;
  std::int32_t member_count = 0;
};
static_assert(sizeof(LimitRow) == 40);

struct MemberRow {  // ForestMember
  std::int32_t view = 0;
  std::int32_t trees = 0;
  std::int32_t predictions_first = -1;
  std::int32_t rest = 0;
};
static_assert(sizeof(MemberRow) == 16);

/// Words of the control block.
enum ControlWord : std::uint8_t {
  control_ticket,
  control_queued,
  control_active,
  control_next,
  control_chunks,
  control_overflow,
  control_given,
  control_words = 8
};

/// Bytes of a ForestLarge, with room to spare.
inline constexpr std::uint64_t large_row_bytes = 96;

}  // namespace overtake::forest
