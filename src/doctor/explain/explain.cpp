// SPDX-License-Identifier: MIT
// Finds what is known in a text that somebody was shown: phrases first, since they are the most particular, then names
// of errors, then numbers where the words round them say that they are numbers of errors.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <utility>

#include "doctor/explain/tables.hpp"
#include "overtake/doctor.hpp"

namespace overtake {
namespace {

using doctor::Advice;
using doctor::ErrorCode;
using doctor::Phrase;
using doctor::Vendor;

constexpr std::size_t widest_gap = 400;  // letters between two parts of a phrase
constexpr std::size_t words_before = 8;  // as far before a number the interface's name may stand
constexpr std::size_t few_words = 12;    // a text of so few speaks of one thing

bool is_space(char letter) { return letter == ' ' || (letter >= '\t' && letter <= '\r'); }
bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }
bool is_capital(char letter) { return letter >= 'A' && letter <= 'Z'; }
bool is_of_word(char letter) {
  return is_digit(letter) || is_capital(letter) || (letter >= 'a' && letter <= 'z') || letter == '_';
}

/// In lower case, with one space for each stretch of white space.
std::string evened(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    if (!is_space(letter)) {
      result += letter;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  return doctor::lower(result);
}

/// Words of letters, digits and "_"; a number keeps its "-".
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const bool minus = text[begin] == '-' && begin + 1 < text.size() && is_digit(text[begin + 1]) &&
                       (begin == 0 || !is_of_word(text[begin - 1]));
    std::size_t end = begin + (minus ? 1 : 0);
    while (end < text.size() && is_of_word(text[end])) ++end;
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = std::max(end, begin + 1);
  }
  return words;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(evened(text)), words_(words_of(text)) {}

  std::vector<Explanation> read() {
    for (const Phrase& phrase : tables_.phrases) take_phrase(phrase);
    for (const std::string_view word : words_) take_name(word);
    for (std::size_t at = 0; at < words_.size(); ++at) take_number(at);
    leave_out_success();
    if (found_.empty()) take_finding();
    return std::move(found_);
  }

 private:
  void add(std::string title, std::string_view meaning, const Advice& advice) {
    const auto same = [&title](const Explanation& each) { return each.error == title; };
    if (std::any_of(found_.begin(), found_.end(), same)) return;
    Explanation explanation{std::move(title), std::string(meaning), {}, std::string(advice.check), {}};
    explanation.causes.assign(advice.causes.begin(), advice.causes.end());
    explanation.findings.assign(advice.findings.begin(), advice.findings.end());
    found_.push_back(std::move(explanation));
  }

  void add(const ErrorCode& code) {
    std::string title = fmt::format("{} ({})", fmt::join(code.names, ", "), fmt::join(code.numbers, " or "));
    if (code.is_success()) successes_.push_back(title);
    add(std::move(title), code.meaning, *code.advice);
  }

  /// "Nothing failed" is not what somebody asks who shows another error, or a comparison with it.
  void leave_out_success() {
    const auto is_success = [this](const Explanation& each) {
      return std::find(successes_.begin(), successes_.end(), each.error) != successes_.end();
    };
    const bool is_compared = text_.find("==") != std::string::npos || text_.find("!=") != std::string::npos;
    if (is_compared || !std::all_of(found_.begin(), found_.end(), is_success)) std::erase_if(found_, is_success);
  }

  /// One of the doctor's own findings, by its id: alone, or as its page has it ("error no-driver, cuda").
  void take_finding() {
    std::string_view id = text_;
    while (id.ends_with(' ')) id.remove_suffix(1);
    while (id.starts_with(' ')) id.remove_prefix(1);
    for (const std::string_view before : {"error ", "warning ", "note ", "see the finding "}) {
      if (id.starts_with(before)) id.remove_prefix(before.size());
    }
    id = id.substr(0, id.find_first_of(", "));
    for (const doctor::KnownFinding& finding : tables_.findings) {
      if (finding.id != id) continue;
      found_.push_back({finding.id, finding.meaning, {}, finding.cure == "-" ? "" : finding.cure, {finding.id}});
    }
  }

  /// A phrase inside one that was found before says less than that, and is not told.
  void take_phrase(const Phrase& phrase) {
    const std::size_t begin = text_.find(phrase.parts.front());
    if (begin == std::string::npos) return;
    std::size_t end = begin + phrase.parts.front().size();
    for (std::size_t part = 1; part < phrase.parts.size(); ++part) {
      const std::size_t next = text_.find(phrase.parts[part], end);
      if (next == std::string::npos || next - end > widest_gap) return;
      end = next + phrase.parts[part].size();
    }
    for (const auto& [from, to] : taken_) {
      if (begin >= from && end <= to) return;
    }
    taken_.emplace_back(begin, end);
    phrase.code != nullptr ? add(*phrase.code) : add(std::string(phrase.title), phrase.meaning, *phrase.advice);
  }

  void take_name(std::string_view word) {
    if (word.size() < 8) return;  // none is shorter, and most words are
    const ErrorCode* code = tables_.named(word);
    // PyOpenCL leaves the first letters away: PLATFORM_NOT_FOUND_KHR.
    const bool shouted = word.find('_') != std::string_view::npos &&
                         std::all_of(word.begin(), word.end(), [](char c) { return is_capital(c) || c == '_'; });
    if (code == nullptr && shouted) code = tables_.named(fmt::format("CL_{}", word));
    if (code != nullptr) add(*code);
  }

