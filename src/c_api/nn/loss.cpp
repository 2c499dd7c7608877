// SPDX-License-Identifier: MIT
// Losses for other languages.
#include <fmt/format.h>

#include <limits>
#include <map>

#include "c_api/array_handle.hpp"
#include "c_api/nn/handles.hpp"
#include "overtake/nn/loss.hpp"
#include "overtake/ops.hpp"

namespace api = overtake::c_api;
namespace nn = overtake::nn;
using overtake::Array;
using overtake::UsageError;

namespace {

template <typename Enum>
Enum word_of(const char* name, const std::string& word, const std::map<std::string, Enum>& words) {
  const auto found = words.find(word);
  if (found != words.end()) return found->second;
  std::string known;
  for (const auto& [each, value] : words) known += (known.empty() ? "" : ", ") + each;
  throw UsageError(fmt::format("{} is '{}'", name, word), "Expected one of: " + known + ".");
}

nn::Reduction reduction_of(const api::Settings& settings) {
  return word_of<nn::Reduction>(
      "reduction", settings.text("reduction").value_or("mean"),
      {{"mean", nn::Reduction::mean}, {"sum", nn::Reduction::sum}, {"none", nn::Reduction::none}});
}

/// A Trainer adds up rows itself: it takes the mean alone, and knows no weights of elements.
template <typename Options>
nn::Loss plain(nn::Loss loss, const Options& options) {
  if (options.reduction == nn::Reduction::mean && !options.weight.defined()) return loss;
  throw UsageError(fmt::format("[Trainer] the loss {} is taken as the mean without weights", loss.name),
                   "Leave reduction and weight out, or train in a loop by hand.");
}

overtake_loss cross_entropy_of(const char* json, const Array& weight) {
  const api::Settings settings(json, {"reduction", "label_smoothing", "ignore_index"});
  nn::CrossEntropyOptions options{.reduction = reduction_of(settings), .weight = weight};
  api::Settings::take(settings.number("label_smoothing"), options.label_smoothing);
  using Index = std::numeric_limits<std::int32_t>;
  if (const auto index = settings.whole("ignore_index", Index::min(), Index::max())) {
    options.ignore_index = static_cast<std::int32_t>(*index);
  }
  return {[options](const Array& output, const Array& target, const Array& sample_weight) {
            nn::CrossEntropyOptions here = options;
            here.sample_weight = sample_weight;
            return nn::cross_entropy(output, target, here);
          },
          [options] {  // a Trainer refuses labels that are no class: PyTorch's default is not missed
            nn::CrossEntropyOptions here = options;
            if (here.ignore_index == -100) here.ignore_index.reset();
            return nn::Loss::cross_entropy(here);
          }};
}

overtake_loss binary_of(const char* json, const Array& weight, const Array& pos_weight) {
  const api::Settings settings(json, {"reduction"});
  const nn::BinaryCrossEntropyOptions options{
      .reduction = reduction_of(settings), .weight = weight, .pos_weight = pos_weight};
  return {[options](const Array& output, const Array& target, const Array& sample_weight) {
            nn::BinaryCrossEntropyOptions here = options;
            here.sample_weight = sample_weight;
            return nn::binary_cross_entropy_with_logits(output, target, here);
          },
          [options] {
            if (options.pos_weight.defined()) {
              throw UsageError("[Trainer] binary_cross_entropy_with_logits is taken without pos_weight",
                               "Train in a loop by hand, or write the loss as a function of your own.");
            }
            return plain(nn::Loss::binary_cross_entropy_with_logits(), options);
          }};
}

/// The losses of elements: `call` with a loss's own number, bound.
template <typename Call, typename Loss>
overtake_loss of_elements(const nn::LossOptions& options, const Call& call, const Loss& loss) {
  return {[options, call](const Array& output, const Array& target, const Array& sample_weight) {
            nn::LossOptions here = options;
            here.sample_weight = sample_weight;
            return call(output, target, here);
          },
          [options, loss] { return plain(loss(), options); }};
}

overtake_loss named(const std::string& name, const char* json, const Array& weight, const Array& pos_weight) {
  if (name == "cross_entropy") return cross_entropy_of(json, weight);
  if (name == "binary_cross_entropy_with_logits") return binary_of(json, weight, pos_weight);
  const std::string own = name == "huber" ? "delta" : name == "smooth_l1" ? "beta" : "reduction";
  const api::Settings settings(json, {"reduction", own.c_str()});
  const nn::LossOptions options{.reduction = reduction_of(settings), .weight = weight};
  const double number = own == "reduction" ? 1 : settings.number(own).value_or(1);
  if (name == "mse") return of_elements(options, nn::mse_loss, [] { return nn::Loss::mse(); });
  if (name == "l1") return of_elements(options, nn::l1_loss, [] { return nn::Loss::l1(); });
  if (name == "huber") {
    return of_elements(
        options,
        [number](const Array& o, const Array& t, const auto& with) { return nn::huber_loss(o, t, number, with); },
        [number] { return nn::Loss::huber(number); });
  }
  if (name == "smooth_l1") {
    return of_elements(
        options,
        [number](const Array& o, const Array& t, const auto& with) { return nn::smooth_l1_loss(o, t, number, with); },
        [number] { return nn::Loss::smooth_l1(number); });
  }
  (void)nn::Loss::named(name);  // throws, with the names there are
  throw UsageError(fmt::format("there is no loss '{}'", name));
}

void hand_out_loss(overtake_loss loss, overtake_loss** result) {
  *result = std::make_unique<overtake_loss>(std::move(loss)).release();
}

}  // namespace

