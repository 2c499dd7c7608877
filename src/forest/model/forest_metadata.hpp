// SPDX-License-Identifier: MIT
// What a model file says of a forest besides its nodes.
#pragma once

#include <string>
#include <string_view>

#include "overtake/forest.hpp"

namespace overtake::forest {

/// Kind, task, parameters, sizes, names, the out-of-bag score and the fingerprint of the data as JSON; equal forests
/// give equal text. Throws UsageError for names that are not UTF-8.
[[nodiscard]] std::string metadata_of(const Forest& forest);

/// A forest with all that metadata_of wrote, without trees. Throws DataError, beginning with `context`, for text of any
/// other form.
[[nodiscard]] Forest forest_from_metadata(std::string_view text, const std::string& context);

}  // namespace overtake::forest
