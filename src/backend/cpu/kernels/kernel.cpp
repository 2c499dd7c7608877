// SPDX-License-Identifier: MIT
#include "backend/cpu/kernels/kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "backend/api/profiling.hpp"
#include "backend/cpu/kernels/work_group.hpp"
#include "core/checked.hpp"
#include "core/parallel.hpp"
#include "core/polling.hpp"
#include "overtake/error.hpp"
#include "platform/process.hpp"

namespace overtake::backend::cpu {
namespace {

using Clock = std::chrono::steady_clock;

// Work of less than this is over before the other threads have begun.
constexpr double worth_threads_ns = 15'000;
// Work of less than this is over before anybody would end it; longer work has pieces of about the second.
constexpr double worth_polling_ns = 1e6, longest_piece_ns = 2e7;

const char* name_of(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::buffer: return "a pointer to device memory";
    case ParameterKind::int32: return "an int";
    case ParameterKind::int64: return "an int64";
    case ParameterKind::float32: return "a float";
    case ParameterKind::float64: return "a double";
    case ParameterKind::local: return "local memory";
    case ParameterKind::other: break;
  }
  return "of a type that launches cannot pass";
}

ParameterKind kind_of(const KernelArgument& argument) {
  struct Kinds {
    ParameterKind operator()(Buffer*) const { return ParameterKind::buffer; }
    ParameterKind operator()(std::int32_t) const { return ParameterKind::int32; }
    ParameterKind operator()(std::int64_t) const { return ParameterKind::int64; }
    ParameterKind operator()(float) const { return ParameterKind::float32; }
    ParameterKind operator()(double) const { return ParameterKind::float64; }
    ParameterKind operator()(LocalBytes) const { return ParameterKind::local; }
  };
  return std::visit(Kinds{}, argument);
}

/// Groups, a few at a time: one at first, as nobody knows how long it takes. This thread, where it `is_caller`, asks
/// between them whether the work is still wanted; `ended`: it is not.
template <typename Range>
void run_polling(std::int64_t begin, std::int64_t end, bool is_caller, std::atomic<bool>& ended, const Range& range) {
  constexpr auto short_time = std::chrono::milliseconds(3);
  constexpr std::int64_t growth = 8;
  try {
    for (std::int64_t step = 1; begin < end && !ended;) {
      const auto start = Clock::now();
      const std::int64_t until = std::min(end, begin + step);
      range(begin, until);
      begin = until;
      if (Clock::now() - start < short_time) step *= growth;
      if (is_caller) Polling::poll();
    }
  } catch (...) {
    ended = true;
    throw;
  }
}

/// A kernel in one of a program's codes.
struct Compiled {
  KernelEntry entry = nullptr;
  const KernelAbout* about = nullptr;

  Compiled() = default;
  Compiled(const KernelCode& code, const std::string& name)
      : entry(reinterpret_cast<KernelEntry>(code.find("overtake_run_" + name))),
        about(static_cast<const KernelAbout*>(code.find("overtake_about_" + name))) {}
};

class CpuKernel final : public Kernel {
 public:
  CpuKernel(Device& device, std::shared_ptr<Tiers> tiers, std::string name)
      : device_(device), tiers_(std::move(tiers)), name_(std::move(name)), first_(tiers_->first(), name_) {
    if (first_.entry == nullptr || first_.about == nullptr) {
      throw UsageError(fmt::format("the program has no kernel named '{}'", name_),
                       "Kernels are declared with KERNEL void.");
    }
    if (first_.about->parameters > most_parameters) {
      throw UsageError(
          fmt::format("kernel {} has {} parameters, {} are the most", name_, first_.about->parameters, most_parameters),
          "Put numbers into an array.");
    }
  }

  void launch(const LaunchGeometry& geometry, std::span<const KernelArgument> arguments) override {
    const Compiled& code = now();
    Launch launch;
    pack(*code.about, arguments, launch);
    if (!set_geometry(*code.about, geometry, launch)) return;
    launch.work.entry = code.entry;
    const auto begin = Clock::now();
    if (is_profiling()) {
      timed_launch(device_.info().id, {name_, {}}, "", true, [&] { run(launch); });
    } else {
      run(launch);
    }
    if (&code == &first_) slow_ns_ += std::chrono::nanoseconds(Clock::now() - begin).count();
  }

 private:
  struct Launch {
    GroupWork work;
    std::int64_t groups = 0, items = 0;  ///< items: of all groups
    std::array<std::uint64_t, most_parameters> words;
    std::array<std::uint16_t, most_parameters> locals;
    Launch() {}  // NOLINT(modernize-use-equals-default): leaves the arrays as they are, which is most of a launch
  };

