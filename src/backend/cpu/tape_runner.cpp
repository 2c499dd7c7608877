// SPDX-License-Identifier: MIT
#include "backend/cpu/tape_runner.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <numeric>
#include <type_traits>
#include <utility>

#include "backend/cpu/memory_types.hpp"
#include "backend/cpu/vector_math.hpp"
#include "core/philox.hpp"

namespace overtake::backend::cpu {
namespace {

// A register is a block of values of at most 8 bytes.
constexpr std::size_t register_bytes = block_size * sizeof(std::uint64_t);

// Memory of this thread for a tape's registers: grows to the longest tape it ever ran.
struct Registers {
  std::vector<std::uint64_t> memory;
  std::vector<const void*> blocks;  // where each register's block lies
  [[nodiscard]] std::byte* bytes() { return reinterpret_cast<std::byte*>(memory.data()); }
};

// A thread's registers. Arrays may be computed when the variables of the main thread are gone already, by a static
// object's destructor: a plain pointer is still there then, and what it points to is made once more and kept to the
// end.
class ThreadRegisters {
 public:
  ~ThreadRegisters() { const std::unique_ptr<Registers> owner(std::exchange(mine, nullptr)); }
  static Registers& get() {
    if (mine == nullptr) mine = std::make_unique<Registers>().release();
    return *mine;
  }

 private:
  static thread_local Registers* mine;
};
thread_local Registers* ThreadRegisters::mine = nullptr;

Registers& thread_registers(std::size_t count) {
  thread_local const ThreadRegisters owner;
  Registers& registers = ThreadRegisters::get();
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
      direct_(tape.code.size()),
      step_(static_cast<std::int64_t>(block_size)) {
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
    if (last && !any_load && computes(tape_.code.back().code) && is_plain(store.dtype)) direct_.back() = true;
  }
  // Blocks of whole periods, in which a periodic operand is the same every time.
  const std::int64_t period = extent_.rank() == 0 ? 1 : std::max<std::int64_t>(extent_[extent_.rank() - 1], 1);
  const bool any_period = std::find(kinds_.begin(), kinds_.end(), LoadKind::periodic) != kinds_.end();
  if (any_period && period <= step_) step_ = step_ / period * period;
  for (const TapeInstruction& step : tape_.code) same_.push_back(is_the_same_everywhere(step));
}

// A period that is longer than a block needs no copy, where a block does not go beyond its end.
bool TapeRunner::reads_in_place(std::size_t load) const {
  return kinds_[load] == LoadKind::periodic && is_plain(tape_.loads[load].dtype) &&
         extent_[extent_.rank() - 1] > static_cast<std::int64_t>(block_size);
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
    sources_[i] =
        slots[static_cast<std::size_t>(load.slot)] + load.offset * static_cast<std::int64_t>(size_of(load.dtype));
  }
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const TapeStore& store = tape_.stores[i];
    targets_[i] =
        slots[static_cast<std::size_t>(store.slot)] + store.offset * static_cast<std::int64_t>(size_of(store.dtype));
  }
}

void TapeRunner::run(std::int64_t begin, std::int64_t end, const void* core) const {
  Registers& memory = thread_registers(tape_.code.size());
  const void** registers = memory.blocks.data();
  std::int64_t core_bytes = 0;
  for (const TapeInstruction& step : tape_.code) {
    if (step.code == TapeCode::core) core_bytes = static_cast<std::int64_t>(size_of(dtype_of_value(step.type)));
  }
  for (std::int64_t at = begin; at < end; at += step_) {
    const auto n = static_cast<std::size_t>(std::min(end - at, step_));
    const void* here = core == nullptr ? nullptr : static_cast<const std::byte*>(core) + (at - begin) * core_bytes;
    compute(at, n, here, registers, memory.bytes(), at == begin);
    for (std::size_t i = 0; i < tape_.stores.size(); ++i) store(i, registers[tape_.stores[i].value_register], at, n);
  }
}

const void* TapeRunner::values(std::int64_t begin, std::size_t n) const {
  Registers& memory = thread_registers(tape_.code.size());
  compute(begin, n, nullptr, memory.blocks.data(), memory.bytes(), true);
  return memory.blocks[tape_.code.size() - 1];
}

