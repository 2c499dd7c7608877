// SPDX-License-Identifier: MIT
// Which sanitizer this is built with; g++ and clang say it in different ways.
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OVERTAKE_THREAD_SANITIZER
#endif
#if __has_feature(address_sanitizer)
#define OVERTAKE_ADDRESS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_THREAD__) && !defined(OVERTAKE_THREAD_SANITIZER)
#define OVERTAKE_THREAD_SANITIZER
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(OVERTAKE_ADDRESS_SANITIZER)
#define OVERTAKE_ADDRESS_SANITIZER
#endif