  /// The best code there is.
  const Compiled& now() {
    if (const Compiled* second = second_.load(std::memory_order_acquire)) return *second;
    const KernelCode* code = tiers_->second();
    if (code == nullptr && slow_ns_ > wait_from_ns_) code = wait_for_better();
    if (code == nullptr) return first_;
    const std::lock_guard lock(mutex_);
    if (second_.load() == nullptr) {
      kept_second_ = Compiled(*code, name_);
      second_.store(kept_second_.entry != nullptr && kept_second_.about != nullptr ? &kept_second_ : &first_,
                    std::memory_order_release);
      pace_.store(unknown);
    }
    return *second_.load();
  }

  /// Libtcc's code takes ten times as long and more: what has run it for long waits, no longer than it has run, so that
  /// it takes twice its time at worst.
  const KernelCode* wait_for_better() {
    const auto begin = Clock::now();
    const std::chrono::nanoseconds longest(slow_ns_.load());
    constexpr std::chrono::nanoseconds slice = std::chrono::milliseconds(20);
    for (auto left = longest; left.count() > 0; left = longest - (Clock::now() - begin)) {
      if (!tiers_->wait_for_second(std::min(left, slice)) || tiers_->second() != nullptr) break;
      if (Polling::is_on()) Polling::poll();
    }
    wait_from_ns_ = 2 * longest.count();
    return tiers_->second();
  }

  void pack(const KernelAbout& about, std::span<const KernelArgument> arguments, Launch& launch) const {
    check_argument_count(name_, arguments.size(), static_cast<std::size_t>(about.parameters));
    std::size_t locals = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const KernelArgument& argument = arguments[i];
      const ParameterKind kind = about.kind_of(i);
      if (kind_of(argument) != kind) {
        throw UsageError(fmt::format("kernel {}: argument {} is {}, its parameter is {}", name_, i,
                                     name_of(kind_of(argument)), name_of(kind)),
                         "Arguments must match the kernel's parameters in order, kind and size.");
      }
      std::uint64_t& word = launch.words[i];
      if (const Buffer* buffer = buffer_of(argument, device_, name_, i)) {
        word = buffer->handle();
      } else if (const auto* local = std::get_if<LocalBytes>(&argument)) {
        word = static_cast<std::uint64_t>(narrow<std::uint32_t>(local->bytes, "local memory of a kernel"));
        launch.locals[locals++] = static_cast<std::uint16_t>(i);
        launch.work.local_bytes += (local->bytes + 63) / 64 * 64;
      } else {
        word = 0;
        // NOLINTNEXTLINE(bugprone-sizeof-expression): buffers have been taken above
        std::visit([&](const auto& value) { std::memcpy(&word, &value, sizeof value); }, argument);
      }
    }
    launch.work.words = {launch.words.data(), arguments.size()};
    launch.work.locals = {launch.locals.data(), locals};
    launch.work.needs_fibers = about.needs_fibers != 0;
    launch.work.has_items = about.needs_fibers == 2;
  }

