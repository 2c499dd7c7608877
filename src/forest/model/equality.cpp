// SPDX-License-Identifier: MIT
#include <cstring>
#include <vector>

#include "overtake/forest.hpp"

namespace overtake {
namespace {

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

}  // namespace

bool operator==(const Tree& a, const Tree& b) {
  return a.feature == b.feature && a.nan_left == b.nan_left && a.left == b.left && a.right == b.right &&
         a.samples == b.samples && same_bits(a.threshold, b.threshold) && same_bits(a.impurity, b.impurity) &&
         same_bits(a.weighted_samples, b.weighted_samples) && same_bits(a.value, b.value);
}

bool operator==(const Forest& a, const Forest& b) {
  return a.parameters == b.parameters && a.features == b.features && a.classes == b.classes &&
         a.feature_names == b.feature_names && a.class_names == b.class_names && a.trees == b.trees &&
         same_bits(a.feature_importances, b.feature_importances) && a.oob_score == b.oob_score &&
         a.oob_rows == b.oob_rows && a.data_fingerprint == b.data_fingerprint &&
         same_bits(a.oob_prediction, b.oob_prediction);
}

}  // namespace overtake
