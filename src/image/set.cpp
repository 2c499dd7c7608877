// SPDX-License-Identifier: MIT
#include "image/set.hpp"

#include <fmt/format.h>

#include <numeric>

#include "core/fingerprint.hpp"
#include "data/source/binary_file.hpp"
#include "data/source/file_kind.hpp"
#include "data/source/gz_source.hpp"
#include "overtake/error.hpp"

namespace overtake::image {
namespace {

const Content& checked(const std::shared_ptr<const Content>& content, std::int64_t index) {
  if (index >= 0 && index < content->size()) return *content;
  throw UsageError(fmt::format("image {} of a set of {}, counted from 0", index, content->size()));
}

bool is_picture(std::string_view head) { return head.starts_with("\xFF\xD8\xFF") || head.starts_with("\x89PNG"); }

}  // namespace

std::vector<std::int64_t> all_places(std::int64_t count) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(count));
  std::iota(places.begin(), places.end(), std::int64_t{0});
  return places;
}

std::vector<std::string> numbered_classes(std::int32_t count) {
  std::vector<std::string> names;
  for (std::int32_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

std::string Content::name(std::int64_t index) const {
  const auto at = static_cast<std::size_t>(index);
  return pixels ? fmt::format("{}, image {} (counted from 0)", pixels->name, places[at]) : files[at].string();
}

Image Content::read(std::int64_t index, int channels, const ChooseCut& choose) const {
  const auto at = static_cast<std::size_t>(index);
  if (!pixels) return decode(file_bytes(files[at]), channels, files[at].string(), choose);
  const Image& size = pixels->size;
  const auto bytes = static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width) *
                     static_cast<std::size_t>(size.channels);
  Cut cut;
  try {
    cut = choose(size.height, size.width, false);
  } catch (const DataError& error) {
    throw DataError(fmt::format("cannot use the image {}: {}", name(index), error.what()), error.hint());
  }
  return cut_pixels(pixels->bytes.data() + static_cast<std::size_t>(places[at]) * bytes, size, cut.region, channels);
}

}  // namespace overtake::image

namespace overtake {

ImageSet ImageSet::from_files(std::vector<std::filesystem::path> files) {
  auto content = std::make_shared<image::Content>();
  content->files = std::move(files);
  return ImageSet(std::move(content));
}

ImageSet ImageSet::open(const std::filesystem::path& path, const std::filesystem::path& labels) {
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  std::string head;
  if (!is_folder) {
    data::GzSource source(path);
    head = source.peek(4);
  }
  if (image::is_picture(head)) {
    throw UsageError(fmt::format("{} is one image, and training needs many", path.string()),
                     "Name the folder that holds a folder of images a class.");
  }
  const bool is_idx = !is_folder && path.extension() != ".bin";
  if (is_idx) {
    if (!labels.empty()) return from_idx(path, labels);
    if (!head.starts_with(std::string_view("\0\0", 2))) {
      throw DataError(fmt::format("{} is neither an IDX nor a CIFAR file, and no folder of images", path.string()),
                      "Name the folder that holds a folder of images a class.");
    }
    throw UsageError(fmt::format("the labels of {} are missing", path.string()),
                     "Name the IDX file of its labels: --labels train-labels-idx1-ubyte.gz");
  }
  if (!labels.empty()) {
    throw UsageError(fmt::format("a file of labels, {}, beside {}, whose images have labels already", labels.string(),
                                 path.string()),
                     "Leave the labels out.");
  }
  return !is_folder || image::holds_cifar(path) ? from_cifar(path) : from_folder(path);
}

ImageSet ImageSet::from_paths(const std::vector<std::filesystem::path>& paths, const std::filesystem::path& labels) {
  if (paths.empty()) throw UsageError("no images are named", "Name files or a folder.");
  const std::filesystem::path& first = paths.front();
  const bool is_folder = std::filesystem::is_directory(first);
  const bool are_files = paths.size() > 1 || image::is_image_name(first);
  const bool is_idx = !are_files && !is_folder && first.extension() != ".bin";
  if (is_idx && labels.empty() && !data::GzSource(first).peek(2).starts_with(std::string_view("\0\0", 2))) {
    throw DataError(fmt::format("{} is no image (.jpg, .jpeg, .png), no folder, and neither an IDX nor a CIFAR file",
                                first.string()),
                    "Convert images of other kinds to JPEG or PNG.");
  }
  if (is_idx) return from_idx(first, labels);
  if (!labels.empty()) {
    throw UsageError(fmt::format("the labels {} belong to one IDX file of images, not to {}", labels.string(),
                                 paths.size() > 1 ? fmt::format("{} paths", paths.size()) : first.string()),
                     "Leave the labels out; those of folders and of CIFAR are known.");
  }
  if (!are_files && !is_folder) return from_cifar(first);
  // Images beside folders are asked for as well: then no folder is a class.
  const bool has_classes = !are_files && (image::holds_only_folders(first) || image::holds_cifar(first));
  if (has_classes) return open(first);
  image::FoundFiles found = image::files_of(paths);
  auto content = std::make_shared<image::Content>();
  content->files = std::move(found.images);
  if (found.foreign.count > 0) content->notes.push_back(image::foreign_note(found.foreign));
  return ImageSet(std::move(content));
}

std::int64_t ImageSet::size() const noexcept { return content_->size(); }
bool ImageSet::has_labels() const noexcept { return !content_->classes.empty(); }
const std::vector<std::string>& ImageSet::class_names() const noexcept { return content_->classes; }
const std::vector<std::string>& ImageSet::notes() const noexcept { return content_->notes; }
std::span<const std::int32_t> ImageSet::labels() const noexcept { return content_->labels; }
std::string ImageSet::name(std::int64_t index) const { return image::checked(content_, index).name(index); }

Image ImageSet::read(std::int64_t index, int channels) const {
  image::check_channels(channels);
  return image::checked(content_, index).read(index, channels, image::whole_image);
}

std::string ImageSet::checksum() const {
  const image::Content& all = *content_;
  detail::Fingerprint sum;
  sum.add_values(labels());
  for (const std::string& name : all.classes) sum.add(name);
  if (all.pixels) {
    sum.add_values(std::span<const std::int64_t>(all.places));
    sum.add_values(std::span<const std::uint8_t>(all.pixels->bytes));
  }
  for (const std::filesystem::path& file : all.files) {
    std::error_code problem;
    const std::array<std::uintmax_t, 1> bytes{std::filesystem::file_size(file, problem)};
    if (problem) throw DataError(fmt::format("cannot read {}: {}", file.string(), problem.message()));
    sum.add(file.filename().string());
    sum.add_values(std::span<const std::uintmax_t>(bytes));
  }
  return sum.hex();
}

ImageSet ImageSet::select(std::span<const std::int32_t> indices) const {
  auto part = std::make_shared<image::Content>();
  part->pixels = content_->pixels;
  part->classes = content_->classes;
  for (const std::int32_t index : indices) {
    const image::Content& all = image::checked(content_, index);
    const auto at = static_cast<std::size_t>(index);
    if (has_labels()) part->labels.push_back(all.labels[at]);
    if (all.pixels) {
      part->places.push_back(all.places[at]);
    } else {
      part->files.push_back(all.files[at]);
    }
  }
  return ImageSet(std::move(part));
}

}  // namespace overtake
