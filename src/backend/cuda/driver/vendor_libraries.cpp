// SPDX-License-Identifier: MIT
#include "backend/cuda/driver/vendor_libraries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <system_error>

#include "core/config.hpp"
#include "core/library_files.hpp"

namespace overtake::backend::cuda {
namespace {

namespace fs = std::filesystem;

constexpr int newest_known = 13;
constexpr int oldest_supported = 12;

/// Folders that Python packages lie in under one prefix: lib/python3.11/site-packages, Debian's dist-packages, ...
std::vector<fs::path> package_folders(const fs::path& prefix) {
  std::vector<fs::path> found;
  for (const char* library : {"lib", "lib64"}) {
    std::error_code error;
    for (fs::directory_iterator entry(prefix / library, error), end; !error && entry != end; entry.increment(error)) {
      if (!entry->path().filename().string().starts_with("python3")) continue;
      for (const char* packages : {"site-packages", "dist-packages"}) found.push_back(entry->path() / packages);
    }
  }
  std::sort(found.begin(), found.end());  // a folder's own order is nobody's choice
  return found;
}

/// Folders of the vendor's wheels: all of one for CUDA 13, one a library before.
std::vector<fs::path> wheel_folders(const fs::path& packages) {
  std::vector<fs::path> folders;
  for (const char* wheel : {"cu13", "cuda_nvrtc", "cublas", "cudnn"}) folders.push_back(packages / "nvidia" / wheel / "lib");
  return folders;
}

void add_existing(std::vector<std::string>& candidates, const fs::path& folder, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    std::error_code error;
    if (fs::exists(folder / file, error)) candidates.push_back((folder / file).string());
  }
}

/// The file names of a library that the driver can use, the newest first. cuDNN counts by itself.
std::vector<std::string> usable_names(std::string_view name, int driver_cuda_version) {
  if (name == "libcudnn") return {"libcudnn.so.9"};
  std::vector<std::string> files;
  for (int major = std::min(newest_known, driver_cuda_version / 1000); major >= oldest_supported; --major) {
    files.push_back(fmt::format("{}.so.{}", name, major));
  }
  return files;
}

/// What names the place of a file: a variable, or the folder above it.
std::string reason_of(const fs::path& file, const VendorPlaces& places) {
  const auto is_within = [&](const fs::path& folder) { return file.string().starts_with(folder.string() + "/"); };
  for (const fs::path& folder : places.named) {
    if (file.parent_path() == folder) return "OVERTAKE_LIBRARY_PATH";
  }
  for (const fs::path& toolkit : places.toolkits) {
    if (is_within(toolkit)) return fmt::format("the toolkit in {}", toolkit.string());
  }
  for (const fs::path& prefix : places.python_prefixes) {
    if (is_within(prefix)) return fmt::format("the Python environment {}", prefix.string());
  }
  return "a usual folder";
}

}  // namespace

VendorPlaces usual_vendor_places() {
  VendorPlaces places{config::library_paths(), config::cuda_toolkits(), config::python_prefixes()};
  for (const char* toolkit : {"/usr/local/cuda", "/opt/cuda"}) places.toolkits.emplace_back(toolkit);
  for (const char* prefix : {"/usr/local", "/usr", "/opt/conda"}) {
    if (std::count(places.python_prefixes.begin(), places.python_prefixes.end(), prefix) == 0) {
      places.python_prefixes.emplace_back(prefix);
    }
  }
  return places;
}

std::vector<std::string> vendor_library_candidates(std::string_view name, int driver_cuda_version,
                                                   const VendorPlaces& places) {
  const std::vector<std::string> files = usable_names(name, driver_cuda_version);
  std::vector<std::string> candidates;
  for (const fs::path& folder : places.named) {
    for (const std::string& file : files) candidates.push_back((folder / file).string());
  }
  candidates.insert(candidates.end(), files.begin(), files.end());
  for (const fs::path& toolkit : places.toolkits) add_existing(candidates, toolkit / "lib64", files);
  for (const fs::path& prefix : places.python_prefixes) {
    add_existing(candidates, prefix / "lib", files);
    for (const fs::path& packages : package_folders(prefix)) {
      for (const fs::path& folder : wheel_folders(packages)) add_existing(candidates, folder, files);
    }
  }
  return candidates;
}

std::vector<LibraryFile> vendor_library_files(std::string_view name, int driver_cuda_version,
                                              const VendorPlaces& places) {
  std::vector<LibraryFile> found;
  const auto add = [&found](const std::string& asked, const fs::path& path, std::string reason) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    if (error || detail::is_foreign_library(real)) return;
    const bool known = std::any_of(found.begin(), found.end(), [&](const auto& other) { return other.path == real; });
    if (!known) found.push_back({asked, real, std::move(reason)});
  };
  for (const std::string& candidate : vendor_library_candidates(name, driver_cuda_version, places)) {
    if (candidate.find('/') != std::string::npos) {
      add(fs::path(candidate).filename().string(), candidate, reason_of(candidate, places));
    } else {
      for (const auto& file : detail::placed_library_files(candidate)) add(candidate, file.path, file.reason);
    }
  }
  return found;
}

std::vector<fs::path> vendor_library_misfits(std::string_view name, int driver_cuda_version,
                                             const VendorPlaces& places) {
  const std::vector<std::string> usable = usable_names(name, driver_cuda_version);
  const std::string beginning = fmt::format("{}.so.", name);
  std::vector<fs::path> folders = places.named;
  for (const fs::path& folder : config::loader_paths()) folders.push_back(folder);
  for (const fs::path& toolkit : places.toolkits) folders.push_back(toolkit / "lib64");
  for (const fs::path& prefix : places.python_prefixes) {
    folders.push_back(prefix / "lib");
    for (const fs::path& packages : package_folders(prefix)) {
      for (fs::path& folder : wheel_folders(packages)) folders.push_back(std::move(folder));
    }
  }
  std::vector<fs::path> misfits;
  for (const fs::path& folder : folders) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      const std::string file = entry->path().filename().string();
      if (!file.starts_with(beginning)) continue;
      const bool is_usable = std::any_of(usable.begin(), usable.end(), [&](const std::string& good) {
        return file == good || file.starts_with(good + ".");
      });
      if (!is_usable && std::count(misfits.begin(), misfits.end(), entry->path()) == 0)
        misfits.push_back(entry->path());
    }
  }
  std::sort(misfits.begin(), misfits.end());
  return misfits;
}

std::string cure_for_missing_nvrtc(int driver_cuda_version) {
  return fmt::format(
      "pip install {}, or install the CUDA toolkit of the driver's version; where it lies in an unusual place, name "
      "the "
      "folder of libnvrtc in OVERTAKE_LIBRARY_PATH",
      driver_cuda_version / 1000 >= newest_known ? "nvidia-cuda-nvrtc" : "nvidia-cuda-nvrtc-cu12");
}

void keep_open(Library library) {
  static std::mutex mutex;
  static auto& kept = *std::make_unique<std::vector<Library>>().release();
  const std::lock_guard lock(mutex);
  kept.push_back(std::move(library));
}

}  // namespace overtake::backend::cuda
