// SPDX-License-Identifier: MIT
#include "data/file/npy_header.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "data/table/message.hpp"

namespace overtake::data {

namespace {

constexpr std::array<std::pair<std::string_view, ElementType>, 6> types = {{{"<f4", ElementType::float32},
                                                                            {"<f8", ElementType::float64},
                                                                            {"<i4", ElementType::int32},
                                                                            {"<i8", ElementType::int64},
                                                                            {"|u1", ElementType::uint8},
                                                                            {"|b1", ElementType::boolean}}};

constexpr std::size_t most_dimensions = 32;

/// Takes tokens from the front of the header text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  /// Skips blanks, then takes `token` if the text goes on with it.
  bool take(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  /// A quoted word without escapes.
  std::optional<std::string_view> word() {
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return std::nullopt;
    const std::size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view result = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return result;
  }

  std::optional<std::int64_t> integer() {
    skip_blanks();
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
    return value;
  }

  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

/// A Python tuple: "()", "(3,)", "(3, 4)".
bool parse_shape(Scanner& scanner, std::vector<std::int64_t>& extents) {
  if (!scanner.take("(")) return false;
  while (!scanner.take(")")) {
    const std::optional<std::int64_t> extent = scanner.integer();
    if (!extent || *extent < 0 || extents.size() == most_dimensions) return false;
    extents.push_back(*extent);
    if (scanner.take(",")) continue;
    return scanner.take(")");
  }
  return true;
}

bool parse_value(Scanner& scanner, std::string_view key, NpyHeader& header) {
  if (key == "descr") {
    const std::optional<std::string_view> word = scanner.word();
    if (word) header.descr = *word;
    return word.has_value();
  }
  if (key == "fortran_order") {
    header.fortran_order = scanner.take("True");
    return header.fortran_order || scanner.take("False");
  }
  return parse_shape(scanner, header.extents);
}

}  // namespace

std::optional<NpyHeader> parse_npy_header(std::string_view text, std::string& problem) {
  constexpr std::array<std::string_view, 3> keys = {"descr", "fortran_order", "shape"};
  Scanner scanner(text);
  NpyHeader header;
  std::array<bool, 3> seen{};
  const auto refuse = [&](std::string_view expected) {
    problem = fmt::format("its header should go on with {}, found {}", expected, quote(scanner.rest()));
    return std::nullopt;
  };
  if (!scanner.take("{")) return refuse("{");
  while (!scanner.take("}")) {
    const std::optional<std::string_view> key = scanner.word();
    if (!key) return refuse("a key");
    std::size_t index = 0;
    while (index < keys.size() && keys[index] != *key) ++index;
    if (index == keys.size() || seen[index]) {
      problem =
          fmt::format("the key {} of its header is {}", quote(*key), index == keys.size() ? "not known" : "repeated");
      return std::nullopt;
    }
    seen[index] = true;
    if (!scanner.take(":")) return refuse("':'");
    if (!parse_value(scanner, *key, header)) return refuse(fmt::format("a valid value of {}", *key));
    if (scanner.take(",")) continue;
    if (!scanner.take("}")) return refuse("',' or '}'");
    break;
  }
  if (!scanner.at_end()) return refuse("nothing");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (seen[i]) continue;
    problem = fmt::format("its header lacks the key {}", keys[i]);
    return std::nullopt;
  }
  return header;
}

std::optional<ElementType> element_type_of(std::string_view descr) {
  for (const auto& [name, type] : types) {
    // NumPy writes '|' or '<' before one-byte types; both mean the same.
    if (name == descr ||
        (size_of(type) == 1 && descr.size() == 3 && descr.front() == '<' && name.substr(1) == descr.substr(1))) {
      return type;
    }
  }
  return std::nullopt;
}

std::string_view descr_of(ElementType type) {
  for (const auto& [name, other] : types) {
    if (other == type) return name;
  }
  return {};
}

}  // namespace overtake::data
