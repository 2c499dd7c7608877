// SPDX-License-Identifier: MIT
/// Images as training data: files and arrays of labelled images, decoded on threads of their own while the device
/// computes, cropped, resized, flipped and normalised on the device (docs/images.md).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/device.hpp"
#include "overtake/dtype.hpp"

namespace overtake {

namespace backend {
class Buffer;
}
namespace image {  // Overtake's own
struct Content;
class Prepare;
class Pipeline;
}  // namespace image

/// An image in the computer's memory: rows from the top, pixels from the left, `channels` bytes each.
struct Image {
  int height = 0, width = 0;
  int channels = 0;  ///< 1: grey, 3: red, green, blue
  std::vector<std::uint8_t> pixels;
};

/// Reads a JPEG or PNG file, told apart by its content, as Pillow's Image.open(path).convert("L" or "RGB") does: alpha
/// is dropped, of 16 bits the upper 8 are kept (of grey, too, which Pillow makes nearly white), CMYK is taken for
/// Adobe's (inverted), the orientation that EXIF names is ignored as torchvision's loader ignores it, grey is (299 red
/// + 587 green + 114 blue) / 1000. `channels`: 1 or 3, else UsageError. Throws DataError, naming the file, for a file
/// that cannot be read, is no such image, is damaged or cut off, or has more than 100,000,000 pixels, and where this
/// build has no decoder for it.
[[nodiscard]] Image read_image(const std::filesystem::path& path, int channels);
/// The same of the bytes of such a file; `name` stands for the file in messages.
[[nodiscard]] Image decode_image(std::string_view bytes, int channels, const std::string& name);

/// The bytes of a PNG file of the image; "" where this build has no libpng.
[[nodiscard]] std::string encode_png(const Image& image);

/// Images with their labels and the names of the classes. Files are only listed, and read when they are needed. Copies
/// are cheap and share the list.
class ImageSet {
 public:
  /// A folder with a folder a class, their names in order of their bytes the classes. Files that end in .jpg, .jpeg or
  /// .png (in any case) count, however deep they lie; names that begin with a dot do not. Links are followed, each
  /// folder is entered once a class. `classes`: names in the order that labels count them, such as a model knows; else
  /// those found. Throws DataError where there are no folders, for folders without an image, and for a folder that is
  /// none of `classes`.
  [[nodiscard]] static ImageSet from_folder(const std::filesystem::path& folder, std::vector<std::string> classes = {});
  /// An IDX file (plain or gzip) of bytes, (n, height, width) or (n, height, width, 1 or 3), and one of n labels; "":
  /// without labels. Classes are called "0", "1", ... up to the largest label, or `classes` of them, if more than 0.
  /// Throws DataError for other files, for another number of labels, and for labels outside of the classes.
  [[nodiscard]] static ImageSet from_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                                         std::int32_t classes = 0);
  /// The binary files of CIFAR-10 (1 + 3072 bytes an image) or CIFAR-100 (2 + 3072, of which the fine label counts):
  /// one file, or a folder, of which data_batch_*.bin, else train.bin is read. Names of classes come from the file
  /// beside them, batches.meta.txt or fine_label_names.txt, if it is there. Throws DataError as from_idx().
  [[nodiscard]] static ImageSet from_cifar(const std::filesystem::path& path);
  /// JPEG and PNG files, without labels.
  [[nodiscard]] static ImageSet from_files(std::vector<std::filesystem::path> files);
  /// One of the first three, by what `path` is; `labels`: of an IDX file, else empty. Throws UsageError where IDX comes
  /// without labels or others come with them, and for a single JPEG or PNG file.
  [[nodiscard]] static ImageSet open(const std::filesystem::path& path, const std::filesystem::path& labels = {});

  /// What is to be predicted. Several paths: files of images, and folders, of which all images below count, without
  /// labels, in the given order. One path: a file that ends in .jpg, .jpeg or .png, a folder of such files, a folder as
  /// for open(), a file of CIFAR (.bin), or an IDX file, whose `labels` may be given. Throws as these do, UsageError
  /// for labels of anything else.
  [[nodiscard]] static ImageSet from_paths(const std::vector<std::filesystem::path>& paths,
                                           const std::filesystem::path& labels = {});

