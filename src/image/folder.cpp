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

/// The images below a folder. A link may lead back to a folder that holds it: each is entered once.
std::vector<fs::path> images_below(const fs::path& top) {
  std::vector<fs::path> found;
  std::set<fs::path> entered;
  std::vector<fs::path> waiting{top};
  while (!waiting.empty()) {
    const fs::path folder = std::move(waiting.back());
    waiting.pop_back();
    std::error_code error;
    if (!entered.insert(fs::canonical(folder, error)).second) continue;
    for (fs::path& entry : entries_of(folder)) {
      if (is_folder(entry)) {
        waiting.push_back(std::move(entry));
      } else if (is_image_name(entry)) {
        found.push_back(std::move(entry));
      }
    }
  }
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return found;
}

[[noreturn]] void fail_without_folders(const fs::path& folder, const std::vector<fs::path>& entries) {
  const auto images = std::count_if(entries.begin(), entries.end(), is_image_name);
  throw DataError(fmt::format("{} holds {} images and no folders, expected a folder of images for each class",
                              folder.string(), images),
                  "Sort the images into folders called as their classes: photos/cat/1.jpg, photos/dog/2.jpg. Images "
                  "without labels can only be predicted.");
}

std::int32_t label_of(const std::string& name, const fs::path& folder, const std::vector<std::string>& classes) {
  const auto found = std::find(classes.begin(), classes.end(), name);
  if (found != classes.end()) return static_cast<std::int32_t>(found - classes.begin());
  const std::string near = text::nearest(name, classes);
  throw DataError(fmt::format("the folder {} is called as none of the {} classes{}", folder.string(), classes.size(),
                              near.empty() ? "" : fmt::format("; the nearest is \"{}\"", near)),
                  "Rename or remove it: training and validation data have the same classes.");
}

}  // namespace

bool is_image_name(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

std::vector<fs::path> loose_images(const fs::path& folder) {
  std::vector<fs::path> entries = entries_of(folder);
  if (std::any_of(entries.begin(), entries.end(), is_folder)) return {};
  std::erase_if(entries, [](const fs::path& entry) { return !is_image_name(entry); });
  return entries;
}

}  // namespace overtake::image

namespace overtake {

ImageSet ImageSet::from_folder(const std::filesystem::path& folder, std::vector<std::string> classes) {
  const std::vector<std::filesystem::path> entries = image::entries_of(folder);
  auto content = std::make_shared<image::Content>();
  const bool are_given = !classes.empty();
  content->classes = std::move(classes);
  std::string empty;
  for (const std::filesystem::path& entry : entries) {
    if (!image::is_folder(entry)) continue;
    const std::string name = text::printable_line(entry.filename().string());
    if (!are_given) content->classes.push_back(name);
    const std::int32_t label = image::label_of(name, entry, content->classes);
    std::vector<std::filesystem::path> files = image::images_below(entry);
    if (files.empty()) empty += (empty.empty() ? "" : ", ") + entry.string();
    content->labels.insert(content->labels.end(), files.size(), label);
    std::move(files.begin(), files.end(), std::back_inserter(content->files));
  }
  if (content->classes.empty()) image::fail_without_folders(folder, entries);
  if (!empty.empty()) {
    throw DataError(fmt::format("no images (.jpg, .jpeg, .png) for a class in {}", empty),
                    "Add images, or remove the empty folder.");
  }
  return ImageSet(std::move(content));
}

}  // namespace overtake
