// SPDX-License-Identifier: MIT
#include "user_kernel/element_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace overtake::user_kernel {
namespace {

class Writer {
 public:
  Writer(const ElementDeclaration& declaration, const ElementVariant& variant)
      : given_(declaration),
        variant_(variant),
        strides_(std::any_of(variant.accesses.begin(), variant.accesses.end(), by_strides)) {
    std::vector<WatchedArray> arrays;
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      if (!given_.inputs[i].whole) continue;
      arrays.push_back({given_.inputs[i].name, {fmt::format("overtake_size_{}", given_.inputs[i].name)}});
    }
    texts_ = {given_.preamble, given_.body, arrays};
    if (given_.watching.any())
      texts_ = watched(given_.name, given_.preamble, given_.body, std::move(arrays), given_.watching);
  }

  KernelText write() {
    text_ += opening(given_.name, texts_.preamble, given_.watching);
    const std::string index = variant_.is_long || variant_.on_host ? "int64" : "int";
    text_ += fmt::format("#define OVERTAKE_PLACE {}\n", index);
    text_ += variant_.on_host ? "KERNEL" : fmt::format("KERNEL_SIZED({})", variant_.group);
    text_ += fmt::format(" void {}({}) {{\n", entry_name(given_.name), parameters());
    if (given_.watching.any()) text_ += "OVERTAKE_LOOPS\n";
    variant_.on_host ? host_loop() : device_loop();
    text_ += "}\n";
    return {std::move(text_), std::move(texts_.arrays)};
  }

