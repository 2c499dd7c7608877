// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/nn/state_dict.hpp"

namespace overtake::nn {

/// A named array that a module owns: a weight to learn, or a buffer (state that is not learnt, as a Dropout's counter).
/// Learnable values require a gradient and keep doing so through every update.
struct Parameter {
  std::string name;
  Array value;
  bool persistent = true;  ///< of a buffer: whether state_dict() holds it, as in PyTorch
};

/// A parameter or buffer with its full name inside a model ("0.weight").
struct NamedValue {
  std::string name;
  Array* value = nullptr;
};

/// What a layer is, as plain data: printed, stored in model files, and enough to build the layer again (make_layer).
struct LayerSpec {
  std::string type;                                        ///< "Linear"
  std::vector<std::pair<std::string, double>> attributes;  ///< {"in_features", 2}, ...

  friend bool operator==(const LayerSpec&, const LayerSpec&) = default;
};

class Module;

/// A part of a module and the name it has there.
struct NamedModule {
  std::string name;
  Module* module = nullptr;
};

/// The root of all layers and models: a function of one array with parameters.
///
/// To write your own module, derive from it, keep the parts as members and override `forward` and `children` (or
/// `own_parameters`, for a layer that has arrays of its own). Modules move but do not copy. Optimisers hold pointers to
/// the parameters, so a module must not be moved or destroyed while an optimiser uses it (the layers inside a
/// Sequential stay where they are when the Sequential moves).
class Module {
 public:
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// The module's value for a batch (rows first). Lazy: nothing is computed before the result is read.
  [[nodiscard]] virtual Array forward(const Array& input) = 0;
  /// forward(), which summarize() (summary.hpp) sees: call parts like this.
  [[nodiscard]] Array operator()(const Array& input);

  /// Every learnable parameter of this module and its parts, in a fixed order; once where a part occurs twice, and once
  /// where two parts share it.
  [[nodiscard]] std::vector<Parameter*> parameters();
  /// The same with full names, as PyTorch names them: "0.weight", "0.bias", "2.weight", ...
  [[nodiscard]] std::vector<NamedValue> named_parameters();
  /// State that is not learnt, with full names: "1.counter".
  [[nodiscard]] std::vector<NamedValue> buffers();
  /// Parameters and persistent buffers, as state_dict() names and orders them.
  [[nodiscard]] std::vector<NamedValue> state_values();
  /// Number of learnable values.
  [[nodiscard]] std::int64_t parameter_count();

  /// The state as it is now: copies, on the module's device. Later training does not change them, unlike PyTorch's,
  /// which share memory with the module. Throws UsageError for two arrays of one name.
  [[nodiscard]] StateDict state_dict();
  /// Gives parameters and persistent buffers the values of their names, copied to the device of the module and
  /// converted to the dtype there; gradients stay. Nothing is changed where anything is refused: arrays of another
  /// shape always, missing and unexpected names unless `strict` is false, which returns them instead. A missing
  /// "num_batches_tracked" is none, as in PyTorch: older files lack it. Throws UsageError that lists the names, for a
  /// name that occurs twice, and for an undefined array.
  IncompatibleKeys load_state_dict(const StateDict& state, bool strict = true);
  /// Forgets the gradients of all parameters.
  void zero_grad();

  /// Moves all parameters and buffers to a device. Make the optimiser's first step after it.
  void to(const Device& device);
  /// The device of the first parameter or buffer; the CPU for a module without any.
  [[nodiscard]] Device device();

  /// Training mode (Dropout drops) or not. A new module is in training mode.
  void train(bool on = true);
  /// Same as train(false).
  void eval() { train(false); }
  [[nodiscard]] bool is_training() const noexcept { return training_; }

  /// Draws all parameters anew from `seed`: the n-th layer that draws uses stream n, so that the same model gets the
  /// same values on every device. Also restarts the random streams of RandomLayers (Dropout).
  void initialize(std::uint64_t seed);

  /// Type and attributes. The default, for modules of one's own, is {"Module", {}}, which cannot be stored in a model
  /// file.
  [[nodiscard]] virtual LayerSpec spec() const;
  /// The structure in PyTorch's manner: "Linear(in_features=2, out_features=4, bias=True)", parts on lines of their
  /// own.
  [[nodiscard]] virtual std::string to_string() const;

  /// The arrays this module itself owns (not those of its parts).
  [[nodiscard]] virtual std::vector<Parameter*> own_parameters() { return {}; }
  [[nodiscard]] virtual std::vector<Parameter*> own_buffers() { return {}; }
  /// The modules this module is made of, in the order in which they are named and drawn.
  [[nodiscard]] virtual std::vector<NamedModule> children() { return {}; }

 protected:
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;

  /// Which random streams the next layers use.
  struct Streams {
    std::uint64_t seed = 0;
    std::uint32_t next_parameter = 0;  ///< of the next layer that draws its parameters
    std::uint32_t next_random = 0;     ///< of the next RandomLayer
  };
  /// Draws the arrays this module itself owns and advances the streams it used.
  virtual void draw(Streams&) {}
  /// draw() of another module, for one that stands in its place.
  static void draw_part(Module& part, Streams& streams) { part.draw(streams); }
  /// For `forward`: gives a buffer its next value, without its gradient. Evaluated at once in a loop by hand, where
  /// each call would otherwise leave a longer chain behind; left to the plan in a compiled step.
  static void assign_buffer(Parameter& buffer, const Array& value);
  /// This thread's streams, from which a layer draws when it is made. manual_seed() restarts them.
  [[nodiscard]] static Streams& default_streams() noexcept;
  friend void manual_seed(std::uint64_t seed) noexcept;

 private:
  bool training_ = true;
};

/// Restarts the streams that the layers made next on this thread draw from. Without it the seed is 0.
void manual_seed(std::uint64_t seed) noexcept;

/// The module's value for `input` in evaluation mode, evaluated, `batch` rows at a time (0: all at once); the mode is
/// put back after. `input` is moved to the module's device if needed. Throws UsageError for zero rows or a wrong shape.
[[nodiscard]] Array predict(Module& module, const Array& input, std::int64_t batch = 0);

}  // namespace overtake::nn
