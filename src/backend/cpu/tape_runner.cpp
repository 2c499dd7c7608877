// SPDX-License-Identifier: MIT
#include "backend/cpu/tape_runner.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "backend/cpu/vector_math.hpp"
#include "core/philox.hpp"

namespace overtake::backend::cpu {
namespace {

// Memory of this thread for a tape's registers: grows to the longest tape it ever ran.
struct Registers {
  std::vector<float> memory;
  std::vector<const float*> blocks;  // where each register's block lies
};

Registers& thread_registers(std::size_t count) {
  thread_local Registers registers;
  if (registers.blocks.size() < count) {
    registers.memory.resize(count * block_size);
    registers.blocks.resize(count);
  }
  return registers;
}

// Through apply_block().
bool computes(TapeCode code) { return code == TapeCode::select || element_function(code) != nullptr; }

}  // namespace

TapeRunner::TapeRunner(const Tape& tape, const Shape& extent)
    : tape_(tape),
      extent_(extent),
      sources_(tape.loads.size()),
      targets_(tape.stores.size()),
      direct_(tape.code.size()) {
  for (const Access& load : tape_.loads) kinds_.push_back(kind_of(load));
  // An operand may be stored elsewhere while its own slot is overwritten: such stores come first and nothing is written
  // before them. Otherwise the last instruction may write to its place at once: nothing after it reads what was there.
  const auto is_load = [this](const TapeStore& store) {
    return tape_.code[store.value_register].code == TapeCode::load;
  };
  std::stable_partition(tape_.stores.begin(), tape_.stores.end(), is_load);
  const bool any_load = !tape_.stores.empty() && is_load(tape_.stores.front());
  for (const TapeStore& store : tape_.stores) {
    const bool last = store.value_register + 1U == tape_.code.size();
    if (last && !any_load && computes(tape_.code.back().code)) direct_.back() = true;
  }
}

TapeRunner::LoadKind TapeRunner::kind_of(const Access& access) const {
  bool contiguous = true, scalar = true, periodic = extent_.rank() > 0;
  std::int64_t expected = 1;
  for (std::size_t axis = extent_.rank(); axis-- > 0;) {
    if (extent_[axis] != 1) {
      contiguous = contiguous && access.strides[axis] == expected;
      scalar = scalar && access.strides[axis] == 0;
      periodic = periodic && access.strides[axis] == (axis + 1 == extent_.rank() ? 1 : 0);
    }
    expected *= extent_[axis];
  }
  if (contiguous) return LoadKind::contiguous;
  if (scalar) return LoadKind::scalar;
  return periodic ? LoadKind::periodic : LoadKind::strided;
}

void TapeRunner::bind(SlotPointers slots) {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const Access& load = tape_.loads[i];
    sources_[i] = reinterpret_cast<const float*>(slots[static_cast<std::size_t>(load.slot)]) + load.offset;
  }
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    targets_[i] = reinterpret_cast<float*>(slots[static_cast<std::size_t>(tape_.stores[i].slot)]);
  }
  const bool plain =
      tape_.code.size() == 1 && tape_.code[0].code == TapeCode::load && kinds_[0] == LoadKind::contiguous;
  plain_load_ = plain ? sources_[0] : nullptr;
}

void TapeRunner::run(std::int64_t begin, std::int64_t end, const float* core) const {
  Registers& memory = thread_registers(tape_.code.size());
  const float** registers = memory.blocks.data();
  for (std::int64_t at = begin; at < end; at += static_cast<std::int64_t>(block_size)) {
    const auto n = static_cast<std::size_t>(std::min<std::int64_t>(end - at, block_size));
    compute(at, n, core == nullptr ? nullptr : core + (at - begin), registers, memory.memory.data());
    for (std::size_t i = 0; i < tape_.stores.size(); ++i) {
      const std::uint16_t from = tape_.stores[i].value_register;
      float* to = targets_[i] + at;
      if (registers[from] != to) std::memcpy(to, registers[from], n * sizeof(float));
    }
  }
}

const float* TapeRunner::values(std::int64_t begin, std::size_t n) const {
  Registers& memory = thread_registers(tape_.code.size());
  compute(begin, n, nullptr, memory.blocks.data(), memory.memory.data());
  return memory.blocks[tape_.code.size() - 1];
}

