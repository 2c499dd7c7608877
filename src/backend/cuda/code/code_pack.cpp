// SPDX-License-Identifier: MIT
#include "backend/cuda/code/code_pack.hpp"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <vector>

#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

struct Piece {
  int architecture = 0;
  std::size_t begin = 0;
  std::size_t bytes = 0;
};

[[noreturn]] void damaged() { throw InternalError("the kernels compiled into this build are damaged"); }

template <typename T>
T take_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) damaged();
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::vector<Piece> pieces_of(std::string_view header) {
  std::vector<Piece> pieces;
  std::size_t begin = 0;
  while (!header.empty()) {
    Piece piece;
    piece.architecture = take_number<int>(header);
    piece.begin = begin;
    piece.bytes = take_number<std::size_t>(header);
    begin += piece.bytes;
    pieces.push_back(piece);
  }
  if (pieces.empty()) damaged();
  return pieces;
}

const Piece& piece_for(const std::vector<Piece>& pieces, int architecture) {
  const Piece* best = &pieces.front();  // PTX
  for (const Piece& piece : pieces) {
    const bool runs = piece.architecture / 10 == architecture / 10 && piece.architecture <= architecture;
    if (runs && piece.architecture >= best->architecture) best = &piece;
  }
  return *best;
}

std::string inflated(std::string_view stream, std::size_t bytes) {
  std::string all(bytes, '\0');
  auto size = static_cast<uLongf>(bytes);
  const int status = ::uncompress(reinterpret_cast<Bytef*>(all.data()), &size,
                                  reinterpret_cast<const Bytef*>(stream.data()), static_cast<uLong>(stream.size()));
  if (status != Z_OK || size != bytes) damaged();
  return all;
}

}  // namespace

std::string unpack_code(std::string_view pack, int architecture) {
  const std::size_t line = pack.find('\n');
  if (line == std::string_view::npos) damaged();
  const std::vector<Piece> pieces = pieces_of(pack.substr(0, line));
  const std::string all = inflated(pack.substr(line + 1), pieces.back().begin + pieces.back().bytes);
  const Piece& piece = piece_for(pieces, architecture);
  return all.substr(piece.begin, piece.bytes);
}

}  // namespace overtake::backend::cuda
