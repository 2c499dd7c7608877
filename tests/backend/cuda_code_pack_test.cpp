// SPDX-License-Identifier: MIT
// Which piece of precompiled code a device gets, with packs made up. Needs no GPU.
#include "backend/cuda/code/code_pack.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "backend/cuda/code/precompiled.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

std::string pack(const std::string& header, const std::string& content) {
  uLongf size = ::compressBound(static_cast<uLong>(content.size()));
  std::string stream(size, '\0');
  ::compress(reinterpret_cast<Bytef*>(stream.data()), &size, reinterpret_cast<const Bytef*>(content.data()),
             static_cast<uLong>(content.size()));
  stream.resize(size);
  return header + "\n" + stream;
}

TEST(CudaCodePack, ADeviceGetsItsGenerationsNewestCodeElsePtx) {
  const std::string made = pack("75 3 80 4 86 2 90 5", "ptxampeAdhoppe");
  EXPECT_EQ(unpack_code(made, 75), "ptx");
  EXPECT_EQ(unpack_code(made, 80), "ampe");
  EXPECT_EQ(unpack_code(made, 86), "Ad");
  EXPECT_EQ(unpack_code(made, 89), "Ad");
  EXPECT_EQ(unpack_code(made, 90), "hoppe");
  EXPECT_EQ(unpack_code(made, 100), "ptx");
  EXPECT_EQ(unpack_code(made, 120), "ptx");
}

TEST(CudaCodePack, DamageIsNoticed) {
  const std::string made = pack("75 3 80 4", "ptxampe");
  for (const std::string& wrong : {std::string("75 3"), made.substr(0, made.size() - 3), pack("", "x"), pack("75", "x"),
                                   pack("75 x", "x"), pack("75 3 80 4", "ptxampere"), pack("75 3 80 4", "ptx")}) {
    EXPECT_THROW((void)unpack_code(wrong, 80), InternalError) << wrong;
  }
}

TEST(CudaCodePack, ProgramsOfThisBuildAreElfAndPtx) {
  constexpr int newest = 99000;
  if (!has_precompiled(newest)) GTEST_SKIP() << "this build had no compiler for CUDA";
  for (const char* name : {"interpreted", "peak", "forest_classes_bytes_small", "forest_numbers_wide_large"}) {
    EXPECT_EQ(precompiled_program(name, newest, 80).substr(1, 3), "ELF") << name;
    EXPECT_EQ(precompiled_program(name, newest, 90).substr(1, 3), "ELF") << name;
    const std::string portable = precompiled_program(name, newest, 75);
    EXPECT_NE(portable.find(".target sm_75"), std::string::npos) << name;
    EXPECT_EQ(portable.back(), '\0') << "the driver reads PTX up to its zero";
  }
  EXPECT_TRUE(precompiled_program("unknown", newest, 90).empty());
  EXPECT_TRUE(precompiled_program("interpreted", 10020, 90).empty()) << "a driver older than any compiler";
}

}  // namespace
}  // namespace overtake::backend::cuda
