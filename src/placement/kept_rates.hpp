// SPDX-License-Identifier: MIT
// What is kept of measured rates, and when they are measured again: functions of numbers alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "placement/rates.hpp"

namespace overtake::placement {

/// Measured rates of a device, and how far they are to be trusted.
struct KeptRates {
  Slowness slowness{};
  double cores =
      1;          ///< the part of the cores that the measurements got at best; 0: a run has shown them to be too slow
  int looks = 1;  ///< measurements so far
};

/// No device is measured more often than that, so that nobody on a busy machine waits for ever more.
inline constexpr int most_looks = 3;

/// Kept until the device changes; others are measured again by the next process. Those are settled that were measured
/// while the cores were free, and those of the last measurement.
[[nodiscard]] bool is_settled(const KeptRates& rates) noexcept;

/// After one more measurement: of each rate the fastest. It is the last where it made no rate faster by a tenth.
[[nodiscard]] KeptRates after_another(const KeptRates& before, const KeptRates& now) noexcept;

/// Whether computing took so little of the predicted time, less than half and 0.2 s less, that the rates are in doubt.
[[nodiscard]] bool is_much_faster(double predicted_seconds, double seconds) noexcept;

/// What a text's checksum is, and the name of a kept file.
[[nodiscard]] std::string digest_of(std::string_view text);

/// Takes the line "name: number" from the front of a text; nothing where another is there.
[[nodiscard]] std::optional<double> take_number(std::string_view& text, std::string_view name);

/// Rates as text, a few lines with a checksum, and back; nothing for a text that is damaged or about another subject.
[[nodiscard]] std::string to_text(const KeptRates& rates, std::string_view subject);
[[nodiscard]] std::optional<KeptRates> parse_rates(std::string_view text, std::string_view subject);

}  // namespace overtake::placement
