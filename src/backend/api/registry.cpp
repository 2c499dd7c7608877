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

/// The devices of this process by their full names.
class OpenedDevices {
 public:
  struct Entry {
    std::mutex opening;
    std::unique_ptr<Device> device;
  };
  Entry& of(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return entries_[name];  // stays where it is
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

struct DeviceName {
  std::string backend;
  int index = 0;
};

DeviceName parse(std::string_view id) {
  const std::size_t colon = id.find(':');
  DeviceName name{std::string(id.substr(0, colon)), 0};
  if (colon != std::string_view::npos) {
    const std::string_view digits = id.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), name.index);
    if (error != std::errc() || end != digits.data() + digits.size() || name.index < 0) name.backend.clear();
  }
  return name;
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

}  // namespace

Registration::Registration(int order, Backend& backend) {
  Registry& known = registry();
  known.ordered.emplace_back(order, &backend);
  std::sort(known.ordered.begin(), known.ordered.end());
  known.list.clear();
  for (const auto& entry : known.ordered) known.list.push_back(entry.second);
}

std::span<Backend* const> backends() { return registry().list; }

Device& open_device(std::string_view id) {
  // Never destroyed: vendor libraries may already be gone when static destructors run. Opening takes a lock of the
  // device's own, so that no device waits until another has started.
  static auto& opened = *std::make_unique<OpenedDevices>().release();

  const DeviceName name = parse(id);
  const auto all = backends();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Backend* b) { return b->name() == name.backend; });
  if (found == all.end()) {
    throw UsageError(fmt::format("unknown device '{}'", id), hint_for(std::string(id.substr(0, id.find(':')))));
  }
  OpenedDevices::Entry& entry = opened.of(fmt::format("{}:{}", name.backend, name.index));
  const std::lock_guard lock(entry.opening);
  if (!entry.device) entry.device = (*found)->open(name.index);
  return *entry.device;
}

}  // namespace overtake::backend
