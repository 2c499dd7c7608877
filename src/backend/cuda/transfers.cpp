// SPDX-License-Identifier: MIT
// What a CudaDevice does with memory: blocks, copies, and the order between its streams.
#include <fmt/format.h>

#include <functional>
#include <utility>

#include "backend/cuda/buffer.hpp"
#include "backend/cuda/device.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "backend/cuda/run/host_memory.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

void check_range(const Buffer& buffer, const Device& device, std::size_t offset, std::size_t bytes, const char* what) {
  if (&buffer.device() != &device) throw InternalError(fmt::format("cuda: {} of another device's buffer", what));
  if (offset > buffer.bytes() || bytes > buffer.bytes() - offset) {
    throw InternalError(
        fmt::format("cuda: {} of {} bytes at {} in a buffer of {}", what, bytes, offset, buffer.bytes()));
  }
}

CUdeviceptr range(const Buffer& buffer, const Device& device, std::size_t offset, std::size_t bytes, const char* what) {
  check_range(buffer, device, offset, bytes, what);
  return static_cast<CUdeviceptr>(buffer.handle()) + offset;
}

using Direction = TransferClock::Direction;

}  // namespace

CachingAllocator::Block CudaDevice::allocate_block(std::size_t bytes) {
  try {
    return allocator_.allocate(bytes);
  } catch (const DeviceError&) {
    const auto waiting = incoming_.take_all();
    if (waiting.empty()) throw;
    for (const IncomingBlocks::Free& free : waiting) allocator_.give_back(free.block);
  }
  return allocator_.allocate(bytes);
}

std::unique_ptr<Buffer> CudaDevice::allocate(std::size_t bytes) {
  const CachingAllocator::Block block = allocate_block(bytes);
  try {
    return std::make_unique<CudaBuffer>(*this, bytes, block);
  } catch (...) {
    allocator_.give_back(block);
    throw;
  }
}

std::unique_ptr<Buffer> CudaDevice::allocate_incoming(std::size_t bytes) {
  context_.use();
  IncomingBlocks::Free free = incoming_.take(CachingAllocator::block_size(bytes));
  if (free.block.handle == 0) free.block = allocate_block(bytes);
  try {
    // What the allocator gives may be in use by work that was asked for until now.
    if (!free.unused_from) free.unused_from = record_event(api_, stream(), CU_EVENT_DISABLE_TIMING);
    return std::make_unique<CudaBuffer>(*this, bytes, free.block, std::move(free.unused_from));
  } catch (...) {
    allocator_.give_back(free.block);
    throw;
  }
}

void CudaDevice::take_back(CachingAllocator::Block block, bool is_incoming, CUevent arrived, CUevent left) noexcept {
  if (!is_incoming && left == nullptr) return allocator_.give_back(block);
  bool is_ordered = context_.try_use();
  for (CUevent event : {arrived, left}) {
    if (event != nullptr) is_ordered = is_ordered && api_.cuStreamWaitEvent(stream(), event, 0) == CUDA_SUCCESS;
  }
  if (!is_ordered || !is_incoming) {
    if (!is_ordered && arrived != nullptr) static_cast<void>(api_.cuEventSynchronize(arrived));
    if (!is_ordered && left != nullptr) static_cast<void>(api_.cuEventSynchronize(left));
    return allocator_.give_back(block);
  }
  try {
    const auto oldest = incoming_.keep({block, record_event(api_, stream(), CU_EVENT_DISABLE_TIMING)});
    if (oldest.block.handle != 0) allocator_.give_back(oldest.block);
  } catch (...) {  // no event, or no memory of the host to remember it by
    allocator_.give_back(block);
  }
}

std::unique_ptr<HostMemory> CudaDevice::allocate_host(std::size_t bytes) {
  context_.use();
  return allocate_page_locked(api_, bytes);
}

void CudaDevice::copy_directly(const std::function<CUresult()>& copy, const char* what) {
  check(api_, copy(), what);
  const EventHandle done = record_event(api_, stream(), CU_EVENT_DISABLE_TIMING);
  check(api_, api_.cuEventSynchronize(done.get()), "waiting for the GPU");
}

double CudaDevice::copy_in(Buffer& destination, std::size_t offset, const void* source, std::size_t bytes) {
  context_.use();
  const CUdeviceptr to = range(destination, *this, offset, bytes, "an upload");
  if (bytes == 0) return 0;
  const std::size_t timed = clock_.begin(Direction::up, stream());
  if (is_page_locked(source, bytes)) {
    copy_directly([&] { return api_.cuMemcpyHtoDAsync(to, source, bytes, stream()); }, "copying to the GPU");
  } else {
    staging_.upload(to, source, bytes);
  }
  clock_.end(timed, stream());
  return 0;
}

