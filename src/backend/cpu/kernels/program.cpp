// SPDX-License-Identifier: MIT
#include "backend/cpu/kernels/program.hpp"

#include <fmt/format.h>

#include <utility>

#include "backend/common/program_cache.hpp"
#include "backend/cpu/kernels/compile_queue.hpp"
#include "backend/cpu/kernels/kernel.hpp"
#include "backend/cpu/kernels/kernel_text.hpp"
#include "core/config.hpp"
#include "overtake/error.hpp"
#include "platform/computer.hpp"

namespace overtake::backend::cpu {
namespace {

namespace fs = std::filesystem;

// To be raised when kernel_text.cpp or host.hpp change what compiled kernels and the library know of each other.
constexpr int entry_version = 2;

constexpr const char* line_hint = "Line numbers count from the first line of the source after the dialect's prelude.";

std::vector<fs::path> places_of(const KernelCompilers& compilers) {
  std::vector<fs::path> places;
  if (compilers.cache) places.push_back(*compilers.cache);
  std::error_code error;
  places.push_back(fs::temp_directory_path(error));
  return places;
}

/// By way of the first folder from which the system lets code be loaded.
std::unique_ptr<KernelCode> load(const std::string& binary, const KernelCompilers& compilers) {
  for (const fs::path& place : places_of(compilers)) {
    try {
      const PrivateFolder folder({place});
      if (auto code = load_code(binary, folder.path())) return code;
    } catch (const DeviceError&) {
      continue;
    }
  }
  return nullptr;
}

ProgramKey key_of(const ProgramSource& program, const OrdinaryCompiler& compiler) {
  static const std::string processor = fmt::format("{} {}", platform::processor_name(), platform::processor_features());
  ProgramKey key;
  key.source = text_before(program);
  key.source += program.source;
  key.options = fmt::format("{}; entries {}", OrdinaryCompiler::options(), entry_version);
  key.device = processor;
  key.compiler = compiler.stamp();
  return key;
}

/// What the ordinary compiler makes of a text: kept already, or made and kept now.
std::optional<std::string> fetch(const std::string& text, const ProgramKey& key, const KernelCompilers& compilers,
                                 std::string& log, const CompileQueue::Stop& stop) {
  ProgramCache cache(compilers.cache);
  if (auto kept = cache.load(key)) return kept;
  const PrivateFolder folder(places_of(compilers));
  std::optional<std::string> binary = compilers.ordinary->compile(text, folder.path(), log, stop);
  if (binary) cache.store(key, *binary);
  return binary;
}

/// The macros of names and parameters, by the compiler that there is.
Preprocess preprocessor(const KernelCompilers& compilers) {
  return [&compilers](const std::string& text, const std::vector<std::string>& names) {
    std::vector<std::optional<std::string>> found(names.size());
    std::string log;
    if (compilers.tcc) {
      const std::unique_ptr<KernelCode> code = compile_with_tcc(text, log);
      for (std::size_t i = 0; code && i < names.size(); ++i) {
        const auto* value = static_cast<const char*>(code->find(names[i]));
        if (value != nullptr) found[i] = value;
      }
      return found;
    }
    const PrivateFolder folder(places_of(compilers));
    const std::string result = compilers.ordinary->preprocess(text, folder.path()).value_or("");
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string before = names[i] + "[] = \"";
      const std::size_t at = result.find(before);
      if (at == std::string::npos) continue;
      const std::size_t begin = at + before.size();
      found[i] = result.substr(begin, result.find('"', begin) - begin);
    }
    return found;
  };
}

[[noreturn]] void refuse(const std::string& log) {
  throw UsageError(fmt::format("the kernel source does not compile:\n{}", errors_of(log)), line_hint);
}

/// Compiles and waits for it.
std::unique_ptr<KernelCode> compile_now(const std::string& text, const ProgramKey& key,
                                        const KernelCompilers& compilers) {
  std::string log;
  const std::optional<std::string> binary = fetch(text, key, compilers, log, {});
  if (!binary) refuse(log);
  auto code = load(*binary, compilers);
  if (code == nullptr) {
    throw DeviceError(
        "cpu: the system does not load compiled kernels",
        "Let OVERTAKE_CACHE_DIR or TMPDIR name a folder on a file system from which programs may be run.");
  }
  return code;
}

/// Compiles in the background, for the program and for the cache: programs often end with what uses them.
void compile_later(const std::shared_ptr<Tiers>& tiers, std::string text, ProgramKey key, KernelCompilers compilers) {
  CompileQueue::instance().add([announced = Tiers::announce(tiers), program = std::weak_ptr(tiers),
                                text = std::move(text), key = std::move(key),
                                compilers = std::move(compilers)](const CompileQueue::Stop& stop) {
    if (program.expired() && !compilers.cache) return;
    std::string log;
    const std::optional<std::string> binary = fetch(text, key, compilers, log, stop);
    if (!binary) return;
    const std::shared_ptr<Tiers> living = program.lock();
    if (living == nullptr) return;
    if (auto code = load(*binary, compilers)) living->adopt(std::move(code));
  });
}

/// With libtcc: its code, and the better one follows where there is a compiler.
std::shared_ptr<Tiers> compile_twice(const std::string& text, const ProgramKey& key, const KernelCompilers& compilers) {
  std::string log;
  std::unique_ptr<KernelCode> first = compile_with_tcc(text, log);
  if (first == nullptr) {
    // The ordinary compiler finds more than the first fault, and takes more than C11.
    if (!compilers.ordinary) refuse(log);
    return std::make_shared<Tiers>(compile_now(text, key, compilers));
  }
  auto tiers = std::make_shared<Tiers>(std::move(first));
  if (compilers.ordinary) compile_later(tiers, text, key, compilers);
  return tiers;
}

class CpuProgram final : public Program {
 public:
  CpuProgram(Device& device, std::shared_ptr<Tiers> tiers) : device_(device), tiers_(std::move(tiers)) {}
  [[nodiscard]] std::unique_ptr<Kernel> kernel(const std::string& name) override {
    return make_kernel(device_, tiers_, name);
  }