 private:
  [[nodiscard]] std::string parameters() const {
    std::string list = variant_.on_host ? "int64 size, int64 overtake_span" : "int64 size";
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      const Parameter& input = given_.inputs[i];
      const Access access = variant_.accesses[i];
      if (access == Access::number) {
        list += fmt::format(", {} overtake_in_{}", argument_type(variant_.types[i]), input.name);
        continue;
      }
      list += fmt::format(", GLOBAL const {}* RESTRICT {}{}", memory_name(variant_.types[i]),
                          access == Access::whole ? "" : "overtake_in_", input.name);
      for (int axis = 0; by_strides(access) && axis < variant_.rank; ++axis) {
        list += fmt::format(", int64 overtake_s{1}_{0}", input.name, axis);
      }
    }
    for (std::size_t i = 0; i < given_.outputs.size(); ++i) {
      list += fmt::format(", GLOBAL {}* RESTRICT overtake_out_{}", memory_name(output_type(i)), given_.outputs[i].name);
    }
    for (int axis = 1; strides_ && axis < variant_.rank; ++axis) list += fmt::format(", int64 overtake_e{}", axis);
    if (!given_.watching.any()) return list;
    for (const Parameter& input : given_.inputs) {
      if (input.whole) list += fmt::format(", int64 overtake_size_{}", input.name);
    }
    return list + ", GLOBAL int* overtake_watch";
  }

  [[nodiscard]] DType output_type(std::size_t i) const { return variant_.types[given_.inputs.size() + i]; }

  void device_loop() {
    if (variant_.in_vectors) return vectors();
    variant_.items > 1 ? several_elements() : one_element();
  }

  void one_element() {
    text_ += fmt::format(
        "OVERTAKE_PLACE overtake_i = (OVERTAKE_PLACE)GROUP_ID(0) * {} + LOCAL_ID(0);\n"
        "if (overtake_i < (OVERTAKE_PLACE)size) {{\n",
        variant_.group);
    if (strides_) coordinates("overtake_i");
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      if (is_loaded(i)) value(i, loaded(i));
    }
    element("overtake_i");
    text_ += "}\n";
  }

  // The last group begins where it is a full one: it computes some elements of the one before it again, and nobody
  // looks for the end. Work-items begin so many neighbours apart.
  void begin_full_group(int neighbours) {
    text_ += fmt::format(
        "OVERTAKE_PLACE overtake_first = (OVERTAKE_PLACE)GROUP_ID(0) * {0}, overtake_last = (OVERTAKE_PLACE)size - "
        "{0};\n"
        "overtake_first = (overtake_first < overtake_last ? overtake_first : overtake_last) + LOCAL_ID(0) * {1};\n",
        variant_.group * variant_.items, neighbours);
  }

  void declare_loaded(std::size_t i, std::string_view type, int count) {
    if (is_loaded(i)) text_ += fmt::format("{} overtake_all_{}[{}];\n", type, given_.inputs[i].name, count);
  }

  // A few elements a work-item, a group apart; all loads first, so that they do not wait for each other.
  void several_elements() {
    begin_full_group(1);
    for (std::size_t i = 0; i < given_.inputs.size(); ++i)
      declare_loaded(i, memory_name(variant_.types[i]), variant_.items);
    each_item();
    if (strides_) coordinates("overtake_i");
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      if (is_loaded(i)) text_ += fmt::format("overtake_all_{}[overtake_k] = {};\n", given_.inputs[i].name, loaded(i));
    }
    text_ += "}\n";
    each_item();
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      if (is_loaded(i)) value(i, fmt::format("overtake_all_{}[overtake_k]", given_.inputs[i].name));
    }
    element("overtake_i");
    text_ += "}\n";
  }

  // As several_elements(), of four neighbours at a time, which are one load and one store each.
  void vectors() {
    const int pieces = variant_.items / 4;
    begin_full_group(4);
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) declare_loaded(i, vector_name(variant_.types[i]), pieces);
    const std::string each_piece = fmt::format(
        "UNROLL\nfor (int overtake_j = 0; overtake_j < {}; ++overtake_j) {{\n"
        "OVERTAKE_PLACE overtake_piece = overtake_first + overtake_j * {};\n",
        pieces, 4 * variant_.group);
    text_ += each_piece;
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      if (!is_loaded(i)) continue;
      text_ += fmt::format("overtake_all_{0}[overtake_j] = LOAD_VECTOR({1}, overtake_in_{0} + overtake_piece);\n",
                           given_.inputs[i].name, vector_name(variant_.types[i]));
    }
    text_ += "}\n" + each_piece;
    four_elements();
    text_ += "}\n";
  }

  void four_elements() {
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      if (!is_loaded(i)) continue;
      text_ += fmt::format(
          "const {1} overtake_four_{0}[4] = {{overtake_all_{0}[overtake_j].x, overtake_all_{0}[overtake_j].y, "
          "overtake_all_{0}[overtake_j].z, overtake_all_{0}[overtake_j].w}};\n",
          given_.inputs[i].name, memory_name(variant_.types[i]));
    }
    for (std::size_t i = 0; i < given_.outputs.size(); ++i) {
      text_ += fmt::format("{} overtake_new_{}[4];\n", memory_name(output_type(i)), given_.outputs[i].name);
    }
    text_ += "UNROLL\nfor (int overtake_k = 0; overtake_k < 4; ++overtake_k) {\n";
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      if (is_loaded(i)) value(i, fmt::format("overtake_four_{}[overtake_k]", given_.inputs[i].name));
    }
    computed("overtake_piece + overtake_k");
    for (const Parameter& output : given_.outputs) {
      text_ += fmt::format("overtake_new_{0}[overtake_k] = {0};\n", output.name);
    }
    text_ += "}\n";
    for (std::size_t i = 0; i < given_.outputs.size(); ++i) {
      text_ += fmt::format(
          "STORE_VECTOR({1}, overtake_out_{0} + overtake_piece, MAKE_VECTOR({1}, overtake_new_{0}[0], "
          "overtake_new_{0}[1], overtake_new_{0}[2], overtake_new_{0}[3]));\n",
          given_.outputs[i].name, vector_name(output_type(i)));
    }
  }

  void each_item() {
    text_ += fmt::format(
        "UNROLL\nfor (int overtake_k = 0; overtake_k < {}; ++overtake_k) {{\n"
        "OVERTAKE_PLACE overtake_i = overtake_first + overtake_k * {};\n",
        variant_.items, variant_.group);
  }

  // An input's element in memory, of element overtake_i.
  [[nodiscard]] std::string loaded(std::size_t i) const {
    return fmt::format("overtake_in_{}[{}]", given_.inputs[i].name,
                       by_strides(variant_.accesses[i]) ? place_of(i) : "overtake_i");
  }

  // A range of elements a work-item, row by row where anything is read by strides: loops that compilers make vectors
  // of.
  void host_loop() {
    text_ +=
        "int64 overtake_begin = GROUP_ID(0) * overtake_span;\n"
        "int64 overtake_end = size - overtake_begin > overtake_span ? overtake_begin + overtake_span : size;\n";
    if (!strides_) {
      text_ += "for (int64 overtake_i = overtake_begin; overtake_i < overtake_end; ++overtake_i) {\n";
      host_element("overtake_i");
      return;
    }
    text_ += "for (int64 overtake_row = overtake_begin; overtake_row < overtake_end;) {\n";
    coordinates("overtake_row");
    const int last = variant_.rank - 1;
    const std::string extent = last > 0 ? fmt::format("overtake_e{}", last) : "size";
    text_ += fmt::format(
        "int64 overtake_left = {} - overtake_c{};\n"
        "int64 overtake_count = overtake_end - overtake_row < overtake_left ? overtake_end - overtake_row : "
        "overtake_left;\n",
        extent, last);
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      if (!by_strides(variant_.accesses[i])) continue;
      text_ += fmt::format("GLOBAL const {0}* RESTRICT overtake_row_{1} = overtake_in_{1} + ({2});\n",
                           memory_name(variant_.types[i]), given_.inputs[i].name, place_of(i));
    }
    text_ += "for (int64 overtake_j = 0; overtake_j < overtake_count; ++overtake_j) {\n";
    host_element("overtake_row + overtake_j");
    text_ += "overtake_row += overtake_count;\n}\n";
  }

  void host_element(std::string_view place) {
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      const std::string& name = given_.inputs[i].name;
      switch (variant_.accesses[i]) {
        case Access::flat: value(i, fmt::format("overtake_in_{}[{}]", name, place)); break;
        case Access::row: value(i, fmt::format("overtake_row_{}[overtake_j]", name)); break;
        case Access::still: value(i, fmt::format("overtake_row_{}[0]", name)); break;
        case Access::strided:
          value(i, fmt::format("overtake_row_{0}[overtake_j * overtake_s{1}_{0}]", name, variant_.rank - 1));
          break;
        case Access::number:
        case Access::whole: break;
      }
    }
    element(place);
    text_ += "}\n";
  }

  // c_0, c_1, ...: the coordinates of a place along the merged axes.
  void coordinates(std::string_view place) {
    text_ += fmt::format("OVERTAKE_PLACE overtake_rest = {};\n", place);
    for (int axis = variant_.rank - 1; axis > 0; --axis) {
      text_ += fmt::format(
          "OVERTAKE_PLACE overtake_c{0} = overtake_rest % (OVERTAKE_PLACE)overtake_e{0};\n"
          "overtake_rest /= (OVERTAKE_PLACE)overtake_e{0};\n",
          axis);
    }
    text_ += "OVERTAKE_PLACE overtake_c0 = overtake_rest;\n";
  }

  [[nodiscard]] std::string place_of(std::size_t input) const {
    std::string sum;
    for (int axis = 0; axis < variant_.rank; ++axis) {
      if (variant_.accesses[input] == Access::still && axis == variant_.rank - 1) continue;
      if (!sum.empty()) sum += " + ";
      sum += fmt::format("overtake_c{1} * (OVERTAKE_PLACE)overtake_s{1}_{0}", given_.inputs[input].name, axis);
    }
    return sum.empty() ? "0" : sum;
  }

  [[nodiscard]] bool is_loaded(std::size_t i) const {
    return variant_.accesses[i] != Access::number && variant_.accesses[i] != Access::whole;
  }

  void value(std::size_t i, std::string_view from) {
    const DType type = variant_.types[i];
    const std::string_view suffix = type == DType::boolean ? " != 0" : "";
    text_ += fmt::format("const {} {} = {}{};\n", value_name(type), given_.inputs[i].name, from, suffix);
  }

  void element(std::string_view place) {
    computed(place);
    for (const Parameter& output : given_.outputs) {
      text_ += fmt::format("overtake_out_{0}[{1}] = {0};\n", output.name, place);
    }
  }

  // Numbers, outputs, and the body.
  void computed(std::string_view place) {
    text_ += fmt::format("const int64 i = {}; (void)i;\n", place);
    if (given_.watching.any()) text_ += "const int64 overtake_item = i; (void)overtake_item;\n";
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      if (variant_.accesses[i] != Access::number) continue;
      value(i, number_from(fmt::format("overtake_in_{}", given_.inputs[i].name), variant_.types[i]));
    }
    for (std::size_t i = 0; i < given_.outputs.size(); ++i) {
      text_ += fmt::format("{} {} = 0;\n", value_name(output_type(i)), given_.outputs[i].name);
    }
    text_ += "{" + marked(given_.name, texts_.body) + "}\n";
  }

  const ElementDeclaration& given_;
  const ElementVariant& variant_;
  bool strides_;
  WatchedText texts_;
  std::string text_;
};

}  // namespace

std::string ElementVariant::key() const {
  std::string key;
  for (const Access access : accesses) key.push_back(static_cast<char>(access));
  for (const DType type : types) key.push_back(static_cast<char>('a' + static_cast<int>(type)));
  key.push_back(static_cast<char>('0' + rank));
  key.push_back(static_cast<char>('0' + items));
  if (is_long) key.push_back('l');
  if (in_vectors) key.push_back('v');
  return key;
}

KernelText element_text(const ElementDeclaration& declaration, const ElementVariant& variant) {
  return Writer(declaration, variant).write();
}

}  // namespace overtake::user_kernel
