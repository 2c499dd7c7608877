// SPDX-License-Identifier: MIT
// Kernels that are watched while they run: a text is changed so that places outside of arrays and loops that do not end
// are noted in a few words of device memory, which the host reads afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/api/device.hpp"
#include "overtake/shape.hpp"

namespace overtake::user_kernel {

/// What is looked for.
struct Watching {
  bool places = false;    ///< outside of arrays
  double time_limit = 0;  ///< seconds in loops; 0: any

  [[nodiscard]] bool any() const noexcept { return places || time_limit > 0; }
};

/// An array whose places are looked at: `size` is an expression of its number of elements.
struct WatchedArray {
  std::string name;
  std::vector<std::string> extents;  ///< of name[a][b]; one but for local arrays
};

struct WatchedText {
  std::string preamble;
  std::string body;
  std::vector<WatchedArray> arrays;  ///< those given, then the body's LOCAL ones: faults name them by number
};

/// The texts with `overtake_at(...)` round each place and a look at the clock in each loop's condition. The kernel has
/// `overtake_watch`, a GLOBAL int*, and `overtake_item`, an int64, in scope, and begins with OVERTAKE_LOOPS;
/// functions of the preamble get these in front (and with a time limit what loops count: one count for all loops of a
/// work-item, so that none goes on when one was ended), and behind each pointer to elements what array it points into:
/// the first element, their number, and which of the arrays it is. Lines of a preamble are negative, unless it has
/// #line. `overtake_step(x)`, which Python's functions have with debug, notes a step of 0. Throws UsageError where
/// places are to be looked at and an array is read in a way that hides them: by `*(x + k)`, through a macro or a
/// pointer of the text's own.
[[nodiscard]] WatchedText watched(std::string_view kernel, std::string_view preamble, std::string_view body,
                                  std::vector<WatchedArray> arrays, const Watching& watching);

/// What functions take in front, and are given: the watch, the work-item, and what loops count.
[[nodiscard]] std::string watch_parameters(const Watching& watching);
[[nodiscard]] std::string watch_arguments(const Watching& watching);

/// What both texts call, in the dialect.
[[nodiscard]] std::string watch_functions(const Watching& watching);

/// The words in device memory.
class WatchBuffer {
 public:
  explicit WatchBuffer(backend::Device& device);
  [[nodiscard]] backend::Buffer& buffer() noexcept { return *buffer_; }

  /// What went wrong first.
  struct Fault {
    enum class Kind : std::int32_t { none, place, loop, step };
    Kind kind = Kind::none;
    int line = 0;  ///< negative: of the preamble
    int array = 0;
    std::int64_t place = 0;
    std::int64_t item = 0;
  };
  /// Waits for the device.
  [[nodiscard]] Fault read() const;

 private:
  backend::Device& device_;
  std::unique_ptr<backend::Buffer> buffer_;
};

}  // namespace overtake::user_kernel
