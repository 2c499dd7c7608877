// SPDX-License-Identifier: MIT
// Images in files of arrays: IDX (MNIST), and the binary files of CIFAR (Krizhevsky 2009).
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "data/source/binary_file.hpp"
#include "data/source/memory_meter.hpp"
#include "image/set.hpp"
#include "overtake/data/array.hpp"
#include "overtake/error.hpp"
#include "overtake/text.hpp"

namespace overtake::image {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_label(const fs::path& file, std::size_t index, std::int64_t label, std::int64_t classes) {
  throw DataError(fmt::format("{}: label {} of image {} (counted from 0) is outside of the {} classes", file.string(),
                              label, index, classes),
                  "Check that it is the file you mean, and that images and labels belong together.");
}

/// The same bytes, without a copy where they are bytes of images.
std::shared_ptr<const Pixels> pixels_of(const fs::path& path, const HostArray& array) {
  const std::vector<std::int64_t>& extents = array.extents;
  const bool has_channels = extents.size() == 4 && (extents[3] == 1 || extents[3] == 3);
  if (array.type != ElementType::uint8 || (extents.size() != 3 && !has_channels)) {
    throw DataError(
        fmt::format("{} holds {} of {} dimensions, expected images: bytes of 3 (count, height, width), or 4, "
                    "the last 1 or 3",
                    path.string(), name_of(array.type), extents.size()),
        extents.size() == 1 ? "It may be the file of the labels: images come first." : "Check the file.");
  }
  if (extents[0] == 0) throw DataError(fmt::format("{} holds no images", path.string()), "Check the file.");
  try {
    check_size(static_cast<std::uint64_t>(extents[1]), static_cast<std::uint64_t>(extents[2]));
  } catch (const DataError& error) {
    throw DataError(fmt::format("cannot use the images of {}: {}", path.string(), error.what()), "Check the file.");
  }
  auto pixels = std::make_shared<Pixels>();
  pixels->name = path.string();
  pixels->size = {
      static_cast<int>(extents[1]), static_cast<int>(extents[2]), has_channels ? static_cast<int>(extents[3]) : 1, {}};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(array.bytes.data());
  pixels->bytes.assign(bytes, bytes + array.bytes.size());
  return pixels;
}

std::vector<std::int32_t> idx_labels(const fs::path& path, std::int64_t images, const fs::path& of,
                                     std::int32_t classes) {
  const HostArray array = read_idx(path);
  if (array.extents.size() != 1) {
    throw DataError(fmt::format("{} has {} dimensions, expected labels: one", path.string(), array.extents.size()),
                    "Check that images and labels are not exchanged.");
  }
  if (array.size() != images) {
    throw DataError(
        fmt::format("{} labels in {}, but {} images in {}", array.size(), path.string(), images, of.string()),
        "Take the two files of one set: training images go with training labels.");
  }
  std::vector<std::int32_t> labels = to_int32(array, path.string());
  const std::int32_t most = classes > 0 ? classes : std::int32_t{1} << 20;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= most) fail_label(path, i, labels[i], most);
  }
  return labels;
}

/// Of labels that count with gaps: a network would learn classes that nothing shows. "" where there are none.
std::string gaps_note(const std::vector<std::int32_t>& labels, std::int32_t classes) {
  std::vector<bool> is_there(static_cast<std::size_t>(classes));
  for (const std::int32_t label : labels) is_there[static_cast<std::size_t>(label)] = true;
  const auto missing = std::count(is_there.begin(), is_there.end(), false);
  if (missing == 0) return "";
  const auto first = std::find(is_there.begin(), is_there.end(), false) - is_there.begin();
  return fmt::format("{} of {} classes have no image, for example {}: labels count from 0 to {}", missing, classes,
                     first, classes - 1);
}

constexpr std::size_t cifar_side = 32;
constexpr std::size_t cifar_plane = cifar_side * cifar_side;
constexpr std::size_t cifar_pixels = 3 * cifar_plane;

/// Which CIFAR a file is of: its first label bytes, what they count, and where the names of the classes are.
struct Cifar {
  std::size_t label_bytes;
  std::int32_t classes;
  const char* names;
};
constexpr Cifar cifar_10{1, 10, "batches.meta.txt"};
constexpr Cifar cifar_100{2, 100, "fine_label_names.txt"};

