// SPDX-License-Identifier: MIT
#include "fuzz.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <stdexcept>

#include "overtake/error.hpp"

namespace overtake::fuzz {
namespace {

constexpr std::size_t most_tensor_bytes = std::size_t{1} << 16;

std::vector<NamedTarget>& registered() {
  static std::vector<NamedTarget> list;
  return list;
}

/// The scratch files of this process, removed at its end.
class Scratch {
 public:
  Scratch() {
    // Models are written to the disk for good before they appear; in memory that takes no time.
    const std::filesystem::path memory = "/dev/shm";
    const bool writable = ::access(memory.c_str(), W_OK) == 0;
    folder_ =
        (writable ? memory : std::filesystem::temp_directory_path()) / ("overtake-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

const std::filesystem::path& folder() {
  static const Scratch scratch;
  return scratch.folder();
}

ElementType type_of(std::string_view name) {
  for (const ElementType type : {ElementType::float32, ElementType::float64, ElementType::int32, ElementType::int64,
                                 ElementType::uint8, ElementType::boolean}) {
    if (name_of(type) == name) return type;
  }
  return ElementType::float32;
}

/// "NAME DTYPE 3 4" and the bytes behind it.
NamedArray tensor_of(std::string_view head, Parts& parts) {
  Parts words(head);
  std::vector<std::string_view> list;
  while (!head.empty()) {
    const std::size_t blank = std::min(head.find(' '), head.size());
    list.push_back(head.substr(0, blank));
    head.remove_prefix(std::min(blank + 1, head.size()));
  }
  NamedArray tensor;
  tensor.name = list.empty() ? "" : list[0];
  tensor.array.type = type_of(list.size() > 1 ? list[1] : "");
  std::size_t count = size_of(tensor.array.type);
  for (std::size_t i = 2; i < list.size() && tensor.array.extents.size() < 4; ++i) {
    std::uint32_t extent = 0;
    std::from_chars(list[i].data(), list[i].data() + list[i].size(), extent);
    if (extent != 0 && count > most_tensor_bytes / extent) extent = 1;
    count *= extent;
    tensor.array.extents.push_back(extent);
  }
  const std::string_view bytes = parts.bytes(count);
  tensor.array.bytes.resize(count);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(tensor.array.bytes.data()));
  if (tensor.array.type == ElementType::boolean) {
    for (std::byte& byte : tensor.array.bytes) byte &= std::byte{1};
  }
  return tensor;
}

}  // namespace

const std::vector<NamedTarget>& targets() {
  std::sort(registered().begin(), registered().end(),
            [](const NamedTarget& a, const NamedTarget& b) { return std::string_view(a.name) < b.name; });
  return registered();
}

Registration::Registration(const char* name, Target run) { registered().push_back({name, run}); }

void run(Target target, std::string_view input) {
  try {
    target(input);
  } catch (const InternalError& error) {
    throw std::logic_error(std::string("an internal error: ") + error.what());
  } catch (const Error& error) {
    if (std::string_view(error.what()).empty()) throw std::logic_error("an error without a message");
  } catch (const std::exception& error) {
    throw std::logic_error(std::string("an exception that no reader may throw: ") + error.what());
  }
}

std::filesystem::path scratch_file(std::string_view bytes) {
  const std::filesystem::path path = folder() / "input";
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

std::filesystem::path scratch_path() {
  std::filesystem::path path = folder() / "other";
  std::filesystem::remove(path);
  return path;
}

std::string_view Parts::line() {
  const std::size_t end = std::min(rest_.find('\n'), rest_.size());
  const std::string_view result = rest_.substr(0, end);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  return result;
}

std::string_view Parts::bytes(std::size_t count) {
  const std::string_view result = rest_.substr(0, count);
  rest_.remove_prefix(result.size());
  return result;
}

TensorFile tensor_file(std::string_view input) {
  Parts parts(input);
  TensorFile file;
  for (std::string_view key = parts.line(); !key.empty(); key = parts.line()) {
    file.metadata[std::string(key)] = parts.line();
  }
  std::set<std::string> names;
  while (!parts.empty() && file.tensors.size() < 64) {
    NamedArray tensor = tensor_of(parts.line(), parts);
    if (names.insert(tensor.name).second) file.tensors.push_back(std::move(tensor));
  }
  return file;
}

bool write_scratch(const TensorFile& file, std::filesystem::path& path) {
  path = scratch_path();
  try {
    write_safetensors(path, file);
    return true;
  } catch (const UsageError&) {  // names that are not UTF-8, and so on: no file can hold them
    return false;
  }
}

}  // namespace overtake::fuzz
