// SPDX-License-Identifier: MIT
/// Tables, arrays and data sets: everything that gets data from files into numbers.
#pragma once

#include "overtake/data_array.hpp"          // NPY and IDX files
#include "overtake/data_description.hpp"    // what was made of a file's columns
#include "overtake/data_file.hpp"           // files that appear whole or not at all
#include "overtake/data_labels.hpp"         // names of classes and groups
#include "overtake/data_preprocessing.hpp"  // standardisation, one-hot, labels
#include "overtake/data_set.hpp"            // data sets, splits, the disc
#include "overtake/data_table.hpp"          // CSV files
