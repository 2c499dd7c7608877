// SPDX-License-Identifier: MIT
// Sources of the magic numbers: the formats' own specifications, and file(1)'s public descriptions.
#include "data/source/file_kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "data/text/text_kind.hpp"

namespace overtake::data {

namespace {

using std::string_view_literals::operator""sv;

struct Magic {
  std::string_view bytes;
  std::size_t offset;
  bool is_word;  ///< readable letters, which a table may begin with: binary bytes must follow
  FileKind kind;
};

constexpr std::string_view export_csv = "Export it as CSV from the program that wrote it.";
constexpr std::string_view no_table = "Check that it is the file you mean.";

// The first that fits holds, so the longer of two that begin alike stands first.
constexpr std::array magics = {
    Magic{"\x1F\x8B"sv, 0, false, {"a gzip-compressed file", "Decompress it: gzip -dc FILE > FILE.plain"}},
    Magic{"\xFD\x37zXZ\0"sv, 0, false, {"an xz-compressed file", "Decompress it: xz -dc FILE > FILE.plain"}},
    Magic{"BZh"sv, 0, true, {"a bzip2-compressed file", "Decompress it: bzip2 -dc FILE > FILE.plain"}},
    Magic{"\x28\xB5\x2F\xFD"sv, 0, false, {"a zstd-compressed file", "Decompress it: zstd -dc FILE > FILE.plain"}},
    Magic{"\x04\x22\x4D\x18"sv, 0, false, {"an lz4-compressed file", "Decompress it: lz4 -dc FILE > FILE.plain"}},
    Magic{"\x1F\x9D"sv, 0, false, {"a file of compress(1)", "Decompress it: gzip -dc FILE > FILE.plain"}},
    Magic{"LZIP"sv, 0, true, {"an lzip-compressed file", "Decompress it: lzip -dc FILE > FILE.plain"}},
    Magic{"7z\xBC\xAF\x27\x1C"sv, 0, false, {"a 7z archive", "Unpack it: 7z x FILE"}},
    Magic{"Rar!\x1A\x07"sv, 0, false, {"a RAR archive", "Unpack it: unrar x FILE"}},
    Magic{"ustar"sv, 257, true, {"a tar archive", "Unpack it: tar -xf FILE"}},
    Magic{"\x93NUMPY"sv,
          0,
          false,
          {"a NumPy array (NPY)",
           "Write it as CSV: python3 -c \"import numpy, sys; numpy.savetxt(sys.argv[2], numpy.load(sys.argv[1]), "
           "delimiter=',')\" FILE FILE.csv"}},
    Magic{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv,
          0,
          false,
          {"an Excel workbook (xls) or another old Office file", "Save the sheet as CSV (UTF-8)."}},
    Magic{"PAR1"sv,
          0,
          true,
          {"a Parquet file",
           "Write it as CSV: python3 -c \"import pandas, sys; pandas.read_parquet(sys.argv[1]).to_csv(sys.argv[2], "
           "index=False)\" FILE FILE.csv"}},
    Magic{"ARROW1"sv,
          0,
          true,
          {"an Arrow or Feather file",
           "Write it as CSV: python3 -c \"import pandas, sys; pandas.read_feather(sys.argv[1]).to_csv(sys.argv[2], "
           "index=False)\" FILE FILE.csv"}},
    Magic{"FEA1"sv, 0, true, {"a Feather file (version 1)", export_csv}},
    Magic{"ORC"sv, 0, true, {"an ORC file", export_csv}},
    Magic{"Obj\x01"sv, 0, false, {"an Avro file", export_csv}},
    Magic{"\x89HDF\r\n\x1A\n"sv,
          0,
          false,
          {"an HDF5 file",
           "Write it as CSV: python3 -c \"import pandas, sys; pandas.read_hdf(sys.argv[1]).to_csv(sys.argv[2], "
           "index=False)\" FILE FILE.csv"}},
    Magic{"CDF\x01"sv, 0, false, {"a NetCDF file", export_csv}},
    Magic{"MATLAB 5.0 MAT-file"sv, 0, true, {"a MATLAB file", "In MATLAB: writetable or writematrix."}},
    Magic{"$FL2"sv, 0, true, {"an SPSS file", export_csv}},
    Magic{"<stata_dta>"sv, 0, true, {"a Stata file", "In Stata: export delimited."}},
    Magic{"RDX2\nX\n"sv, 0, true, {"R data", "In R: write.csv(x, \"FILE.csv\", row.names = FALSE)."}},
    Magic{"RDX3\nX\n"sv, 0, true, {"R data", "In R: write.csv(x, \"FILE.csv\", row.names = FALSE)."}},
    Magic{"X\n\0\0\0"sv, 0, false, {"R data", "In R: write.csv(x, \"FILE.csv\", row.names = FALSE)."}},
    Magic{"%PDF-"sv, 0, false, {"a PDF", "Look for the data behind it; a PDF holds no table that can be read."}},
    Magic{"\x89PNG\r\n"sv, 0, false, {"a picture (PNG)", no_table}},
    Magic{"\xFF\xD8\xFF"sv, 0, false, {"a picture (JPEG)", no_table}},
    Magic{"GIF89a"sv, 0, true, {"a picture (GIF)", no_table}},
    Magic{"\x7F\x45LF"sv, 0, false, {"a program", no_table}},
};

bool has_at(std::string_view head, std::size_t offset, std::string_view bytes) {
  return head.size() >= offset && head.substr(offset).starts_with(bytes);
}

unsigned byte_at(std::string_view head, std::size_t index) {
  return index < head.size() ? static_cast<unsigned char>(head[index]) : 0U;
}

/// A zip archive by the names in it.
FileKind zip_kind(std::string_view head) {
  const auto holds = [&](std::string_view name) { return head.find(name) != std::string_view::npos; };
  if (holds("opendocument.spreadsheet")) return {"an OpenDocument spreadsheet (ods)", "Save the sheet as CSV (UTF-8)."};
  if (holds("xl/")) return {"an Excel workbook (xlsx)", "Save the sheet as CSV (UTF-8)."};
  if (holds("data.pkl")) return {"a PyTorch file", no_table};
  if (holds("[Content_Types].xml"))
    return {"an Office document (an Excel workbook?)", "Save the sheet as CSV (UTF-8)."};
  if (holds(".npy")) {
    return {"a NumPy archive (NPZ)",
            "Write one of its arrays as CSV: python3 -c \"import numpy, sys; a = numpy.load(sys.argv[1]); "
            "numpy.savetxt(sys.argv[2], a[a.files[0]], delimiter=',')\" FILE FILE.csv"};
  }
  return {"a zip archive", "Unpack it: unzip FILE"};
}

FileKind database_kind(std::string_view head) {
  constexpr std::string_view journal_id = "OVTJ";  // the application_id of search journals
  if (has_at(head, 68, journal_id)) return {"a journal of \"overtake search\"", "Look into it: overtake show FILE"};
  return {"an SQLite database", "Export the table: sqlite3 -header -csv FILE \"SELECT * FROM the_table\" > FILE.csv"};
}

bool is_pickle(std::string_view head) {
  constexpr std::string_view first_opcodes = "}](c\x95\x8C\x58\x71\x4B\x80";
  return byte_at(head, 0) == 0x80 && byte_at(head, 1) >= 2 && byte_at(head, 1) <= 5 && head.size() > 2 &&
         first_opcodes.find(head[2]) != std::string_view::npos;
}

bool is_idx(std::string_view head) {
  const unsigned type = byte_at(head, 2);
  return head.size() >= 8 && head[0] == '\0' && head[1] == '\0' && type >= 0x08 && type <= 0x0E &&
         byte_at(head, 3) >= 1 && byte_at(head, 3) <= 8;
}

/// Two of the three first bytes of gzip data: the other was damaged.
bool is_damaged_gzip(std::string_view head) {
  return head.size() >= 10 && (byte_at(head, 1) == 0x8B && byte_at(head, 2) == 0x08) !=
                                  (byte_at(head, 0) == 0x1F && byte_at(head, 2) == 0x08);
}

constexpr FileKind utf32_text = {"UTF-32 text", "Convert it: iconv -f UTF-32 -t UTF-8 FILE > FILE.utf8"};

/// Wide text without a byte order mark: ASCII with its high bytes zero. Only in the zeros does it differ from UTF-8.
std::optional<FileKind> wide_text(std::string_view head) {
  if (head.starts_with("\xFF\xFE\0\0"sv) || head.starts_with("\0\0\xFE\xFF"sv)) return utf32_text;
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) return utf16_text;
  if (head.size() < 8) return {};
  std::array<std::size_t, 4> zeros{};
  const std::size_t whole = head.size() / 4 * 4;
  for (std::size_t i = 0; i < whole; ++i) zeros[i % 4] += head[i] == '\0' ? 1U : 0U;
  const std::size_t groups = whole / 4;
  const auto all = [&](std::size_t i) { return zeros[i] == groups; };
  if (all(1) && all(2) && zeros[0] + zeros[3] == groups) return utf32_text;
  const std::size_t even = zeros[0] + zeros[2];
  const std::size_t odd = zeros[1] + zeros[3];
  const std::size_t most = groups * 2;
  // Nine of ten: some letters of the text may not be ASCII.
  if (std::min(even, odd) == 0 && std::max(even, odd) * 10 >= most * 9) return utf16_text;
  return {};
}

std::optional<FileKind> binary_kind(std::string_view head) {
  const bool text = looks_like_text(head);
  for (const Magic& magic : magics) {
    if (has_at(head, magic.offset, magic.bytes) && !(magic.is_word && text)) return magic.kind;
  }
  if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) return zip_kind(head);
  if (head.starts_with("SQLite format 3\0"sv)) return database_kind(head);
  if (is_safetensors(head)) {
    const bool own = head.find("overtake.") != std::string_view::npos;
    return own ? FileKind{"a model that Overtake saved", "Give a table. To use the model: overtake predict FILE DATA."}
               : FileKind{"a safetensors file", no_table};
  }
  if (is_pickle(head)) {
    return FileKind{"a Python pickle", "Load it in Python and write the table with to_csv(\"FILE.csv\", index=False)."};
  }
  if (is_idx(head)) return FileKind{"an IDX array", "Write it as CSV, one row of numbers an element."};
  if (is_damaged_gzip(head)) return FileKind{"a gzip-compressed file with a damaged start", "Copy it again."};
  return {};
}

}  // namespace

