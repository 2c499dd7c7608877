// SPDX-License-Identifier: MIT
#include "data/file/safetensors_header.hpp"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "data/table/message.hpp"

namespace overtake::data {

namespace {

using Json = nlohmann::json;

constexpr std::size_t most_dimensions = 32;

/// Builds the header from parser events, so that no tree of an unknown file is ever held in memory and every event out
/// of place ends the parse. The places form a line: start -> top -> metadata | tensor -> shape | offsets -> back.
class HeaderBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit HeaderBuilder(TensorHeader& header) : header_(header) {}

  [[nodiscard]] const std::string& problem() const { return problem_; }

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("true or false"); }
  bool number_float(number_float_t, const string_t& text) override { return unexpected("the number " + text); }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_integer(number_integer_t value) override { return unexpected(fmt::format("the number {}", value)); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::offsets && tensor().offsets.size() < 2) {
      tensor().offsets.push_back(value);
      return true;
    }
    const bool fits = value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (place_ == Place::shape && fits && tensor().extents.size() < most_dimensions) {
      tensor().extents.push_back(static_cast<std::int64_t>(value));
      return true;
    }
    return unexpected(fmt::format("the number {}", value));
  }

  bool string(string_t& text) override {
    if (place_ == Place::metadata) {
      header_.metadata[key_] = text;
      return true;
    }
    if (place_ == Place::tensor && key_ == "dtype") {
      tensor().dtype = text;
      return true;
    }
    return unexpected("the text " + quote(text));
  }

  bool key(string_t& text) override {
    key_ = text;
    std::set<std::string>& seen = place_ == Place::top ? names_ : keys_;
    if (!seen.insert(text).second) return refuse(fmt::format("the key {} occurs twice", quote(text)));
    const bool known = text == "dtype" || text == "shape" || text == "data_offsets";
    if (place_ == Place::tensor && !known) return unexpected("the key " + quote(text));
    return true;
  }

  bool start_object(std::size_t) override {
    keys_.clear();
    if (place_ == Place::start) {
      place_ = Place::top;
      return true;
    }
    if (place_ != Place::top) return unexpected("an object");
    place_ = key_ == "__metadata__" ? Place::metadata : Place::tensor;
    if (place_ == Place::tensor) header_.tensors.push_back({key_, {}, {}, {}});
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor && keys_.size() != 3) {
      return refuse(fmt::format("the tensor {} lacks dtype, shape or data_offsets", quote(tensor().name)));
    }
    place_ = place_ == Place::top ? Place::end : Place::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::tensor || key_ == "dtype") return unexpected("a list");
    place_ = key_ == "shape" ? Place::shape : Place::offsets;
    return true;
  }

  bool end_array() override {
    if (place_ == Place::offsets && tensor().offsets.size() != 2) {
      return refuse(fmt::format("the data_offsets of {} are not two numbers", quote(tensor().name)));
    }
    place_ = Place::tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return refuse(fmt::format("its header is no valid JSON at byte {}", position));
  }

 private:
  enum class Place : std::uint8_t { start, top, metadata, tensor, shape, offsets, end };

  TensorEntry& tensor() { return header_.tensors.back(); }

  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool unexpected(const std::string& what) {
    const std::string where = key_.empty() ? std::string("at its start") : "after the key " + quote(key_);
    return refuse(fmt::format("its header holds {} {}, which the format does not allow there", what, where));
  }

  TensorHeader& header_;
  std::string problem_;
  std::string key_;
  std::set<std::string> names_;  // keys of the outer object
  std::set<std::string> keys_;   // keys of the inner object
  Place place_ = Place::start;
};

}  // namespace

std::string parse_tensor_header(std::string_view text, TensorHeader& header) {
  HeaderBuilder builder(header);
  if (Json::sax_parse(text, &builder)) return {};
  return builder.problem().empty() ? std::string("its header is no valid JSON") : builder.problem();
}

std::string format_tensor_header(const TensorHeader& header) {
  // An ordered object keeps the metadata first and the tensors in the order of their data.
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  json["__metadata__"] = header.metadata;
  for (const TensorEntry& entry : header.tensors) {
    json[entry.name] = {{"dtype", entry.dtype}, {"shape", entry.extents}, {"data_offsets", entry.offsets}};
  }
  return json.dump();
}

std::string_view dtype_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::float32: return "F32";
    case ElementType::float64: return "F64";
    case ElementType::int32: return "I32";
    case ElementType::int64: return "I64";
    case ElementType::uint8: return "U8";
    case ElementType::boolean: return "BOOL";
    case ElementType::float16: return "F16";
    case ElementType::bfloat16: return "BF16";
  }
  return "";
}

}  // namespace overtake::data
