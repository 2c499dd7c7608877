// SPDX-License-Identifier: MIT
#include "core/polling.hpp"

#include <utility>

namespace overtake {
namespace {

constexpr auto between = std::chrono::milliseconds(50);

thread_local Polling* here = nullptr;

}  // namespace

Polling::Polling(Ask ask) noexcept : ask_(ask), outer_(std::exchange(here, this)) {}

Polling::~Polling() { here = outer_; }

bool Polling::is_on() noexcept { return here != nullptr && here->ask_ != nullptr; }

bool Polling::is_asking() noexcept {
  for (const Polling* each = here; each != nullptr; each = each->outer_) {
    if (each->is_asking_) return true;
  }
  return false;
}

struct Polling::Asking {
  explicit Asking(Polling& polling) : asked(polling) { asked.is_asking_ = true; }
  ~Asking() { asked.is_asking_ = false; }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  Polling& asked;
};

void Polling::poll() {
  Polling* own = here;
  if (own == nullptr || own->ask_ == nullptr || own->is_asking_) return;
  const auto now = std::chrono::steady_clock::now();
  if (own->next_ == std::chrono::steady_clock::time_point()) own->next_ = now + between;
  if (now < own->next_) return;
  const Asking asking(*own);
  own->ask_();
  own->next_ = std::chrono::steady_clock::now() + between;
}

}  // namespace overtake
