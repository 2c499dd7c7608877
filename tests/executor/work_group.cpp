// SPDX-License-Identifier: MIT
#include "executor/work_group.hpp"

#include <fmt/format.h>
#include <ucontext.h>

#include <algorithm>
#include <vector>

namespace overtake::executor {
namespace {

constexpr std::size_t stack_bytes = std::size_t{128} << 10;
WorkGroup* running = nullptr;  // makecontext hands no pointer to where a fiber starts

}  // namespace

struct WorkGroup::Fiber {
  enum class State : std::uint8_t { ready, waiting, ended } state = State::ended;
  int line = 0;  ///< of the barrier that it waits at
  ucontext_t context{};
  std::unique_ptr<std::byte[]> stack;
};

struct WorkGroup::Host {
  ucontext_t context{};
};

WorkGroup::WorkGroup(std::uint64_t seed) : random_(seed), host_(std::make_unique<Host>()) {}
WorkGroup::~WorkGroup() = default;

void WorkGroup::enter() {
  WorkGroup& group = *running;
  Fiber& fiber = group.fibers_[group.current_];
  (*group.body_)();
  fiber.state = Fiber::State::ended;
  swapcontext(&fiber.context, &group.host_->context);
}

std::string WorkGroup::run(std::int32_t items, const std::function<void()>& body) {
  if (items > capacity_) {
    fibers_ = std::make_unique<Fiber[]>(static_cast<std::size_t>(items));
    for (std::int32_t i = 0; i < items; ++i) fibers_[i].stack = std::make_unique<std::byte[]>(stack_bytes);
    capacity_ = items;
  }
  body_ = &body;
  running = this;
  epoch_ = 0;
  std::vector<std::int32_t> ready;
  for (std::int32_t i = 0; i < items; ++i) {
    Fiber& fiber = fibers_[i];
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = stack_bytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, &WorkGroup::enter, 0);
    fiber.state = Fiber::State::ready;
    ready.push_back(i);
  }
  for (;;) {
    while (!ready.empty()) {
      const std::size_t at = random_() % ready.size();
      current_ = ready[at];
      swapcontext(&host_->context, &fibers_[current_].context);
      if (fibers_[current_].state == Fiber::State::ready) continue;
      ready[at] = ready.back();
      ready.pop_back();
    }
    current_ = -1;
    const auto ended = std::count_if(fibers_.get(), fibers_.get() + items,
                                     [](const Fiber& fiber) { return fiber.state == Fiber::State::ended; });
    if (ended == items) return {};
    if (std::string wrong = pass_barrier(items); !wrong.empty()) return wrong;
    for (std::int32_t i = 0; i < items; ++i) ready.push_back(i);
  }
}

std::string WorkGroup::pass_barrier(std::int32_t items) {
  for (std::int32_t i = 0; i < items; ++i) {
    if (fibers_[i].state == Fiber::State::ended) {
      return fmt::format("work-item {} ended where others wait at a barrier", i);
    }
    if (fibers_[i].line != fibers_[0].line) {
      return fmt::format("work-item 0 waits at the barrier of line {}, work-item {} at that of line {}",
                         fibers_[0].line, i, fibers_[i].line);
    }
  }
  for (std::int32_t i = 0; i < items; ++i) fibers_[i].state = Fiber::State::ready;
  ++epoch_;
  return {};
}

void WorkGroup::synchronise(int line) {
  Fiber& fiber = fibers_[current_];
  fiber.state = Fiber::State::waiting;
  fiber.line = line;
  swapcontext(&fiber.context, &host_->context);
}

void WorkGroup::maybe_yield() {
  if (random_() % 8 != 0) return;
  swapcontext(&fibers_[current_].context, &host_->context);
}

}  // namespace overtake::executor