 private:
  Device& device_;
  std::shared_ptr<Tiers> tiers_;
};

}  // namespace

KernelCompilers& kernel_compilers() {
  static KernelCompilers compilers{.cache = config::cache_directory()};
  return compilers;
}

std::string describe(const KernelCompilers& compilers) {
  if (!compilers.tcc && !compilers.ordinary) return "none";
  if (!compilers.ordinary) return "libtcc";
  return fmt::format("{}{}", compilers.tcc ? "libtcc, then " : "", compilers.ordinary->program().string());
}

std::unique_ptr<Program> build_program(Device& device, const ProgramSource& program, const KernelCompilers& compilers) {
  if (!compilers.tcc && !compilers.ordinary) {
    throw DeviceError(
        "the cpu device cannot compile kernels: there is no compiler of C",
        "Install one (package gcc, or name it by CC), or build Overtake with libtcc (package libtcc-dev).");
  }
  const ProgramKey key = compilers.ordinary ? key_of(program, *compilers.ordinary) : ProgramKey{};
  std::shared_ptr<Tiers> tiers;
  if (compilers.ordinary) {
    if (const auto kept = ProgramCache(compilers.cache).load(key)) {
      if (auto code = load(*kept, compilers)) tiers = std::make_shared<Tiers>(std::move(code));
    }
  }
  if (tiers == nullptr) {
    const std::string text = complete_text(program, preprocessor(compilers));
    tiers = compilers.tcc ? compile_twice(text, key, compilers)
                          : std::make_shared<Tiers>(compile_now(text, key, compilers));
  }
  return std::make_unique<CpuProgram>(device, std::move(tiers));
}

void finish_compiling() { CompileQueue::instance().finish(); }

}  // namespace overtake::backend::cpu
