// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstring>

#include "data_support.hpp"
#include "overtake/data/safetensors.hpp"

namespace overtake {
namespace {

using test::expect_error;
using test::TempFolder;
using Extents = std::vector<std::int64_t>;

/// A file with this header text and data, without padding.
std::string file_of(const std::string& header, const std::string& data) {
  std::string file;
  for (unsigned shift = 0; shift < 64; shift += 8)
    file += static_cast<char>(std::uint64_t{header.size()} >> shift & 0xFFU);
  return file + header + data;
}

TensorFile read(const std::string& content) {
  const TempFolder folder;
  return read_safetensors(folder.file("m.safetensors", content));
}

void expect_refused(const std::string& content, std::vector<std::string> fragments) {
  const TempFolder folder;
  const auto path = folder.file("bad.safetensors", content);
  fragments.push_back("bad.safetensors");
  expect_error<DataError>([&] { (void)read_safetensors(path); }, fragments);
}

TensorFile sample() {
  TensorFile file;
  file.metadata = {{"note", "h\xC3\xA4llo \"x\"\n"}};
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6};
  const std::vector<std::int32_t> labels = {7, -8};
  file.tensors.push_back({"layer.0.weight", host_array(weights, {2, 3})});
  file.tensors.push_back({"labels", host_array(labels, {2})});
  file.tensors.push_back({"bytes", {ElementType::uint8, {3}, {std::byte{1}, std::byte{2}, std::byte{3}}}});
  file.tensors.push_back({"step", {ElementType::int64, {}, std::vector<std::byte>(8, std::byte{1})}});
  file.tensors.push_back({"empty", host_array(std::vector<float>{}, {0, 3})});
  return file;
}

// Written by Python: safetensors.numpy.save of a float32 matrix, scalar and empty array, an int32 vector and a boolean
// vector, with one entry of metadata.
const std::string& from_python() {
  static const char bytes[] =
      "H\001\000\000\000\000\000\000{\"__metadata__\":{\"note\":\"h\303\244llo\"},\"empty\":{\"dtype\":\"F32\""
      ",\"shape\":[0,3],\"data_offsets\":[0,0]},\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0"
      ",4]},\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[4,28]},\"labels\":{\"dtype\":\"I32\",\""
      "shape\":[2],\"data_offsets\":[28,36]},\"flag\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[36,3"
      "8]}}   \000\000 @\000\000\200\077\000\000\000@\000\000@@\000\000\200@\000\000\240@\000\000\300@\007\000"
      "\000\000\370\377\377\377\001\000";
  static const std::string file(bytes, sizeof(bytes) - 1);
  return file;
}

TEST(Safetensors, ReadsWhatPythonWrites) {
  const TensorFile file = read(from_python());
  EXPECT_EQ(file.metadata.at("note"), "h\xC3\xA4llo");
  ASSERT_EQ(file.tensors.size(), 5U);
  EXPECT_EQ(file.find("w")->extents, (Extents{2, 3}));
  EXPECT_EQ(to_float32(*file.find("w")), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(to_float32(*file.find("scalar")), (std::vector<float>{2.5F}));
  EXPECT_EQ(file.find("empty")->extents, (Extents{0, 3}));
  EXPECT_EQ(to_int32(*file.find("labels")), (std::vector<std::int32_t>{7, -8}));
  EXPECT_EQ(file.find("flag")->type, ElementType::boolean);
  EXPECT_EQ(file.find("none"), nullptr);
}

TEST(Safetensors, RoundTrip) {
  const TempFolder folder;
  write_safetensors(folder / "m.safetensors", sample());
  EXPECT_EQ(folder.count(), 1U);
  const TensorFile back = read_safetensors(folder / "m.safetensors");
  EXPECT_EQ(back.metadata.at("note"), sample().metadata.at("note"));
  EXPECT_EQ(back.metadata.at(std::string(checksum_key)).size(), 16U);
  ASSERT_EQ(back.tensors.size(), 5U);
  for (const NamedArray& tensor : sample().tensors) {
    ASSERT_NE(back.find(tensor.name), nullptr);
    EXPECT_EQ(back.find(tensor.name)->type, tensor.array.type);
    EXPECT_EQ(back.find(tensor.name)->extents, tensor.array.extents);
    EXPECT_EQ(back.find(tensor.name)->bytes, tensor.array.bytes);
  }
  const std::string bytes = test::read_bytes(folder / "m.safetensors");
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof(header));
  EXPECT_EQ(header % 8, 0U);
  // The same content gives the same bytes, also after a round trip.
  write_safetensors(folder / "n.safetensors", back);
  EXPECT_EQ(test::read_bytes(folder / "n.safetensors"), bytes);
}

TEST(Safetensors, NoTensors) {
  const TempFolder folder;
  write_safetensors(folder / "m.safetensors", {});
  EXPECT_TRUE(read_safetensors(folder / "m.safetensors").tensors.empty());
  EXPECT_TRUE(read(file_of("{}", "")).tensors.empty());
}

TEST(Safetensors, ChecksumIgnoresTheLayoutOnly) {
  TensorFile file = sample();
  const std::string before = content_checksum(file);
  std::swap(file.tensors[0], file.tensors[3]);
  file.metadata[std::string(checksum_key)] = "whatever";
  EXPECT_EQ(content_checksum(file), before);
  file.tensors[2].array.bytes[1] = std::byte{9};
  EXPECT_NE(content_checksum(file), before);
  file = sample();
  file.metadata["note"] += " ";
  EXPECT_NE(content_checksum(file), before);
  file = sample();
  file.tensors[0].array.extents = {3, 2};
  EXPECT_NE(content_checksum(file), before);
}

TEST(Safetensors, EveryAlteredOrMissingByteIsRefused) {
  const TempFolder folder;
  write_safetensors(folder / "m.safetensors", sample());
  const std::string good = test::read_bytes(folder / "m.safetensors");
  const std::size_t padding = good.find("}}", good.find("\"bytes\"")) + 2;
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_THROW((void)read(good.substr(0, i)), DataError) << "cut at " << i;
    if (good[i] == ' ' && i >= padding) continue;  // white space after the header means nothing
    std::string altered = good;
    altered[i] = static_cast<char>(altered[i] ^ 0x01);
    const auto path = folder.file("altered.safetensors", altered);
    EXPECT_THROW((void)read_safetensors(path, ChecksumRule::required), DataError) << "altered at " << i;
  }
  EXPECT_THROW((void)read(good + "x"), DataError);
  std::string altered = good;
  altered.back() = static_cast<char>(altered.back() ^ 0x10);
  expect_refused(altered, {"was altered", "checksum", "overtake.xxh3"});
}

