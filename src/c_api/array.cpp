// SPDX-License-Identifier: MIT
// Arrays for other languages: handles, transfer, functions by number.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "c_api/array_functions.hpp"
#include "c_api/array_handle.hpp"
#include "c_api/handles.hpp"
#include "graph/node.hpp"
#include "overtake/ops.hpp"
#include "overtake/precision.hpp"

namespace api = overtake::c_api;
using api::array_of;
using api::dtype_of_number;
using api::hand_out;
using api::listed;
using overtake::Array;
using overtake::DType;
using overtake::UsageError;

namespace {

const api::ArrayFunction& function_of(std::int32_t number) {
  const auto functions = api::array_functions();
  if (number < 0 || number >= static_cast<std::int32_t>(functions.size())) {
    throw UsageError(fmt::format("there is no function of number {}", number),
                     "overtake_array_function() gives the number of a name.");
  }
  return functions[static_cast<std::size_t>(number)];
}

}  // namespace

overtake_status overtake_array_from(const void* values, int32_t dtype, const int64_t* extents, int32_t rank,
                                    const char* device, overtake_array** array) {
  return api::guarded([&] {
    overtake_array*& result = api::given(array, "array");
    const auto given = listed(extents, rank, "extents");
    const overtake::Shape shape(std::vector<std::int64_t>(given.begin(), given.end()));
    if (shape.size() > 0 && values == nullptr) (void)api::given(values == nullptr ? nullptr : array, "values");
    const overtake::Device where = api::device_named(device);
    hand_out(Array::from_memory(values, shape.size(), dtype_of_number(dtype), shape, where), &result);
  });
}

overtake_status overtake_array_scalar(int32_t dtype, int64_t whole, double number, overtake_array** array) {
  return api::guarded([&] {
    overtake_array*& result = api::given(array, "array");
    switch (dtype_of_number(dtype)) {
      case DType::boolean: return hand_out(Array(whole != 0), &result);
      case DType::int64: return hand_out(Array(whole), &result);
      case DType::uint64: return hand_out(Array(static_cast<std::uint64_t>(whole)), &result);
      case DType::float32: return hand_out(Array(number), &result);
      default: break;
    }
    throw UsageError(fmt::format("dtype is {}, expected OVERTAKE_ELEMENT_BOOL, _INT64, _UINT64 or _FLOAT32", dtype));
  });
}

overtake_status overtake_array_share(const overtake_array* array, overtake_array** other) {
  return api::guarded([&] { hand_out(array_of(array, "array"), &api::given(other, "other")); });
}

void overtake_array_free(overtake_array* array) { (void)api::take_over(array); }

overtake_status overtake_array_describe(const overtake_array* array, int32_t* dtype, int32_t* rank, int64_t* extents) {
  return api::guarded([&] {
    const Array& given = array_of(array, "array");
    api::given(dtype, "dtype") = static_cast<int32_t>(given.dtype());
    api::given(rank, "rank") = static_cast<int32_t>(given.shape().rank());
    std::copy(given.shape().extents().begin(), given.shape().extents().end(), &api::given(extents, "extents"));
  });
}

overtake_status overtake_array_device(const overtake_array* array, const char** device) {
  return api::guarded([&] { api::given(device, "device") = array_of(array, "array").device().id().c_str(); });
}

overtake_status overtake_array_to(const overtake_array* array, const char* device, overtake_array** moved) {
  return api::computing([&] {
    const overtake::Device where(api::text_of(device, "device"));
    hand_out(array_of(array, "array").to(where), &api::given(moved, "moved"));
  });
}

overtake_status overtake_synchronize(const char* device) {
  return api::guarded([&] { overtake::Device(api::text_of(device, "device")).synchronize(); });
}

overtake_status overtake_array_eval(const overtake_array* const* arrays, int64_t count) {
  return api::computing([&] {
    std::vector<Array> all;
    for (const overtake_array* each : listed(arrays, count, "arrays")) all.push_back(array_of(each, "arrays"));
    overtake::eval(all);
  });
}

overtake_status overtake_array_read(const overtake_array* array, void* values, int64_t bytes) {
  return api::computing([&] {
    const Array& given = array_of(array, "array");
    const std::int64_t needed = given.size() * static_cast<std::int64_t>(overtake::size_of(given.dtype()));
    if (bytes < needed) throw UsageError(fmt::format("room for {} bytes, {} are needed", bytes, needed));
    if (needed > 0) given.to_memory(values);
  });
}

overtake_status overtake_array_memory(const overtake_array* array, const void** values) {
  return api::computing([&] {
    const Array& given = array_of(array, "array");
    if (given.device().id() != "cpu") {
      throw UsageError(fmt::format("the array is on {}: its memory is not the program's", given.device().id()),
                       "overtake_array_read() copies it.");
    }
    given.eval();
    api::given(values, "values") = reinterpret_cast<const void*>(given.node()->buffer->handle());
  });
}

