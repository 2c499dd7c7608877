/* SPDX-License-Identifier: MIT */
/**
 * Copies between host and device in C: overtake/transfer.hpp and overtake/stream.hpp for other languages. The rules of
 * c_api.h hold here, too.
 */
#pragma once

#include "overtake/c_array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -- what was copied ----------------------------------------------------------------------------------------------- */

/** What this process copied to and from devices, as JSON: "devices", a list of objects with "device", "is_host" (the
 * cpu), "uploads", "upload_bytes", "upload_seconds", "downloads", "download_bytes" and "download_seconds"; "total", the
 * same sums of all but the cpu. Waits for copies that are under way. */
overtake_status overtake_transfer_stats(overtake_text** json);
/** Counts from now on. */
overtake_status overtake_transfer_stats_reset(void);

/* -- streams and events -------------------------------------------------------------------------------------------- */

/** The queues of a device: what is in one is done in order, the three go on side by side. */
typedef enum overtake_stream {
  OVERTAKE_STREAM_WORK = 0,    /**< what is computed, and copies that are waited for */
  OVERTAKE_STREAM_UPLOAD = 1,  /**< overtake_upload_async() */
  OVERTAKE_STREAM_DOWNLOAD = 2 /**< overtake_download_async() */
} overtake_stream;

/** A moment in a stream: when all that it was asked for before is done. */
typedef struct overtake_event overtake_event;
/** The end of what a stream (enum overtake_stream) of a device was asked for so far. */
overtake_status overtake_stream_record(const char* device, int32_t stream, overtake_event** event);
/** What the stream is asked for from now on waits for the event. */
overtake_status overtake_stream_wait(const char* device, int32_t stream, const overtake_event* event);
/** Waits until the stream is done with all that it was asked for. */
overtake_status overtake_stream_synchronize(const char* device, int32_t stream);
/** *done is 1 when the moment is over, else 0. Does not wait. */
overtake_status overtake_event_is_done(const overtake_event* event, int32_t* done);
/** Waits until it is over. */
overtake_status overtake_event_synchronize(const overtake_event* event);
/** Seconds from `earlier`, an event of the same device, to this one. Waits for both. */
overtake_status overtake_event_seconds(const overtake_event* event, const overtake_event* earlier, double* seconds);
void overtake_event_free(overtake_event* event);

/* -- memory that devices copy from and to -------------------------------------------------------------------------- */

/** Memory of the host, page-locked where the device copies faster then. */
typedef struct overtake_pinned overtake_pinned;
/** Uninitialised. */
overtake_status overtake_pinned_new(int64_t bytes, const char* device, overtake_pinned** pinned);
/** Its first byte, aligned to a page; valid as long as the handle. */
overtake_status overtake_pinned_data(const overtake_pinned* pinned, void** data);
/** Waits for copies from and to it. */
void overtake_pinned_free(overtake_pinned* pinned);

/** An array on the memory's device of row-major elements that begin `offset` bytes into it. Does not wait: the memory
 * is not to be written before an event of OVERTAKE_STREAM_UPLOAD is done. */
overtake_status overtake_upload_async(const overtake_pinned* pinned, int64_t offset, int32_t dtype,
                                      const int64_t* extents, int32_t rank, overtake_array** array);
/** Evaluates and copies the row-major elements to the memory, `offset` bytes into it: they are there when the event is
 * done. Does not wait. */
overtake_status overtake_download_async(const overtake_array* array, const overtake_pinned* pinned, int64_t offset,
                                        overtake_event** event);

#ifdef __cplusplus
} /* extern "C" */
#endif
