// SPDX-License-Identifier: MIT
// A module that is put together at run time: a layer, parts, parameters and a function of the caller.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "overtake/c_nn.h"
#include "overtake/nn/module.hpp"

namespace overtake::c_api {

class OpenModule final : public nn::Module {
 public:
  using Part = std::shared_ptr<OpenModule>;
  using Value = std::shared_ptr<nn::Parameter>;

  /// Of the caller's function if there is one, else compute().
  [[nodiscard]] Array forward(const Array& input) override;
  /// Of the layer if there is one, else of the parts one after the other. Throws UsageError where there is neither.
  [[nodiscard]] Array compute(const Array& input);

  /// The layer if there is one, else itself.
  [[nodiscard]] const nn::Module& computed() const {
    if (layer_ != nullptr) return *layer_;
    return *this;
  }

  void set_layer(std::shared_ptr<nn::Module> layer) { layer_ = std::move(layer); }
  void set_forward(overtake_forward function, void* context) { function_ = function, context_ = context; }
  /// Add, replace by name, or remove (null). A value is called alike wherever it is. Throw UsageError for names that
  /// are empty, hold a point, or are another value's.
  void set_child(const std::string& name, Part part);
  void set_parameter(const std::string& name, Value parameter);
  void set_buffer(const std::string& name, Value buffer, bool persistent);
  /// A parameter or buffer of its own or of its layer. Throws UsageError for another name.
  [[nodiscard]] Value value(const std::string& name);

  /// That of the layer, or of a Sequential, where it computes nothing else.
  [[nodiscard]] nn::LayerSpec spec() const override;
  [[nodiscard]] std::string to_string() const override;
  [[nodiscard]] std::vector<nn::Parameter*> own_parameters() override;
  [[nodiscard]] std::vector<nn::Parameter*> own_buffers() override;
  [[nodiscard]] std::vector<nn::NamedModule> children() override;

 protected:
  void draw(Streams& streams) override {
    if (layer_ != nullptr) draw_part(*layer_, streams);
  }

 private:
  void check_name(const std::string& name, const std::vector<Value>& own);

  std::shared_ptr<nn::Module> layer_;
  std::vector<std::pair<std::string, Part>> parts_;
  std::vector<Value> parameters_, buffers_;
  overtake_forward function_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace overtake::c_api
