// SPDX-License-Identifier: MIT
#include "backend/opencl/driver_trial.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <utility>

#include "core/config.hpp"
#include "core/library_files.hpp"

namespace overtake::backend::opencl {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t most_icd_bytes = 4096;  // a line with a file's name
constexpr const char* filenames_variable = "OCL_ICD_FILENAMES";
constexpr const char* vendors_folder = "/etc/OpenCL/vendors";
constexpr auto start_patience = std::chrono::seconds(60);
constexpr auto device_patience =
    std::chrono::minutes(2);  // a CPU's compiler takes 5 s for each check, where it has a core

InstalledDriver read_driver(const fs::path& file, const std::string& variable) {
  if (file.extension() != ".icd") return {file, file.string(), variable};
  std::error_code error;
  if (!fs::is_regular_file(file, error) || fs::file_size(file, error) > most_icd_bytes || error) return {file, ""};
  std::ifstream text(file);
  std::string library;
  std::getline(text, library);  // with a space or \r at its end: loaders take them for a part of the name
  return {file, library};
}

/// `variable`: the one that names the place.
std::vector<InstalledDriver> drivers_in(const fs::path& place, const std::string& variable) {
  std::error_code error;
  if (!fs::is_directory(place, error)) {
    if (fs::exists(place, error)) return {read_driver(place, variable)};
    if (place.has_parent_path()) return {};
    // What the loader finds by itself: a file of its folder, or a library.
    if (place.extension() == ".icd") return {read_driver(vendors_folder / place, variable)};
    return {{place, place.string(), variable}};
  }
  std::vector<fs::path> files;
  for (fs::directory_iterator it(place, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".icd") files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  std::vector<InstalledDriver> drivers;
  for (const fs::path& file : files) drivers.push_back(read_driver(file, variable));
  return drivers;
}

/// Files and variables that decide which code runs when the loader is asked for platforms.
std::vector<std::string> installation_key() {
  std::vector<std::string> key;
  const auto add_library = [&key](std::string_view name) {
    for (const fs::path& file : detail::library_files(name)) key.push_back(detail::file_stamp(file));
  };
  for (const std::string& variable : config::opencl_driver_variables()) key.push_back(variable);
  add_library(config::opencl_layers());
  add_library("libOpenCL.so.1");
  for (const InstalledDriver& driver : installed_drivers()) {
    key.push_back(detail::file_stamp(driver.file));
    add_library(driver.library);
  }
  return key;
}

/// Says whose fault it is: of the loader's layers, if it works without them, or of the first driver that fails by
/// itself as all did together.
std::string explain_start(const TrialRun& all, const std::function<bool()>& stop) {
  const auto ends_alike = [&](std::vector<std::pair<std::string, std::string>> variables) {
    TrialRequest request = start_trial().request;
    request.environment = std::move(variables);
    const auto quiet = [](const std::string&) {};
    return run_trial(request, quiet, stop).kind == all.kind;
  };
  std::string what = fmt::format("listing the devices: {}", all.reason);
  const std::string layers = config::opencl_layers();
  const std::vector<InstalledDriver> drivers = installed_drivers();
  if (all.kind == TrialRun::Kind::timed_out) {  // each further try could take as long again
    if (!layers.empty()) return fmt::format("{}; the cause may be OPENCL_LAYERS={}", what, layers);
    std::vector<std::string> names;
    for (const InstalledDriver& driver : drivers)
      names.push_back(fmt::format("{} of {}", driver.library, driver.named_by()));
    return names.empty() ? what : fmt::format("{}; the driver is {}", what, fmt::join(names, " or "));
  }
  if (!layers.empty() && !ends_alike({{"OPENCL_LAYERS", ""}}))
    return fmt::format("{}; the cause is OPENCL_LAYERS={}", what, layers);
  for (const InstalledDriver& driver : drivers) {
    // The one variable is for ocl-icd, both are for the loader of Khronos.
    if (ends_alike({{"OCL_ICD_VENDORS", driver.file.string()}, {"OCL_ICD_FILENAMES", driver.library}}))
      return fmt::format("{}; the driver is {} of {}", what, driver.library, driver.named_by());
  }
  return what;
}

}  // namespace

std::string InstalledDriver::cure() const {
  if (variable.empty() && !library.empty() && std::string_view(" \t\r").find(library.back()) != std::string_view::npos)
    return fmt::format("the name ends in white space: sudo sed -i 's/[[:space:]]*$//' {}", file.string());
  if (variable.empty()) return fmt::format("install that driver again, or remove the entry: sudo rm {}", file.string());
  return fmt::format("unset {}, or let it name a library that is there", variable);
}

std::vector<InstalledDriver> installed_drivers() {
  std::vector<InstalledDriver> drivers;
  std::pair<std::string, std::string> vendors{"", vendors_folder};
  for (const auto& [name, value] : config::opencl_loader_variables()) {
    if (name == filenames_variable && !value.empty()) {
      std::size_t begin = 0;
      while (begin <= value.size()) {
        const std::size_t end = std::min(value.find(':', begin), value.size());
        if (end > begin) drivers.push_back(read_driver(value.substr(begin, end - begin), filenames_variable));
        begin = end + 1;
      }
    } else if (!value.empty()) {
      vendors = {name, value};
    }
  }
  for (InstalledDriver& driver : drivers_in(vendors.second, vendors.first)) {
    drivers.push_back(std::move(driver));
  }
  return drivers;
}

TrialSubject start_trial() {
  TrialSubject subject;
  subject.name = "opencl";
  std::vector<std::string> names;
  for (const InstalledDriver& driver : installed_drivers()) names.push_back(driver.library);
  subject.title =
      fmt::format("listing devices: {}", names.empty() ? "no driver" : fmt::format("{}", fmt::join(names, ", ")));
  subject.key = installation_key();
  subject.request = {{"start", "opencl"}, start_patience, {}};
  subject.is_quick = true;
  // A library under a driver, a variable, the PATH it starts a linker by. NVIDIA's starts the GPU, which takes ten
  // times as long as the rest and is what the cuda backend tries.
  const auto is_nvidia = [](const std::string& name) { return name.find("nvidia") != std::string::npos; };
  subject.in_each_process = std::none_of(names.begin(), names.end(), is_nvidia);
  subject.hint =
      "Update or remove that driver, or leave it out: OCL_ICD_VENDORS names a folder with the .icd files of the "
      "others.";
  const auto is_of_variable = [](const InstalledDriver& driver) { return driver.variable == filenames_variable; };
  const std::vector<InstalledDriver> drivers = installed_drivers();
  if (std::any_of(drivers.begin(), drivers.end(), is_of_variable)) {
    subject.hint = "Update or remove that driver, or leave it out: unset OCL_ICD_FILENAMES, which names drivers here.";
  }
  subject.explain = explain_start;
  return subject;
}

TrialSubject device_trial(const FoundDevice& found) {
  TrialSubject subject;
  subject.name = found.info.id;
  subject.title = fmt::format("{}, {}", found.info.name, found.info.driver);
  subject.key = installation_key();
  for (const std::string& part :
       {found.platform_name, found.info.name, found.info.driver, device_text(found.device, CL_DEVICE_VERSION)}) {
    subject.key.push_back(part);
  }
  subject.request = {{"device", found.info.id}, device_patience, {}};
  subject.hint = fmt::format("Update the driver ({}), or use another device.", found.info.driver);
  if (found.platform_name == "Portable Computing Language") {
    subject.hint = "This is PoCL, OpenCL on the CPU: version 3.1 (Debian 12) works; --device cpu needs none.";
  }
  return subject;
}

}  // namespace overtake::backend::opencl
