// SPDX-License-Identifier: MIT
#include "core/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "overtake/error.hpp"
#include "platform/process.hpp"
#include "platform/surroundings.hpp"

namespace overtake::config {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets variables
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

/// The folders of a variable that separates them by colons, empty ones left out.
std::vector<std::filesystem::path> folders(const char* name) {
  std::vector<std::filesystem::path> paths;
  const std::string text = variable(name).value_or("");
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) paths.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return paths;
}

/// A relative prefix would depend on the working directory, which is no place for libraries.
void add_once(std::vector<std::filesystem::path>& paths, const std::filesystem::path& path) {
  if (path.is_absolute() && std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
}

std::optional<TrialMode> parse_trial_mode(const std::string& text) {
  if (text.empty()) return TrialMode::first_use;
  if (text == "off") return TrialMode::off;
  if (text == "again") return TrialMode::again;
  return std::nullopt;
}

/// A whole number within limits, `empty` for no text; nothing for other texts.
std::optional<int> parse_number(const std::string& text, int least, int most, int empty) {
  if (text.empty()) return empty;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
}

std::optional<int> parse_threads(const std::string& text) { return parse_number(text, 0, most_threads, 0); }
std::optional<int> parse_trial_seconds(const std::string& text) { return parse_number(text, 1, most_trial_seconds, 0); }

// Whole names: what merely begins like one of them (GPU_TOKEN) is nobody's business.
constexpr std::string_view telling_names =
    " OVERTAKE_CACHE_DIR OVERTAKE_LIBRARY_PATH OVERTAKE_VENDOR_LIBRARIES OVERTAKE_THREADS OVERTAKE_TRIAL "
    "OVERTAKE_TRIAL_SECONDS OVERTAKE_TRIAL_PROGRAM XDG_CACHE_HOME LD_LIBRARY_PATH LD_PRELOAD "
    "CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER CUDA_PATH CUDA_HOME CUDA_CACHE_PATH CUDA_CACHE_DISABLE CUDA_CACHE_MAXSIZE "
    "CUDA_FORCE_PTX_JIT CUDA_DISABLE_PTX_JIT CUDA_FORCE_JIT CUDA_DISABLE_JIT CUDA_LAUNCH_BLOCKING CUDA_MODULE_LOADING "
    "CUDA_DEVICE_MAX_CONNECTIONS CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY CUDA_MPS_ACTIVE_THREAD_PERCENTAGE "
    "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT CUDA_INJECTION64_PATH NVIDIA_VISIBLE_DEVICES NVIDIA_DRIVER_CAPABILITIES "
    "NVIDIA_REQUIRE_CUDA NVIDIA_DISABLE_REQUIRE NVIDIA_TF32_OVERRIDE "
    "OCL_ICD_VENDORS OCL_ICD_FILENAMES OCL_ICD_PLATFORM_SORT OCL_ICD_DEFAULT_PLATFORM OCL_ICD_ASSUME_ICD_EXTENSION "
    "OPENCL_VENDOR_PATH OPENCL_LAYERS OPENCL_LAYER_PATH CL_CONFIG_USE_VECTORIZER CL_CONFIG_CPU_TARGET_ARCH "
    "POCL_DEVICES POCL_CACHE_DIR POCL_KERNEL_CACHE POCL_TEMP_DIR POCL_DEBUG POCL_AFFINITY POCL_MAX_PTHREAD_COUNT "
    "POCL_CPU_MAX_CU_COUNT POCL_MAX_COMPUTE_UNITS POCL_MEMORY_LIMIT POCL_MAX_WORK_GROUP_SIZE POCL_WORK_GROUP_METHOD "
    "POCL_EXTRA_BUILD_FLAGS POCL_BUILDING RUSTICL_ENABLE RUSTICL_DEVICE_TYPE RUSTICL_FEATURES RUSTICL_DEBUG "
    "NEO_CACHE_PERSISTENT NEO_CACHE_DIR NEO_CACHE_MAX_SIZE ZE_AFFINITY_MASK HSA_OVERRIDE_GFX_VERSION HSA_ENABLE_SDMA "
    "HSA_XNACK HSA_TOOLS_LIB ROCR_VISIBLE_DEVICES HIP_VISIBLE_DEVICES GPU_DEVICE_ORDINAL GPU_MAX_ALLOC_PERCENT "
    "GPU_SINGLE_ALLOC_PERCENT GPU_MAX_HEAP_SIZE GPU_FORCE_64BIT_PTR GPU_MAX_HW_QUEUES "
    "OMP_NUM_THREADS OMP_THREAD_LIMIT OMP_DYNAMIC OMP_PROC_BIND OMP_PLACES OMP_WAIT_POLICY OMP_STACKSIZE OMP_SCHEDULE "
    "OMP_NESTED OMP_MAX_ACTIVE_LEVELS GOMP_CPU_AFFINITY GOMP_SPINCOUNT KMP_AFFINITY KMP_BLOCKTIME "
    "KMP_DUPLICATE_LIB_OK DNNL_MAX_CPU_ISA ONEDNN_MAX_CPU_ISA DNNL_VERBOSE ONEDNN_VERBOSE "
    "DNNL_PRIMITIVE_CACHE_CAPACITY ONEDNN_PRIMITIVE_CACHE_CAPACITY ";

/// The value of `name` is none that it takes.
[[noreturn]] void refuse(const char* name, const std::string& value, const std::string& expected) {
  throw UsageError(fmt::format("{} is \"{}\" in the environment; expected {}", name, value, expected),
                   fmt::format("Correct it, or \"unset {}\".", name));
}

}  // namespace

