// SPDX-License-Identifier: MIT
// Copies, streams and events for other languages.
#include "overtake/c_transfer.h"

#include <memory>
#include <string>

#include "c_api/array_handle.hpp"
#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "overtake/report.hpp"
#include "overtake/stream.hpp"
#include "overtake/transfer.hpp"

namespace api = overtake::c_api;
using overtake::Device;
using overtake::UsageError;
using overtake::report::Json;

struct overtake_event {
  overtake::Event event;
};

struct overtake_pinned {
  overtake::PinnedBuffer buffer;
};

namespace {

overtake::Stream stream_of(const char* device, std::int32_t stream) {
  if (stream < OVERTAKE_STREAM_WORK || stream > OVERTAKE_STREAM_DOWNLOAD) {
    throw UsageError("there is no stream " + std::to_string(stream), "enum overtake_stream has them.");
  }
  return overtake::Stream(Device(api::text_of(device, "device")), static_cast<overtake::StreamKind>(stream));
}

std::size_t size_of(std::int64_t bytes, const char* argument) {
  if (bytes < 0) throw UsageError(std::string(argument) + " is " + std::to_string(bytes) + ", below 0");
  return static_cast<std::size_t>(bytes);
}

void hand_out(overtake::Event event, overtake_event** result) {
  *result = std::make_unique<overtake_event>(overtake_event{std::move(event)}).release();
}

void add(Json& json, const overtake::Transfers& of) {
  json.set("uploads", of.uploads).set("upload_bytes", of.upload_bytes).set("upload_seconds", of.upload_seconds);
  json.set("downloads", of.downloads).set("download_bytes", of.download_bytes);
  json.set("download_seconds", of.download_seconds);
}

}  // namespace

overtake_status overtake_transfer_stats(overtake_text** json) {
  return api::guarded([&] {
    overtake_text*& result = api::given(json, "json");
    const overtake::TransferStats stats = overtake::transfer_stats();
    Json devices = Json::array();
    for (const overtake::DeviceTransfers& each : stats.devices) {
      Json device = Json::object();
      device.set("device", each.device).set("is_host", each.is_host);
      add(device, each.transfers);
      devices.push(std::move(device));
    }
    Json total = Json::object();
    add(total, stats.total);
    Json all = Json::object();
    api::hand_out(all.set("devices", std::move(devices)).set("total", std::move(total)).dump(), &result);
  });
}

overtake_status overtake_transfer_stats_reset(void) {
  return api::guarded([&] { overtake::reset_transfer_stats(); });
}

overtake_status overtake_stream_record(const char* device, int32_t stream, overtake_event** event) {
  return api::guarded([&] { hand_out(stream_of(device, stream).record(), &api::given(event, "event")); });
}

overtake_status overtake_stream_wait(const char* device, int32_t stream, const overtake_event* event) {
  return api::guarded([&] { stream_of(device, stream).wait(api::given(event, "event").event); });
}

overtake_status overtake_stream_synchronize(const char* device, int32_t stream) {
  return api::guarded([&] { stream_of(device, stream).synchronize(); });
}

overtake_status overtake_event_is_done(const overtake_event* event, int32_t* done) {
  return api::guarded([&] { api::given(done, "done") = api::given(event, "event").event.is_done() ? 1 : 0; });
}

overtake_status overtake_event_synchronize(const overtake_event* event) {
  return api::guarded([&] { api::given(event, "event").event.synchronize(); });
}

overtake_status overtake_event_seconds(const overtake_event* event, const overtake_event* earlier, double* seconds) {
  return api::guarded([&] {
    api::given(seconds, "seconds") =
        api::given(event, "event").event.seconds_since(api::given(earlier, "earlier").event);
  });
}

void overtake_event_free(overtake_event* event) { std::unique_ptr<overtake_event>{event}.reset(); }

overtake_status overtake_pinned_new(int64_t bytes, const char* device, overtake_pinned** pinned) {
  return api::guarded([&] {
    overtake_pinned*& result = api::given(pinned, "pinned");
    const Device where(api::text_of(device, "device"));
    result = std::make_unique<overtake_pinned>(overtake_pinned{{size_of(bytes, "bytes"), where}}).release();
  });
}

overtake_status overtake_pinned_data(const overtake_pinned* pinned, void** data) {
  return api::guarded([&] { api::given(data, "data") = api::given(pinned, "pinned").buffer.data(); });
}

void overtake_pinned_free(overtake_pinned* pinned) { std::unique_ptr<overtake_pinned>{pinned}.reset(); }

overtake_status overtake_upload_async(const overtake_pinned* pinned, int64_t offset, int32_t dtype,
                                      const int64_t* extents, int32_t rank, overtake_array** array) {
  return api::guarded([&] {
    overtake_array*& result = api::given(array, "array");
    const auto given = api::listed(extents, rank, "extents");
    const overtake::Shape shape(std::vector<std::int64_t>(given.begin(), given.end()));
    api::hand_out(upload_async(api::given(pinned, "pinned").buffer, api::dtype_of_number(dtype), shape,
                               size_of(offset, "offset")),
                  &result);
  });
}

overtake_status overtake_download_async(const overtake_array* array, const overtake_pinned* pinned, int64_t offset,
                                        overtake_event** event) {
  return api::guarded([&] {
    overtake_event*& result = api::given(event, "event");
    hand_out(
        download_async(api::array_of(array, "array"), api::given(pinned, "pinned").buffer, size_of(offset, "offset")),
        &result);
  });
}
