// SPDX-License-Identifier: MIT
#include "backend/api/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>

#include "core/nearest.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

struct Registry {
  std::vector<std::pair<int, Backend*>> ordered;
  std::vector<Backend*> list;
};

Registry& registry() {
  static Registry instance;  // built on first use: registrations run before main in any order
  return instance;
}

/// What was opened before a fork is no device of the child.
bool is_of_this_process(Backend& backend) {
  try {
    backend.claim_driver();
    return true;
  } catch (const DeviceError&) {
    return false;
  }
}

/// The devices of this process by their full names.
class OpenedDevices {
 public:
  struct Entry {
    std::mutex opening;
    std::unique_ptr<Device> device;
    Backend* backend = nullptr;  // of the device
  };
  Entry& of(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return entries_[name];  // stays where it is
  }
  [[nodiscard]] std::vector<Device*> list() {
    std::vector<Entry*> entries;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [name, entry] : entries_) entries.push_back(&entry);
    }
    std::vector<Device*> all;
    for (Entry* entry : entries) {
      const std::lock_guard lock(entry->opening);
      if (entry->device && is_of_this_process(*entry->backend)) all.push_back(entry->device.get());
    }
    return all;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

// Never destroyed: vendor libraries may already be gone when static destructors run.
OpenedDevices& opened() {
  static auto& all = *std::make_unique<OpenedDevices>().release();
  return all;
}

std::string hint_for(const std::string& unknown) {
  std::vector<std::string> names;
  for (const Backend* backend : backends()) {
    if (backend->name() != "null") names.emplace_back(backend->name());  // for tests: it computes nothing
  }
  const std::string near = nearest(unknown, names);
  return fmt::format("{}The devices are: {}; a number chooses one of several, as in cuda:1.",
                     near.empty() ? "" : fmt::format("Did you mean {}? ", near), fmt::join(names, ", "));
}

/// Nothing for what is no whole number from 0.
std::optional<int> parse_index(std::string_view digits) {
  int index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc() || end != digits.data() + digits.size() || index < 0) return std::nullopt;
  return index;
}

}  // namespace

Registration::Registration(int order, Backend& backend) {
  Registry& known = registry();
  known.ordered.emplace_back(order, &backend);
  std::sort(known.ordered.begin(), known.ordered.end());
  known.list.clear();
  for (const auto& entry : known.ordered) known.list.push_back(entry.second);
}

std::span<Backend* const> backends() { return registry().list; }

DeviceName parse_device(std::string_view id) {
  const std::size_t colon = id.find(':');
  const std::string name(id.substr(0, colon));
  DeviceName result;
  const auto all = backends();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Backend* b) { return b->name() == name; });
  if (found != all.end()) result.backend = *found;
  if (colon != std::string_view::npos) result.index = parse_index(id.substr(colon + 1));
  if (result.backend == nullptr || (colon != std::string_view::npos && !result.index)) {
    throw UsageError(fmt::format("unknown device '{}'", id), hint_for(name));
  }
  return result;
}

Device& open_device(std::string_view id) {
  const DeviceName name = parse_device(id);
  name.backend->claim_driver();  // what was opened before a fork is no device of the child
  const int index = name.index.value_or(0);
  // Opening takes a lock of the device's own, so that no device waits until another has started.
  OpenedDevices::Entry& entry = opened().of(fmt::format("{}:{}", name.backend->name(), index));
  const std::lock_guard lock(entry.opening);
  entry.backend = name.backend;
  if (!entry.device) entry.device = name.backend->open(index);
  return *entry.device;
}

std::vector<Device*> opened_devices() { return opened().list(); }

}  // namespace overtake::backend
