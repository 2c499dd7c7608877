// SPDX-License-Identifier: MIT
#include "system.hpp"

#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <csignal>

namespace cli::system {
namespace {

static_assert(output == STDOUT_FILENO && errors == STDERR_FILENO);

overtake::StopToken interrupt_token;

/// What the first signal says at once; empty: nothing. Complete before the handler is there.
std::string_view notice;

/// The second signal, of whatever kind, ends the process as it does programs that know nothing of it.
extern "C" void on_signal(int number) {
  if (interrupt_token.requested()) {
    std::signal(number, SIG_DFL);
    static_cast<void>(std::raise(number));
  }
  interrupt_token.request();
  const int error = errno;  // of whatever was interrupted
  if (!notice.empty()) static_cast<void>(!write(STDERR_FILENO, notice.data(), notice.size()));
  errno = error;
}

FoundFile found(const struct stat& status) {
  return {{static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)},
          S_ISCHR(status.st_mode)};
}

}  // namespace

bool is_terminal(int stream) { return isatty(stream) == 1; }

int terminal_width(int stream) {
  winsize size{};
  if (ioctl(stream, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

bool locale_is_utf8() {
  std::setlocale(LC_CTYPE, "");
  return std::string_view(nl_langinfo(CODESET)) == "UTF-8";
}

void guard_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (fcntl(stream, F_GETFD) < 0) {
      // The lowest free number, which is this one. Reading it and writing results to it fail; messages may be lost.
      static_cast<void>(open("/dev/null", stream == STDOUT_FILENO ? O_RDONLY : O_WRONLY));
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

// Whoever shares the stream may have set it not to block, and then a full pipe is waited for.
std::error_code write_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(STDOUT_FILENO, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd room{STDOUT_FILENO, POLLOUT, 0};
      static_cast<void>(poll(&room, 1, -1));
    } else if (errno != EINTR) {
      return {errno, std::generic_category()};
    }
  }
  return {};
}

overtake::StopToken& stop_on_interrupt(std::string_view said) {
  notice = said;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;  // what is being read or written goes on; the token is asked in between
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) {  // nohup
    sigaction(SIGHUP, &action, nullptr);
  }
  return interrupt_token;
}

bool is_interrupted() noexcept { return interrupt_token.requested(); }

std::optional<FoundFile> find_file(int stream) {
  struct stat status {};
  return fstat(stream, &status) == 0 ? std::optional(found(status)) : std::nullopt;
}

std::optional<FoundFile> find_file(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? std::optional(found(status)) : std::nullopt;
}

}  // namespace cli::system
