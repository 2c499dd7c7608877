// SPDX-License-Identifier: MIT
#include "output/trial_watch.hpp"

#include <fmt/format.h>

#include "system.hpp"

namespace cli {

void TrialWatch::on_trial(const std::string& subject) {
  begin_ = std::chrono::steady_clock::now();
  announcement_ = fmt::format("{}: first use of this driver: it is tried in a process of its own, once\n", subject);
  now_.clear();
}

void TrialWatch::on_wait(const std::string& subject, const std::string& lock) {
  now_ = fmt::format("{}: waiting for another process that tries drivers (it holds {})", subject, lock);
}

void TrialWatch::on_check(const std::string& subject, const std::string& check) {
  now_ = fmt::format("{}: trying its driver: {}", subject, check);
}

void TrialWatch::on_verdict(const std::string& /*subject*/, const std::string& /*trouble*/) { progress_.reset(); }

void TrialWatch::on_not_kept(const std::string& subject, const std::string& folder) {
  if (said_not_kept_) return;
  said_not_kept_ = true;
  print_error(fmt::format("{}: the result of its trial cannot be kept in {}: every start tries the driver again\n",
                          subject, folder));
}

void TrialWatch::on_untried(const std::string& subject, const std::string& why) {
  progress_.reset();
  if (said_untried_) return;
  said_untried_ = true;
  print_error(fmt::format("{}: its driver was not tried before use: {}\n", subject, why));
}

bool TrialWatch::stop() {
  stopped_ = system::is_interrupted();
  if (stopped_) {
    progress_.reset();
    return true;
  }
  if (std::chrono::steady_clock::now() - begin_ < std::chrono::seconds(1)) return false;
  if (!announcement_.empty()) {
    print_error(announcement_);
    announcement_.clear();
    progress_ = std::make_unique<ProgressLine>();
  }
  if (progress_ && !now_.empty() && system::is_terminal(system::errors)) progress_->update(now_);
  return false;
}

}  // namespace cli
