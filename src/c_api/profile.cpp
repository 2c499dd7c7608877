// SPDX-License-Identifier: MIT
// Profiles for other languages.
#include "overtake/profile.hpp"

#include <memory>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "overtake/c_profile.h"

namespace api = overtake::c_api;

struct overtake_profile {
  overtake::Profile profile;
};

overtake_status overtake_profile_new(overtake_profile** profile) {
  return api::guarded([&] { api::given(profile, "profile") = std::make_unique<overtake_profile>().release(); });
}

overtake_status overtake_profile_stop(overtake_profile* profile) {
  return api::guarded([&] { api::given(profile, "profile").profile.stop(); });
}

overtake_status overtake_profile_text(const overtake_profile* profile, overtake_text** text) {
  return api::guarded(
      [&] { api::hand_out(api::given(profile, "profile").profile.to_string(), &api::given(text, "text")); });
}

overtake_status overtake_profile_trace(const overtake_profile* profile, overtake_text** json) {
  return api::guarded(
      [&] { api::hand_out(api::given(profile, "profile").profile.trace_json(), &api::given(json, "json")); });
}

overtake_status overtake_profile_write_trace(const overtake_profile* profile, const char* path) {
  return api::guarded([&] { api::given(profile, "profile").profile.write_trace(api::text_of(path, "path")); });
}

void overtake_profile_free(overtake_profile* profile) { std::unique_ptr<overtake_profile>{profile}.reset(); }
