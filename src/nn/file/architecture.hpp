// SPDX-License-Identifier: MIT
// save_model() for modules that are put together at run time, which are no nn::Sequential but behave like one.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "overtake/nn/module.hpp"

namespace overtake::nn {

/// The parts of a module as a model file describes them: JSON. Throws UsageError as save_model() does, and for parts
/// that are not called "0", "1", ...
[[nodiscard]] std::string architecture(Module& model);

/// save_model() of the parts of a module, which come one after the other.
void save_parts(const std::filesystem::path& path, Module& model, const std::map<std::string, std::string>& metadata);

}  // namespace overtake::nn
