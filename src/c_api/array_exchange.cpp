// SPDX-License-Identifier: MIT
// Arrays as text and files, and memory shared with other libraries.
#include <map>
#include <string>
#include <utility>

#include "backend/api/device.hpp"
#include "c_api/array_handle.hpp"
#include "c_api/handles.hpp"
#include "exchange/dlpack_abi.hpp"
#include "overtake/dlpack.hpp"
#include "overtake/npy.hpp"
#include "overtake/print.hpp"
#include "overtake/random.hpp"

namespace api = overtake::c_api;
using overtake::Array;

overtake_status overtake_array_text(const overtake_array* array, int32_t indent, overtake_text** text) {
  return api::computing([&] {
    overtake::PrintOptions options;
    options.indent = indent;
    api::hand_out(overtake::to_string(api::array_of(array, "array"), options), &api::given(text, "text"));
  });
}

overtake_status overtake_random_seed(uint64_t seed) {
  return api::guarded([&] { overtake::random::seed(seed); });
}

overtake_status overtake_array_save_npy(const overtake_array* array, const char* path) {
  return api::computing([&] { overtake::save_npy(api::text_of(path, "path"), api::array_of(array, "array")); });
}

overtake_status overtake_array_load_npy(const char* path, const char* device, overtake_array** array) {
  return api::guarded([&] {
    overtake_array*& result = api::given(array, "array");
    api::hand_out(overtake::load_npy(api::text_of(path, "path"), api::device_named(device)), &result);
  });
}

overtake_status overtake_arrays_save_npz(const char* path, const char* const* names,
                                         const overtake_array* const* arrays, int64_t count, int32_t deflate) {
  return api::computing([&] {
    std::map<std::string, Array> all;
    const auto handles = api::listed(arrays, count, "arrays");
    const auto called = api::listed(names, count, "names");
    for (std::size_t i = 0; i < handles.size(); ++i) {
      const std::string name = api::text_of(called[i], "names");
      if (!all.emplace(name, api::array_of(handles[i], "arrays")).second) {
        throw overtake::UsageError("two arrays have the name " + name, "Give each a name of its own.");
      }
    }
    overtake::save_npz(api::text_of(path, "path"), all,
                       deflate != 0 ? overtake::NpzPacking::deflated : overtake::NpzPacking::stored);
  });
}

overtake_status overtake_npz_names(const char* path, overtake_text** names) {
  return api::guarded([&] {
    std::string text;
    for (const std::string& name : overtake::npz_names(api::text_of(path, "path"))) {
      if (name.find('\0') != std::string::npos) {
        throw overtake::DataError(std::string(path) + ": the name of an array has a null byte",
                                  "The file was damaged, or made to mislead: load it with what wrote it.");
      }
      text += name + '\0';
    }
    api::hand_out(std::move(text), &api::given(names, "names"));
  });
}

overtake_status overtake_array_load_npz(const char* path, const char* name, const char* device,
                                        overtake_array** array) {
  return api::guarded([&] {
    overtake_array*& result = api::given(array, "array");
    const std::string wanted = api::text_of(name, "name");
    api::hand_out(overtake::load_npz(api::text_of(path, "path"), wanted, api::device_named(device)), &result);
  });
}

overtake_status overtake_array_to_dlpack(const overtake_array* array, int32_t versioned, int32_t wait, void** tensor) {
  return api::computing([&] {
    void*& result = api::given(tensor, "tensor");
    const Array& lent = api::array_of(array, "array");
    const auto hand_over = wait != 0 ? overtake::HandOver::wait : overtake::HandOver::none;
    if (versioned != 0) {
      result = overtake::to_dlpack(lent, hand_over);
    } else {
      result = overtake::to_dlpack_unversioned(lent, hand_over);
    }
  });
}

