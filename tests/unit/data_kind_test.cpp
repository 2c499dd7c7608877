// SPDX-License-Identifier: MIT
// What a file is, from its first bytes; and text of other encodings.
#include <gtest/gtest.h>

#include "data/source/decoded_source.hpp"
#include "data/source/file_kind.hpp"
#include "data/source/line_source.hpp"
#include "data/text/text_kind.hpp"
#include "data_support.hpp"

namespace overtake::data {
namespace {

using test::expect_error;
using test::TempFolder;
using std::string_view_literals::operator""sv;

std::string kind_of(std::string_view head) {
  const auto kind = recognise(head);
  return kind ? std::string(kind->what) : "";
}

TEST(FileKind, TablesAreNotTakenForOtherKinds) {
  for (const std::string_view text :
       {""sv, "a"sv, "a,b\n1,2\n"sv, "PAR1,b\n1,2\n"sv, "ORC;x\n"sv, "BZh9,x\n1,2\n"sv, "[a],[b]\n1,2\n"sv, "{a},b\n"sv,
        "<5,>5\n1,2\n"sv, "version,b\n"sv, "1:30 2:40\nx\n"sv, "\xEF\xBB\xBFx,y\n1,2\n"sv, "caf\xC3\xA9,y\n1,2\n"sv,
        "caf\xE9,y\n1,2\n"sv, "GIF89a,LZIP,RDX2\n"sv, "Objection,CDF\n"sv, "#id,x\n1,2\n"sv}) {
    EXPECT_EQ(kind_of(text), "") << text;
    EXPECT_FALSE(odd_table(text, true)) << text;
  }
}

TEST(FileKind, ShortHeadsAreNoCrash) {
  const std::string_view heads[] = {
      "\x1F\x8B\x08"sv,      "\x80\x04\x95"sv,          "PK\x03\x04"sv,   "\0\0\x08\x01\0\0\0\4"sv,
      "SQLite format 3\0"sv, "\x08\0\0\0\0\0\0\0{\""sv, "\xFF\xFE\0\0"sv, "[\n{"sv};
  for (const std::string_view head : heads) {
    EXPECT_NE(kind_of(head), "");
    for (std::size_t size = 0; size < head.size(); ++size) static_cast<void>(recognise(head.substr(0, size)));
  }
}

TEST(FileKind, Utf16IsSeenWithoutAMark) {
  EXPECT_EQ(kind_of("a\0,\0b\0\n\0001\0,\0002\0\n\0"sv), "UTF-16 text");
  EXPECT_EQ(kind_of("\0a\0,\0b\0\n\0001\0,\0002\0\n"sv), "UTF-16 text");
  EXPECT_EQ(kind_of("a\0\0\0,\0\0\0b\0\0\0"sv), "UTF-32 text");
}

TEST(FileKind, CuresNameTheFile) {
  EXPECT_EQ(cure_for({"", "xz -dc FILE > FILE.plain"}, "d.xz"), "xz -dc d.xz > d.xz.plain");
  EXPECT_EQ(cure_for({"", "xz -dc FILE > FILE.plain"}, "my d"), "xz -dc 'my d' > 'my d'.plain");
}

TEST(FileKind, RowNamesCommentsAndBlankLines) {
  const auto what = [](std::string_view text) {
    const auto kind = odd_table(text, true);
    return kind ? std::string(kind->what.substr(0, 20)) : "";
  };
  EXPECT_EQ(what("a,b\n1,2,3\n4,5,6\n"), "a table with row nam");
  EXPECT_EQ(what("\"a\" \"b\"\n\"r\" 2 3\n"), "a table with row nam");
  EXPECT_EQ(what("a,b\n1,2,\n4,5,\n"), "a table with a delim");
  EXPECT_EQ(what("a,b\n1,2,3\n4,5\n"), "");
  EXPECT_EQ(what("# x\na,b\n1,2\n"), "a table with comment");
  EXPECT_EQ(what("# x\n#a,b\n1,2\n"), "a table with comment");
  EXPECT_EQ(what("#a,b\n1,2\n"), "");
  EXPECT_EQ(what("\n \n"), "empty but for blank ");
  EXPECT_EQ(what(""), "");
}

TEST(FileKind, DeclaredDelimiter) {
  EXPECT_EQ(declared_delimiter("sep=;\r\n"), ';');
  EXPECT_EQ(declared_delimiter("\"sep=\t\"\n"), '\t');
  EXPECT_EQ(declared_delimiter("SEP=|"), '|');
  EXPECT_FALSE(declared_delimiter("sep=x"));
  EXPECT_FALSE(declared_delimiter("sep="));
  EXPECT_FALSE(declared_delimiter("sep=;,b\n"));
}

/// All lines of a file in an encoding.
std::string text_of(const TempFolder& folder, std::string_view content, std::string_view encoding) {
  LineSource source(folder.file("d.csv", content), 1000, encoding);
  std::string text;
  while (const auto line = source.next()) text += *line;
  return text;
}

TEST(Encoding, ReadsWhatItIsToldToRead) {
  const TempFolder folder;
  const std::string wanted = "\xC3\xA9,\xE2\x82\xAC\n1,\xF0\x9F\x98\x80\n";  // e acute, euro; a face beyond 16 bits
  const auto le = "\xE9\0,\0\xAC\x20\n\0001\0,\0\x3D\xD8\x00\xDE\n\0"sv;
  const auto be = "\0\xE9\0,\x20\xAC\0\n\0001\0,\xD8\x3D\xDE\x00\0\n"sv;
  EXPECT_EQ(text_of(folder, wanted, "utf-8"), wanted);
  EXPECT_EQ(text_of(folder, le, "utf-16le"), wanted);
  EXPECT_EQ(text_of(folder, be, "UTF-16BE"), wanted);
  EXPECT_EQ(text_of(folder, "\xFF\xFE" + std::string(le), "utf16"), wanted);
  EXPECT_EQ(text_of(folder, "\xFE\xFF" + std::string(be), "utf-16"), wanted);
  EXPECT_EQ(text_of(folder, le, "utf-16"), wanted);
  EXPECT_EQ(text_of(folder, be, "utf-16"), wanted);
  EXPECT_EQ(text_of(folder, "\xE9,\xA4\n", "latin-1"), "\xC3\xA9,\xC2\xA4\n");
  EXPECT_EQ(text_of(folder, "\xE9,\x80\n", "windows-1252"), "\xC3\xA9,\xE2\x82\xAC\n");
  EXPECT_EQ(text_of(folder, "\x8A\x9F\n", "cp1252"), "\xC5\xA0\xC5\xB8\n");
}

TEST(Encoding, LongTextsAreCutNowhere) {
  const TempFolder folder;
  std::string wide;
  std::string wanted;
  for (int i = 0; i < 50'000; ++i) {
    wide += i % 97 == 0 ? "\n\0"sv : "\x3D\xD8\x00\xDE"sv;
    wanted += i % 97 == 0 ? "\n" : "\xF0\x9F\x98\x80";
  }
  EXPECT_EQ(text_of(folder, "\xFF\xFE" + wide, "utf-16"), wanted);
}

TEST(Encoding, WhatItDoesNotAllowIsAnErrorWithItsPlace) {
  const TempFolder folder;
  const auto fails = [&](std::string_view content, std::string_view encoding, const std::vector<std::string>& says) {
    expect_error<DataError>([&] { (void)text_of(folder, content, encoding); }, says);
  };
  fails("a,b\n1,\x81\n", "windows-1252", {"line 2", "byte 7 of the text", "0x81", "windows-1252"});
  fails("a\0\n\0\x00\xDE"sv, "utf-16le", {"line 2", "byte 5", "half a character"});
  fails("a\0\n\0\x3D\xD8"sv, "utf-16le", {"line 2", "byte 5", "cut off"});
  fails("a\0\n\0b"sv, "utf-16le", {"line 2", "byte 5", "cut off"});
  fails("a,b\n1,2\n", "utf-16", {"UTF-8", "--encoding"});
  fails("\xEF\xBB\xBFx\n", "latin-1", {"UTF-8", "--encoding"});
  fails("\xFF\xFEx\0"sv, "latin-1", {"UTF-16"});
  fails("\xFF\xFE\xFF\xFEx\0"sv, "utf-16", {"second byte order mark"});
  fails("a,b\n1,caf\xE9\n", "utf-8", {"line 2, byte 6", "latin-1", "windows-1252"});
  expect_error<UsageError>([] { (void)parse_encoding("utf-61"); }, {"utf-61", "Did you mean utf-16"});
}

}  // namespace
}  // namespace overtake::data
