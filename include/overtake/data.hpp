// SPDX-License-Identifier: MIT
/// Tables, arrays and data sets: everything that gets data from files into numbers.
#pragma once

#include "overtake/data/array.hpp"          // NPY and IDX files
#include "overtake/data/dataset.hpp"        // data sets, splits, the disc
#include "overtake/data/description.hpp"    // what was made of a file's columns
#include "overtake/data/file.hpp"           // files that appear whole or not at all
#include "overtake/data/labels.hpp"         // names of classes and groups
#include "overtake/data/preprocessing.hpp"  // standardisation, one-hot, labels
#include "overtake/data/table.hpp"          // CSV files
#include "overtake/data/table_parts.hpp"    // CSV files larger than memory
