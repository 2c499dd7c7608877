// SPDX-License-Identifier: MIT
#include "platform/kept_state.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cfenv>
#include <clocale>
#include <csignal>
#include <cstddef>
#include <mutex>
#include <string>

#include "platform/file.hpp"

namespace overtake::platform {
namespace {

constexpr std::array watched{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD};

std::string locale_now() {
  const char* name = std::setlocale(LC_ALL, nullptr);  // NOLINT(concurrency-mt-unsafe): asks
  return name == nullptr ? "" : name;
}

mode_t mask_now() {
  const mode_t mask = ::umask(S_IRWXG | S_IRWXO);  // it can only be read by setting one
  ::umask(mask);
  return mask;
}

bool is_working_folder(int folder) {
  struct stat then {};
  struct stat now {};
  return ::fstat(folder, &then) == 0 && ::stat(".", &now) == 0 && then.st_dev == now.st_dev &&
         then.st_ino == now.st_ino;
}

bool same_action(const struct sigaction& a, const struct sigaction& b) {
  return a.sa_handler == b.sa_handler && a.sa_flags == b.sa_flags;
}

}  // namespace

struct KeptState::State {
  static std::mutex& only() {
    static std::mutex mutex;
    return mutex;
  }
  std::unique_lock<std::mutex> lock{only()};  // first: what the others read is nobody else's doing
  std::fenv_t arithmetic{};
  bool has_arithmetic = std::fegetenv(&arithmetic) == 0;
  File folder{::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  mode_t mask = mask_now();
  std::string locale = locale_now();
  std::array<struct sigaction, watched.size()> actions{};
};

KeptState::KeptState() : state_(std::make_unique<State>()) {
  for (std::size_t i = 0; i < watched.size(); ++i) (void)::sigaction(watched[i], nullptr, &state_->actions[i]);
}

KeptState::~KeptState() {
  for (std::size_t i = 0; i < watched.size(); ++i) {
    struct sigaction now {};
    if (::sigaction(watched[i], nullptr, &now) == 0 && !same_action(now, state_->actions[i]))
      (void)::sigaction(watched[i], &state_->actions[i], nullptr);
  }
  if (state_->folder.is_open() && !is_working_folder(state_->folder.descriptor()))
    (void)::fchdir(state_->folder.descriptor());
  ::umask(state_->mask);
  if (locale_now() != state_->locale)
    (void)std::setlocale(LC_ALL, state_->locale.c_str());  // NOLINT(concurrency-mt-unsafe): a driver did so, too
  if (state_->has_arithmetic) (void)std::fesetenv(&state_->arithmetic);
}

}  // namespace overtake::platform