std::optional<std::filesystem::path> cache_directory() {
  if (auto chosen = variable("OVERTAKE_CACHE_DIR")) {
    if (chosen->empty()) return std::nullopt;
    return std::filesystem::path(*chosen);
  }
  // Relative ones count for nothing, as the XDG Base Directory Specification has it.
  const std::filesystem::path base = variable("XDG_CACHE_HOME").value_or("");
  if (base.is_absolute()) return base / "overtake";
  const std::filesystem::path home = variable("HOME").value_or("");
  if (home.is_absolute()) return home / ".cache" / "overtake";
  return std::nullopt;
}

std::filesystem::path pocl_cache_directory() {
  if (auto chosen = variable("POCL_CACHE_DIR")) return *chosen;
  if (auto base = variable("XDG_CACHE_HOME")) return std::filesystem::path(*base) / "pocl" / "kcache";
  if (auto home = variable("HOME")) return std::filesystem::path(*home) / ".cache" / "pocl" / "kcache";
  return "/tmp/pocl/kcache";
}

std::vector<std::filesystem::path> library_paths() { return folders("OVERTAKE_LIBRARY_PATH"); }

bool vendor_libraries() { return variable("OVERTAKE_VENDOR_LIBRARIES") != "no"; }

bool check_indices() { return variable("OVERTAKE_CHECK_INDICES") == "yes"; }

std::vector<std::filesystem::path> program_folders() { return folders("PATH"); }

std::string c_compiler() { return variable("CC").value_or(""); }

std::vector<std::filesystem::path> cuda_toolkits() {
  std::vector<std::filesystem::path> toolkits;
  for (const char* name : {"CUDA_PATH", "CUDA_HOME"}) add_once(toolkits, variable(name).value_or(""));
  return toolkits;
}

std::vector<std::filesystem::path> python_prefixes() {
  std::vector<std::filesystem::path> prefixes;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) add_once(prefixes, variable(name).value_or(""));
  for (const std::filesystem::path& folder : folders("PATH")) {
    std::error_code unreadable;
    if (std::filesystem::exists(folder / "python3", unreadable)) {
      add_once(prefixes, (folder / "..").lexically_normal().parent_path());
    }
  }
  if (const auto home = variable("HOME")) add_once(prefixes, std::filesystem::path(*home) / ".local");
  return prefixes;
}

std::vector<std::filesystem::path> loader_paths() { return folders("LD_LIBRARY_PATH"); }

TrialMode trial_mode() {
  return parse_trial_mode(variable("OVERTAKE_TRIAL").value_or("")).value_or(TrialMode::first_use);
}

int trial_seconds() { return parse_trial_seconds(variable("OVERTAKE_TRIAL_SECONDS").value_or("")).value_or(0); }

std::optional<std::filesystem::path> trial_program() {
  const auto path = variable("OVERTAKE_TRIAL_PROGRAM");
  if (!path || path->empty()) return std::nullopt;
  return std::filesystem::path(*path);
}

std::vector<std::string> opencl_driver_variables() {
  std::vector<std::string> found = platform::environment();
  std::erase_if(found, [](const std::string& entry) {
    constexpr std::array prefixes{"OCL_", "OPENCL_", "CL_",  "POCL_", "RUSTICL_",
                                  "NEO_", "HSA_",    "AMD_", "GPU_",  "LD_PRELOAD="};
    const bool is_one =
        std::any_of(prefixes.begin(), prefixes.end(), [&](const char* p) { return entry.starts_with(p); });
    return !is_one || entry.starts_with("POCL_CACHE_DIR=");  // a place, and no way to behave
  });
  std::sort(found.begin(), found.end());
  return found;
}

