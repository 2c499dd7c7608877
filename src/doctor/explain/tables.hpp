// SPDX-License-Identifier: MIT
// What is known of errors: the tables of src/doctor/explain/tables, read once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace overtake::doctor {

/// Why errors happen and what to look at: words that several of them share.
struct Advice {
  std::string_view id;
  std::vector<std::string_view> causes;  ///< the likeliest first
  std::string_view check;
  std::vector<std::string_view> findings;  ///< ids
};

/// One error of a vendor's interface.
struct ErrorCode {
  std::vector<int> numbers;  ///< more than one where it has changed between versions
  std::vector<std::string_view> names;
  const Advice* advice = nullptr;
  std::string_view meaning;

  /// True for the code by which a call says that all went well.
  [[nodiscard]] bool is_success() const noexcept { return numbers == std::vector<int>{0}; }
};

/// One of the doctor's findings, from the table in docs/doctor.md.
struct KnownFinding {
  std::string id, meaning, cure;  ///< without marks of the page's format
};

/// The errors of one interface.
struct Vendor {
  std::string_view name;
  /// Words that begin so, in lower case, speak of this interface.
  std::vector<std::string_view> prefixes;
  /// Its functions are called so, with a capital after it ("cu": cuInit); may be empty.
  std::string_view functions;
  std::vector<ErrorCode> codes;
};

/// A text of messages.
struct Phrase {
  std::vector<std::string_view> parts;  ///< in lower case and in this order, anything between them
  std::string_view title;               ///< empty where it is told for a code
  const ErrorCode* code = nullptr;
  const Advice* advice = nullptr;
  std::string_view meaning;
};

/// All of it. The texts live as long as the program.
struct ErrorTables {
  std::vector<Advice> advice;
  std::vector<Vendor> vendors;
  std::vector<Phrase> phrases;  ///< the more particular first
  std::vector<KnownFinding> findings;

  /// Null where no code has this name; case does not count.
  [[nodiscard]] const ErrorCode* named(std::string_view name) const;
};

/// Throws InternalError where a table is not as it must be.
[[nodiscard]] const ErrorTables& error_tables();

/// Letters A to Z as a to z.
[[nodiscard]] std::string lower(std::string_view text);

}  // namespace overtake::doctor
