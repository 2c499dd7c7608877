// SPDX-License-Identifier: MIT
#include "output/outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "overtake/data/file.hpp"
#include "overtake/error.hpp"
#include "system.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;
using overtake::UsageError;

/// What makes two names the same file: the number of one that exists, else folder and name. A terminal or /dev/null
/// holds nothing that could be lost, so it has no identity.
struct Identity {
  std::optional<system::FileNumber> number;
  fs::path name;
};

bool same_file(const Identity& a, const Identity& b) { return a.number == b.number && a.name == b.name; }

std::optional<Identity> identity_of(const std::string& path) {
  const std::optional<int> stream = is_standard_output(path) ? system::output : overtake::descriptor_named(path);
  const std::optional<system::FoundFile> file = stream ? system::find_file(*stream) : system::find_file(path);
  if (file) return file->is_character_device ? std::nullopt : std::optional(Identity{file->number, {}});
  if (stream) return std::nullopt;
  const fs::path target = overtake::link_target(path);
  std::error_code ignored;
  const fs::path folder = fs::canonical(target.has_parent_path() ? target.parent_path() : fs::path("."), ignored);
  return Identity{{}, folder / target.filename()};
}

/// "d.csv", and how the other flag spells it where that differs.
std::string both_names(const std::string& one, const std::string& other) {
  return one == other ? one : fmt::format("{} (also written as {})", one, other);
}

/// A file that a folder of data is read for: of images, or CIFAR's.
bool is_data_within(const fs::path& folder, const fs::path& file) {
  std::string kind = file.extension().string();
  for (char& c : kind) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (kind != ".jpg" && kind != ".jpeg" && kind != ".png" && kind != ".bin") return false;
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return false;
  const fs::path within = fs::weakly_canonical(file, ignored), all = fs::weakly_canonical(folder, ignored);
  return std::mismatch(all.begin(), all.end(), within.begin(), within.end()).first == all.end();
}

void check_against_inputs(const Output& output, const Identity& identity, const std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    if (input.path.empty() || input.flag == output.replaces) continue;
    if (is_data_within(input.path, output.path)) {
      throw UsageError(fmt::format("{} {} is a file of {} {}; the output would destroy it", output.flag, output.path,
                                   input.flag, input.path),
                       fmt::format("Give {} another file.", output.flag));
    }
    const std::optional<Identity> other = identity_of(input.path);
    if (other && same_file(identity, *other)) {
      throw UsageError(fmt::format("{} and {} are the same file: {}; the output would destroy the input", output.flag,
                                   input.flag, both_names(output.path, input.path)),
                       fmt::format("Give {} another file.", output.flag));
    }
  }
}

void check_against_others(const std::vector<Output>& outputs, std::size_t index, const Identity& identity) {
  for (std::size_t i = 0; i < index; ++i) {
    if (outputs[i].path.empty()) continue;
    const std::optional<Identity> other = identity_of(outputs[i].path);
    if (other && same_file(identity, *other)) {
      throw UsageError(fmt::format("{} and {} are the same file: {}; only one of them would be left", outputs[i].flag,
                                   outputs[index].flag, both_names(outputs[i].path, outputs[index].path)),
                       "Give each output a file of its own.");
    }
  }
}

/// A path of the command line under its flag.
struct Named {
  std::string_view flag;
  std::string path;
};

/// What lies beside a journal and comes and goes with it.
void check_beside(const Named& journal, const std::vector<Named>& files) {
  const std::string target = overtake::link_target(journal.path).string();
  for (const char* suffix : {"-wal", "-shm", "-journal", "-lock"}) {
    const std::optional<Identity> beside = identity_of(target + suffix);
    for (const Named& file : files) {
      if (file.path.empty() || is_standard_output(file.path)) continue;
      const std::optional<Identity> other = identity_of(file.path);
      if (beside && other && same_file(*beside, *other)) {
        throw UsageError(fmt::format("{} {}: the journal of {} keeps a file of its own there ({}{})", file.flag,
                                     file.path, journal.flag, target, suffix),
                         fmt::format("Give {} another file.", file.flag));
      }
    }
  }
}

void check_beside_journals(const std::vector<Output>& outputs, const std::vector<Input>& inputs) {
  std::vector<Named> files;
  std::vector<Named> journals;
  for (const Output& output : outputs) {
    (output.content == Content::journal ? journals : files).push_back({output.flag, output.path});
  }
  for (const Input& input : inputs) (input.is_journal ? journals : files).push_back({input.flag, input.path});
  for (const Named& journal : journals) {
    if (!journal.path.empty()) check_beside(journal, files);
  }
}

void check_place(const Output& output) {
  if (output.content == Content::text) return;
  if (is_standard_output(output.path)) {
    throw UsageError(fmt::format("{} {}: {} cannot go to standard output", output.flag, output.path,
                                 output.content == Content::binary ? "a model is binary and" : "this file"),
                     output.path == "-" ? "Give a file name; ./- is a file of that name." : "Give a file name.");
  }
  std::error_code ignored;
  const fs::file_status status = fs::status(output.path, ignored);
  const bool is_stream = fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
  if (output.content != Content::binary && is_stream) {
    throw UsageError(fmt::format("{} {}: expected a file, not a pipe or a device", output.flag, output.path),
                     "It is read and written again and again; give the name of a file.");
  }
}

/// At most one output on standard output.
void check_standard_output(const std::vector<Output>& outputs) {
  const Output* first = nullptr;
  for (const Output& output : outputs) {
    if (!is_standard_output(output.path)) continue;
    if (first != nullptr) {
      throw UsageError(fmt::format("{} {} and {} {}: only one output can go to standard output", first->flag,
                                   first->path, output.flag, output.path),
                       "Give one of them a file.");
    }
    first = &output;
  }
}

bool is_pipe(const std::string& path) {
  std::error_code ignored;
  return fs::is_fifo(path, ignored);
}

/// Opens the outputs that are pipes now and keeps them: a reader that never comes is an error before the work, not
/// after it. Not where the data come through a pipe, too: who writes that may read the other only afterwards.
void hold_pipes(const std::vector<Output>& outputs, const std::vector<Input>& inputs) {
  static std::vector<std::unique_ptr<overtake::AtomicFile>> held;
  for (const Input& input : inputs) {
    if (is_pipe(input.path)) return;
  }
  for (const Output& output : outputs) {
    if (is_pipe(output.path) && !overtake::descriptor_named(output.path)) {
      held.push_back(std::make_unique<overtake::AtomicFile>(output.path));
    }
  }
}

}  // namespace

bool is_standard_output(const std::string& path) {
  return path == "-" || (!path.empty() && overtake::descriptor_named(path) == system::output);
}

void check_outputs(const std::vector<Output>& outputs, const std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    if (input.path != "-") continue;
    throw overtake::UsageError(fmt::format("{} - is not accepted", input.flag), "Standard input is /dev/stdin.");
  }
  check_standard_output(outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].path.empty()) continue;
    check_place(outputs[i]);
    if (const std::optional<Identity> identity = identity_of(outputs[i].path)) {
      check_against_inputs(outputs[i], *identity, inputs);
      check_against_others(outputs, i, *identity);
    }
  }
  check_beside_journals(outputs, inputs);
  // Every command says something there, and what it wrote before would stay behind.
  overtake::require_writable("/dev/stdout");
  for (const Output& output : outputs) {
    if (!output.path.empty() && output.path != "-") overtake::require_writable(output.path);
  }
  hold_pipes(outputs, inputs);
}

}  // namespace cli
