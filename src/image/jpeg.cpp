// SPDX-License-Identifier: MIT
// JPEG files by libjpeg, whose errors jump (guarded.hpp).
#include <csetjmp>
#include <cstdio>
#include <string>
#include <vector>

#include <jpeglib.h>  // needs <cstdio>

#include <jerror.h>  // needs jpeglib.h

#include "image/decode.hpp"
#include "image/guarded.hpp"
#include "overtake/error.hpp"

namespace overtake::image {
namespace {

struct Reader {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf back{};
  char problem[JMSG_LENGTH_MAX]{};

  Reader() = default;
  ~Reader() { jpeg_destroy_decompress(&info); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

Reader& reader_of(j_common_ptr info) { return *static_cast<Reader*>(info->client_data); }

[[noreturn]] void give_up(j_common_ptr info) {
  Reader& reader = reader_of(info);
  info->err->format_message(info, reader.problem);
  std::longjmp(reader.back, 1);  // NOLINT: the interface of libjpeg
}

/// After a warning decoding would go on, with grey where data is missing. Those that mean so end it; others are of odd
/// markers, which thousands of good files have.
void hear(j_common_ptr info, int level) {
  if (level >= 0) return;
  const int code = info->err->msg_code;
  const bool is_damage = code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
                         code == JWRN_MUST_RESYNC || code == JWRN_ARITH_BAD_CODE;
  if (is_damage) give_up(info);
}

/// A small progressive file can hold scans without end, each of which costs the time of the whole image.
void watch_scans(j_common_ptr info) {
  constexpr int most_scans = 500;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > most_scans) ERREXIT(info, JERR_BAD_PROGRESSION);
}

void open(Reader& reader, std::string_view bytes) {
  jpeg_decompress_struct& info = reader.info;
  info.err = jpeg_std_error(&reader.errors);
  reader.errors.error_exit = give_up;
  reader.errors.emit_message = hear;
  reader.progress.progress_monitor = watch_scans;
  info.client_data = &reader;
  jpeg_create_decompress(&info);
  info.client_data = &reader;
  info.progress = &reader.progress;
  // Older headers of libjpeg ask for bytes that may be written.
  jpeg_mem_src(&info, reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())), bytes.size());
  jpeg_read_header(&info, TRUE);
}

int start(jpeg_decompress_struct& info, int eighths) {
  const bool is_grey = info.jpeg_color_space == JCS_GRAYSCALE;
  const bool is_print = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  info.out_color_space = is_grey ? JCS_GRAYSCALE : is_print ? JCS_CMYK : JCS_RGB;
  info.scale_num = static_cast<unsigned>(eighths);
  info.scale_denom = 8;
  jpeg_start_decompress(&info);
  return info.output_components;
}

void skip_rows(jpeg_decompress_struct& info, JSAMPROW row, int rows) {
#ifdef LIBJPEG_TURBO_VERSION
  static_cast<void>(row);
  if (rows > 0) jpeg_skip_scanlines(&info, static_cast<JDIMENSION>(rows));
#else
  for (int y = 0; y < rows; ++y) jpeg_read_scanlines(&info, &row, 1);
#endif
}

void read_rows(jpeg_decompress_struct& info, JSAMPROW row, const Region& region, Image& image) {
  skip_rows(info, row, region.top);
  std::uint8_t* to = image.pixels.data();
  const auto pixels = static_cast<std::size_t>(region.width);
  for (int y = 0; y < region.height; ++y) {
    jpeg_read_scanlines(&info, &row, 1);
    convert_pixels(row + region.left * info.output_components, info.output_components, to, image.channels, pixels);
    to += pixels * static_cast<std::size_t>(image.channels);
  }
  // All but the last: libjpeg looks at no more of the file when that is skipped, too, and the file may be cut off.
  const int below = static_cast<int>(info.output_height) - region.top - region.height;
  skip_rows(info, row, below - 1);
  if (below > 0) jpeg_read_scanlines(&info, &row, 1);
  jpeg_finish_decompress(&info);
}

}  // namespace

Image decode_jpeg(std::string_view bytes, int channels, const ChooseCut& choose) {
  Reader reader;
  if (!attempt(reader, [&] { open(reader, bytes); })) fail(reader);
  jpeg_decompress_struct& info = reader.info;
  check_size(info.image_height, info.image_width);
  const Cut cut = choose(static_cast<int>(info.image_height), static_cast<int>(info.image_width), true);
  int components = 0;
  if (!attempt(reader, [&] { components = start(info, cut.eighths); })) fail(reader);
  Image image{cut.region.height, cut.region.width, channels, {}};
  image.pixels.resize(static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width) *
                      static_cast<std::size_t>(channels));
  std::vector<JSAMPLE> row(static_cast<std::size_t>(info.output_width) * static_cast<std::size_t>(components));
  if (!attempt(reader, [&] { read_rows(info, row.data(), cut.region, image); })) fail(reader);
  return image;
}

}  // namespace overtake::image
