// SPDX-License-Identifier: MIT
#include "terminal.hpp"

#include <fmt/format.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "overtake/data_file.hpp"
#include "overtake/error.hpp"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

overtake::StopToken interrupt_token;

extern "C" void on_signal(int) { interrupt_token.request(); }

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

void print(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) {
    throw overtake::DataError("cannot write to standard output: " + std::generic_category().message(errno),
                              "Check the file or pipe that standard output goes to.");
  }
}

// By way of a file: write_table() replaces the file that it is given as a whole, and standard output may be one that
// holds something already.
void print_table(const overtake::Table& table) {
  std::string folder = (std::filesystem::temp_directory_path() / "overtake-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    throw overtake::DataError("cannot write " + folder + ": " + std::generic_category().message(errno),
                              "Set TMPDIR to a folder that can be written, or give --out FILE.");
  }
  const struct Remover {
    const std::string& path;
    ~Remover() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  } remover{folder};
  const std::string path = folder + "/table.csv";
  overtake::write_table(path, table);
  std::ifstream file(path, std::ios::binary);
  std::string part(std::size_t{1} << 20, '\0');
  while (file.read(part.data(), static_cast<std::streamsize>(part.size())) || file.gcount() > 0) {
    print(std::string_view(part).substr(0, static_cast<std::size_t>(file.gcount())));
  }
}

void check_writable(const std::string& path) {
  if (!path.empty() && path != "-") {
    const overtake::AtomicFile probe(path);
  }
}

void write_output(const std::string& path, std::string_view text) {
  if (path == "-") {
    print(text);
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
  if (!interactive_) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  const auto width = static_cast<std::size_t>(terminal_width(STDERR_FILENO) - 1);
  std::fprintf(stderr, "\r\x1b[K%s", text.substr(0, width).c_str());
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
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return interrupt_token;
}

}  // namespace cli
