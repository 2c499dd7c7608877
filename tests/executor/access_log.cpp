// SPDX-License-Identifier: MIT
#include "executor/access_log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace overtake::executor {
namespace {

constexpr std::size_t most_findings = 20;
constexpr std::uintptr_t word_bytes = sizeof(std::uint32_t);

}  // namespace

bool AccessLog::Makers::conflict(const Place& place) const noexcept {
  if (group == none) return false;
  if (group != place.group) return true;
  return epoch == place.epoch && item != place.item;
}

void AccessLog::Makers::add(const Place& place) noexcept {
  if (group == none || (group == place.group && epoch != place.epoch)) {
    *this = {place.group, place.item, place.epoch};
    return;
  }
  if (group != place.group) group = many;
  if (item != place.item) item = many;
}

void AccessLog::watch(const void* begin, std::size_t bytes, Memory memory, std::string name) {
  const auto first = reinterpret_cast<std::uintptr_t>(begin);
  const std::size_t count = (bytes + word_bytes - 1) / word_bytes;
  Range range{first, first + count * word_bytes, memory, std::move(name), std::vector<Word>(count)};
  const auto at = std::upper_bound(ranges_.begin(), ranges_.end(), first,
                                   [](std::uintptr_t address, const Range& other) { return address < other.begin; });
  ranges_.insert(at, std::move(range));
}

void AccessLog::forget(const void* begin) {
  const auto first = reinterpret_cast<std::uintptr_t>(begin);
  std::erase_if(ranges_, [first](const Range& range) { return range.begin == first; });
  last_ = 0;
}

void AccessLog::set_written(const void* begin, std::size_t bytes) {
  const auto first = reinterpret_cast<std::uintptr_t>(begin);
  Range* range = find(first);
  if (range == nullptr || bytes == 0) return;
  const std::size_t last = std::min((first + bytes - 1 - range->begin) / word_bytes, range->words.size() - 1);
  for (std::size_t i = (first - range->begin) / word_bytes; i <= last; ++i) range->words[i].is_written = true;
}

void AccessLog::begin_launch(std::string kernel) {
  kernel_ = std::move(kernel);
  ++launch_;
  running_ = true;
}

void AccessLog::end_launch() {
  settle();
  running_ = false;
}

void AccessLog::begin_group() {
  settle();
  ++group_;
}

AccessLog::Range* AccessLog::find(std::uintptr_t address) noexcept {
  if (last_ < ranges_.size() && address >= ranges_[last_].begin && address < ranges_[last_].end) return &ranges_[last_];
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                      [](std::uintptr_t at, const Range& range) { return at < range.begin; });
  if (after == ranges_.begin()) return nullptr;
  const auto range = after - 1;
  if (address >= range->end) return nullptr;
  last_ = static_cast<std::size_t>(range - ranges_.begin());
  return &*range;
}

void AccessLog::note(const void* address, std::size_t bytes, Access access, const Place& place) {
  if (!running_ || bytes == 0) return;
  if (!pending_.empty()) settle();
  const auto first = reinterpret_cast<std::uintptr_t>(address);
  Range* range = find(first);
  if (range == nullptr) return;
  const std::size_t last = (first + bytes - 1 - range->begin) / word_bytes;
  if (last >= range->words.size()) {
    report(fmt::format("{}: {} bytes at byte {} of {} reach beyond its end", kernel_, bytes, first - range->begin,
                       range->name));
    return;
  }
  for (std::size_t i = (first - range->begin) / word_bytes; i <= last; ++i) note_word(*range, i, access, place);
}

void AccessLog::note_word(Range& range, std::size_t index, Access access, const Place& place) {
  Word& word = range.words[index];
  const bool is_local = range.memory == Memory::local;
  const std::uint64_t round = is_local ? group_ : launch_;
  if (word.round != round) word = {round, {}, {}, {}, !is_local && word.is_written};
  if (access != Access::write && !word.is_written) {
    report(describe(range, index, "reads what nothing was written to", place, {}));
  }
  if (access == Access::write && word.written.conflict(place)) {
    const auto* at = reinterpret_cast<const std::uint32_t*>(range.begin + index * word_bytes);
    pending_.push_back({at, *at, describe(range, index, "writes another value", place, word.written)});
  } else if (access != Access::write && word.written.conflict(place)) {
    report(describe(range, index, access == Access::read ? "reads what is written" : "adds to what is written", place,
                    word.written));
  }
  if (access != Access::atomic && word.atomic.conflict(place)) {
    report(describe(range, index, "touches what atomic operations change", place, word.atomic));
  }
  if (access != Access::read && word.read.conflict(place)) {
    report(describe(range, index, "writes what is read", place, word.read));
  }
  switch (access) {
    case Access::read: word.read.add(place); break;
    case Access::write: word.written.add(place); break;
    case Access::atomic: word.atomic.add(place); break;
  }
  word.is_written |= access == Access::write;
}

void AccessLog::settle() {
  for (PendingWrite& pending : pending_) {
    if (*pending.address != pending.value) report(std::move(pending.finding));
  }
  pending_.clear();
}

void AccessLog::report(std::string finding) {
  if (findings_.size() < most_findings) findings_.push_back(std::move(finding));
}

std::string AccessLog::describe(const Range& range, std::size_t index, const char* what, const Place& place,
                                const Makers& other) const {
  std::string text = fmt::format("{}: work-item {} of group {} {}: word {} of {}", kernel_, place.item, place.group,
                                 what, index, range.name);
  if (other.group == Makers::none) return text;
  const auto one = [](std::int32_t who) {
    return who == Makers::many ? std::string("several") : fmt::format("{}", who);
  };
  return text + fmt::format(" (the other is work-item {} of group {})", one(other.item), one(other.group));
}

}  // namespace overtake::executor