bool TapeRunner::is_the_same_everywhere(const TapeInstruction& step) const {
  if (step.code == TapeCode::constant) return true;
  if (step.code != TapeCode::load) return false;
  const LoadKind kind = kinds_[step.index];
  return kind == LoadKind::scalar ||
         (kind == LoadKind::periodic && step_ % extent_[extent_.rank() - 1] == 0 && !reads_in_place(step.index));
}

void TapeRunner::compute(std::int64_t begin, std::size_t n, const void* core, const void** registers,
                         std::byte* scratch, bool is_first) const {
  for (std::size_t i = 0; i < tape_.code.size(); ++i) {
    const TapeInstruction& step = tape_.code[i];
    if (!is_first && same_[i]) continue;
    std::byte* out = scratch + i * register_bytes;
    registers[i] = out;
    switch (step.code) {
      case TapeCode::core: registers[i] = core; break;
      case TapeCode::load: load(step.index, begin, n, out, registers[i]); break;
      case TapeCode::constant:
        with_value_type(step.type,
                        [&]<class T>(T) { std::fill_n(reinterpret_cast<T*>(out), n, value_of<T>(step.bits)); });
        break;
      case TapeCode::coordinate: coordinates(step, begin, n, out); break;
      case TapeCode::linear:
        std::iota(reinterpret_cast<std::int64_t*>(out), reinterpret_cast<std::int64_t*>(out) + n, begin);
        break;
      case TapeCode::random:
      case TapeCode::random_bits: random(step, registers[step.a], begin, n, out); break;
      default: {
        if (direct_[i]) {
          const auto size = static_cast<std::int64_t>(size_of(dtype_of_value(result_of(step))));
          for (std::size_t s = 0; s < tape_.stores.size(); ++s) {
            if (tape_.stores[s].value_register == i) out = targets_[s] + begin * size;
          }
          registers[i] = out;
        }
        const int operands = operand_count(step.code);
        apply_block(step, registers[step.a], operands > 1 ? registers[step.b] : nullptr,
                    operands > 2 ? registers[step.c] : nullptr, out, n);
      }
    }
  }
}

void TapeRunner::load(std::size_t index, std::int64_t begin, std::size_t n, std::byte* out, const void*& result) const {
  const DType dtype = tape_.loads[index].dtype;
  const auto size = static_cast<std::int64_t>(size_of(dtype));
  if (kinds_[index] == LoadKind::contiguous && is_plain(dtype)) {
    result = sources_[index] + begin * size;
    return;
  }
  if (reads_in_place(index)) {
    const std::int64_t period = extent_[extent_.rank() - 1], phase = begin % period;
    if (phase + static_cast<std::int64_t>(n) <= period) {
      result = sources_[index] + phase * size;
      return;
    }
  }
  with_memory_type(dtype, [&]<class M>(M) { fill<M>(index, begin, n, out); });
}

namespace {

// from[i * stride] to out[i], widened.
template <class M>
void widen_run(const M* from, std::int64_t stride, std::size_t n, Widened<M>* out) {
  if (stride == 0) {
    std::fill_n(out, n, widened(*from));
  } else if (stride == 1 && std::is_same_v<M, bfloat16>) {
    widen_bfloat16s(reinterpret_cast<const std::uint16_t*>(from), reinterpret_cast<float*>(out), n);
  } else if (stride == 1) {
    for (std::size_t i = 0; i < n; ++i) out[i] = widened(from[i]);
  } else {
    for (std::size_t i = 0; i < n; ++i) out[i] = widened(from[static_cast<std::int64_t>(i) * stride]);
  }
}

// One period of `from`, beginning at `phase`, then copies of everything so far: few calls even for the narrowest rows.
template <class M>
void fill_periodic(const M* from, std::size_t period, std::size_t phase, std::size_t n, Widened<M>* out) {
  std::size_t filled = 0;
  while (filled < std::min(n, period)) {
    const std::size_t at = (phase + filled) % period;
    const std::size_t run = std::min(std::min(n, period) - filled, period - at);
    widen_run(from + at, 1, run, out + filled);
    filled += run;
  }
  while (filled < n) {
    const std::size_t run = std::min(n - filled, filled);
    std::memcpy(out + filled, out, run * sizeof(Widened<M>));
    filled += run;
  }
}

template <class M>
void fill_strided(const Shape& extent, const Access& access, const M* base, std::int64_t begin, std::size_t n,
                  Widened<M>* out) {
  const std::size_t last = extent.rank() - 1;
  std::array<std::int64_t, Shape::max_rank> at{};
  std::int64_t rest = begin;
  for (std::size_t axis = extent.rank(); axis-- > 0;) {
    at[axis] = rest % extent[axis];
    rest /= extent[axis];
  }
  for (std::size_t done = 0; done < n;) {
    const M* row = base;
    for (std::size_t axis = 0; axis < extent.rank(); ++axis) row += at[axis] * access.strides[axis];
    const auto run = std::min(n - done, static_cast<std::size_t>(extent[last] - at[last]));
    widen_run(row, access.strides[last], run, out + done);
    done += run;
    at[last] = 0;
    for (std::size_t axis = last; axis-- > 0;) {
      if (++at[axis] < extent[axis]) break;
      at[axis] = 0;
    }
  }
}

}  // namespace

