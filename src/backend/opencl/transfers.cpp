// SPDX-License-Identifier: MIT
// Copies of an OpenClDevice, all in its one queue, and marks in it.
#include <fmt/format.h>

#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "backend/opencl/device.hpp"
#include "core/clock.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::opencl {
namespace {

cl_mem memory_of(const Buffer& buffer) { return reinterpret_cast<cl_mem>(buffer.handle()); }

void check_range(const Buffer& buffer, std::size_t offset, std::size_t bytes, const char* what) {
  if (offset > buffer.bytes() || bytes > buffer.bytes() - offset) {
    throw InternalError(fmt::format("{}: {} bytes at {} of a buffer of {}", what, bytes, offset, buffer.bytes()));
  }
}

/// A marker of the queue. The driver calls when it is passed, which is when its time is taken: queues that keep times
/// by themselves are slower with some drivers.
class OpenClMark final : public Mark {
 public:
  explicit OpenClMark(cl_command_queue queue) : queue_(queue) {
    cl_event event = nullptr;
    check(api().clEnqueueMarkerWithWaitList(queue, 0, nullptr, &event), "clEnqueueMarkerWithWaitList");
    event_ = EventHandle(event);
    auto time = std::make_unique<std::promise<Clock::time_point>>();
    time_ = time->get_future().share();
    const auto on_passed = [](cl_event, cl_int, void* kept) {
      const std::unique_ptr<std::promise<Clock::time_point>> promise(
          static_cast<std::promise<Clock::time_point>*>(kept));
      promise->set_value(Clock::now());
    };
    check(api().clSetEventCallback(event, CL_COMPLETE, on_passed, time.get()), "clSetEventCallback");
    [[maybe_unused]] const auto* with_the_driver = time.release();  // whose call frees it
    check(api().clFlush(queue), "clFlush");
  }
  [[nodiscard]] bool is_passed() const override {
    cl_int status = CL_QUEUED;
    check(api().clGetEventInfo(event_.get(), CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, nullptr),
          "clGetEventInfo");
    return status <= CL_COMPLETE;  // below: it failed
  }
  void wait() const override {
    cl_event event = event_.get();
    check(api().clWaitForEvents(1, &event), "clWaitForEvents");
  }
  [[nodiscard]] double seconds_since(const Mark& earlier) const override {
    const auto* before = dynamic_cast<const OpenClMark*>(&earlier);
    if (before == nullptr || before->queue_ != queue_) {
      throw UsageError("two events of different devices have no time between them");
    }
    return std::chrono::duration<double>(time() - before->time()).count();
  }
  [[nodiscard]] cl_command_queue queue() const noexcept { return queue_; }

 private:
  [[nodiscard]] Clock::time_point time() const {
    constexpr auto patience = std::chrono::seconds(10);  // the driver calls soon after it is passed
    wait();
    if (time_.wait_for(patience) != std::future_status::ready) {
      throw DeviceError("the OpenCL driver does not say when an event was passed", "Measure by the host's clock.");
    }
    return time_.get();
  }

  cl_command_queue queue_;
  EventHandle event_;
  std::shared_future<Clock::time_point> time_;
};

}  // namespace

double OpenClDevice::copy_in(Buffer& destination, std::size_t offset, const void* source, std::size_t bytes) {
  check_range(destination, offset, bytes, "upload");
  if (bytes == 0) return 0;
  synchronize();  // so that its time is the copy's
  const auto start = Clock::now();
  check(
      api().clEnqueueWriteBuffer(queue(), memory_of(destination), CL_TRUE, offset, bytes, source, 0, nullptr, nullptr),
      "clEnqueueWriteBuffer");
  return seconds_since(start);
}

double OpenClDevice::copy_out(const Buffer& source, std::size_t offset, void* destination, std::size_t bytes) {
  check_range(source, offset, bytes, "download");
  synchronize();
  if (bytes == 0) return 0;
  const auto start = Clock::now();
  check(api().clEnqueueReadBuffer(queue(), memory_of(source), CL_TRUE, offset, bytes, destination, 0, nullptr, nullptr),
        "clEnqueueReadBuffer");
  return seconds_since(start);
}

double OpenClDevice::copy_in_async(Buffer& destination, const void* source, std::size_t bytes) {
  check_range(destination, 0, bytes, "upload");
  if (bytes == 0) return 0;
  const auto start = Clock::now();
  check(api().clEnqueueWriteBuffer(queue(), memory_of(destination), CL_FALSE, 0, bytes, source, 0, nullptr, nullptr),
        "clEnqueueWriteBuffer");
  check(api().clFlush(queue()), "clFlush");
  return seconds_since(start);  // what of it the host saw: the queue keeps no times
}

double OpenClDevice::copy_out_async(Buffer& source, void* destination, std::size_t bytes) {
  check_range(source, 0, bytes, "download");
  if (bytes == 0) return 0;
  const auto start = Clock::now();
  check(api().clEnqueueReadBuffer(queue(), memory_of(source), CL_FALSE, 0, bytes, destination, 0, nullptr, nullptr),
        "clEnqueueReadBuffer");
  check(api().clFlush(queue()), "clFlush");
  return seconds_since(start);
}

void OpenClDevice::copy(const Buffer& source, std::size_t source_offset, Buffer& destination, std::size_t offset,
                        std::size_t bytes) {
  check_range(source, source_offset, bytes, "copy");
  check_range(destination, offset, bytes, "copy");
  if (bytes == 0) return;
  check(api().clEnqueueCopyBuffer(queue(), memory_of(source), memory_of(destination), source_offset, offset, bytes, 0,
                                  nullptr, nullptr),
        "clEnqueueCopyBuffer");
}

void OpenClDevice::synchronize() { check(api().clFinish(queue()), "clFinish"); }

std::unique_ptr<Mark> OpenClDevice::mark(Lane /*lane*/) { return std::make_unique<OpenClMark>(queue()); }

void OpenClDevice::wait(Lane /*lane*/, const Mark& mark) {
  const auto* marker = dynamic_cast<const OpenClMark*>(&mark);
  const bool is_in_order = marker != nullptr && marker->queue() == queue();  // there is one queue, and it is behind
  if (!is_in_order) mark.wait();
}

}  // namespace overtake::backend::opencl
