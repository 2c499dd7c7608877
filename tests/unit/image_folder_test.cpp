// SPDX-License-Identifier: MIT
// Which files of a folder are images of which class.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image_support.hpp"

namespace overtake {
namespace {

using test::expect_error, test::png_bytes, test::random_image, test::TempFolder;
using ::testing::ElementsAre;
namespace fs = std::filesystem;

/// An empty file; sets list files and do not read them.
void touch(const TempFolder& folder, const std::string& name) {
  fs::create_directories((folder / name).parent_path());
  static_cast<void>(folder.file(name, ""));
}

std::vector<std::string> names_below(const ImageSet& set, const TempFolder& folder) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < set.size(); ++i)
    names.push_back(fs::path(set.name(i)).lexically_relative(folder.path()).string());
  return names;
}

TEST(ImageFolder, AFolderAClassInOrderOfTheNames) {
  const TempFolder folder;
  for (const char* name : {"dog/2.JPG", "dog/1.jpeg", "cat/deep/er/3.Png", "cat/b.jpg", "cat/.hidden.jpg",
                           "cat/note.txt", ".git/x.jpg", "cat/.thumbs/y.jpg", "stray.jpg", "Zebra/1.png"}) {
    touch(folder, name);
  }
  const ImageSet set = ImageSet::from_folder(folder.path());
  EXPECT_THAT(set.class_names(), ElementsAre("Zebra", "cat", "dog"));
  EXPECT_THAT(names_below(set, folder),
              ElementsAre("Zebra/1.png", "cat/b.jpg", "cat/deep/er/3.Png", "dog/1.jpeg", "dog/2.JPG"));
  EXPECT_THAT(set.labels(), ElementsAre(0, 1, 1, 2, 2));
  const std::vector<std::int32_t> some = {4, 0};
  const ImageSet part = set.select(some);
  EXPECT_THAT(part.labels(), ElementsAre(2, 0));
  EXPECT_EQ(part.name(1), set.name(0));
  EXPECT_EQ(part.class_names(), set.class_names());
  EXPECT_THROW((void)set.name(5), UsageError);
  EXPECT_THROW((void)set.read(-1, 3), UsageError);
  EXPECT_EQ(ImageSet::open(folder.path()).size(), 5);
}

TEST(ImageFolder, ClassesOfAModelDecideTheLabels) {
  const TempFolder folder;
  touch(folder, "cat/1.jpg");
  touch(folder, "dog/1.jpg");
  const ImageSet set = ImageSet::from_folder(folder.path(), {"dog", "emu", "cat"});
  EXPECT_THAT(set.labels(), ElementsAre(2, 0));
  EXPECT_THAT(set.class_names(), ElementsAre("dog", "emu", "cat"));
  expect_error<DataError>(
      [&] {
        (void)ImageSet::from_folder(folder.path(), {"dog", "cats"});
      },
      {"cat", "nearest is \"cats\""});
}

TEST(ImageFolder, LinksAreFollowedOnce) {
  const TempFolder folder;
  touch(folder, "elsewhere/9.jpg");
  touch(folder, "photos/cat/in/1.jpg");
  fs::create_directory_symlink(folder / "photos" / "cat", folder / "photos" / "cat" / "in" / "again");
  fs::create_directory_symlink(folder / "elsewhere", folder / "photos" / "cat" / "more");
  fs::create_symlink(folder / "gone.jpg", folder / "photos" / "cat" / "gone.jpg");
  const ImageSet set = ImageSet::from_folder(folder / "photos");
  EXPECT_THAT(names_below(set, folder),
              ElementsAre("photos/cat/gone.jpg", "photos/cat/in/1.jpg", "photos/cat/more/9.jpg"));
  expect_error<DataError>([&] { (void)set.read(0, 3); }, {"gone.jpg"});
}

