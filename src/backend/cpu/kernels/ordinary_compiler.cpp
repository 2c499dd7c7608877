// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "backend/common/cache_files.hpp"
#include "backend/cpu/kernels/kernel_code.hpp"
#include "core/config.hpp"
#include "core/library_files.hpp"
#include "core/threads.hpp"
#include "overtake/error.hpp"
#include "platform/child_process.hpp"
#include "platform/file.hpp"
#include "platform/shared_library.hpp"

namespace overtake::backend::cpu {
namespace {

namespace fs = std::filesystem;

// A compiler that says nothing for so long is taken to hang.
constexpr auto patience = std::chrono::minutes(5);

// No contraction: sums and products are rounded separately. No errno and no traps, which nobody reads: square roots and
// branches become vector code. Kernels look at memory as other types, as device code does: no strict aliasing. Warnings
// are for authors of C, and what is compiled was not written as such.
const std::vector<std::string>& compile_options() {
#if defined(__aarch64__)
  static const char* const native = "-mcpu=native";
#else
  static const char* const native = "-march=native";
#endif
  static const std::vector<std::string> options = {"-x",
                                                   "c",
                                                   "-std=gnu11",
                                                   "-O3",
                                                   native,
                                                   "-ffp-contract=off",
                                                   "-fno-math-errno",
                                                   "-fno-trapping-math",
                                                   "-fno-strict-aliasing",
                                                   "-Werror=implicit-function-declaration",
                                                   "-Werror=incompatible-pointer-types",
                                                   "-Werror=int-conversion",
                                                   "-Werror=discarded-qualifiers",
                                                   "-Wno-unknown-warning-option",
                                                   "-fPIC",
                                                   "-shared"};
  return options;
}

std::optional<fs::path> program_named(const std::string& name, const std::vector<fs::path>& folders) {
  std::error_code error;
  const auto is_program = [&](const fs::path& path) { return path.is_absolute() && fs::is_regular_file(path, error); };
  if (name.find('/') != std::string::npos) return is_program(name) ? std::optional<fs::path>(name) : std::nullopt;
  for (const fs::path& folder : folders) {
    if (is_program(folder / name)) return folder / name;
  }
  return std::nullopt;
}

std::optional<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class LoadedCode final : public KernelCode {
 public:
  explicit LoadedCode(platform::SharedLibrary library) : library_(std::move(library)) {}
  [[nodiscard]] void* find(const std::string& name) const override { return library_.address_of(name.c_str()); }

 private:
  platform::SharedLibrary library_;
};

}  // namespace

std::optional<OrdinaryCompiler> OrdinaryCompiler::find(const std::vector<std::string>& commands,
                                                       const std::vector<fs::path>& folders) {
  for (const std::string& command : commands) {
    std::istringstream words(command);
    std::string name;
    words >> name;
    const std::optional<fs::path> program = program_named(name, folders);
    if (name.empty() || !program) continue;
    OrdinaryCompiler compiler;
    compiler.program_ = *program;
    for (std::string word; words >> word;) compiler.arguments_.push_back(word);
    compiler.stamp_ = fmt::format("{} {}", detail::file_stamp(*program), fmt::join(compiler.arguments_, " "));
    return compiler;
  }
  return std::nullopt;
}

const std::optional<OrdinaryCompiler>& OrdinaryCompiler::of_this_machine() {
  static const std::optional<OrdinaryCompiler> compiler =
      find({config::c_compiler(), "cc", "gcc", "clang"}, config::program_folders());
  return compiler;
}

std::string OrdinaryCompiler::options() { return fmt::format("{}", fmt::join(compile_options(), " ")); }

std::optional<std::string> OrdinaryCompiler::run(const std::string& text, std::vector<std::string> options,
                                                 const fs::path& folder, std::string& log,
                                                 const std::function<bool()>& stop) const {
  const fs::path source = folder / "kernel.c";
  const fs::path result = folder / "kernel.out";
  if (!(std::ofstream(source, std::ios::binary) << text).flush()) {
    log = fmt::format("{} cannot be written", source.string());
    return std::nullopt;
  }
  if (!threads_start(compiler_processes)) {
    throw DeviceError("cpu: the system refuses the processes that a compiler starts",
                      "Raise the limit of processes (ulimit -u, docker run --pids-limit), or end some that run.");
  }
  platform::ChildCommand command{program_, arguments_, config::environment_with({{"LC_ALL", "C"}}), true};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  command.arguments.insert(command.arguments.end(), {"-o", result.string(), source.string(), "-lm"});
  try {
    const platform::ChildEnd end = platform::run_child(
        command, patience, [&](std::string_view line) { log += fmt::format("{}\n", line); }, stop);
    if (end.kind == platform::ChildEnd::Kind::exited && end.code == 0) return read_file(result);
    if (log.empty()) log = fmt::format("{} failed", program_.string());
  } catch (const std::system_error& error) {
    log = fmt::format("{} cannot be started: {}", program_.string(), error.code().message());
  }
  return std::nullopt;
}

std::optional<std::string> OrdinaryCompiler::compile(const std::string& text, const fs::path& folder, std::string& log,
                                                     const std::function<bool()>& stop) const {
  return run(text, compile_options(), folder, log, stop);
}

std::optional<std::string> OrdinaryCompiler::preprocess(const std::string& text, const fs::path& folder) const {
  std::string log;
  return run(text, {"-x", "c", "-std=gnu11", "-w", "-E", "-P"}, folder, log, {});
}

std::unique_ptr<KernelCode> load_code(const std::string& binary, const fs::path& folder) {
  // The loader knows libraries by their names: the folder's is new each time.
  const fs::path file = folder / "kernel.so";
  if (!(std::ofstream(file, std::ios::binary) << binary).flush()) return nullptr;
  std::string reason;
  platform::SharedLibrary library(file.string(), reason);
  if (!library.is_open()) return nullptr;
  return std::make_unique<LoadedCode>(std::move(library));
}

std::string errors_of(const std::string& log) {
  constexpr std::size_t most = 10;
  std::vector<std::string> errors;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("error:") != std::string::npos) errors.push_back(line);
    // What is wrong within a macro of the prelude is wrong where that is used, which gcc says in the next line.
    const std::size_t expansion = line.find(" note: in expansion of macro");
    if (expansion == std::string::npos || errors.empty() || errors.back().starts_with("kernel:")) continue;
    errors.back() = line.substr(0, expansion + 1) + errors.back().substr(errors.back().find("error:"));
  }
  errors.resize(std::min(errors.size(), most));
  std::string text = errors.empty() ? log : fmt::format("{}", fmt::join(errors, "\n"));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

PrivateFolder::PrivateFolder(const std::vector<fs::path>& places) {
  for (const fs::path& place : places) {
    std::error_code error;
    fs::create_directories(place, error);
    remove_left_over(place);
    std::string name = (place / unfinished_name(std::string(32, '0'))).string();
    if (platform::create_private_folder(name)) continue;
    path_ = name;
    return;
  }
  throw DeviceError("cpu: there is no folder for files of the compiler",
                    "Let OVERTAKE_CACHE_DIR or TMPDIR name a folder that can be written to.");
}

PrivateFolder::~PrivateFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

}  // namespace overtake::backend::cpu
