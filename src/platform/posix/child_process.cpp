// SPDX-License-Identifier: MIT
#include "platform/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <system_error>
#include <utility>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "platform/file.hpp"

namespace overtake::platform {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void refuse(int error, const char* what) { throw std::system_error(error, std::generic_category(), what); }

struct Pipe {
  File from, into;
};

/// A pipe whose ends are out of the way of the numbers that the child uses.
Pipe make_pipe() {
  constexpr int first_free = 10;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) refuse(errno, "pipe");
  const File low_from(ends[0]);
  const File low_into(ends[1]);
  Pipe pipe;
  pipe.from = File(::fcntl(ends[0], F_DUPFD_CLOEXEC, first_free));
  pipe.into = File(::fcntl(ends[1], F_DUPFD_CLOEXEC, first_free));
  // A limit below first_free makes that number an invalid argument.
  if (!pipe.from.is_open() || !pipe.into.is_open()) refuse(errno == EINVAL ? EMFILE : errno, "pipe");
  // A child that hangs must not hang its reader.
  (void)::fcntl(pipe.from.descriptor(), F_SETFL, O_NONBLOCK);
  return pipe;
}

/// Cuts what arrives into lines. A line that has no end is cut where it is too long to be meant for people.
class LineReader {
 public:
  explicit LineReader(File from) : from_(std::move(from)) {}

  [[nodiscard]] int number() const noexcept { return from_.descriptor(); }

  /// Takes what there is now.
  template <typename Take>
  void read(const Take& take) {
    constexpr std::size_t longest = 4096;
    std::array<char, 4096> block{};
    while (from_.is_open()) {
      const ssize_t count = ::read(from_.descriptor(), block.data(), block.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) {
        from_ = File();
        break;
      }
      for (const char c : std::string_view(block.data(), static_cast<std::size_t>(count))) {
        if (c != '\n' && line_.size() < longest) {
          line_ += c;
          continue;
        }
        take(std::string_view(line_));
        line_.clear();
      }
    }
    if (!line_.empty()) take(std::string_view(line_));
    line_.clear();
  }

 private:
  File from_;
  std::string line_;
};

/// What posix_spawn is told, as owned objects.
class SpawnSettings {
 public:
  SpawnSettings(int errors, int reports) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, reports, report_descriptor);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    posix_spawn_file_actions_addclosefrom_np(&actions_, report_descriptor + 1);