TEST(Safetensors, ChecksumCanBeRequired) {
  const TempFolder folder;
  const auto path = folder.file("m.safetensors", from_python());
  EXPECT_EQ(read_safetensors(path).tensors.size(), 5U);
  expect_error<DataError>([&] { (void)read_safetensors(path, ChecksumRule::required); },
                          {"m.safetensors", "no checksum"});
}

TEST(Safetensors, LengthsAreNotTrusted) {
  expect_refused("", {"empty"});
  expect_refused("1234567", {"is text"});
  expect_refused(std::string("\1\2\0\0\3\0\0", 7), {"cut off: 7 bytes"});
  expect_refused(std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F{}", 10),
                 {"claims 9223372036854775807 bytes", "at most"});
  expect_refused(std::string("\x40\0\0\0\0\0\0\0{}", 10), {"cut off", "64 bytes, but only 2 follow"});
  expect_refused(std::string("\0\0\0\0\0\0\0\0", 8), {"does not begin with {"});
}

TEST(Safetensors, OffsetsMustTileTheData) {
  const auto one = [](const std::string& entry) { return "{\"a\":{" + entry + "}}"; };
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  EXPECT_EQ(read(file_of(one(good), "12345678")).tensors.size(), 1U);
  expect_refused(file_of(one(good), "1234567"), {"cut off", "need 8 bytes of data, but 7 follow"});
  expect_refused(file_of(one(good), "123456789"), {"too long"});
  expect_refused(file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[1,9])"), "123456789"), {"a hole"});
  expect_refused(file_of(one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), "12345678"),
                 {"does not fit its shape"});
  expect_refused(file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), "12345678"),
                 {"does not fit its shape"});
  expect_refused(file_of(one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])"), ""),
                 {"does not fit"});
  expect_refused(file_of(one(R"("dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0])"), ""),
                 {"does not fit"});
  expect_refused(
      file_of(
          R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
          "123456"),
      {"\"b\"", "an overlap"});
  expect_refused(
      file_of(R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]}})", ""),
      {"18446744073709551615"});
}

