// SPDX-License-Identifier: MIT
#include "doctor/libraries.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "core/config.hpp"
#include "platform/surroundings.hpp"

namespace overtake::doctor {
namespace {

namespace fs = std::filesystem;

/// The part of a file's name before its version: "libcuda" of "libcuda.so.580.65.06".
std::string stem_of(const std::string& name) { return name.substr(0, name.find(".so")); }

/// What follows ".so." in a file's name: "580.65.06"; empty where nothing does.
std::string version_in(const std::string& name) {
  constexpr std::string_view mark = ".so.";
  const std::size_t at = name.find(mark);
  return at == std::string::npos ? "" : name.substr(at + mark.size());
}

/// Libraries that no backend opens by itself: they come with those that it opens, or with Overtake.
bool is_of_interest(const std::string& stem) {
  constexpr std::array stems{"libcuda",
                             "libnvrtc",
                             "libnvrtc-builtins",
                             "libcublasLt",
                             "libcudnn",
                             "libnvidia-ml",
                             "libOpenCL",
                             "libpocl",
                             "libdnnl",
                             "libgomp",
                             "libomp",
                             "libiomp5",
                             "libovertake",
                             "libnvidia-ptxjitcompiler",
                             "libnvidia-opencl",
                             "libamdocl64",
                             "libigdrcl",
                             "libRusticlOpenCL",
                             "libMesaOpenCL"};
  return std::any_of(stems.begin(), stems.end(), [&](const char* one) { return stem == one; });
}

fs::path real_path(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  return error ? path : real;
}

/// For a library that nobody asked for by name: it is what one that was asked for, or Overtake, is linked with.
std::string reason_by_place(const fs::path& path) {
  const auto is_in = [&](const std::vector<fs::path>& folders) {
    return std::any_of(folders.begin(), folders.end(),
                       [&](const fs::path& folder) { return real_path(folder) == path.parent_path(); });
  };
  if (is_in(config::library_paths())) return "OVERTAKE_LIBRARY_PATH";
  if (is_in(config::loader_paths())) return "LD_LIBRARY_PATH";
  return "linked, found by the loader";
}

}  // namespace

std::vector<LoadedLibrary> loaded_libraries(const std::vector<backend::LibraryFile>& known, const fs::path& root) {
  std::vector<LoadedLibrary> loaded;
  for (const fs::path& path : platform::loaded_files(root)) {
    const std::string file = path.filename().string();
    const auto named = std::find_if(known.begin(), known.end(),
                                    [&](const backend::LibraryFile& one) { return real_path(one.path) == path; });
    if (named == known.end() && !is_of_interest(stem_of(file))) continue;
    LoadedLibrary library{file, path.string(), version_in(file), reason_by_place(path), {}};
    if (named != known.end()) {
      library.name = fs::path(named->name).filename().string();
      library.reason = named->reason;
    }
    for (const backend::LibraryFile& other : known) {
      const bool is_copy = stem_of(fs::path(other.name).filename().string()) == stem_of(library.name);
      if (is_copy && real_path(other.path) != path) library.others.push_back(other.path.string());
    }
    loaded.push_back(std::move(library));
  }
  return loaded;
}

std::vector<Finding> copy_findings(const std::vector<backend::LibraryFile>& known,
                                   const std::vector<LoadedLibrary>& loaded) {
  std::map<std::string, std::vector<const backend::LibraryFile*>> copies;  // by the name that is asked for
  for (const backend::LibraryFile& one : known) {
    auto& files = copies[fs::path(one.name).filename().string()];
    const auto is_same = [&](const backend::LibraryFile* other) {
      return real_path(other->path) == real_path(one.path);
    };
    if (std::none_of(files.begin(), files.end(), is_same)) files.push_back(&one);
  }
  // Of a driver one copy fits the kernel's part; of the others Python environments and toolkits bring one each.
  const auto severity_of = [](const std::string& name) {
    const std::string stem = stem_of(name);
    const bool is_drivers = stem == "libcuda" || stem == "libOpenCL" || stem == "libnvidia-ml";
    return is_drivers ? Severity::warning : Severity::note;
  };
  std::vector<Finding> findings;
  for (const auto& [name, files] : copies) {
    if (files.size() < 2) continue;
    std::vector<std::string> places;
    for (const auto* file : files) places.push_back(fmt::format("{} ({})", file->path.string(), file->reason));
    const auto taken = std::find_if(loaded.begin(), loaded.end(),
                                    [&, &asked = name](const LoadedLibrary& one) { return one.name == asked; });
    findings.push_back({"library-copies", severity_of(name), "",
                        fmt::format("there are {} copies of {}, and {} is used", files.size(), name,
                                    taken != loaded.end() ? taken->path : "the first that loads"),
                        fmt::format("{}", fmt::join(places, ", ")),
                        "if it is the wrong one, take its folder out of LD_LIBRARY_PATH, or name the right one in "
                        "OVERTAKE_LIBRARY_PATH"});
  }
  return findings;
}

}  // namespace overtake::doctor
