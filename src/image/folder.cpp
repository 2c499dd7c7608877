// SPDX-License-Identifier: MIT
// Folders of images, a folder a class.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "image/set.hpp"
#include "overtake/error.hpp"
#include "overtake/text.hpp"

namespace overtake::image {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

/// What is not hidden, in order of the bytes of the names. Throws DataError where the folder cannot be read.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!is_hidden(it->path())) entries.push_back(it->path());
  }
  if (error) {
    throw DataError(fmt::format("cannot read the folder {}: {}", folder.string(), error.message()),
                    "Check its name and its permissions.");
  }
  std::sort(entries.begin(), entries.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return entries;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::string lower_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return extension;
}

/// Images in formats that nothing here reads, and JPEG files that are called otherwise, by their names.
bool is_foreign_image_name(const fs::path& path) {
  static const std::set<std::string> endings = {".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif",
                                                ".avif", ".jxl", ".jp2", ".ppm", ".pgm",  ".jfif", ".jpe"};
  return endings.count(lower_extension(path)) > 0;
}

/// What other systems leave in every folder.
bool is_litter(const fs::path& path) {
  const fs::path name = path.filename();
  return name == "Thumbs.db" || name == "ehthumbs.db" || name == "desktop.ini" || name == "Icon\r";
}

void sort_one_in(FoundFiles& found, const fs::path& file) {
  if (is_image_name(file)) {
    found.images.push_back(file);
  } else if (is_foreign_image_name(file)) {
    found.foreign.add(file);
  } else if (!is_litter(file)) {
    found.others.add(file);
  }
}

/// "no images", "no images, but 3 other files, for example photos/cat/a.webp".
std::string without_images(const FoundFiles& found) {
  const std::int64_t count = found.foreign.count + found.others.count;
  if (count == 0) return "no images";
  return fmt::format("no images, but {} other file{}, for example {}", count, count == 1 ? "" : "s",
                     (found.foreign.count > 0 ? found.foreign : found.others).example.string());
}

[[noreturn]] void fail_without_folders(const fs::path& folder) {
  const FoundFiles found = files_below(folder);
  const std::string what = found.images.empty()
                               ? without_images(found)
                               : fmt::format("{} image{}", found.images.size(), found.images.size() == 1 ? "" : "s");
  throw DataError(
      fmt::format("{} holds {} and no folders, expected a folder of images for each class", folder.string(), what),
      "Sort the images into folders called as their classes: photos/cat/1.jpg, photos/dog/2.jpg. Images without labels "
      "can only be predicted.");
}

std::string beside_note(const PassedOver& beside) {
  return fmt::format("passed over {} beside the folders of the classes, {}{}: {} in no class",
                     beside.count == 1 ? "an image" : fmt::format("{} images", beside.count),
                     beside.count == 1 ? "" : "for example ", beside.example.string(),
                     beside.count == 1 ? "it is" : "they are");
}

/// Classes without an image, and the first of them with what it holds.
struct EmptyClasses {
  std::int64_t count = 0;
  fs::path first;
  FoundFiles found;

  void add(const fs::path& folder, FoundFiles&& in_it) {
    if (count++ > 0) return;
    first = folder;
    found = std::move(in_it);
  }
  /// Throws DataError where there are any.
  void check() const {
    if (count == 0) return;
    const std::string more =
        count == 1 ? "" : fmt::format(", and {} more such folder{}", count - 1, count == 2 ? "" : "s");
    throw DataError(
        fmt::format("the folder of a class, {}, holds {} (.jpg, .jpeg, .png){}", first.string(), without_images(found),
                    more),
        found.foreign.count > 0 ? "Convert its files to JPEG or PNG." : "Add images, or remove the folder.");
  }
};

std::int32_t label_of(const std::string& name, const fs::path& folder, const std::vector<std::string>& classes) {
  const auto found = std::find(classes.begin(), classes.end(), name);
  if (found != classes.end()) return static_cast<std::int32_t>(found - classes.begin());
  const std::string near = text::nearest(name, classes);
  throw DataError(fmt::format("the folder {} is called as none of the {} classes{}", folder.string(), classes.size(),
                              near.empty() ? "" : fmt::format("; the nearest is \"{}\"", near)),
                  "Rename or remove it: training and validation data have the same classes.");
}

}  // namespace