  [[nodiscard]] std::int64_t size() const noexcept;
  [[nodiscard]] bool has_labels() const noexcept;
  /// In the order that labels count them; empty without labels.
  [[nodiscard]] const std::vector<std::string>& class_names() const noexcept;
  /// One an image; empty without labels.
  [[nodiscard]] std::span<const std::int32_t> labels() const noexcept;
  /// What was passed over when a folder was listed, a sentence each, with a count and an example: images that are
  /// neither JPEG nor PNG by their names (WebP, GIF, TIFF, ...), images beside the folders of the classes; of IDX
  /// files, how many classes have no image. Of other sets, and of what select() gives, nothing.
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept;
  /// "photos/cat/1.jpg", "train-images-idx3-ubyte.gz, image 17 (counted from 0)". Throws UsageError for an index out of
  /// range, as all that follow.
  [[nodiscard]] std::string name(std::int64_t index) const;
  /// Reads and decodes one. Throws as read_image().
  [[nodiscard]] Image read(std::int64_t index, int channels) const;
  /// Those of the given indices, in the given order: a side of split_stratified(labels(), ...), say. Classes stay.
  [[nodiscard]] ImageSet select(std::span<const std::int32_t> indices) const;
  /// 32 hexadecimal digits of the labels, the classes, and the pixels in memory or the files' names (without folders)
  /// and sizes, in order: sets that differ there have other digits. Reads no image. Throws DataError for a file that is
  /// not there.
  [[nodiscard]] std::string checksum() const;

  /// For Overtake's own modules.
  explicit ImageSet(std::shared_ptr<const image::Content> content) noexcept : content_(std::move(content)) {}
  [[nodiscard]] const std::shared_ptr<const image::Content>& content() const noexcept { return content_; }

 private:
  std::shared_ptr<const image::Content> content_;
};

/// Which part of an image becomes the network's input.
enum class ImageCrop : std::uint8_t {
  whole,   ///< all of it, whatever becomes of its proportions
  centre,  ///< resized so that its shorter side is `shorter_side`, then the middle
  random,  ///< not resized: any part of the image with `padding` black pixels round it (torchvision's RandomCrop)
  random_resized,  ///< a random part, resized (torchvision's RandomResizedCrop; Szegedy et al. 2015)
};

/// From an image of any size to the height x width x channels of the network's input: crop, resize, flip, normalise.
/// Resizing is bilinear, with a triangle as wide as the step from pixel to pixel where that is more than 1, as Pillow
/// and torchvision (antialias) resize. What is random is a function of (seed, image, epoch) alone.
struct ImageTransform {
  ImageCrop crop = ImageCrop::whole;
  int height = 224, width = 224;
  int shorter_side = 256;                              ///< centre: at least height and width
  int padding = 0;                                     ///< random
  double least_area = 0.08, most_area = 1;             ///< random_resized: of the image's area, uniform
  double least_ratio = 3.0 / 4, most_ratio = 4.0 / 3;  ///< random_resized: width / height, its logarithm uniform
  double flip = 0;                                     ///< probability of left and right exchanged
  std::array<float, 3> mean{0, 0, 0};                  ///< of channels scaled to 0 .. 1: (x / 255 - mean) / deviation
  std::array<float, 3> deviation{1, 1, 1};

  /// Throws UsageError, naming the field, for one out of range.
  void check() const;
};

/// What networks of ImageNet are trained with: a random part of 8 to 100 % of the area with proportions of 3/4 to 4/3,
/// flipped or not, normalised by ImageNet's mean and deviation.
[[nodiscard]] ImageTransform imagenet_training(int size = 224);
/// What they are measured with: the shorter side resized to size * 256 / 224, the middle of it, normalised likewise.
[[nodiscard]] ImageTransform imagenet_evaluation(int size = 224);
/// The whole image, resized where it is of another size, scaled to 0 .. 1.
[[nodiscard]] ImageTransform plain(int height, int width);

/// What becomes of an image that cannot be read.
enum class OnBroken : std::uint8_t {
  refuse,  ///< next() throws DataError, naming the file
  skip,    ///< the batch takes the next image; ImageLoader::skipped() names it
};

struct ImageLoaderOptions {
  ImageTransform transform;
  int channels = 3;               ///< 1 or 3: images of the other kind are converted
  std::int64_t batch_size = 256;  ///< the last batch of an epoch may be smaller
  bool drop_last = false;         ///< leave a smaller last batch out
  bool shuffle = true;            ///< a new order each epoch, a pure function of (seed, epoch)
  std::uint64_t seed = 0;
  int threads = 0;        ///< that decode; 0: as many as this process computes with
  int batches_ahead = 2;  ///< that are kept ready, 1 to 64
  /// Decoding waits while images that are not handed out take more, unless not even one batch is ready.
  std::uint64_t memory_bytes = std::uint64_t{2} << 30;
  OnBroken on_broken = OnBroken::refuse;
  /// Decode JPEG files at 1/2, 1/4 or 1/8 of their size where the crop has at least the pixels of the input even so:
  /// faster for large photographs, and other pixels than a full decoding resized.
  bool scaled_decoding = false;
  DType dtype = DType::float32;  ///< of the input: float32 or bfloat16
  int padded_channels = 0;       ///< channels of the input, those beyond `channels` are 0; 0: `channels`

