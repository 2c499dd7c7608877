// SPDX-License-Identifier: MIT
// The only reader of environment variables (docs/environment.md lists them all).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace overtake::config {

/// Folder for compiled kernels: OVERTAKE_CACHE_DIR, else $XDG_CACHE_HOME/overtake, else ~/.cache/overtake. Empty when
/// OVERTAKE_CACHE_DIR is set to nothing or no home is known: then nothing is cached. The folder may not exist yet.
[[nodiscard]] std::optional<std::filesystem::path> cache_directory();

/// Where PoCL keeps what it compiles: POCL_CACHE_DIR, else $XDG_CACHE_HOME/pocl/kcache, else ~/.cache/pocl/kcache, else
/// /tmp/pocl/kcache.
[[nodiscard]] std::filesystem::path pocl_cache_directory();

/// Extra folders to look for vendor libraries in, from OVERTAKE_LIBRARY_PATH (colon-separated), tried first.
[[nodiscard]] std::vector<std::filesystem::path> library_paths();

/// False where OVERTAKE_VENDOR_LIBRARIES is "no": the optional libraries of a GPU's vendor (NVRTC, cuBLASLt) are not
/// looked for then, as if they were not installed.
[[nodiscard]] bool vendor_libraries();

/// True where OVERTAKE_CHECK_INDICES is "yes": arrays of places are checked on every device, which waits for it.
[[nodiscard]] bool check_indices();

/// Folders that programs are looked for in, from PATH.
[[nodiscard]] std::vector<std::filesystem::path> program_folders();

/// The compiler of C that is wanted, with arguments of its own, from CC; empty: none in particular.
[[nodiscard]] std::string c_compiler();

/// CUDA toolkits that CUDA_PATH and CUDA_HOME name.
[[nodiscard]] std::vector<std::filesystem::path> cuda_toolkits();

/// Prefixes (the folders above bin/ and lib/) of the Python environments that are active, nearest first: VIRTUAL_ENV,
/// CONDA_PREFIX, that of each python3 on PATH, and ~/.local. Each once; absolute; not checked to exist.
[[nodiscard]] std::vector<std::filesystem::path> python_prefixes();

/// Folders that the dynamic loader is told to look in, from LD_LIBRARY_PATH (colon-separated).
[[nodiscard]] std::vector<std::filesystem::path> loader_paths();

/// Whether drivers are tried in a child process before this one uses them (OVERTAKE_TRIAL).
enum class TrialMode : std::uint8_t {
  first_use,  ///< unset: once for each driver; the verdict is kept
  off,        ///< "off": never, and kept verdicts do not count
  again,      ///< "again": in each process anew, whatever is kept
};
/// Values that are none of these count as unset.
[[nodiscard]] TrialMode trial_mode();

/// The program that tries drivers, from OVERTAKE_TRIAL_PROGRAM; nothing: the one that was installed with the library.
[[nodiscard]] std::optional<std::filesystem::path> trial_program();

/// Seconds that each check of a trial may take in place of its own limit, from OVERTAKE_TRIAL_SECONDS; 0: unset, or no
/// whole number from 1 to most_trial_seconds.
inline constexpr int most_trial_seconds = 86400;
[[nodiscard]] int trial_seconds();

/// What decides how OpenCL drivers behave, "NAME=VALUE" in a fixed order: the variables of their makers, of the loader
/// and its layers, and LD_PRELOAD.
[[nodiscard]] std::vector<std::string> opencl_driver_variables();

/// The layers between the OpenCL loader and the drivers, from OPENCL_LAYERS; empty: none.
[[nodiscard]] std::string opencl_layers();

/// What tells the OpenCL loader which drivers there are: OCL_ICD_VENDORS, OCL_ICD_FILENAMES and OPENCL_VENDOR_PATH, as
/// far as they are set.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> opencl_loader_variables();

/// This process's environment as "NAME=VALUE", with other values for some of it.
[[nodiscard]] std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& changes);

/// CUDA_VISIBLE_DEVICES, which the CUDA driver obeys, to say so where it shows nothing.
[[nodiscard]] std::optional<std::string> visible_cuda_devices();

/// Variables that are set and by which OpenCL drivers hide devices, as NAME="VALUE".
[[nodiscard]] std::vector<std::string> opencl_device_choices();

/// For a report on this process: the variables above and others that decide what it finds and does, "NAME=VALUE", in
/// the order of their names. Known by their whole names: what others hold may be a secret.
[[nodiscard]] std::vector<std::string> telling_variables();

/// What the surroundings say of themselves in the environment: "kubernetes" or "" (KUBERNETES_SERVICE_HOST).
[[nodiscard]] std::string container_by_environment();

/// Names that stand for a person or a computer in texts, and do not belong into a report: HOME, USER, LOGNAME and
/// HOSTNAME, and those that the system has; of "gpu01.example.com" also either part. The longest first, none empty.
struct PersonalNames {
  std::vector<std::string> homes;  ///< folders, without a slash at the end
  std::vector<std::string> users, hosts;
};
[[nodiscard]] PersonalNames personal_names();

/// Most threads that may be asked for, by OVERTAKE_THREADS or otherwise.
inline constexpr int most_threads = 4096;

/// Threads of the CPU: OVERTAKE_THREADS, or 0 (one for each core this process may use) where it is unset, empty, 0 or
/// not a whole number up to most_threads.
[[nodiscard]] int threads();

/// Throws UsageError for a variable whose value counts as unset because it is none that the variable takes, naming
/// both.
void check();

}  // namespace overtake::config
