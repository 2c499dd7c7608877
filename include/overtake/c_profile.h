/* SPDX-License-Identifier: MIT */
/**
 * Profiles in C: overtake/profile.hpp for other languages. The rules of c_api.h hold here, too.
 */
#pragma once

#include "overtake/c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What the process launches and copies, from overtake_profile_new() to overtake_profile_stop(). Launches run one after
 * the other meanwhile. */
typedef struct overtake_profile overtake_profile;
overtake_status overtake_profile_new(overtake_profile** profile);
/** Listens no more; what there is stays. */
overtake_status overtake_profile_stop(overtake_profile* profile);
/** A table for people: launches and copies, their time, bytes and rate, and the share of the device's measured peak,
 * which is measured where it was not before. */
overtake_status overtake_profile_text(const overtake_profile* profile, overtake_text** text);
/** Every entry as JSON, in the format of Chrome's tracing: "traceEvents", those with "ph": "X" in the order in which
 * they ended; "ts" and "dur" in microseconds; "args" with "bytes_read", "bytes_written", "flops" and, where it has a
 * name of its own, "kernel". */
overtake_status overtake_profile_trace(const overtake_profile* profile, overtake_text** json);
/** The same as a file, which appears whole or not at all. */
overtake_status overtake_profile_write_trace(const overtake_profile* profile, const char* path);
/** Stops it, too. */
void overtake_profile_free(overtake_profile* profile);

#ifdef __cplusplus
} /* extern "C" */
#endif
