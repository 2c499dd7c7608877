// SPDX-License-Identifier: MIT
// A picture of Mandelbrot's set: a loop of its own length for each point. Usage: mandelbrot [device] [size] [file.pgm].
#include <cmath>
#include <fstream>

#include "overtake/error.hpp"
#include "overtake/kernel.hpp"
#include "overtake/ops.hpp"
#include "timing.hpp"

using overtake::Array;
using overtake::Device;

namespace {

void write_picture(const std::string& path, const Array& turns) {
  const std::vector<std::uint8_t> pixels =
      astype(255 - minimum(turns, 255), overtake::DType::uint8).to_vector<std::uint8_t>();
  std::ofstream file(path, std::ios::binary);
  file << "P5\n" << turns.shape()[1] << " " << turns.shape()[0] << "\n255\n";
  file.write(reinterpret_cast<const char*>(pixels.data()), static_cast<std::streamsize>(pixels.size()));
}

}  // namespace

int main(int argc, char** argv) try {
  const Device device = example::device_of(argc, argv);
  const std::int64_t width = std::max<std::int64_t>(example::size_of(argc, argv, 1200), 60), height = width * 2 / 3;
  const overtake::ElementwiseKernel escape("float32 re, float32 im", "int32 n", R"(
    float x = 0.0f, y = 0.0f;
    n = 0;
    while (n < 256 && x * x + y * y <= 4.0f) {
      float t = x * x - y * y + re;
      y = 2.0f * x * y + im;
      x = t;
      n = n + 1;
    }
  )",
                                           "mandelbrot");
  const auto picture = [&](const std::vector<Array>& places, const Device&) { return escape(places[0], places[1]); };
  const Array re = overtake::linspace(-2.25, 0.75, width, false);                   // a row
  const Array im = reshape(overtake::linspace(-1, 1, height, false), {height, 1});  // a column: they broadcast
  const Array turns = picture({re.to(device), im.to(device)}, device).to(Device());

  if (argc > 3) write_picture(argv[3], turns);
  const double area = 6.0 * mean(astype(equal(turns, 256), overtake::DType::float32)).item();
  std::printf("by %s: the set's area is %.3f (1.507 without end)\n", device.id().c_str(), area);
  example::show_times(device, {re, im}, picture);
  return example::verdict(std::abs(area - 1.52) < 0.06);
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