template <class M>
void TapeRunner::fill(std::size_t index, std::int64_t begin, std::size_t n, std::byte* out) const {
  const auto* base = reinterpret_cast<const M*>(sources_[index]);
  auto* to = reinterpret_cast<Widened<M>*>(out);
  switch (kinds_[index]) {
    case LoadKind::contiguous: return widen_run(base + begin, 1, n, to);
    case LoadKind::scalar: return widen_run(base, 0, n, to);
    case LoadKind::periodic: {
      const auto period = static_cast<std::size_t>(extent_[extent_.rank() - 1]);
      return fill_periodic(base, period, static_cast<std::size_t>(begin) % period, n, to);
    }
    case LoadKind::strided: break;
  }
  fill_strided(extent_, tape_.loads[index], base, begin, n, to);
}

void TapeRunner::store(std::size_t index, const void* values, std::int64_t begin, std::size_t n) const {
  const DType dtype = tape_.stores[index].dtype;
  const auto size = static_cast<std::int64_t>(size_of(dtype));
  std::byte* to = targets_[index] + begin * size;
  if (is_plain(dtype)) {
    if (values != to) std::memcpy(to, values, n * static_cast<std::size_t>(size));
    return;
  }
  with_memory_type(dtype, [&]<class M>(M) {
    const auto* from = static_cast<const Widened<M>*>(values);
    auto* target = reinterpret_cast<M*>(to);
    if constexpr (std::is_same_v<M, bfloat16>) return narrow_bfloat16s(from, reinterpret_cast<std::uint16_t*>(to), n);
    for (std::size_t i = 0; i < n; ++i) target[i] = narrowed<M>(from[i]);
  });
}

void TapeRunner::coordinates(const TapeInstruction& step, std::int64_t begin, std::size_t n, std::byte* out) const {
  const std::size_t axis = step.index;
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < extent_.rank(); ++i) inner *= extent_[i];
  with_value_type(step.type, [&]<class T>(T) {
    auto* to = reinterpret_cast<T*>(out);
    // One division at the start; then counting.
    std::int64_t place = begin / inner % extent_[axis], left = inner - begin % inner;
    for (std::size_t i = 0; i < n; ++i) {
      to[i] = static_cast<T>(place);
      if (--left > 0) continue;
      left = inner;
      if (++place == extent_[axis]) place = 0;
    }
  });
}

void TapeRunner::random(const TapeInstruction& step, const void* counter, std::int64_t begin, std::size_t n,
                        std::byte* out) const {
  const RandomKey& key = tape_.random[step.index];
  const auto count = static_cast<std::uint32_t>(*static_cast<const std::int32_t*>(counter));
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < n; ++i) {
    const auto index = static_cast<std::uint64_t>(begin) + i;
    if (i == 0 || index % 4 == 0)
      words = philox::block_at(key.seed, key.stream, count, static_cast<std::uint32_t>(index / 4));
    if (step.code == TapeCode::random) {
      reinterpret_cast<float*>(out)[i] = philox::to_uniform(words[index % 4]);
    } else {
      reinterpret_cast<std::int32_t*>(out)[i] = std::bit_cast<std::int32_t>(words[index % 4]);
    }
  }
}

}  // namespace overtake::backend::cpu
