// SPDX-License-Identifier: MIT
/// Hyper-parameter search.
#pragma once

#include "overtake/search/results.hpp"  // journals, JSON, text, HTML
#include "overtake/search/search.hpp"   // options, result, search()
#include "overtake/search/space.hpp"    // grids and random draws