overtake_status overtake_loss_new(const char* name, const char* settings, const overtake_array* weight,
                                  const overtake_array* pos_weight, overtake_loss** loss) {
  return api::guarded([&] {
    overtake_loss*& result = api::given(loss, "loss");
    hand_out_loss(
        named(api::text_of(name, "name"), settings, api::array_or_none(weight), api::array_or_none(pos_weight)),
        &result);
  });
}

overtake_status overtake_loss_of_function(overtake_loss_function function, void* context, const char* settings,
                                          overtake_loss** loss) {
  return api::guarded([&] {
    overtake_loss*& result = api::given(loss, "loss");
    if (function == nullptr) throw UsageError("function is NULL");
    const api::Settings given(settings, {"name", "error_rate"});
    const auto call = [function, context](const Array& output, const Array& target, const Array&) {
      Array given_output = output, given_target = target;
      overtake_array* losses = nullptr;
      const std::int32_t failed =
          function(context, api::handle_of(&given_output), api::handle_of(&given_target), &losses);
      Array value = api::take_over(losses);
      if (failed != 0) throw api::CallerFailed();
      if (!value.defined()) throw UsageError("[Loss] the function of the caller gave no array");
      return value;
    };
    nn::Loss made;
    made.name = given.text("name").value_or("loss");
    made.error_rate = word_of<nn::ErrorRate>("error_rate", given.text("error_rate").value_or("none"),
                                             {{"none", nn::ErrorRate::none},
                                              {"class_error", nn::ErrorRate::class_error},
                                              {"binary_error", nn::ErrorRate::binary_error}});
    made.rows = [call](const Array& output, const Array& target) {
      Array value = call(output, target, {});
      const overtake::Shape rows{output.shape().rank() > 0 ? output.shape()[0] : 1};
      if (value.size() != 1 || value.shape() == rows) return value;
      return overtake::broadcast_to(overtake::reshape(value, {1}), rows);  // the mean of the batch stays its mean
    };
    hand_out_loss({call, [made] { return made; }}, &result);
  });
}

overtake_status overtake_loss_call(const overtake_loss* loss, const overtake_array* output,
                                   const overtake_array* target, const overtake_array* sample_weight,
                                   overtake_array** value) {
  return api::guarded([&] {
    overtake_array*& result = api::given(value, "value");
    api::hand_out(
        api::given(loss, "loss")
            .call(api::array_of(output, "output"), api::array_of(target, "target"), api::array_or_none(sample_weight)),
        &result);
  });
}

void overtake_loss_free(overtake_loss* loss) { std::unique_ptr<overtake_loss>{loss}.reset(); }
