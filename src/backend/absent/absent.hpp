// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "backend/api/device.hpp"

namespace overtake::backend::absent {

/// Stands in for a backend that this build was made without, so that its name is answered with the reason instead of
/// being unknown: one unusable entry in the list; open() throws DeviceError with cause and cure.
class AbsentBackend final : public Backend {
 public:
  /// `name` is that of the backend left out: "cuda".
  explicit AbsentBackend(std::string name);

  [[nodiscard]] std::string_view name() const override { return info_.backend; }
  [[nodiscard]] bool has_driver() const noexcept override { return false; }
  [[nodiscard]] std::vector<DeviceInfo> list() override { return {info_}; }
  [[nodiscard]] BackendDetails details() override;
  [[nodiscard]] std::unique_ptr<Device> open(int index) override;

 private:
  DeviceInfo info_;
};

}  // namespace overtake::backend::absent
