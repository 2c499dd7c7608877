// SPDX-License-Identifier: MIT
// Times the loading of images, one JSON line a number of threads: images a second that are decoded and handed out, and
// that have become inputs of 224 x 224 on the device.
//   bench_image_loader [DEVICE [FOLDER]]     FOLDER: one with a folder of images a class; without it 256 JPEG files of
//                                            500 x 375 pixels, made here
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <jpeglib.h>  // needs <cstdio>

#include "overtake/array.hpp"
#include "overtake/error.hpp"
#include "overtake/image.hpp"

namespace {

namespace fs = std::filesystem;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Waves and noise that make a file about as large as a photograph of that size.
std::vector<unsigned char> picture(int height, int width, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> noise(0, 8);
  std::vector<unsigned char> pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double grain = noise(engine);
      for (int c = 0; c < 3; ++c) {
        const double wave = 127 + 90 * std::sin(x / (9.0 + c) + seed) * std::cos(y / (15.0 - c)) + grain;
        pixels.push_back(static_cast<unsigned char>(std::fmin(std::fmax(wave, 0), 255)));
      }
    }
  }
  return pixels;
}

void write_jpeg(const fs::path& path, int height, int width, std::vector<unsigned char> pixels) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;  // NOLINT: libjpeg's type
  jpeg_mem_dest(&info, &memory, &size);
  info.image_height = static_cast<JDIMENSION>(height);
  info.image_width = static_cast<JDIMENSION>(width);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 90, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    unsigned char* row = pixels.data() + std::size_t{info.next_scanline} * static_cast<std::size_t>(width) * 3;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(memory), static_cast<std::streamsize>(size));
  jpeg_destroy_compress(&info);
  std::free(memory);  // NOLINT: what jpeg_mem_dest gave
}

/// Images a second of a second epoch: the first finds files and memory cold.
void time_loader(const overtake::ImageSet& set, const std::string& device, int threads, bool makes_inputs) {
  overtake::ImageLoaderOptions options;
  options.transform = overtake::imagenet_training(224);
  options.batch_size = 64;
  options.threads = threads;
  overtake::ImageLoader loader(set, options, overtake::Device(device));
  double seconds = 0, waited = 0, worked = 0;
  for (int epoch = 0; epoch < 2; ++epoch) {
    const double start = now(), waited_before = loader.stats().wait_seconds;
    const std::clock_t worked_before = std::clock();  // of all threads: what is told on a busy machine
    loader.begin_epoch(epoch);
    while (const auto batch = loader.next()) {
      if (makes_inputs) batch->inputs().eval();
    }
    overtake::Device(device).synchronize();
    seconds = now() - start;
    worked = static_cast<double>(std::clock() - worked_before) / CLOCKS_PER_SEC;
    waited = loader.stats().wait_seconds - waited_before;
  }
  fmt::print(
      "{{\"case\":\"{}\",\"device\":\"{}\",\"threads\":{},\"images_per_second\":{:.0f},\"wait_seconds\":{:.3f},\"core_"
      "ms_an_image\":{:.2f},"
      "\"seconds\":{:.3f},\"pixel_bytes_an_image\":{:.0f}}}\n",
      makes_inputs ? "inputs" : "decoded", device, threads, static_cast<double>(set.size()) / seconds, waited,
      1000 * worked / static_cast<double>(set.size()), seconds,
      static_cast<double>(loader.stats().bytes) / static_cast<double>(loader.stats().images));
  std::fflush(stdout);
}

overtake::ImageSet made_here(const fs::path& folder) {
  constexpr int count = 256;
  std::uintmax_t bytes = 0;
  std::vector<fs::path> files;
  for (int i = 0; i < count; ++i) {
    files.push_back(folder / fmt::format("{}.jpg", i));
    write_jpeg(files.back(), 375, 500, picture(375, 500, static_cast<unsigned>(i)));
    bytes += fs::file_size(files.back());
  }
  fmt::print("{{\"case\":\"files\",\"count\":{},\"bytes_an_image\":{}}}\n", count, bytes / count);
  return overtake::ImageSet::from_files(std::move(files));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string device = argc > 1 ? argv[1] : "cpu";
  const fs::path folder = fs::temp_directory_path() / fmt::format("overtake-bench-{}", std::random_device()());
  int status = 0;
  try {
    fs::create_directories(folder);
    const overtake::ImageSet set = argc > 2 ? overtake::ImageSet::from_folder(argv[2]) : made_here(folder);
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    for (int threads = 1; threads <= 2 * cores; threads *= 2) {
      time_loader(set, device, threads, false);
      time_loader(set, device, threads, true);
    }
  } catch (const overtake::Error& error) {
    fmt::print(stderr, "error: {}\nhint: {}\n", error.what(), error.hint());
    status = 1;
  }
  fs::remove_all(folder);
  return status;
}
