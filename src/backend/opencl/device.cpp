// SPDX-License-Identifier: MIT
#include "backend/opencl/device.hpp"

#include <fmt/format.h>
#include <utility>

#include <algorithm>

#include "backend/api/details.hpp"
#include "backend/common/compiler_log.hpp"
#include "backend/opencl/executable.hpp"
#include "backend/opencl/program.hpp"
#include "core/config.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::opencl {
namespace {

class OpenClBuffer final : public Buffer {
 public:
  OpenClBuffer(Device& device, std::size_t bytes, CachingAllocator::Block block,
               std::shared_ptr<CachingAllocator> allocator)
      : Buffer(device, bytes), block_(block), allocator_(std::move(allocator)) {}
  ~OpenClBuffer() override { allocator_->give_back(block_); }
  [[nodiscard]] std::uintptr_t handle() const noexcept override { return block_.handle; }

 private:
  CachingAllocator::Block block_;
  std::shared_ptr<CachingAllocator> allocator_;
};

LoweringTraits traits_of(const FoundDevice& found) {
  const cl_device_id device = found.device;
  LoweringTraits traits;
  traits.compute_units =
      static_cast<int>(std::max<cl_uint>(1, device_value<cl_uint>(device, CL_DEVICE_MAX_COMPUTE_UNITS)));
  traits.local_bytes = std::min<std::uint64_t>(48 * 1024, device_value<cl_ulong>(device, CL_DEVICE_LOCAL_MEM_SIZE));
  traits.max_group_size = static_cast<int>(device_value<std::size_t>(device, CL_DEVICE_MAX_WORK_GROUP_SIZE));
  const bool is_cpu = found.info.kind == DeviceKind::opencl_on_cpu;
  // OpenCL 1.2 orders memory between groups nowhere. On CPUs the atomic operation that takes the ticket does.
  traits.fence_across_groups = is_cpu;
  // A CPU's compiler takes seconds for the large register tiles that suit a GPU with few groups for each unit.
  if (is_cpu) traits.compute_units *= 64;
  // Its cores are few, and its memory is the computer's, of which the parts of large products would take the most.
  traits.splits_products = !is_cpu;
  return traits;
}

std::string options_of(cl_device_id device) {
  const auto config = device_value<cl_device_fp_config>(device, CL_DEVICE_SINGLE_FP_CONFIG);
  const bool exact = (config & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0;
  // -w: some compilers (PoCL's) print a count of warnings to standard error, which belongs to the program that uses us.
  return exact ? "-cl-std=CL1.2 -w -cl-fp32-correctly-rounded-divide-sqrt" : "-cl-std=CL1.2 -w";
}

}  // namespace

OpenClDevice::OpenClDevice(FoundDevice found)
    : found_(std::move(found)),
      traits_(traits_of(found_)),
      options_(options_of(found_.device)),
      cache_(config::cache_directory()) {
  const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                              reinterpret_cast<cl_context_properties>(found_.platform), 0};
  cl_int error = CL_SUCCESS;
  context_ = ContextHandle(api().clCreateContext(properties, 1, &found_.device, nullptr, nullptr, &error));
  check(error, "clCreateContext");
  queue_ = QueueHandle(api().clCreateCommandQueue(context_.get(), found_.device, 0, &error));
  check(error, "clCreateCommandQueue");
  allocator_ = std::make_shared<CachingAllocator>(CachingAllocator::Source{
      [context = context_.get()](std::size_t bytes) {
        cl_int failure = CL_SUCCESS;
        cl_mem memory = api().clCreateBuffer(context, CL_MEM_READ_WRITE, bytes, nullptr, &failure);
        return failure == CL_SUCCESS ? reinterpret_cast<std::uintptr_t>(memory) : 0;
      },
      [](std::uintptr_t handle) { (void)api().clReleaseMemObject(reinterpret_cast<cl_mem>(handle)); }, found_.info.id});
}

OpenClDevice::~OpenClDevice() { (void)api().clFinish(queue_.get()); }

std::unique_ptr<Buffer> OpenClDevice::allocate(std::size_t bytes) {
  return std::make_unique<OpenClBuffer>(*this, bytes, allocator_->allocate(bytes), allocator_);
}

