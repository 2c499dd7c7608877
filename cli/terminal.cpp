// SPDX-License-Identifier: MIT
#include "terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <system_error>

#include "outputs.hpp"
#include "overtake/data_file.hpp"
#include "overtake/error.hpp"
#include "overtake/text.hpp"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

overtake::StopToken interrupt_token;

/// The second signal, of whatever kind, ends the process as it does programs that know nothing of it.
extern "C" void on_signal(int number) {
  if (interrupt_token.requested()) {
    std::signal(number, SIG_DFL);
    static_cast<void>(std::raise(number));
  }
  interrupt_token.request();
}

/// Returns errno, or 0. Whoever shares the stream may have set it not to block, and then a full pipe is waited for.
int write_to_standard_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(STDOUT_FILENO, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd room{STDOUT_FILENO, POLLOUT, 0};
      static_cast<void>(poll(&room, 1, -1));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

int terminal_width(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return 80;
}

}  // namespace

Terminal standard_output() {
  Terminal terminal;
  terminal.interactive = isatty(STDOUT_FILENO) == 1;
  terminal.width = terminal.interactive ? terminal_width(STDOUT_FILENO) : 0;
  std::setlocale(LC_CTYPE, "");
  terminal.unicode = std::string_view(nl_langinfo(CODESET)) == "UTF-8";
  return terminal;
}

void guard_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) < 0) {
      // The lowest free number, which is this one. Reading it and writing results to it fail; messages may be lost.
      static_cast<void>(open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY));
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void print_error(std::string_view text) { print_fixed_error(overtake::text::printable(text)); }

void print_fixed_error(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  static_cast<void>(std::fflush(stderr));
}

void print(std::string_view text) { print_drawing(overtake::text::printable(text)); }

void print_drawing(std::string_view text) {
  const int error = write_to_standard_output(text);
  if (error == 0) {
    return;
  }
  const bool closed = error == EPIPE;
  throw overtake::DataError("cannot write to standard output: " + (closed ? "its reader closed it before the end"
                                                                          : std::generic_category().message(error)),
                            closed ? "Let the reading program take everything, or write to a file."
                                   : "Check the file or pipe that standard output goes to.");
}

// By its name, which AtomicFile knows: what standard output holds already stays.
void print_table(const overtake::Table& table) {
  if (isatty(STDOUT_FILENO) == 0) {
    overtake::write_table("/dev/stdout", table);
    return;
  }
  overtake::Table shown = table;
  for (overtake::Column& column : shown.columns) {
    column.name = overtake::text::printable_line(column.name);
    for (std::string& word : column.categories) {
      word = overtake::text::printable_line(word);
    }
  }
  overtake::write_table("/dev/stdout", shown);
}

void write_output(const std::string& path, std::string_view text) {
  if (is_standard_output(path)) {
    if (isatty(STDOUT_FILENO) == 1) {
      print(text);
    } else {
      print_drawing(text);
    }
  } else {
    overtake::write_text_file(path, text);
  }
}

Progress::Progress() : interactive_(isatty(STDERR_FILENO) == 1), last_(Clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::update(const std::string& text) {
  const double pause = interactive_ ? 0.1 : 5.0;
  const auto now = Clock::now();
  if (std::chrono::duration<double>(now - last_).count() < pause) {
    return;
  }
  last_ = now;
  const std::string shown = overtake::text::printable_line(text);
  if (!interactive_) {
    std::fprintf(stderr, "%s\n", shown.c_str());
    return;
  }
  const auto width = static_cast<std::size_t>(terminal_width(STDERR_FILENO) - 1);
  std::fprintf(stderr, "\r\x1b[K%s", shown.substr(0, width).c_str());
  std::fflush(stderr);
  shown_ = true;
}

void Progress::clear() {
  if (shown_) {
    std::fprintf(stderr, "\r\x1b[K");
    std::fflush(stderr);
    shown_ = false;
  }
}

overtake::StopToken& stop_on_interrupt() {
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

}  // namespace cli
