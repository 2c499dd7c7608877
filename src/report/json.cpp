// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "overtake/error.hpp"
#include "overtake/report.hpp"

namespace overtake::report {

struct Json::Impl {
  nlohmann::ordered_json value;
};

Json::Json() : impl_(std::make_unique<Impl>()) {}
Json::Json(double value) : impl_(std::make_unique<Impl>(Impl{value})) {}
Json::Json(std::string_view value) : impl_(std::make_unique<Impl>(Impl{std::string(value)})) {}
Json::Json(Integer value)
    : impl_(std::make_unique<Impl>(value.boolean ? Impl{nlohmann::ordered_json(value.value != 0)}
                                                 : Impl{nlohmann::ordered_json(value.value)})) {}
Json::Json(const Json& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(Json other) noexcept {
  impl_ = std::move(other.impl_);
  return *this;
}
Json::~Json() = default;

Json Json::object() {
  Json json;
  json.impl_->value = nlohmann::ordered_json::object();
  return json;
}

Json Json::array() {
  Json json;
  json.impl_->value = nlohmann::ordered_json::array();
  return json;
}

Json Json::list(std::span<const std::string> texts) {
  Json json = array();
  for (const std::string& text : texts) json.push(text);
  return json;
}

Json Json::text_or_null(std::string_view text) { return text.empty() ? Json() : Json(text); }

Json& Json::set(std::string_view key, Json value) {
  if (!impl_->value.is_object() && !impl_->value.is_null()) {
    throw InternalError("Json::set(\"" + std::string(key) + "\") on a value that is not an object");
  }
  impl_->value[std::string(key)] = std::move(value.impl_->value);
  return *this;
}

Json& Json::push(Json value) {
  if (!impl_->value.is_array() && !impl_->value.is_null()) {
    throw InternalError("Json::push on a value that is not an array");
  }
  impl_->value.push_back(std::move(value.impl_->value));
  return *this;
}

std::string Json::dump(int indent) const {
  return impl_->value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace overtake::report
