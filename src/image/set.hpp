// SPDX-License-Identifier: MIT
// What an ImageSet shares with its copies.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "image/decode.hpp"
#include "overtake/image.hpp"

namespace overtake::image {

/// Images of one size, one after the other.
struct Pixels {
  std::string name;  ///< of the file
  Image size;        ///< of each; without pixels
  std::vector<std::uint8_t> bytes;
};

/// The images are files, or pixels in memory.
struct Content {
  std::vector<std::filesystem::path> files;
  std::shared_ptr<const Pixels> pixels;
  std::vector<std::int64_t> places;  ///< with pixels: which of them each image is
  std::vector<std::int32_t> labels;
  std::vector<std::string> classes;
  std::vector<std::string> notes;

  [[nodiscard]] std::int64_t size() const noexcept {
    return static_cast<std::int64_t>(pixels ? places.size() : files.size());
  }
  [[nodiscard]] std::string name(std::int64_t index) const;
  /// What `choose` wants of an image. Throws DataError.
  [[nodiscard]] Image read(std::int64_t index, int channels, const ChooseCut& choose) const;
};

/// Each of `count` images of `pixels` in order.
[[nodiscard]] std::vector<std::int64_t> all_places(std::int64_t count);

/// "0", "1", ...
[[nodiscard]] std::vector<std::string> numbered_classes(std::int32_t count);

/// True for names that end in .jpg, .jpeg or .png, in any case.
[[nodiscard]] bool is_image_name(const std::filesystem::path& path);
/// Files that are not taken for images: how many, and the first by the bytes of its name.
struct PassedOver {
  std::int64_t count = 0;
  std::filesystem::path example;

  void add(const std::filesystem::path& file);
  void add(const PassedOver& more);
};
/// The files of a folder, by their names; hidden ones and what other systems leave there are nowhere.
struct FoundFiles {
  std::vector<std::filesystem::path> images;  ///< in order
  PassedOver foreign;                         ///< images that are neither JPEG nor PNG
  PassedOver others;
};
/// All below a folder. A link may lead back to a folder that holds it: each is entered once. Throws DataError.
[[nodiscard]] FoundFiles files_below(const std::filesystem::path& top);
/// Files of images, as named, and all below folders, in the order of `paths`. Throws DataError for a folder without
/// images.
[[nodiscard]] FoundFiles files_of(const std::vector<std::filesystem::path>& paths);
/// True where folders are in it that are not hidden, and no image is beside them. Throws DataError.
[[nodiscard]] bool holds_only_folders(const std::filesystem::path& folder);
/// What ImageSet::notes() says of images that are neither JPEG nor PNG.
[[nodiscard]] std::string foreign_note(const PassedOver& foreign);

/// True where the folder holds binary files of CIFAR.
[[nodiscard]] bool holds_cifar(const std::filesystem::path& folder);

}  // namespace overtake::image
