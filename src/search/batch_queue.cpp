// SPDX-License-Identifier: MIT
#include "search/batch_queue.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace overtake::search_detail {
namespace {

/// A batch is what a stopped or killed search repeats, and each costs a GPU its latency anew.
constexpr double most_seconds = 2, least_seconds = 0.25;
/// Batches that are shorter than so many latencies waste more than an eighth of their time.
constexpr double short_latencies = 8;

void join(Batch& batch, Batch&& more) {
  batch.jobs.insert(batch.jobs.end(), more.jobs.begin(), more.jobs.end());
  batch.models += more.models;
  batch.bytes += more.bytes;
  batch.work += more.work;
}

}  // namespace

BatchQueue::BatchQueue(const std::vector<Batch>& batches, Paces predicted, Latencies latencies)
    : left_(batches.begin(), batches.end()), predicted_(predicted), latencies_(latencies), sides_() {
  // What has no work of its own counts as a little, so that no pace is 0.
  for (Batch& batch : left_) batch.work = std::max(batch.work, 1e-9);
  for (double& pace : predicted_) pace = std::max(pace, 1e-9);
  std::stable_sort(left_.begin(), left_.end(), [](const Batch& a, const Batch& b) { return a.work > b.work; });
  for (const Batch& batch : left_) left_work_ += batch.work;
}

/// One that was not measured yet is off as far as the other was; one that is overdue is slower than it was thought.
double BatchQueue::pace(std::size_t device, double now) const {
  const Side& side = sides_[device];
  const Side& other = sides_[1 - device];
  double pace = predicted_[device];
  if (side.measured > 0) {
    pace = side.measured;
  } else if (other.measured > 0) {
    pace *= other.measured / predicted_[1 - device];
  }
  const double ran = now - side.since - latencies_[device];
  return side.work > 0 && ran > 0 ? std::min(pace, side.work / ran) : pace;
}

double BatchQueue::busy_seconds(std::size_t device, double now) const {
  const Side& side = sides_[device];
  return side.work > 0 ? std::max(0.0, latencies_[device] + side.work / pace(device, now) - (now - side.since)) : 0;
}

double BatchQueue::even_share(std::size_t device, double work, double now) const {
  const std::size_t other = 1 - device;
  const double mine = pace(device, now), others = pace(other, now);
  const double ahead = latencies_[device] > 0 ? busy_seconds(other, now) + latencies_[other] - latencies_[device] : 0;
  return std::clamp((work / others + ahead) * mine * others / (mine + others), 0.0, work);
}

double BatchQueue::largest(std::size_t device, double work, double now) const {
  const double mine = pace(device, now), latency = latencies_[device];
  const double share = even_share(device, work, now);
  // Half of what is short would only be another batch's latency later.
  const bool is_short = share < short_latencies * latency * mine;
  // A prediction is not trusted with more than a short batch.
  const double longest =
      std::max(sides_[device].measured > 0 ? most_seconds : least_seconds, short_latencies * latency);
  return std::clamp(is_short ? share : share / 2, least_seconds * mine, longest * mine);
}

std::optional<Batch> BatchQueue::take(std::size_t device, double now) {
  if (left_.empty()) return std::nullopt;
  const std::size_t other = 1 - device;
  const double mine = pace(device, now);
  const double others = pace(other, now);
  const double busy = busy_seconds(other, now);
  const bool is_faster = mine > others || (mine == others && device == main_device);
  // True where the other device is done with all of the rest before this one is with `work`.
  const auto is_late = [&](double work, double rest) {
    const double later = rest > 0 ? latencies_[other] + rest / others : 0;
    return latencies_[device] + work / mine > busy + later;
  };
  std::size_t at = is_faster ? 0 : left_.size() - 1;
  // Of two that wait for work never both are late.
  if ((!is_faster || latencies_[device] > 0) && is_late(left_[at].work, left_work_)) return std::nullopt;
  const double most = largest(device, left_work_, now);
  const auto remove = [&] {
    Batch batch = std::move(left_[at]);
    left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(at));
    left_work_ = left_.empty() ? 0 : left_work_ - batch.work;
    return batch;
  };
  Batch taken = remove();
  // Removing moves what comes behind to its place; towards the front the place itself moves.
  if (!is_faster) --at;
  while (at < left_.size()) {
    const double together = taken.work + left_[at].work;
    const bool fits = together <= most && !is_late(together, left_work_ - left_[at].work);
    if (left_[at].kind == taken.kind && fits) {
      join(taken, remove());
      if (!is_faster) --at;
    } else {
      at += is_faster ? 1 : static_cast<std::size_t>(-1);  // below 0 it is beyond the end
    }
  }
  std::sort(taken.jobs.begin(), taken.jobs.end(),
            [](const Job& a, const Job& b) { return std::tie(a.candidate, a.fold) < std::tie(b.candidate, b.fold); });
  sides_[device].work = taken.work;
  sides_[device].since = now;
  return taken;
}

void BatchQueue::done(std::size_t device, double now) {
  Side& side = sides_[device];
  const double ran = now - side.since;
  side.measured = side.work / std::max({ran - latencies_[device], ran / short_latencies, 1e-6});
  side.work = 0;
}

}  // namespace overtake::search_detail