  /// Throws UsageError, naming the option, for one out of range.
  void check() const;
};

/// A batch whose pixels are on the device, or on their way there. Outlives its loader.
class ImageBatch {
 public:
  std::vector<std::int32_t> labels;  ///< one an image; empty for a set without labels
  std::vector<std::int64_t> images;  ///< their indices in the set
  std::int64_t end = 0;  ///< place behind its last image in the epoch's order: where begin_epoch() may go on

  [[nodiscard]] std::int64_t size() const noexcept { return static_cast<std::int64_t>(images.size()); }
  /// Asks the device to write the input, (size, height, width, padded channels), to the front of a buffer of it, in
  /// order with its other work: of all images, or of `count` from the one at `first` on. Does not wait. Throws
  /// UsageError for a buffer of another device or too small, and images that the batch has not.
  void write_inputs(backend::Buffer& inputs) const { write_inputs(inputs, 0, size()); }
  void write_inputs(backend::Buffer& inputs, std::int64_t first, std::int64_t count) const;
  /// The same as an array.
  [[nodiscard]] Array inputs() const;

 private:
  friend class ImageLoader;
  ImageBatch() = default;
  std::shared_ptr<image::Prepare> prepare_;
  std::shared_ptr<backend::Buffer> packed_;
};

/// What a loader did so far.
struct ImageLoaderStats {
  double wait_seconds = 0;       ///< that next() waited for images: data was slower than the device
  std::int64_t images = 0;       ///< handed out
  std::int64_t batches = 0;      ///< handed out
  std::uint64_t bytes = 0;       ///< of pixels handed out
  std::uint64_t peak_bytes = 0;  ///< the most that images not handed out took
};

/// Batches of an ImageSet, read and decoded by threads ahead of the device, in memory that the device copies from by
/// itself. Batches, their order and each of their bytes depend on set, options and epoch, not on the threads.
///
///   ImageLoader loader(set, {.transform = imagenet_training(), .batch_size = 256}, "cuda");
///   for (int epoch = 0; epoch < 90; ++epoch) {
///     loader.begin_epoch(epoch);
///     while (auto batch = loader.next()) train(batch->inputs(), batch->labels);
///   }
///
/// One thread at a time may use it. It may be destroyed or begin another epoch at any time.
class ImageLoader {
 public:
  /// Compiles the device's side; starts the threads. Throws UsageError for options out of range or a set without
  /// images, DeviceError where the device cannot compile kernels or the system starts no thread.
  ImageLoader(const ImageSet& set, const ImageLoaderOptions& options, const Device& device);
  ~ImageLoader();
  ImageLoader(const ImageLoader&) = delete;
  ImageLoader& operator=(const ImageLoader&) = delete;

  /// Starts the threads on the batches of an epoch; what is left of another one is dropped. `from`: where in its order
  /// it begins, an ImageBatch::end; the batches are those that would have followed, and nothing before is read. Throws
  /// UsageError for a negative epoch and a place outside of the set.
  void begin_epoch(std::int64_t epoch, std::int64_t from = 0);
  /// The next batch of the epoch; nothing at its end, and before the first begin_epoch(). Throws what went wrong with
  /// the first image that did, in the order of the epoch, once the batches before its own are handed out: DataError
  /// naming a broken file, DeviceError where memory ran out.
  [[nodiscard]] std::optional<ImageBatch> next();

  /// Of an epoch in which no image is broken.
  [[nodiscard]] std::int64_t batches_per_epoch() const noexcept;
  [[nodiscard]] ImageLoaderStats stats() const;
  /// Broken images that were passed over so far (OnBroken::skip), each once, with what is wrong.
  [[nodiscard]] std::vector<std::string> skipped() const;

 private:
  std::optional<ImageBatch> upload(bool wait);

  Device device_;
  std::shared_ptr<image::Prepare> prepare_;
  std::unique_ptr<image::Pipeline> pipeline_;
  std::optional<ImageBatch> ahead_;  // on its way to the device
};

}  // namespace overtake
