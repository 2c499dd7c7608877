// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "overtake/device.hpp"
#include "overtake/doctor.hpp"

namespace overtake::doctor {

/// What a device reaches, in about half a second. `peaks`: its theoretical rates, as the backend knows them; `told` is
/// called with what is measured now. Ends early where `stop` says so, and leaves out what there is no memory for.
[[nodiscard]] DeviceRates measure_rates(const Device& device, const std::vector<PrecisionRate>& peaks,
                                        const std::function<void(const std::string&)>& told,
                                        const std::function<bool()>& stop);

}  // namespace overtake::doctor