std::string opencl_layers() { return variable("OPENCL_LAYERS").value_or(""); }

std::vector<std::pair<std::string, std::string>> opencl_loader_variables() {
  std::vector<std::pair<std::string, std::string>> found;
  for (const char* name : {"OCL_ICD_VENDORS", "OCL_ICD_FILENAMES", "OPENCL_VENDOR_PATH"}) {
    if (auto value = variable(name)) found.emplace_back(name, std::move(*value));
  }
  return found;
}

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& changes) {
  std::vector<std::string> result = platform::environment();
  std::erase_if(result, [&changes](const std::string& entry) {
    const std::string_view name = std::string_view(entry).substr(0, entry.find('='));
    return std::any_of(changes.begin(), changes.end(), [name](const auto& change) { return change.first == name; });
  });
  for (const auto& [name, value] : changes) result.push_back(fmt::format("{}={}", name, value));
  return result;
}

std::optional<std::string> visible_cuda_devices() { return variable("CUDA_VISIBLE_DEVICES"); }

std::vector<std::string> opencl_device_choices() {
  std::vector<std::string> choices;
  // Of PoCL, AMD's drivers (the second in ROCm, the third before it), and NVIDIA's.
  for (const char* name : {"POCL_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "CUDA_VISIBLE_DEVICES"}) {
    if (const auto value = variable(name)) choices.push_back(fmt::format("{}=\"{}\"", name, *value));
  }
  return choices;
}

std::vector<std::string> telling_variables() {
  std::vector<std::string> found = platform::environment();
  std::erase_if(found, [](const std::string& entry) {
    const std::string name = " " + entry.substr(0, entry.find('=')) + " ";
    return telling_names.find(name) == std::string_view::npos;
  });
  std::sort(found.begin(), found.end());
  return found;
}

std::string container_by_environment() { return variable("KUBERNETES_SERVICE_HOST") ? "kubernetes" : ""; }

PersonalNames personal_names() {
  PersonalNames names;
  const auto add = [](std::vector<std::string>& to, std::string name) {
    if (!name.empty() && std::find(to.begin(), to.end(), name) == to.end()) to.push_back(std::move(name));
  };
  for (std::string home : {variable("HOME").value_or(""), platform::home_folder()}) {
    while (home.ends_with('/')) home.pop_back();  // "/" is nobody's
    add(names.homes, home);
  }
  for (const char* name : {"USER", "LOGNAME"}) add(names.users, variable(name).value_or(""));
  add(names.users, platform::user_name());
  for (const std::string& host : {variable("HOSTNAME").value_or(""), platform::computer_name()}) {
    add(names.hosts, host);
    if (const std::size_t dot = host.find('.'); dot != std::string::npos) {  // gpu01 of gpu01.corp.example.com
      add(names.hosts, host.substr(0, dot));
      if (host.find('.', dot + 1) != std::string::npos) add(names.hosts, host.substr(dot + 1));
    }
  }
  const auto longer = [](const std::string& a, const std::string& b) { return a.size() > b.size(); };
  for (auto* list : {&names.homes, &names.users, &names.hosts}) std::stable_sort(list->begin(), list->end(), longer);
  return names;
}

int threads() { return parse_threads(variable("OVERTAKE_THREADS").value_or("")).value_or(0); }

void check() {
  const auto value = [](const char* name) { return variable(name).value_or(""); };
  if (const auto text = value("OVERTAKE_THREADS"); !parse_threads(text)) {
    refuse("OVERTAKE_THREADS", text, fmt::format("a whole number from 0 (all cores) to {}", most_threads));
  }
  if (const auto text = value("OVERTAKE_TRIAL"); !parse_trial_mode(text)) {
    refuse("OVERTAKE_TRIAL", text, "\"off\" or \"again\"");
  }
  if (const auto text = value("OVERTAKE_TRIAL_SECONDS"); !parse_trial_seconds(text)) {
    refuse("OVERTAKE_TRIAL_SECONDS", text, fmt::format("a whole number from 1 to {}", most_trial_seconds));
  }
  if (const auto text = value("OVERTAKE_VENDOR_LIBRARIES"); !text.empty() && text != "yes" && text != "no") {
    refuse("OVERTAKE_VENDOR_LIBRARIES", text, "yes or no");
  }
}

}  // namespace overtake::config