void PassedOver::add(const fs::path& file) {
  if (count++ == 0 || file.native() < example.native()) example = file;
}

void PassedOver::add(const PassedOver& more) {
  if (more.count == 0) return;
  if (count == 0 || more.example.native() < example.native()) example = more.example;
  count += more.count;
}

std::string foreign_note(const PassedOver& foreign) {
  return foreign.count == 1
             ? fmt::format("passed over a file that is neither JPEG nor PNG, {}; convert it", foreign.example.string())
             : fmt::format("passed over {} files that are neither JPEG nor PNG, for example {}; convert them",
                           foreign.count, foreign.example.string());
}

bool is_image_name(const fs::path& path) {
  const std::string extension = lower_extension(path);
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

FoundFiles files_below(const fs::path& top) {
  FoundFiles found;
  std::set<fs::path> entered;
  std::vector<fs::path> waiting{top};
  while (!waiting.empty()) {
    const fs::path folder = std::move(waiting.back());
    waiting.pop_back();
    std::error_code error;
    if (!entered.insert(fs::canonical(folder, error)).second) continue;
    for (const fs::path& entry : entries_of(folder)) {
      if (is_folder(entry)) {
        waiting.push_back(entry);
      } else {
        sort_one_in(found, entry);
      }
    }
  }
  std::sort(found.images.begin(), found.images.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return found;
}

FoundFiles files_of(const std::vector<fs::path>& paths) {
  FoundFiles all;
  for (const fs::path& path : paths) {
    if (!is_folder(path)) {
      all.images.push_back(path);
      continue;
    }
    FoundFiles found = files_below(path);
    if (found.images.empty()) {
      throw DataError(fmt::format("{} holds {} (.jpg, .jpeg, .png)", path.string(), without_images(found)),
                      found.foreign.count > 0 ? "Convert its files to JPEG or PNG." : "Leave the folder out.");
    }
    all.images.insert(all.images.end(), found.images.begin(), found.images.end());
    all.foreign.add(found.foreign);
  }
  return all;
}

bool holds_only_folders(const fs::path& folder) {
  const std::vector<fs::path> entries = entries_of(folder);
  const auto is_image = [](const fs::path& entry) { return !is_folder(entry) && is_image_name(entry); };
  return std::any_of(entries.begin(), entries.end(), is_folder) &&
         std::none_of(entries.begin(), entries.end(), is_image);
}

}  // namespace overtake::image

namespace overtake {

ImageSet ImageSet::from_folder(const std::filesystem::path& folder, std::vector<std::string> classes) {
  auto content = std::make_shared<image::Content>();
  const bool are_given = !classes.empty();
  content->classes = std::move(classes);
  image::EmptyClasses empty;
  image::PassedOver foreign, beside;
  for (const std::filesystem::path& entry : image::entries_of(folder)) {
    if (!image::is_folder(entry)) {
      if (image::is_image_name(entry) || image::is_foreign_image_name(entry)) beside.add(entry);
      continue;
    }
    const std::string name = text::printable_line(entry.filename().string());
    if (!are_given) content->classes.push_back(name);
    const std::int32_t label = image::label_of(name, entry, content->classes);
    image::FoundFiles found = image::files_below(entry);
    content->labels.insert(content->labels.end(), found.images.size(), label);
    content->files.insert(content->files.end(), found.images.begin(), found.images.end());
    foreign.add(found.foreign);
    if (found.images.empty()) empty.add(entry, std::move(found));
  }
  if (content->classes.empty()) image::fail_without_folders(folder);
  empty.check();
  if (foreign.count > 0) content->notes.push_back(image::foreign_note(foreign));
  if (beside.count > 0) content->notes.push_back(image::beside_note(beside));
  return ImageSet(std::move(content));
}

}  // namespace overtake