  /// The interface that a word speaks of; null where it speaks of none.
  [[nodiscard]] const Vendor* vendor_of(std::string_view word) const {
    const std::string small = doctor::lower(word);
    for (const Vendor& vendor : tables_.vendors) {
      for (const std::string_view prefix : vendor.prefixes) {
        if (small.starts_with(prefix)) return &vendor;
      }
    }
    for (const Vendor& vendor : tables_.vendors) {
      const std::size_t size = vendor.functions.size();
      if (size == 0 || !small.starts_with(vendor.functions)) continue;
      if (word.size() == size || is_capital(word[size])) return &vendor;
    }
    return nullptr;
  }

  /// The interfaces that the number at this word may belong to, by the words before it, else by all there are.
  [[nodiscard]] std::vector<const Vendor*> vendors_of_number(std::size_t at) const {
    for (std::size_t back = 1; back <= std::min(at, words_before); ++back) {
      if (is_foreign(words_[at - back])) return {};
      if (const Vendor* vendor = vendor_of(words_[at - back]); vendor != nullptr) return {vendor};
    }
    std::vector<const Vendor*> result;
    if (words_.size() > few_words || std::any_of(words_.begin(), words_.end(), is_foreign)) return result;
    for (const std::string_view word : words_) {
      if (const Vendor* vendor = vendor_of(word); vendor != nullptr) result.push_back(vendor);
    }
    if (!result.empty() || !is_all_there_is()) return result;
    for (const Vendor& vendor : tables_.vendors) result.push_back(&vendor);
    return result;
  }

  /// True for a word of an interface whose numbers are not in the tables, and mean something else there.
  static bool is_foreign(std::string_view word) {
    constexpr std::array<std::string_view, 22> others = {
        "nccl",   "cusolver", "cufft", "curand", "cusparse", "cutensor", "nvml", "npp", "nvjpeg", "optix", "vk_",
        "vulkan", "omp",      "mkl",   "http",   "errno",    "mpi",      "make", "ssl", "sqlite", "rccl",  "exit"};
    const std::string small = doctor::lower(word);
    return std::any_of(others.begin(), others.end(),
                       [&small](std::string_view name) { return small.starts_with(name); });
  }

  /// True where the text is a number and says no more of it than that it is one of an error.
  [[nodiscard]] bool is_all_there_is() const {
    constexpr std::array<std::string_view, 10> empty_words = {"error",    "code",   "status", "err",    "result",
                                                              "returned", "failed", "with",   "number", "the"};
    std::size_t numbers = 0;
    for (const std::string_view word : words_) {
      const std::string small = doctor::lower(word);
      if (is_digit(word.back())) {
        ++numbers;
      } else if (std::find(empty_words.begin(), empty_words.end(), small) == empty_words.end()) {
        return false;
      }
    }
    return numbers == 1;
  }

  /// True where the words before say that the number at this word is one of an error.
  [[nodiscard]] bool is_of_error(std::size_t at) const {
    if (words_.size() == 1) return true;
    if (at == 0) return false;
    if (words_.size() == 2 && vendor_of(words_[0]) != nullptr) return true;  // "CUDA 209"
    std::string before = doctor::lower(words_[at - 1]);
    const std::string further = at > 1 ? doctor::lower(words_[at - 2]) : std::string();
    if (further.starts_with("exit")) return false;  // "exit code 1"
    if (before == "with") before = further;         // "failed with -5"
    // "Check failed: status == CUBLAS_STATUS_SUCCESS (14 vs. 0)"
    if (at + 1 < words_.size() && doctor::lower(words_[at + 1]) == "vs") {
      const ErrorCode* expected = tables_.named(words_[at - 1]);
      return expected != nullptr && expected->is_success();
    }
    constexpr std::array<std::string_view, 7> announcing = {"error",  "code",     "status", "err",
                                                            "result", "returned", "failed"};
    const bool is_ours = vendor_of(words_[at - 1]) != nullptr;  // "cudaError 2", and not "ValueError: 0"
    return std::any_of(announcing.begin(), announcing.end(),
                       [&](std::string_view word) { return before == word || (is_ours && before.ends_with(word)); });
  }

  void take_number(std::size_t at) {
    const std::string_view word = words_[at];
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size() || !is_of_error(at)) return;
    for (const Vendor* vendor : vendors_of_number(at)) {
      for (const ErrorCode& code : vendor->codes) {
        if (std::count(code.numbers.begin(), code.numbers.end(), number) != 0) add(code);
      }
    }
  }

  const doctor::ErrorTables& tables_ = doctor::error_tables();
  std::string text_;
  std::vector<std::string_view> words_;
  std::vector<std::pair<std::size_t, std::size_t>> taken_;  ///< begin and end of phrases, in text_
  std::vector<Explanation> found_;
  std::vector<std::string> successes_;  ///< titles of those that say that nothing failed
};

}  // namespace

std::vector<Explanation> explain(std::string_view text) { return Reader(text).read(); }

}  // namespace overtake
