// SPDX-License-Identifier: MIT
// JSON that the caller passes: parameters of estimators, settings of calls, lists of names.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "overtake/parameters.hpp"

namespace overtake::c_api {

/// The members of a JSON object as parameters, objects among their values as JSON text; NULL and "" have none. Throws
/// UsageError, naming `argument`, for what is no object, for a name that comes twice and for lists as values.
[[nodiscard]] Parameters parse_parameters(const char* json, const char* argument);

/// The objects of a JSON list, each as parse_parameters() reads them.
[[nodiscard]] std::vector<Parameters> parse_candidates(const char* json, const char* argument);

/// A JSON list of texts. Throws UsageError naming `argument`.
[[nodiscard]] std::vector<std::string> parse_names(const char* json, const char* argument);

/// What a call is told besides data. A member that is null counts as left out.
class Settings {
 public:
  /// `json`: an object; NULL and "" are the empty one. Throws UsageError for what is none and for a name that is not
  /// `known`, naming the nearest.
  Settings(const char* json, std::initializer_list<const char*> known);

  [[nodiscard]] std::optional<std::string> text(const std::string& name) const;
  [[nodiscard]] std::optional<bool> flag(const std::string& name) const;
  [[nodiscard]] std::optional<double> number(const std::string& name) const;
  /// Throws UsageError beyond `least` to `most`, as do the others for values of another kind.
  [[nodiscard]] std::optional<std::int64_t> whole(const std::string& name, std::int64_t least, std::int64_t most) const;
  [[nodiscard]] std::optional<std::vector<std::string>> texts(const std::string& name) const;
  [[nodiscard]] std::optional<std::vector<int>> wholes(const std::string& name) const;
  [[nodiscard]] Parameters parameters(const std::string& name) const;

  /// Bytes, 0 where nothing is said.
  [[nodiscard]] std::uint64_t bytes(const std::string& name) const;
  /// Sets `field` where the setting is there.
  template <typename T, typename U>
  static void take(std::optional<T> value, U& field) {
    if (value) field = static_cast<U>(*std::move(value));
  }

 private:
  [[nodiscard]] const std::string* find(const std::string& name) const;

  std::map<std::string, std::string> values_;  ///< JSON text
};

}  // namespace overtake::c_api