void OpenClDevice::enqueue(cl_kernel kernel, const LaunchGeometry& geometry) {
  constexpr int launches_of_a_block = 512;  // at most two are under way
  std::size_t global[3];
  std::size_t local[3];
  for (int axis = 0; axis < 3; ++axis) {
    local[axis] = geometry.group_size[axis];
    global[axis] = std::size_t{geometry.groups[axis]} * local[axis];
    if (global[axis] == 0) return;
  }
  const bool is_mark = ++since_mark_ >= launches_of_a_block;
  cl_event event = nullptr;
  check(
      api().clEnqueueNDRangeKernel(queue(), kernel, 3, nullptr, global, local, 0, nullptr, is_mark ? &event : nullptr),
      "clEnqueueNDRangeKernel");
  if (!is_mark) return;
  since_mark_ = 0;
  const EventHandle before = std::exchange(mark_, EventHandle(event));
  check(api().clFlush(queue()), "clFlush");
  cl_event waited_for = before.get();
  if (waited_for != nullptr) check(api().clWaitForEvents(1, &waited_for), "clWaitForEvents");
}

std::unique_ptr<Executable> OpenClDevice::compile(const Schedule& schedule, const CompileOptions&) {
  return std::make_unique<OpenClExecutable>(*this, schedule);
}

ProgramHandle OpenClDevice::from_binary(const std::string& binary, const std::string& options) const {
  const std::size_t length = binary.size();
  const auto* bytes = reinterpret_cast<const unsigned char*>(binary.data());
  cl_int status = CL_SUCCESS;
  cl_int error = CL_SUCCESS;
  ProgramHandle program(
      api().clCreateProgramWithBinary(context_.get(), 1, &found_.device, &length, &bytes, &status, &error));
  if (error != CL_SUCCESS || status != CL_SUCCESS) return {};
  if (api().clBuildProgram(program.get(), 1, &found_.device, options.c_str(), nullptr, nullptr) != CL_SUCCESS)
    return {};
  return program;
}

OpenClDevice::Compiled OpenClDevice::compile_source(const std::string& source, const std::string& options) {
  const ProgramKey key{source, options, found_.info.name + " " + device_text(found_.device, CL_DEVICE_VERSION),
                       device_text(found_.device, CL_DRIVER_VERSION), found_.platform_version};
  if (const auto binary = cache_.load(key)) {
    if (ProgramHandle program = from_binary(*binary, options); program.get() != nullptr)
      return {std::move(program), {}};
  }
  const char* text = source.c_str();
  const std::size_t length = source.size();
  cl_int error = CL_SUCCESS;
  ProgramHandle program(api().clCreateProgramWithSource(context_.get(), 1, &text, &length, &error));
  check(error, "clCreateProgramWithSource");
  error = api().clBuildProgram(program.get(), 1, &found_.device, options.c_str(), nullptr, nullptr);
  if (error != CL_SUCCESS) return {{}, with_asked_lines(build_log(program.get(), found_.device), source)};
  if (const std::string binary = binary_of(program.get()); !binary.empty()) cache_.store(key, binary);
  return {std::move(program), {}};
}

cl_program OpenClDevice::program_of(const LoweredKernel& kernel) {
  const std::scoped_lock lock(programs_mutex_);
  if (const auto found = programs_.find(kernel.entry); found != programs_.end()) return found->second.get();
  Compiled compiled = compile_source(std::string(embedded::prelude_opencl) + kernel.source, options_);
  if (compiled.program.get() == nullptr) {
    throw InternalError(fmt::format("{}: the kernel {} does not compile: {}", info().id, kernel.entry, compiled.log));
  }
  return programs_.emplace(kernel.entry, std::move(compiled.program)).first->second.get();
}

std::unique_ptr<Program> OpenClDevice::build(const ProgramSource& program) {
  Compiled compiled = compile_source(with_defines(embedded::prelude_opencl, program), options_);
  if (compiled.program.get() == nullptr) {
    throw UsageError(fmt::format("{}: the program does not compile:\n{}", info().id, compiled.log),
                     "Kernels are written in the dialect of docs/dialect.md.");
  }
  return std::make_unique<OpenClProgram>(*this, std::move(compiled.program));
}

DeviceDetails OpenClDevice::details() {
  DeviceDetails details;
  details.driver_limit = device_text(found_.device, CL_DEVICE_VERSION);
  details.runtime = "none: products by Overtake's own kernels";
  details.compiler = fmt::format("the driver's, {}", device_text(found_.device, CL_DEVICE_OPENCL_C_VERSION));
  return details;
}

}  // namespace overtake::backend::opencl
