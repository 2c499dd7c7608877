// SPDX-License-Identifier: MIT
// Gzip data is read whole or not at all, wherever it is damaged.
#include <gtest/gtest.h>
#include <zlib.h>

#include <optional>

#include "data/source/gz_source.hpp"
#include "data_support.hpp"
#include "overtake/data.hpp"

namespace overtake {
namespace {

using test::expect_error;
using test::TempFolder;

constexpr std::string_view csv = "a,b\n1,x\n2,y\n3,x\n4,z\n";

/// One gzip member, header and trailer included.
std::string member(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string input(text);
  std::string result(deflateBound(&stream, input.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

std::string two_members() { return member(csv.substr(0, 9)) + member(csv.substr(9)); }

std::string all_of(const std::filesystem::path& path, std::size_t chunk) {
  data::GzSource source(path);
  std::string text;
  std::string part(chunk, '\0');
  while (true) {
    const std::size_t count = source.read(part);
    text += part.substr(0, count);
    if (count < chunk) return text;
  }
}

TEST(Gzip, MembersAreOneText) {
  const TempFolder folder;
  const auto path = folder.file("two.gz", two_members());
  for (const std::size_t chunk : {1, 2, 3, 20, 21, 1000}) EXPECT_EQ(all_of(path, chunk), csv) << chunk;
  EXPECT_EQ(all_of(folder.file("padded.gz", two_members() + std::string(1024, '\0')), 7), csv);
  EXPECT_EQ(all_of(folder.file("hollow.gz", member("") + two_members() + member("")), 7), csv);
  EXPECT_EQ(all_of(folder.file("plain", csv), 5), csv);
}

TEST(Gzip, PeekingTakesNothing) {
  const TempFolder folder;
  for (const std::string& content : {std::string(csv), two_members()}) {
    data::GzSource source(folder.file("f", content));
    EXPECT_EQ(source.peek(4), csv.substr(0, 4));
    EXPECT_EQ(source.peek(12), csv.substr(0, 12));
    EXPECT_EQ(source.peek(1000), csv);
    std::string text(csv.size() + 1, '\0');
    EXPECT_EQ(source.read(std::span(text).first(3)), 3U);
    EXPECT_EQ(source.read(std::span(text).subspan(3)), csv.size() - 3);
    EXPECT_EQ(text.substr(0, csv.size()), csv);
  }
}

/// The table as text, or nothing where it was refused with a DataError.
std::optional<std::string> read_text(const TempFolder& folder, std::string_view content) {
  const auto path = folder.file("d.csv", content);
  try {
    const Table table = read_table(path);
    write_table(folder / "copy.csv", table);
    return test::read_bytes(folder / "copy.csv");
  } catch (const DataError&) {
    return std::nullopt;
  }
}

TEST(Gzip, EveryFlippedBitGivesTheSameTableOrAnError) {
  const TempFolder folder;
  const std::string whole = two_members();
  ASSERT_EQ(read_text(folder, whole), csv);
  int refused = 0;
  for (std::size_t i = 0; i < whole.size() * 8; ++i) {
    std::string damaged = whole;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << i % 8));
    const std::optional<std::string> text = read_text(folder, damaged);
    if (text) {
      EXPECT_EQ(*text, csv) << "byte " << i / 8 << ", bit " << i % 8;
    } else {
      ++refused;
    }
  }
  // What a header says of time and system is of no consequence: 7 bytes in each of the two.
  EXPECT_GE(refused, static_cast<int>(whole.size() - 14) * 8 - 4);
}

TEST(Gzip, EveryCutIsAnErrorButThatBetweenMembers) {
  const TempFolder folder;
  const std::string whole = two_members();
  const std::size_t first = member(csv.substr(0, 9)).size();
  for (std::size_t length = 2; length < whole.size(); ++length) {
    if (length == first) continue;
    EXPECT_EQ(read_text(folder, whole.substr(0, length)), std::nullopt) << length;
  }
}

TEST(Gzip, WhatFollowsTheLastMemberIsAnError) {
  const TempFolder folder;
  for (const std::string& rest : {std::string("5,x\n"), std::string(1, '\x1F'), std::string(3, '\0') + "x",
                                  std::string(3, '\0') + member("5,x\n")}) {
    expect_error<DataError>([&] { (void)all_of(folder.file("d.gz", two_members() + rest), 1000); },
                            {"d.gz", "gzip", "damaged"});
  }
}

}  // namespace
}  // namespace overtake