  /// False where there is nothing to do.
  [[nodiscard]] bool set_geometry(const KernelAbout& about, const LaunchGeometry& geometry, Launch& launch) const {
    constexpr std::uint32_t most = std::numeric_limits<std::int32_t>::max();
    launch.groups = 1;
    std::int64_t size = 1;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (geometry.groups[axis] == 0 || geometry.group_size[axis] == 0) return false;
      if (geometry.groups[axis] > most || geometry.group_size[axis] > most) {
        throw UsageError(fmt::format("kernel {}: {} groups of {} along axis {}", name_, geometry.groups[axis],
                                     geometry.group_size[axis], axis),
                         fmt::format("{} are the most.", most));
      }
      launch.work.size[axis] = static_cast<std::int32_t>(geometry.group_size[axis]);
      launch.work.groups[axis] = static_cast<std::int32_t>(geometry.groups[axis]);
      size = checked_mul<std::int64_t>(size, launch.work.size[axis], "work-items of a group");
      launch.groups = checked_mul<std::int64_t>(launch.groups, launch.work.groups[axis], "groups of a launch");
    }
    launch.items = checked_mul(size, launch.groups, "work-items of a launch");
    if (about.size != 0 && (launch.work.size[0] != about.size || size != about.size)) {
      throw UsageError(fmt::format("kernel {}: groups of ({}, {}, {}), but it is declared for groups of {}", name_,
                                   launch.work.size[0], launch.work.size[1], launch.work.size[2], about.size),
                       "KERNEL_SIZED names the only size of a group.");
    }
    if (launch.work.needs_fibers && size > most_fibers) {
      throw UsageError(fmt::format("kernel {}: groups of {} work-items", name_, size),
                       fmt::format("Of a kernel with SYNC, {} are the most.", most_fibers));
    }
    return true;
  }

  void run(const Launch& launch) {
    const double pace = pace_.load(std::memory_order_relaxed), expected = pace * static_cast<double>(launch.items);
    const int threads = launch.groups == 1 || (pace >= 0 && expected < worth_threads_ns) ? 1 : thread_count();
    const bool polls = Polling::is_on() && (pace < 0 || expected > worth_polling_ns);
    // Several pieces a thread, as some take longer than others.
    const std::int64_t wanted = std::max<std::int64_t>(
        std::int64_t{threads} * 8, polls ? static_cast<std::int64_t>(std::min(expected / longest_piece_ns, 1e6)) : 0);
    const std::int64_t pieces = threads == 1 ? 1 : std::min(launch.groups, wanted);
    std::atomic<std::int64_t> busy_ns{0};
    std::atomic<bool> ended{false};
    std::mutex mutex;
    GroupTrouble trouble;
    const auto range = [&](std::int64_t begin, std::int64_t end) {
      GroupTrouble wrong = run_groups(launch.work, begin, end);
      if (wrong.what.empty()) return;
      const std::lock_guard lock(mutex);
      trouble = std::move(wrong);
      ended = true;
    };
    const auto piece = [&](std::size_t number, std::size_t thread) {
      const auto start = Clock::now();
      const auto i = static_cast<std::int64_t>(number);
      const std::int64_t begin = launch.groups * i / pieces, end = launch.groups * (i + 1) / pieces;
      if (polls) run_polling(begin, end, thread == 0, ended, range);
      if (!polls) range(begin, end);
      busy_ns.fetch_add(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count(),
                        std::memory_order_relaxed);
      return !ended;
    };
    if (pieces == 1) piece(0, 0);
    if (pieces > 1) parallel_for(static_cast<std::size_t>(pieces), threads, piece);
    if (!trouble.what.empty()) throw UsageError(fmt::format("kernel {}: {}", name_, trouble.what), trouble.hint);
    pace_.store(static_cast<double>(busy_ns.load()) / static_cast<double>(launch.items), std::memory_order_relaxed);
  }

  static constexpr double unknown = -1;

  Device& device_;
  std::shared_ptr<Tiers> tiers_;
  std::string name_;
  Compiled first_, kept_second_;
  std::atomic<const Compiled*> second_{nullptr};
  std::mutex mutex_;
  std::atomic<double> pace_{unknown};                                ///< nanoseconds a work-item, at the last launch
  std::atomic<std::int64_t> slow_ns_{0}, wait_from_ns_{10'000'000};  ///< time in the first code, and when to wait
};

/// Tells code where the functions of the library are.
void connect(const KernelCode& code) {
  if (void* place = code.find("overtake_host")) *static_cast<const HostFunctions**>(place) = &host_functions();
}

}  // namespace

Tiers::Tiers(std::unique_ptr<KernelCode> first) : first_(std::move(first)) { connect(*first_); }

void Tiers::adopt(std::unique_ptr<KernelCode> second) {
  connect(*second);
  adopted_ = std::move(second);
  second_.store(adopted_.get(), std::memory_order_release);
}

std::shared_ptr<void> Tiers::announce(const std::shared_ptr<Tiers>& tiers) {
  tiers->announced_at_ = platform::forks();
  return {nullptr, [program = std::weak_ptr(tiers)](void*) {
            const std::shared_ptr<Tiers> living = program.lock();
            if (living == nullptr) return;
            const std::lock_guard lock(living->mutex_);
            living->announced_at_ = -1;
            living->changed_.notify_all();
          }};
}

bool Tiers::wait_for_second(std::chrono::nanoseconds longest) {
  std::unique_lock lock(mutex_);
  if (announced_at_ != platform::forks()) return false;
  changed_.wait_for(lock, longest, [this] { return announced_at_ < 0; });
  return true;
}

std::unique_ptr<Kernel> make_kernel(Device& device, std::shared_ptr<Tiers> tiers, const std::string& name) {
  return std::make_unique<CpuKernel>(device, std::move(tiers), name);
}

}  // namespace overtake::backend::cpu
