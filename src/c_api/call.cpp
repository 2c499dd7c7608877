// SPDX-License-Identifier: MIT
// Errors of the calling thread, texts, stops.
#include "c_api/call.hpp"

#include <new>
#include <stdexcept>
#include <system_error>

#include "c_api/handles.hpp"
#include "overtake/out_of_memory.hpp"
#include "overtake/text.hpp"
#include "overtake/version.hpp"

namespace overtake::c_api {
namespace {

/// What was wrong, and what to do. The texts below are not copied where there is no memory for it.
struct LastError {
  std::string message, hint;
  const char* short_message = nullptr;  ///< instead of `message`
  const char* short_hint = nullptr;
  OutOfMemoryText of_memory{};
};

LastError& last_error() noexcept {
  thread_local LastError error;
  return error;
}

overtake_status keep(overtake_status code, const char* message, const char* hint) noexcept {
  LastError& last = last_error();
  try {
    last = {text::printable(message), text::printable(hint)};  // UTF-8, whatever a file or a name held
  } catch (...) {
    last.short_message = "there is not enough memory to say what was wrong";
    last.short_hint = "";
  }
  return code;
}

overtake_status keep_out_of_memory() noexcept {
  LastError& last = last_error();
  last.of_memory = out_of_memory_text();
  last.short_message = last.of_memory.message.data();
  last.short_hint = last.of_memory.hint.data();
  return OVERTAKE_DEVICE_ERROR;
}

}  // namespace

overtake_status keep_error() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    return keep(static_cast<overtake_status>(error.code()), error.what(), error.hint().c_str());
  } catch (const CallerFailed&) {
    return keep(OVERTAKE_CALLER_ERROR, "a function of the caller failed", "");
  } catch (const std::bad_alloc&) {
    return keep_out_of_memory();
  } catch (const std::length_error&) {  // what containers throw for sizes that no memory has
    return keep_out_of_memory();
  } catch (const std::system_error& error) {
    return keep(OVERTAKE_DATA_ERROR, error.what(),
                "The system refused it; check names, permissions and limits (ulimit -a).");
  } catch (const std::exception& error) {
    return keep(OVERTAKE_INTERNAL_ERROR, error.what(),
                "This is a bug in Overtake; please report it with the call you made.");
  } catch (...) {
    return keep(OVERTAKE_INTERNAL_ERROR, "an exception of an unknown kind",
                "This is a bug in Overtake; please report it with the call you made.");
  }
}

}  // namespace overtake::c_api

namespace api = overtake::c_api;

const char* overtake_version() { return overtake::version().data(); }

int overtake_api_version() { return OVERTAKE_API_VERSION; }

const char* overtake_error_message() {
  const api::LastError& last = api::last_error();
  return last.short_message != nullptr ? last.short_message : last.message.c_str();
}

const char* overtake_error_hint() {
  const api::LastError& last = api::last_error();
  return last.short_hint != nullptr ? last.short_hint : last.hint.c_str();
}

const char* overtake_text_data(const overtake_text* text) { return text != nullptr ? text->text.c_str() : ""; }

size_t overtake_text_size(const overtake_text* text) { return text != nullptr ? text->text.size() : 0; }

void overtake_text_free(overtake_text* text) { std::unique_ptr<overtake_text>{text}.reset(); }

overtake_status overtake_stop_new(overtake_stop** stop) {
  return api::guarded([&] {
    overtake_stop*& result = api::given(stop, "stop");
    result = std::make_unique<overtake_stop>().release();
  });
}

void overtake_stop_request(overtake_stop* stop) {
  if (stop != nullptr) stop->token.request();
}

void overtake_stop_free(overtake_stop* stop) { std::unique_ptr<overtake_stop>{stop}.reset(); }