#endif
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const noexcept { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const noexcept { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t start(const ChildCommand& command, int errors, int reports) {
  // Where fork and exec are emulated (qemu-user), posix_spawn does not say that there is no program.
  if (::access(command.program.c_str(), X_OK) != 0) refuse(errno, command.program.c_str());
  std::vector<std::string> arguments = command.arguments;
  arguments.insert(arguments.begin(), command.program.string());
  std::vector<std::string> environment = command.environment;
  const std::vector<char*> argument_pointers = pointers_to(arguments);
  const std::vector<char*> environment_pointers = pointers_to(environment);
  const SpawnSettings settings(errors, reports);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, command.program.c_str(), settings.actions(), settings.attributes(),
                                  argument_pointers.data(), environment_pointers.data());
  if (error != 0) {
    // What is given to it in place of standard input and output may be what is not there, in a root without /dev.
    if (::access("/dev/null", R_OK | W_OK) != 0) refuse(errno, "/dev/null");
    refuse(error, command.program.c_str());
  }
  return child;
}

/// A started child, killed with its group and waited for, whatever happens here.
class Child {
 public:
  explicit Child(pid_t number) noexcept : number_(number) {}
  ~Child() { (void)end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// True once it has ended, by itself or not; it still bears its number then.
  [[nodiscard]] bool has_ended() const noexcept {
    siginfo_t info{};
    const int error = ::waitid(P_PID, static_cast<id_t>(number_), &info, WEXITED | WNOHANG | WNOWAIT);
    return error != 0 ? errno != EINTR : info.si_pid != 0;
  }

  /// Kills what is left of its group, and waits. Gives the status of waitpid, or nothing where this process has the
  /// system forget its children (SIGCHLD is ignored).
  std::optional<int> end() noexcept {
    if (number_ == 0) return std::nullopt;
    (void)::kill(-number_, SIGKILL);
    (void)::kill(number_, SIGKILL);  // it may not be the head of its group yet, where posix_spawn is emulated
    int status = 0;
    pid_t waited = 0;
    do {
      waited = ::waitpid(number_, &status, 0);
    } while (waited < 0 && errno == EINTR);
    number_ = 0;
    if (waited < 0) return std::nullopt;
    return status;
  }

 private:
  pid_t number_ = 0;
};

std::string signal_name(int number) {
  static constexpr std::pair<int, const char*> names[] = {
      {SIGABRT, "SIGABRT"}, {SIGSEGV, "SIGSEGV"}, {SIGILL, "SIGILL"},   {SIGFPE, "SIGFPE"},   {SIGBUS, "SIGBUS"},
      {SIGTRAP, "SIGTRAP"}, {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"},   {SIGPIPE, "SIGPIPE"}, {SIGSYS, "SIGSYS"},
      {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"}, {SIGHUP, "SIGHUP"},   {SIGKILL, "SIGKILL"}, {SIGQUIT, "SIGQUIT"},
      {SIGALRM, "SIGALRM"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"},
  };
  for (const auto& [value, name] : names) {
    if (value == number) return name;
  }
  return fmt::format("signal {}", number);
}

/// What the status of waitpid says.
void read_status(int status, ChildEnd& end) {
  if (!WIFSIGNALED(status)) {
    end.code = WEXITSTATUS(status);
    return;
  }
  // Those that a process does not send itself, or that are limits of who started it.
  constexpr std::array from_outside{SIGKILL, SIGTERM, SIGINT,  SIGHUP,  SIGQUIT, SIGALRM,
                                    SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ, SIGPROF, SIGVTALRM};
  const bool destroyed = std::find(from_outside.begin(), from_outside.end(), WTERMSIG(status)) != from_outside.end();
  end.kind = destroyed ? ChildEnd::Kind::destroyed : ChildEnd::Kind::crashed;
  end.signal = signal_name(WTERMSIG(status));
}

}  // namespace

ChildEnd run_child(const ChildCommand& command, std::chrono::milliseconds timeout,
                   const std::function<void(std::string_view)>& on_line, const std::function<bool()>& stop) {
  constexpr int pause_ms = 100;
  constexpr int end_pause_ms = 2;  // all is closed: it is about to end
  Pipe errors = make_pipe();
  Pipe reports = make_pipe();
  auto last = Clock::now() + timeout;
  const int for_errors = (command.errors_are_reports ? reports : errors).into.descriptor();
  Child child(start(command, for_errors, reports.into.descriptor()));
  errors.into = File();  // closed here, so that its end is seen when the child ends
  reports.into = File();

  ChildEnd end;
  LineReader error_lines(std::move(errors.from));
  LineReader report_lines(std::move(reports.from));
  const auto read_all = [&] {
    report_lines.read([&](std::string_view line) {
      last = Clock::now() + timeout;
      on_line(line);
    });
    error_lines.read([&end](std::string_view line) {
      if (line.find_first_not_of(" \t\r") != std::string_view::npos) end.last_error = line;
    });
  };
  std::optional<ChildEnd::Kind> cut;
  while (!child.has_ended()) {
    if (Clock::now() >= last) cut = ChildEnd::Kind::timed_out;
    if (stop && stop()) cut = ChildEnd::Kind::stopped;
    if (cut) break;
    std::array<pollfd, 2> sources{pollfd{report_lines.number(), POLLIN, 0}, pollfd{error_lines.number(), POLLIN, 0}};
    const bool closed = report_lines.number() < 0 && error_lines.number() < 0;
    (void)::poll(sources.data(), sources.size(), closed ? end_pause_ms : pause_ms);
    read_all();
  }
  const std::optional<int> status = child.end();
  read_all();
  if (cut) {
    end.kind = *cut;
  } else if (status) {
    read_status(*status, end);
  }
  return end;
}

bool end_with_parent(std::int64_t parent) noexcept {
#ifdef __linux__
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
  (void)std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of writing it, no end
  return ::getppid() == parent;
}

void report_to_parent(std::string_view line) noexcept {
  std::array<iovec, 2> parts{};
  char end = '\n';
  parts[0] = {const_cast<char*>(line.data()), line.size()};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  parts[1] = {&end, 1};
  (void)!::writev(report_descriptor, parts.data(), parts.size());
}

}  // namespace overtake::platform
