// SPDX-License-Identifier: MIT
// The texts of a diagnosis that came from the machine, apart from the words and keys that a report sets round them.
#pragma once

#include <functional>
#include <string>

#include "overtake/doctor.hpp"

namespace overtake::doctor {

/// Replaces each text that names files, drivers, processes or values of variables by what `change` makes of it. Ids,
/// names of checks and of number formats stay as they are.
void change_texts(Diagnosis& diagnosis, const std::function<std::string(const std::string&)>& change);

/// The same with what a terminal would obey, line ends and tabs spelt out (text::printable_line).
void make_printable(Diagnosis& diagnosis);

}  // namespace overtake::doctor
