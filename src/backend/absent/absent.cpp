// SPDX-License-Identifier: MIT
#include "backend/absent/absent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "backend/api/details.hpp"
#include "backend/api/registry.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::absent {
namespace {

/// The names of the backends left out, each followed by a comma; the build knows them.
constexpr std::string_view left_out = OVERTAKE_LEFT_OUT;

std::vector<std::unique_ptr<AbsentBackend>> make_backends() {
  std::vector<std::unique_ptr<AbsentBackend>> made;
  for (std::size_t begin = 0; begin < left_out.size();) {
    const std::size_t end = left_out.find(',', begin);
    made.push_back(std::make_unique<AbsentBackend>(std::string(left_out.substr(begin, end - begin))));
    begin = end + 1;
  }
  return made;
}

std::vector<Registration> register_all(const std::vector<std::unique_ptr<AbsentBackend>>& made) {
  constexpr int after_the_usable_ones = 50;
  std::vector<Registration> registered;
  registered.reserve(made.size());
  for (const auto& backend : made) registered.emplace_back(after_the_usable_ones, *backend);
  return registered;
}

const std::vector<std::unique_ptr<AbsentBackend>> instances = make_backends();
const std::vector<Registration> registrations = register_all(instances);

}  // namespace

AbsentBackend::AbsentBackend(std::string name) {
  std::string option = name;
  std::transform(option.begin(), option.end(), option.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
  info_.usable = false;
  info_.reason = fmt::format("this build has no {} backend", name);
  info_.hint = fmt::format("Configure with -DOVERTAKE_{}=ON{} and build again, or choose another device.", option,
                           name == "opencl" ? " where the opencl headers are installed" : "");
  info_.id = info_.name = name;
  info_.backend = std::move(name);
}

BackendDetails AbsentBackend::details() {
  return {{}, {{"not-built", Severity::note, info_.id, info_.reason, "", info_.hint}}};
}

std::unique_ptr<Device> AbsentBackend::open(int) {
  throw DeviceError(fmt::format("{}: {}", info_.id, info_.reason), info_.hint);
}

}  // namespace overtake::backend::absent
