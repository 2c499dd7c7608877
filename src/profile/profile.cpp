// SPDX-License-Identifier: MIT
#include "profile/profile.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "backend/api/profiling.hpp"
#include "overtake/data/file.hpp"
#include "overtake/device/peak.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

ProfileEntry::Kind kind_of(backend::RecordKind kind) {
  switch (kind) {
    case backend::RecordKind::upload: return ProfileEntry::Kind::upload;
    case backend::RecordKind::download: return ProfileEntry::Kind::download;
    case backend::RecordKind::launch: break;
  }
  return ProfileEntry::Kind::launch;
}

/// Of the devices that the entries name. One that cannot be measured has none.
std::vector<profile::Peak> peaks_of(const std::vector<ProfileEntry>& entries) {
  std::vector<profile::Peak> peaks;
  for (const ProfileEntry& entry : entries) {
    const bool is_known =
        std::any_of(peaks.begin(), peaks.end(), [&](const profile::Peak& peak) { return peak.device == entry.device; });
    if (is_known) continue;
    peaks.push_back({entry.device});
    try {
      const Device device(entry.device);
      if (device.info().kind == DeviceKind::none) continue;
      const MeasuredPeak measured = kept_peak(device);
      peaks.back().gflops = measured.gflops;
      peaks.back().gbs = measured.gbs;
    } catch (const Error&) {  // the table is there without shares, too
    }
  }
  return peaks;
}

}  // namespace

class Profile::Impl final : public backend::ProfileListener {
 public:
  Impl() { backend::add_listener(*this); }
  ~Impl() override { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void on_record(const backend::ProfileRecord& record) override {
    if (is_paused_) return;
    const std::lock_guard lock(mutex_);
    entries_.push_back({kind_of(record.kind), record.device, record.name, record.kernel,
                        seconds_between(begin_, record.start), record.seconds, record.work.bytes_read,
                        record.work.bytes_written, record.work.operations});
  }
  void stop() noexcept {
    backend::remove_listener(*this);
    const std::lock_guard lock(mutex_);
    if (is_listening_) end_ = Clock::now();
    is_listening_ = false;
  }
  [[nodiscard]] std::vector<ProfileEntry> entries() const {
    const std::lock_guard lock(mutex_);
    return entries_;
  }
  [[nodiscard]] double seconds() const {
    const std::lock_guard lock(mutex_);
    return seconds_between(begin_, is_listening_ ? Clock::now() : end_);
  }
  /// While a device is measured for the table.
  void pause(bool value) noexcept { is_paused_ = value; }

 private:
  mutable std::mutex mutex_;
  std::vector<ProfileEntry> entries_;
  Clock::time_point begin_ = Clock::now(), end_;
  bool is_listening_ = true;
  std::atomic<bool> is_paused_{false};
};

Profile::Profile() : impl_(std::make_unique<Impl>()) {}
Profile::~Profile() = default;

void Profile::stop() { impl_->stop(); }
std::vector<ProfileEntry> Profile::entries() const { return impl_->entries(); }
double Profile::seconds() const { return impl_->seconds(); }

std::string Profile::to_string() const {
  const std::vector<ProfileEntry> all = entries();
  const double spent = seconds();
  impl_->pause(true);
  const std::vector<profile::Peak> peaks = peaks_of(all);
  impl_->pause(false);
  return profile::summary_text(all, spent, peaks);
}

std::string Profile::trace_json() const { return profile::trace_text(entries()); }

void Profile::write_trace(const std::filesystem::path& path) const { write_text_file(path, trace_json()); }

}  // namespace overtake
