// SPDX-License-Identifier: MIT
// The text of a stage: 256 lanes take the elements of a chunk in turn, then a tree joins them, on every device alike.
#include <fmt/format.h>

#include "user_kernel/reduction.hpp"

namespace overtake::user_kernel {
namespace {

// A group of work-items has a chunk. The identity is the result of nothing, and is joined to nothing.
constexpr std::string_view device_loop = R"(
LOCAL {type} overtake_part[256];
int overtake_lane = LOCAL_ID(0);
int64 overtake_chunk = GROUP_ID(0);
{range}
{type} overtake_total = overtake_none;
for (int64 overtake_k = overtake_first + overtake_lane; overtake_k < overtake_end; overtake_k += 256) {{
{element}
overtake_total = overtake_k - overtake_lane == overtake_first
                     ? overtake_mapped
                     : overtake_joined({watch}overtake_total, overtake_mapped);
}}
overtake_part[overtake_lane] = overtake_total;
SYNC;
for (int overtake_w = 128; overtake_w > 0; overtake_w /= 2) {{
  if (overtake_lane < overtake_w && overtake_lane + overtake_w < overtake_used)
    overtake_part[overtake_lane] =
        overtake_joined({watch}overtake_part[overtake_lane], overtake_part[overtake_lane + overtake_w]);
  SYNC;
}}
if (overtake_lane == 0) {{
  const {type} a = overtake_part[0];
{store}
}}
)";

// A work-item has a chunk, and is all lanes in turn.
constexpr std::string_view host_loop = R"(
{type} overtake_part[256];
int64 overtake_chunk = GROUP_ID(0);
{range}
overtake_part[0] = overtake_none;
for (int64 overtake_begin = overtake_first; overtake_begin < overtake_end; overtake_begin += 256) {{
  int overtake_lanes = overtake_end - overtake_begin < 256 ? (int)(overtake_end - overtake_begin) : 256;
  for (int overtake_lane = 0; overtake_lane < overtake_lanes; ++overtake_lane) {{
int64 overtake_k = overtake_begin + overtake_lane;
{element}
overtake_part[overtake_lane] = overtake_begin == overtake_first
                                   ? overtake_mapped
                                   : overtake_joined({watch}overtake_part[overtake_lane], overtake_mapped);
  }}
}}
for (int overtake_w = 128; overtake_w > 0; overtake_w /= 2) {{
  int overtake_pairs = overtake_used - overtake_w < overtake_w ? overtake_used - overtake_w : overtake_w;
  for (int overtake_lane = 0; overtake_lane < overtake_pairs; ++overtake_lane)
    overtake_part[overtake_lane] =
        overtake_joined({watch}overtake_part[overtake_lane], overtake_part[overtake_lane + overtake_w]);
}}
{{
  const {type} a = overtake_part[0];
{store}
}}
)";

constexpr std::string_view range = R"(int64 overtake_row = overtake_chunk / overtake_chunks;
int64 overtake_first = (overtake_chunk - overtake_row * overtake_chunks) * 65536;
int64 overtake_end = size - overtake_first > 65536 ? overtake_first + 65536 : size;
int overtake_used = overtake_end - overtake_first < 256 ? (int)(overtake_end - overtake_first) : 256;)";

constexpr const char* item = "\nconst int64 overtake_item = overtake_row; (void)overtake_item;";

}  // namespace

std::string Reduction::parameters(const Stage& stage) const {
  std::string list = "int64 size, int64 overtake_chunks";
  const std::string_view result = memory_name(stage.types.back());
  std::string sizes;  // of whole arrays, which the result's statement may read, too
  for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
    const auto& [name, whole] = std::pair(given_.inputs[i].name, given_.inputs[i].whole);
    if (whole) sizes += fmt::format(", int64 overtake_size_{}", name);
    if (!stage.is_first && !whole) continue;
    list += stage.numbers[i] ? fmt::format(", {} overtake_in_{}", argument_type(stage.types[i]), name)
                             : fmt::format(", GLOBAL const {}* RESTRICT {}{}", memory_name(stage.types[i]),
                                           whole ? "" : "overtake_in_", name);
  }
  if (!stage.is_first) list += fmt::format(", GLOBAL const {}* RESTRICT overtake_partial", result);
  list += fmt::format(", GLOBAL {}* RESTRICT overtake_result", result);
  return given_.watching.any() ? list + sizes + ", GLOBAL int* overtake_watch" : list;
}

std::string Reduction::element(const Stage& stage, std::string_view map) const {
  const std::string_view type = value_name(stage.types.back());
  std::string text = "const int64 i = overtake_row * size + overtake_k; (void)i;\n";
  if (!stage.is_first) return text + fmt::format("const {} overtake_mapped = overtake_partial[i];", type);
  if (given_.watching.places) text += "const int64 overtake_item = i; (void)overtake_item;\n";
  for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
    if (given_.inputs[i].whole) continue;
    const DType input = stage.types[i];
    const std::string& name = given_.inputs[i].name;
    const std::string number = number_from(fmt::format("overtake_in_{}", name), input);
    const std::string loaded = fmt::format("overtake_in_{}[i]{}", name, input == DType::boolean ? " != 0" : "");
    text += fmt::format("const {} {} = {};\n", value_name(input), name, stage.numbers[i] ? number : loaded);
  }
  return text +
         fmt::format("const {} overtake_mapped = {};", type, marked(given_.name + ".map", fmt::format("({})", map)));
}

KernelText Reduction::text(const Stage& stage) const {
  const bool watches = given_.watching.any(), places = given_.watching.places;
  std::vector<WatchedArray> arrays;
  for (const Parameter& input : given_.inputs) {
    if (input.whole) arrays.push_back({input.name, {fmt::format("overtake_size_{}", input.name)}});
  }
  const auto changed = [&](const std::string& text) {
    return watches ? watched(given_.name, given_.preamble, text, arrays, given_.watching).body : text;
  };
  const std::string_view type = value_name(stage.types.back());
  const std::string preamble =
      watches ? watched(given_.name, given_.preamble, "", {}, given_.watching).preamble : given_.preamble;
  const std::string passed = watches ? watch_arguments(given_.watching) + ", " : "";
  const std::string taken = watches ? watch_parameters(given_.watching) + ", " : "";
  std::string source = opening(given_.name, preamble, given_.watching);
  source += fmt::format("#define overtake_none (({})({}))\n", type, given_.identity);
  source += fmt::format("DEVICE {0} overtake_joined({1}const {0} a, const {0} b) {{ return {2}; }}\n", type, taken,
                        marked(given_.name + ".reduce", changed(given_.reduce)));
  const std::string post =
      stage.is_last ? fmt::format("{} {} = 0;\n{{{}}}\novertake_result[overtake_row] = {};", type, given_.output.name,
                                  marked(given_.name + ".post", changed(given_.post) + ";"), given_.output.name)
                    : "overtake_result[overtake_chunk] = a;";
  source += stage.on_host ? "KERNEL" : "KERNEL_SIZED(256)";
  source +=
      fmt::format(" void {}({}) {{\n{}", entry_name(given_.name), parameters(stage), watches ? "OVERTAKE_LOOPS\n" : "");
  source += fmt::format(fmt::runtime(stage.on_host ? host_loop : device_loop), fmt::arg("type", type),
                        fmt::arg("range", places ? std::string(range) + item : std::string(range)),
                        fmt::arg("element", element(stage, changed(given_.map))), fmt::arg("watch", passed),
                        fmt::arg("store", post));
  return {source + "}\n", std::move(arrays)};
}

}  // namespace overtake::user_kernel
