// SPDX-License-Identifier: MIT
// Tables of text: plain, compressed, in other encodings and notations.
#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "fuzz.hpp"
#include "overtake/data.hpp"
#include "overtake/error.hpp"
#include "overtake/npy.hpp"

namespace overtake::fuzz {
namespace {

constexpr std::uint64_t most_memory = std::uint64_t{8} << 20;

void check(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

void check_table(const Table& table) {
  for (const Column& column : table.columns) {
    const std::size_t cells = column.kind == ColumnKind::numeric ? column.numbers.size() : column.codes.size();
    check(cells == static_cast<std::size_t>(table.rows), "a column of another length");
    for (const std::int32_t code : column.codes) {
      check(code >= -1 && code < static_cast<std::int32_t>(column.categories.size()), "a code without a category");
    }
  }
}

/// Options from the first line: letters that each switch something.
TableOptions options_of(std::string_view line) {
  TableOptions options;
  options.memory_limit = most_memory;
  for (const char letter : line) {
    switch (letter) {
      case 'h': options.header = true; break;
      case 'n': options.header = false; break;
      case ';': options.delimiter = ';'; break;
      case 't': options.delimiter = '\t'; break;
      case ',': options.notation.decimal = ','; break;
      case '.': options.notation.thousands = "."; break;
      case '$': options.notation.units = {"$", "%"}; break;
      case 'd': options.notation.dates = DateOrder::day_month_year; break;
      case 'f': options.notation.date_format = "%d %b %Y"; break;
      case 'm': options.notation.missing = {{"-", "none"}}; break;
      case '1': options.encoding = "latin-1"; break;
      case 'w': options.encoding = "windows-1252"; break;
      case '6': options.encoding = "utf-16"; break;
      default: break;
    }
  }
  if (options.notation.decimal == '.') options.notation.thousands.clear();
  return options;
}

/// Row by row the file must give the inputs that it gives as a whole, or be refused like it.
void check_parts(const std::filesystem::path& path, const Preprocessing& how) {
  TableOptions options = how.table_options();
  options.memory_limit = most_memory;
  std::vector<float> whole, joined;
  bool refused = false, refused_in_parts = false;
  try {
    whole = how.transform_features(read_table(path, options)).inputs;
  } catch (const DeviceError&) {
    return;  // too large as a whole
  } catch (const Error&) {
    refused = true;
  }
  try {
    TableReader reader(path, options, {.bytes = 1});
    PartEncoder encoder(how);
    while (const std::optional<Table> part = reader.next()) {
      const std::vector<float> inputs = encoder.add(*part, reader.at_end()).inputs;
      joined.insert(joined.end(), inputs.begin(), inputs.end());
    }
  } catch (const Error&) {
    refused_in_parts = true;
  }
  check(refused == refused_in_parts, "a file that is refused one way only");
  if (refused) return;
  const auto same = [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  check(std::equal(whole.begin(), whole.end(), joined.begin(), joined.end(), same), "other inputs in parts");
}

}  // namespace

FUZZ_TARGET(csv) {
  Parts parts(input);
  const TableOptions options = options_of(parts.line());
  const std::filesystem::path path = scratch_file(parts.rest());
  const Table table = read_table(path, options);
  check_table(table);
  (void)describe(table);
  // What a table says of a target must serve to encode it, here and when it is read from a model.
  const std::string target = table.columns.back().name;
  const Preprocessing how = Preprocessing::fit(table, target);
  const Dataset rows = how.transform(table);
  check(rows.inputs.size() == static_cast<std::size_t>(rows.rows * rows.features), "inputs of another size");
  const Preprocessing again = Preprocessing::from_json(how.to_json());
  check(again.to_json() == how.to_json(), "preprocessing that does not read back");
  check_parts(path, how);
}

FUZZ_TARGET(csv_gz) {
  TableOptions options;
  options.memory_limit = most_memory / 8;  // so that bombs are small and quick
  check_table(read_table(scratch_file(input), options));
}

FUZZ_TARGET(npy) {
  const HostArray array = read_npy(scratch_file(input));
  check(array.bytes.size() == static_cast<std::size_t>(array.size()) * size_of(array.type), "bytes of another size");
}

FUZZ_TARGET(npz) {
  const std::map<std::string, Array> arrays = load_npz(scratch_file(input));
  if (arrays.contains("")) return;  // read, but not written
  const std::filesystem::path path = scratch_path();
  save_npz(path, arrays, NpzPacking::deflated);
  for (const auto& [name, array] : load_npz(path)) {
    check(array.shape() == arrays.at(name).shape() && array.dtype() == arrays.at(name).dtype(), "another array");
  }
}

FUZZ_TARGET(idx) {
  const HostArray array = read_idx(scratch_file(input));
  check(array.bytes.size() == static_cast<std::size_t>(array.size()) * size_of(array.type), "bytes of another size");
}

FUZZ_TARGET(safetensors) {
  const TensorFile file = read_safetensors(scratch_file(input));
  const std::filesystem::path path = scratch_path();
  write_safetensors(path, file);
  const TensorFile again = read_safetensors(path, ChecksumRule::required);
  check(content_checksum(again) == content_checksum(file), "a file that does not read back");
}

}  // namespace overtake::fuzz
