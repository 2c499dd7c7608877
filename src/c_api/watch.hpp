// SPDX-License-Identifier: MIT
// Who watches long work, in C and in C++.
#pragma once

#include <limits>
#include <string>

#include "c_api/handles.hpp"
#include "overtake/doctor.hpp"
#include "overtake/progress.hpp"
#include "overtake/search/search.hpp"

namespace overtake::c_api {

/// An overtake_watch, which may be null, as the observer that each kind of work tells.
class Watch final : public ProgressObserver, public SearchObserver, public DoctorObserver {
 public:
  explicit Watch(const overtake_watch* watch) : watch_(watch != nullptr ? *watch : overtake_watch{}) {}

  void on_progress(const Progress& now) override { tell(now, std::numeric_limits<double>::quiet_NaN()); }
  void on_progress(const SearchProgress& now) override { tell(now, now.best_score); }
  void on_step(const std::string& what) override {
    Progress now;
    now.what = what;
    on_progress(now);
  }

  [[nodiscard]] const StopToken* stop() const noexcept {
    return watch_.stop != nullptr ? &watch_.stop->token : nullptr;
  }

 private:
  void tell(const Progress& now, double best_score) const {
    if (watch_.on_progress == nullptr) return;
    const overtake_progress told{now.done, now.total, now.seconds, now.seconds_left, best_score, now.what.c_str()};
    watch_.on_progress(watch_.context, &told);
  }

  overtake_watch watch_;
};

}  // namespace overtake::c_api