overtake_status overtake_array_function(const char* name, int32_t* function) {
  return api::guarded([&] {
    const std::string wanted = api::text_of(name, "name");
    const auto functions = api::array_functions();
    for (std::size_t i = 0; i < functions.size(); ++i) {
      if (functions[i].name != wanted) continue;
      api::given(function, "function") = static_cast<int32_t>(i);
      return;
    }
    throw UsageError(fmt::format("there is no function '{}'", wanted), "overtake_array_functions() lists them.");
  });
}

overtake_status overtake_array_functions(overtake_text** names) {
  return api::guarded([&] {
    std::string text;
    for (const api::ArrayFunction& each : api::array_functions()) text += std::string(each.name) + "\n";
    api::hand_out(std::move(text), &api::given(names, "names"));
  });
}

// NOLINTNEXTLINE(readability-function-size): the parameters are C's
overtake_status overtake_array_call(int32_t function, const overtake_array* const* inputs, int64_t input_count,
                                    const int64_t* integers, int64_t integer_count, const double* numbers,
                                    int64_t number_count, overtake_array** outputs, int64_t room, int64_t* count) {
  return api::computing([&] {
    const api::ArrayFunction& called = function_of(function);
    if (called.inputs >= 0 && called.inputs != input_count) {
      throw UsageError(fmt::format("[{}] {} arrays, expected {}", called.name, input_count, called.inputs));
    }
    std::vector<Array> given;
    for (const overtake_array* each : listed(inputs, input_count, "inputs")) {
      given.push_back(api::array_or_none(each));
    }
    api::Settings settings(listed(integers, integer_count, "integers"), listed(numbers, number_count, "numbers"));
    std::vector<Array> made = called.call(given, settings);
    if (static_cast<std::int64_t>(made.size()) > room) {
      throw UsageError(fmt::format("[{}] makes {} arrays, there is room for {}", called.name, made.size(), room));
    }
    std::vector<std::unique_ptr<Array>> handles;
    for (Array& each : made) handles.push_back(std::make_unique<Array>(std::move(each)));
    for (std::size_t i = 0; i < handles.size(); ++i) outputs[i] = api::handle_of(handles[i].release());
    api::given(count, "count") = static_cast<std::int64_t>(made.size());
  });
}

overtake_status overtake_array_unary(int32_t function, const overtake_array* a, overtake_array** result) {
  int64_t count = 0;
  return overtake_array_call(function, &a, 1, nullptr, 0, nullptr, 0, result, 1, &count);
}

overtake_status overtake_array_binary(int32_t function, const overtake_array* a, const overtake_array* b,
                                      overtake_array** result) {
  const overtake_array* inputs[] = {a, b};
  int64_t count = 0;
  return overtake_array_call(function, inputs, 2, nullptr, 0, nullptr, 0, result, 1, &count);
}

overtake_status overtake_array_set_requires_grad(overtake_array* array, int32_t required) {
  return api::computing([&] { array_of(array, "array").requires_grad(required != 0); });
}

overtake_status overtake_array_requires_grad(const overtake_array* array, int32_t* required) {
  return api::guarded(
      [&] { api::given(required, "required") = array_of(array, "array").node()->needs_gradient ? 1 : 0; });
}

overtake_status overtake_array_backward(const overtake_array* array) {
  return api::guarded([&] { array_of(array, "array").backward(); });
}

overtake_status overtake_array_grad(const overtake_array* array, overtake_array** gradient) {
  return api::guarded([&] {
    overtake_array*& result = api::given(gradient, "gradient");
    const Array found = array_of(array, "array").grad();
    if (found.defined()) {
      hand_out(found, &result);
    } else {
      result = nullptr;
    }
  });
}

overtake_status overtake_array_set_grad(const overtake_array* array, const overtake_array* gradient) {
  return api::guarded([&] { array_of(array, "array").set_grad(api::array_or_none(gradient)); });
}

overtake_status overtake_array_no_grad(int32_t change) {
  return api::guarded([&] { overtake::graph::NoGradient::change_depth(change); });
}

overtake_status overtake_set_precision(const char* precision, const char** before) {
  return api::guarded([&] {
    const overtake::Precision last = overtake::current_precision();
    if (precision != nullptr) overtake::set_precision(overtake::precision_named(precision));
    if (before != nullptr) *before = overtake::name_of(last).data();
  });
}

overtake_status overtake_result_type(int32_t a, int32_t b, int32_t* result) {
  return api::guarded([&] {
    api::given(result, "result") = static_cast<int32_t>(overtake::result_type(dtype_of_number(a), dtype_of_number(b)));
  });
}
