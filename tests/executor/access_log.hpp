// SPDX-License-Identifier: MIT
// Who read and wrote which word of device memory in a launch, and what of that is a race.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace overtake::executor {

enum class Access : std::uint8_t { read, write, atomic };

/// The work-item that is running: its group, its place in the group, and how often its group has synchronised.
struct Place {
  std::int32_t group = -1;
  std::int32_t item = -1;
  std::uint32_t epoch = 0;
};

/// Watches ranges of memory, word by word (4 bytes). Two accesses of one word in one launch are a race unless both
/// read, both are atomic, one work-item makes them, a barrier of their common group lies between, or both write what
/// is there already. A read of a word that nothing was ever written to is a finding too.
class AccessLog {
 public:
  enum class Memory : std::uint8_t { device, local };

  /// Starts to watch a range. Its words count as never written. `bytes` is rounded up to words.
  void watch(const void* begin, std::size_t bytes, Memory memory, std::string name);
  void forget(const void* begin);
  /// Words that the host wrote.
  void set_written(const void* begin, std::size_t bytes);

  void begin_launch(std::string kernel);
  void end_launch();
  /// Local memory belongs to a group: what another one did there is forgotten.
  void begin_group();

  /// To be called before the access happens. Ignores memory that is not watched, and everything between launches.
  void note(const void* address, std::size_t bytes, Access access, const Place& place);

  [[nodiscard]] const std::vector<std::string>& findings() const noexcept { return findings_; }

 private:
  /// Accesses of one kind: the one that made them, or `many`.
  struct Makers {
    static constexpr std::int32_t none = -1;
    static constexpr std::int32_t many = -2;
    std::int32_t group = none;
    std::int32_t item = none;
    std::uint32_t epoch = 0;

    /// Whether one of them is neither by `place` itself nor before a barrier of its group.
    [[nodiscard]] bool conflict(const Place& place) const noexcept;
    void add(const Place& place) noexcept;
  };
  struct Word {
    std::uint64_t round = 0;  ///< launch, or group of a launch, that the makers belong to
    Makers read, written, atomic;
    bool is_written = false;
  };
  struct Range {
    std::uintptr_t begin = 0, end = 0;
    Memory memory = Memory::device;
    std::string name;
    std::vector<Word> words;
  };
  /// A second write whose value is not known yet.
  struct PendingWrite {
    const std::uint32_t* address = nullptr;
    std::uint32_t value = 0;
    std::string finding;
  };

  [[nodiscard]] Range* find(std::uintptr_t address) noexcept;
  void note_word(Range& range, std::size_t index, Access access, const Place& place);
  void settle();
  void report(std::string finding);
  [[nodiscard]] std::string describe(const Range& range, std::size_t index, const char* what, const Place& place,
                                     const Makers& other) const;

  std::vector<Range> ranges_;  // sorted by address
  std::size_t last_ = 0;       // range of the access before
  std::uint64_t launch_ = 0, group_ = 0;
  bool running_ = false;
  std::string kernel_;
  std::vector<PendingWrite> pending_;
  std::vector<std::string> findings_;
};

}  // namespace overtake::executor
