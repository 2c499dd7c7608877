// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "output/terminal.hpp"
#include "overtake/device/driver_trial.hpp"

namespace cli {

/// Says on standard error that a driver is used for the first time, where that takes a second or more, and what is
/// tried of it; ends the trial at Ctrl-C.
class TrialWatch : public overtake::TrialObserver {
 public:
  void on_trial(const std::string& subject) override;
  void on_wait(const std::string& subject, const std::string& lock) override;
  void on_check(const std::string& subject, const std::string& check) override;
  void on_verdict(const std::string& subject, const std::string& trouble) override;
  void on_not_kept(const std::string& subject, const std::string& folder) override;
  void on_untried(const std::string& subject, const std::string& why) override;
  bool stop() override;

  /// A trial was ended by Ctrl-C.
  [[nodiscard]] bool was_stopped() const noexcept { return stopped_; }

 private:
  std::string announcement_;  // empty once it was made
  std::string now_;           // what is tried
  std::chrono::steady_clock::time_point begin_;
  std::unique_ptr<ProgressLine> progress_;
  bool said_untried_ = false;
  bool said_not_kept_ = false;
  bool stopped_ = false;
};

}  // namespace cli