TEST(Safetensors, StructureIsChecked) {
  const std::string good = R"("dtype":"U8","shape":[1],"data_offsets":[0,1])";
  const auto entry = [](const std::string& text) { return file_of("{\"a\":{" + text + "}}", "x"); };
  EXPECT_EQ(read(entry(good)).tensors.size(), 1U);
  expect_refused(file_of("{\"a\":{" + good + "},\"a\":{" + good + "}}", "x"), {"\"a\" occurs twice"});
  expect_refused(entry(good + ",\"dtype\":\"U8\""), {"\"dtype\" occurs twice"});
  expect_refused(entry(R"("dtype":"U8","shape":[1])"), {"lacks"});
  expect_refused(entry(good + ",\"more\":1"), {"\"more\""});
  expect_refused(entry(R"("dtype":"C64","shape":[1],"data_offsets":[0,8])"), {"\"C64\"", "\"a\""});
  expect_refused(entry(R"("dtype":8,"shape":[1],"data_offsets":[0,1])"), {"the number 8"});
  expect_refused(entry(R"("dtype":"U8","shape":[-1],"data_offsets":[0,1])"), {"the number -1"});
  expect_refused(entry(R"("dtype":"U8","shape":[1.5],"data_offsets":[0,1])"), {"the number 1.5"});
  expect_refused(entry(R"("dtype":"U8","shape":[[1]],"data_offsets":[0,1])"), {"a list"});
  expect_refused(entry(R"("dtype":"U8","shape":{"x":1},"data_offsets":[0,1])"), {"an object"});
  expect_refused(entry(R"("dtype":"U8","shape":[1],"data_offsets":[0])"), {"not two numbers"});
  expect_refused(entry(R"("dtype":"U8","shape":[1],"data_offsets":[0,1,2])"), {"the number 2"});
  expect_refused(file_of(R"({"__metadata__":{"a":1}})", ""), {"the number 1"});
  expect_refused(file_of(R"({"__metadata__":"a"})", ""), {"the text"});
  expect_refused(file_of(R"({"a":null})", ""), {"null"});
  expect_refused(file_of(R"([])", ""), {"does not begin"});
  expect_refused(file_of(R"({"a":)", ""), {"no valid JSON"});
  expect_refused(file_of(R"({} x)", ""), {"no valid JSON"});
  expect_refused(file_of("{\"a\xFF\":{}}", ""), {"no valid JSON"});
  expect_refused(file_of("{\"a\":" + std::string(100000, '['), ""), {"a list"});
  expect_refused(file_of(R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", "\x02"), {"booleans"});
}

TEST(Safetensors, WriterRefusesWhatReadersWould) {
  const TempFolder folder;
  const auto write = [&](const TensorFile& file) { write_safetensors(folder / "m.safetensors", file); };
  TensorFile file = sample();
  file.tensors[1].name = "layer.0.weight";
  expect_error<UsageError>([&] { write(file); }, {"layer.0.weight", "taken"});
  file = sample();
  file.tensors[0].name = "__metadata__";
  EXPECT_THROW(write(file), UsageError);
  file = sample();
  file.tensors[0].array.extents = {7};
  expect_error<UsageError>([&] { write(file); }, {"do not fit"});
  file = sample();
  file.metadata["note"] = "\xFF";
  expect_error<UsageError>([&] { write(file); }, {"UTF-8"});
  EXPECT_EQ(folder.count(), 0U);
  EXPECT_THROW(write_safetensors(folder / "none/m.safetensors", sample()), DataError);
  EXPECT_THROW(write_safetensors("/dev/full", sample()), DataError);
}

}  // namespace
}  // namespace overtake