void TapeRunner::compute(std::int64_t begin, std::size_t n, const float* core, const float** registers,
                         float* scratch) const {
  for (std::size_t i = 0; i < tape_.code.size(); ++i) {
    const TapeInstruction& step = tape_.code[i];
    float* out = scratch + i * block_size;
    registers[i] = out;
    switch (step.code) {
      case TapeCode::core: registers[i] = core; break;
      case TapeCode::load:
        if (kinds_[step.index] == LoadKind::contiguous) {
          registers[i] = sources_[step.index] + begin;
        } else {
          fill(tape_.loads[step.index], sources_[step.index], kinds_[step.index], begin, n, out);
        }
        break;
      case TapeCode::constant: std::fill_n(out, n, step.value); break;
      case TapeCode::coordinate: coordinates(step.index, begin, n, out); break;
      case TapeCode::random: random(tape_.random[step.index], registers[step.a], begin, n, out); break;
      default: {
        if (direct_[i]) {
          for (std::size_t s = 0; s < tape_.stores.size(); ++s) {
            if (tape_.stores[s].value_register == i) out = targets_[s] + begin;
          }
          registers[i] = out;
        }
        const int operands = operand_count(step.code);
        apply_block(step.code, registers[step.a], operands > 1 ? registers[step.b] : nullptr,
                    operands > 2 ? registers[step.c] : nullptr, out, n);
      }
    }
  }
}

void TapeRunner::fill(const Access& access, const float* base, LoadKind kind, std::int64_t begin, std::size_t n,
                      float* out) const {
  if (kind == LoadKind::scalar) {
    std::fill_n(out, n, *base);
    return;
  }
  const auto period = static_cast<std::size_t>(extent_[extent_.rank() - 1]);
  if (kind != LoadKind::periodic) return fill_strided(access, base, begin, n, out);
  // One period, then copies of everything so far: few calls even for the narrowest rows.
  const std::size_t phase = static_cast<std::size_t>(begin) % period;
  std::size_t filled = 0;
  while (filled < std::min(n, period)) {
    const std::size_t from = (phase + filled) % period;
    const std::size_t run = std::min(std::min(n, period) - filled, period - from);
    std::memcpy(out + filled, base + from, run * sizeof(float));
    filled += run;
  }
  while (filled < n) {
    const std::size_t run = std::min(n - filled, filled);
    std::memcpy(out + filled, out, run * sizeof(float));
    filled += run;
  }
}

void TapeRunner::fill_strided(const Access& access, const float* base, std::int64_t begin, std::size_t n,
                              float* out) const {
  const std::size_t last = extent_.rank() - 1;
  std::array<std::int64_t, Shape::max_rank> at{};
  std::int64_t rest = begin;
  for (std::size_t axis = extent_.rank(); axis-- > 0;) {
    at[axis] = rest % extent_[axis];
    rest /= extent_[axis];
  }
  std::size_t done = 0;
  while (done < n) {
    const float* row = base;
    for (std::size_t axis = 0; axis < last; ++axis) row += at[axis] * access.strides[axis];
    const auto run = std::min(n - done, static_cast<std::size_t>(extent_[last] - at[last]));
    const std::int64_t stride = access.strides[last];
    const float* from = row + at[last] * stride;
    if (stride == 0) {
      std::fill_n(out + done, run, *from);
    } else {
      for (std::size_t i = 0; i < run; ++i) out[done + i] = from[static_cast<std::int64_t>(i) * stride];
    }
    done += run;
    at[last] = 0;
    for (std::size_t axis = last; axis-- > 0;) {
      if (++at[axis] < extent_[axis]) break;
      at[axis] = 0;
    }
  }
}

void TapeRunner::coordinates(std::size_t axis, std::int64_t begin, std::size_t n, float* out) const {
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < extent_.rank(); ++i) inner *= extent_[i];
  for (std::size_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::int32_t>((begin + static_cast<std::int64_t>(i)) / inner % extent_[axis]);
    out[i] = std::bit_cast<float>(at);
  }
}

void TapeRunner::random(const RandomKey& key, const float* counter, std::int64_t begin, std::size_t n,
                        float* out) const {
  const auto count = std::bit_cast<std::uint32_t>(counter[0]);
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < n; ++i) {
    const auto index = static_cast<std::uint64_t>(begin) + i;
    if (i == 0 || index % 4 == 0)
      words = philox::block_at(key.seed, key.stream, count, static_cast<std::uint32_t>(index / 4));
    out[i] = philox::to_uniform(words[index % 4]);
  }
}

}  // namespace overtake::backend::cpu