overtake_status overtake_array_from_dlpack(void* tensor, int32_t versioned, overtake_array** array) {
  return api::guarded([&] {
    overtake_array*& result = api::given(array, "array");
    // The handle first: what fails after the tensor is taken over would have to give it back.
    auto own = std::make_unique<Array>();
    *own = versioned != 0 ? overtake::from_dlpack(static_cast<DLManagedTensorVersioned*>(tensor))
                          : overtake::from_dlpack(static_cast<DLManagedTensor*>(tensor));
    result = api::handle_of(own.release());
  });
}

void overtake_dlpack_delete(void* tensor, int32_t versioned) {
  if (tensor == nullptr) return;
  if (versioned != 0) {
    auto* own = static_cast<DLManagedTensorVersioned*>(tensor);
    if (own->deleter != nullptr) own->deleter(own);
  } else {
    auto* own = static_cast<DLManagedTensor*>(tensor);
    if (own->deleter != nullptr) own->deleter(own);
  }
}

namespace {

overtake_python python{};  // set once, before the first array

/// What a handler raised: this thread's, for whom Python runs handlers.
struct Raised {
  void *type = nullptr, *value = nullptr, *trace = nullptr;
};
thread_local Raised raised;

void check_signals() {
  const int state = python.ensure_thread();
  const bool failed = python.check_signals() != 0;
  if (failed) python.fetch_error(&raised.type, &raised.value, &raised.trace);
  python.release_thread(state);
  if (failed) throw api::CallerFailed();
}

}  // namespace

overtake::Polling::Ask api::question() noexcept { return python.check_signals != nullptr ? check_signals : nullptr; }

void overtake_python_set(const overtake_python* functions) {
  if (functions != nullptr) python = *functions;
}

void overtake_python_error(void** type, void** value, void** trace) {
  const Raised last = std::exchange(raised, {});
  *type = last.type;
  *value = last.value;
  *trace = last.trace;
}

void overtake_python_capsule_end(void* capsule) {
  if (python.is_valid == nullptr) return;
  void *type = nullptr, *value = nullptr, *trace = nullptr;
  python.fetch_error(&type, &value, &trace);
  for (const auto& [name, versioned] : {std::pair("dltensor_versioned", 1), std::pair("dltensor", 0)}) {
    if (python.is_valid(capsule, name) != 0) overtake_dlpack_delete(python.pointer(capsule, name), versioned);
  }
  python.restore_error(type, value, trace);
}

// NOLINTNEXTLINE(readability-function-size): the parameters are C's
overtake_status overtake_array_from_foreign(uint64_t address, int32_t dtype, const int64_t* extents,
                                            const int64_t* strides, int32_t rank, const char* device,
                                            void (*release)(void* context), void* context, overtake_array** array) {
  return api::guarded([&] {
    overtake_array*& result = api::given(array, "array");
    const auto sizes = api::listed(extents, rank, "extents");
    overtake::ForeignMemory memory;
    memory.data = reinterpret_cast<const void*>(address);
    memory.dtype = api::dtype_of_number(dtype);
    memory.shape = overtake::Shape(std::vector<std::int64_t>(sizes.begin(), sizes.end()));
    if (strides != nullptr) memory.strides.emplace(strides, strides + rank);
    memory.device = api::device_named(device);
    const auto armed = std::make_shared<bool>(false);  // a call that fails releases nothing
    memory.owner = std::shared_ptr<void>(nullptr, [=](void*) {
      if (*armed && release != nullptr) release(context);
    });
    auto own = std::make_unique<Array>();
    *own = overtake::from_foreign(memory);
    *armed = true;
    result = api::handle_of(own.release());
  });
}

overtake_status overtake_array_address(const overtake_array* array, uint64_t* address) {
  return api::computing([&] {
    uint64_t& result = api::given(address, "address");
    result = overtake::address_of(api::array_of(array, "array"));
  });
}

overtake_status overtake_synchronize_everyone(const char* device) {
  return api::guarded([&] { api::device_named(device).impl().wait_for_everyone(); });
}

overtake_status overtake_stream_of(const char* device, uint64_t* stream) {
  return api::guarded([&] {
    uint64_t& result = api::given(stream, "stream");
    result = overtake::stream_of(api::device_named(device));
  });
}