TEST(ImageFolder, NamesMayHoldAnyBytes) {
  const TempFolder folder;
  const std::string odd = "new\nline \xFF\xFE";
  fs::create_directories(folder / odd);
  const Image image = random_image(3, 4, 3, 1);
  static_cast<void>(folder.file(odd + "/a\nb\xC3.png", png_bytes(image)));
  static_cast<void>(folder.file(odd + "/c\xC3.png", "nothing"));
  const ImageSet set = ImageSet::from_folder(folder.path());
  EXPECT_EQ(set.read(0, 3).pixels, image.pixels);
  EXPECT_EQ(set.class_names().front(), "new\\nline \\xff\\xfe");
  expect_error<DataError>([&] { (void)set.read(1, 3); }, {"c\xC3.png"});
}

TEST(ImageFolder, SaysWhatItPassesOver) {
  const TempFolder folder;
  for (const char* name : {"cat/1.jpg", "dog/1.jpg", "dog/b.WebP", "cat/deep/a.gif", "cat/z.heic", "cat/note.txt",
                           "cat/Thumbs.db", "cat/.DS_Store", "cat/.hidden.webp", "readme.md", ".x.png"}) {
    touch(folder, name);
  }
  const ImageSet set = ImageSet::from_folder(folder.path());
  EXPECT_EQ(set.size(), 2);
  EXPECT_THAT(set.notes(), ElementsAre("passed over 3 files that are neither JPEG nor PNG, for example " +
                                       (folder / "cat" / "deep" / "a.gif").string() + "; convert them"));
  for (const char* name : {"stray.png", "other.tiff"}) touch(folder, name);
  EXPECT_THAT(ImageSet::from_folder(folder.path()).notes(),
              ElementsAre(set.notes().front(), "passed over 2 images beside the folders of the classes, for example " +
                                                   (folder / "other.tiff").string() + ": they are in no class"));
  const TempFolder loose;
  for (const char* name : {"1.jpg", "2.bmp"}) touch(loose, name);
  EXPECT_THAT(
      ImageSet::from_paths({loose.path()}).notes(),
      ElementsAre("passed over a file that is neither JPEG nor PNG, " + (loose / "2.bmp").string() + "; convert it"));
  EXPECT_TRUE(ImageSet::from_files({loose / "1.jpg"}).notes().empty());
}

TEST(ImageFolder, AnEmptyClassSaysWhatItHolds) {
  const TempFolder folder;
  for (const char* name : {"cat/1.jpg", "dog/b.webp", "dog/a.webp", "dog/note.txt", "emu/list.csv"})
    touch(folder, name);
  expect_error<DataError>(
      [&] { (void)ImageSet::from_folder(folder.path()); },
      {"dog, holds no images, but 3 other files, for example", "dog/a.webp", "1 more such folder", "Convert"});
  touch(folder, "dog/1.jpg");
  expect_error<DataError>([&] { (void)ImageSet::from_folder(folder.path()); },
                          {"emu, holds no images, but 1 other file, for example", "emu/list.csv"});
  expect_error<DataError>([&] { (void)ImageSet::open(folder / "emu"); }, {"no images, but 1 other file", "no folders"});
}

TEST(ImageFolder, SaysWhatIsMissing) {
  const TempFolder folder;
  touch(folder, "photos/cat/1.jpg");
  fs::create_directories(folder / "photos" / "dog" / "deep");
  expect_error<DataError>([&] { (void)ImageSet::from_folder(folder / "photos"); }, {"no images", "photos/dog"});
  expect_error<DataError>([&] { (void)ImageSet::from_folder(folder / "photos" / "cat"); },
                          {"holds 1 image and no folders", "a folder of images for each class"});
  expect_error<DataError>([&] { (void)ImageSet::from_folder(folder / "none"); }, {"none"});
  const fs::path one = folder.file("one.png", png_bytes(random_image(3, 3, 3, 1)));
  expect_error<UsageError>([&] { (void)ImageSet::open(one); }, {"one.png is one image"});
  expect_error<UsageError>([&] { (void)ImageSet::open(folder / "photos", "labels"); }, {"labels already"});
}

}  // namespace
}  // namespace overtake