bool is_safetensors(std::string_view head) {
  // A header length of less than 4 GiB, and the JSON that follows it.
  return head.size() > 9 && head[8] == '{' && (head[9] == '"' || head[9] == '}') && byte_at(head, 4) == 0 &&
         byte_at(head, 5) == 0 && byte_at(head, 6) == 0 && byte_at(head, 7) == 0;
}

bool looks_like_text(std::string_view head) {
  return std::none_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x09 || (byte > 0x0D && byte < 0x20 && byte != 0x1A && byte != 0x1B);
  });
}

std::optional<FileKind> recognise(std::string_view head) {
  if (const std::optional<FileKind> kind = binary_kind(head)) return kind;
  if (const std::optional<FileKind> kind = wide_text(head)) return kind;
  return structured_text(head);
}

std::optional<FileKind> recognise(std::span<const std::byte> head) {
  return recognise(std::string_view(reinterpret_cast<const char*>(head.data()), head.size()));
}

std::string cure_for(const FileKind& kind, std::string_view name) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-+=:,@%";
  const bool quoted = name.find_first_not_of(plain) != std::string_view::npos;
  std::string result;
  std::string_view rest = kind.cure;
  constexpr std::string_view mark = "FILE";
  for (std::size_t at = rest.find(mark); at != std::string_view::npos; at = rest.find(mark)) {
    result += rest.substr(0, at);
    rest.remove_prefix(at + mark.size());
    // What is added to the name belongs into the quotes: 'my data.csv'.plain is one word to a shell all the same.
    result += quoted ? fmt::format("'{}'", name) : std::string(name);
  }
  return result + std::string(rest);
}

}  // namespace overtake::data
