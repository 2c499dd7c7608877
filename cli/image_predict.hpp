// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cli {

struct ImageQuestion {
  std::string model;
  std::vector<std::string> data;  ///< image files and folders, or one IDX or CIFAR file
  std::string labels;             ///< of an IDX file; "": none
  std::string on_broken;          ///< refuse or skip; "": refuse
  std::string out = "-";
  std::int64_t top = 1;
  std::string device = "cpu";
  int threads = 0;
  std::string precision;  ///< "": fp32
};

/// The likeliest classes of images as CSV: image, then class and probability for each place. Gives the exit code.
[[nodiscard]] int predict_images(const ImageQuestion& question);

}  // namespace cli