void CudaDevice::upload_constants(Buffer& destination, const void* source, std::size_t bytes) {
  context_.use();
  staging_.upload(range(destination, *this, 0, bytes, "an upload"), source, bytes);
}

double CudaDevice::copy_out(const Buffer& source, std::size_t offset, void* destination, std::size_t bytes) {
  context_.use();
  const CUdeviceptr from = range(source, *this, offset, bytes, "a download");
  if (bytes == 0) {
    synchronize();
    return 0;
  }
  const std::size_t timed = clock_.begin(Direction::down, stream());
  if (is_page_locked(destination, bytes)) {
    copy_directly([&] { return api_.cuMemcpyDtoHAsync(destination, from, bytes, stream()); }, "copying from the GPU");
  } else {
    staging_.download(destination, from, bytes);
  }
  clock_.end(timed, stream());
  return 0;
}

double CudaDevice::copy_in_async(Buffer& destination, const void* source, std::size_t bytes) {
  check_range(destination, *this, 0, bytes, "an upload");
  auto& buffer = dynamic_cast<CudaBuffer&>(destination);
  if (buffer.unused_from() == nullptr) throw InternalError("cuda: an upload into memory that is not for it");
  if (bytes == 0) return 0;
  context_.use();
  CUstream stream = lanes_.of(Lane::upload);
  wait_in(stream, buffer.unused_from());
  const std::size_t timed = clock_.begin(Direction::up, stream);
  check(api_, api_.cuMemcpyHtoDAsync(buffer.address(), source, bytes, stream), "copying to the GPU");
  clock_.end(timed, stream);
  buffer.set_arriving(record_event(api_, stream, CU_EVENT_DISABLE_TIMING));
  return 0;
}

double CudaDevice::copy_out_async(Buffer& source, void* destination, std::size_t bytes) {
  context_.use();
  const CUdeviceptr from = range(source, *this, 0, bytes, "a download");
  if (bytes == 0) return 0;
  CUstream stream = lanes_.of(Lane::download);
  const EventHandle computed = record_event(api_, this->stream(), CU_EVENT_DISABLE_TIMING);
  wait_in(stream, computed.get());
  const std::size_t timed = clock_.begin(Direction::down, stream);
  check(api_, api_.cuMemcpyDtoHAsync(destination, from, bytes, stream), "copying from the GPU");
  clock_.end(timed, stream);
  // Memory that was lent waits for the whole device before it is given back.
  auto* own = dynamic_cast<CudaBuffer*>(&source);
  if (own != nullptr) own->set_leaving(record_event(api_, stream, CU_EVENT_DISABLE_TIMING));
  return 0;
}

CudaDevice::CopySeconds CudaDevice::settle() {
  context_.use();
  const TransferClock::Seconds seconds = clock_.take();
  return {seconds.up, seconds.down};
}

void CudaDevice::copy(const Buffer& source, std::size_t source_offset, Buffer& destination, std::size_t offset,
                      std::size_t bytes) {
  context_.use();
  const CUdeviceptr from = range(source, *this, source_offset, bytes, "a copy");
  const CUdeviceptr to = range(destination, *this, offset, bytes, "a copy");
  if (bytes == 0) return;
  check(api_, api_.cuMemcpyDtoDAsync(to, from, bytes, stream()), "copying on the GPU");
}

void CudaDevice::synchronize() {
  context_.use();
  lanes_.synchronize();
}

void CudaDevice::synchronize_lane(Lane lane) {
  context_.use();
  lanes_.synchronize(lane);
}

std::unique_ptr<Mark> CudaDevice::mark(Lane lane) {
  context_.use();
  return std::make_unique<CudaMark>(*this, record_event(api_, lanes_.of(lane), CU_EVENT_DEFAULT));
}

void CudaDevice::wait(Lane lane, const Mark& mark) {
  const auto* event = dynamic_cast<const CudaMark*>(&mark);
  if (event == nullptr) return mark.wait();
  context_.use();
  wait_in(lanes_.of(lane), event->event());
}

void CudaDevice::wait_in(CUstream stream, CUevent event) {
  context_.use();
  check(api_, api_.cuStreamWaitEvent(stream, event, 0), "cuStreamWaitEvent");
}

}  // namespace overtake::backend::cuda