Cifar cifar_of(const data::BinaryFile& file) {
  for (const Cifar& kind : {cifar_10, cifar_100}) {
    if (file.size() > 0 && file.size() % (kind.label_bytes + cifar_pixels) == 0) return kind;
  }
  throw DataError(fmt::format("{} has {} bytes, expected a multiple of {} (CIFAR-10) or of {} (CIFAR-100)", file.name(),
                              file.size(), cifar_10.label_bytes + cifar_pixels, cifar_100.label_bytes + cifar_pixels),
                  "Check that it is the binary version of CIFAR, and copy or download it again.");
}

void read_cifar(const fs::path& path, Cifar& kind, Pixels& pixels, std::vector<std::int32_t>& labels) {
  data::BinaryFile file(path);
  const Cifar own = cifar_of(file);
  if (!labels.empty() && own.label_bytes != kind.label_bytes) {
    throw DataError(fmt::format("{} is of another CIFAR than the files before it", path.string()), "Take them apart.");
  }
  kind = own;
  data::MemoryMeter(file.name(), 0).take(file.size());
  const std::size_t count = static_cast<std::size_t>(file.size()) / (own.label_bytes + cifar_pixels);
  std::vector<std::byte> record(own.label_bytes + cifar_pixels);
  for (std::size_t i = 0; i < count; ++i) {
    file.read(std::span(record), "image");
    const auto label = std::to_integer<std::int32_t>(record[own.label_bytes - 1]);
    if (label >= own.classes) fail_label(path, i, label, own.classes);
    labels.push_back(label);
    for (std::size_t p = 0; p < cifar_plane; ++p) {  // the file has one plane a colour
      for (std::size_t c = 0; c < 3; ++c) {
        pixels.bytes.push_back(std::to_integer<std::uint8_t>(record[own.label_bytes + c * cifar_plane + p]));
      }
    }
  }
}

std::vector<fs::path> cifar_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("data_batch_") && name.ends_with(".bin")) files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  if (files.empty() && fs::is_regular_file(folder / "train.bin", error)) files.push_back(folder / "train.bin");
  return files;
}

/// Lines of the file that names the classes; numbers where there is none of so many lines.
std::vector<std::string> cifar_classes(const fs::path& folder, const Cifar& kind) {
  std::ifstream file(folder / kind.names);
  std::vector<std::string> names;
  for (std::string line; names.size() <= static_cast<std::size_t>(kind.classes) && std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(text::printable_line(line));
  }
  return names.size() == static_cast<std::size_t>(kind.classes) ? names : numbered_classes(kind.classes);
}

}  // namespace

bool holds_cifar(const fs::path& folder) { return !cifar_files(folder).empty(); }

}  // namespace overtake::image

namespace overtake {

ImageSet ImageSet::from_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                            std::int32_t classes) {
  auto content = std::make_shared<image::Content>();
  const HostArray array = read_idx(images);
  content->pixels = image::pixels_of(images, array);
  content->places = image::all_places(array.extents[0]);
  if (labels.empty()) return ImageSet(std::move(content));
  content->labels = image::idx_labels(labels, array.extents[0], images, classes);
  std::int32_t count = classes;
  for (const std::int32_t label : content->labels) count = std::max(count, label + 1);
  content->classes = image::numbered_classes(count);
  if (const std::string note = image::gaps_note(content->labels, count); !note.empty()) content->notes.push_back(note);
  return ImageSet(std::move(content));
}

ImageSet ImageSet::from_cifar(const std::filesystem::path& path) {
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  const std::vector<std::filesystem::path> files = is_folder ? image::cifar_files(path) : std::vector{path};
  if (files.empty()) {
    throw DataError(fmt::format("{} holds neither data_batch_*.bin nor train.bin", path.string()),
                    "Name the folder, or a file, of the binary version of CIFAR-10 or CIFAR-100.");
  }
  auto content = std::make_shared<image::Content>();
  auto pixels = std::make_shared<image::Pixels>();
  pixels->name = path.string();
  pixels->size = {image::cifar_side, image::cifar_side, 3, {}};
  image::Cifar kind = image::cifar_10;
  for (const auto& file : files) image::read_cifar(file, kind, *pixels, content->labels);
  content->classes = image::cifar_classes(is_folder ? path : path.parent_path(), kind);
  content->places = image::all_places(static_cast<std::int64_t>(content->labels.size()));
  content->pixels = std::move(pixels);
  return ImageSet(std::move(content));
}

}  // namespace overtake
