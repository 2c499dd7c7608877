// SPDX-License-Identifier: MIT
// The contract between everything above and the processors. Nothing above this file knows which device it runs on.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/api/buffer.hpp"
#include "backend/api/operation.hpp"
#include "backend/api/program.hpp"
#include "backend/api/streams.hpp"
#include "overtake/device.hpp"
#include "overtake/transfer.hpp"

namespace overtake::backend {

struct BackendDetails;  // backend/api/details.hpp
struct DeviceDetails;
struct RateProbe;

/// What a compiled schedule costs and holds.
struct ExecutableStats {
  int operations = 0;          ///< in the schedule
  int launches = 0;            ///< kernels or library calls issued for one run
  double compile_seconds = 0;  ///< turning the schedule into something runnable, caches included
  std::uint64_t arena_bytes = 0;
  std::string note;  ///< how it runs, when there is more to say: "graph: 24 steps, 6 by cuBLASLt"
};

/// A schedule made ready for one device.
class Executable {
 public:
  virtual ~Executable() = default;
  /// Names the buffer of each external slot (indexed by slot; null for arena slots). Buffers must stay alive until the
  /// device has finished every run that uses them.
  virtual void bind(std::span<Buffer* const> slots) = 0;
  /// Enqueues the whole schedule `times` times in a row. May return before the work is done.
  virtual void run(int times) = 0;
  /// Does ahead of time what the first run(times) would do once: on CUDA, a graph of that many repetitions.
  virtual void prepare(int /*times*/) {}
  /// Gives back what its intermediate results take, where that is much; to be bound again before it runs again. For
  /// executables that are kept in case they are needed again.
  virtual void release() {}
  [[nodiscard]] virtual ExecutableStats stats() const = 0;
};

/// Executables that are kept may keep this much each for their intermediate results.
inline constexpr std::uint64_t most_kept_bytes = 1 << 20;

struct CompileOptions {
  /// The executable will be bound once and run many times: worth capturing (a CUDA graph).
  bool replay = false;
};

/// How much one operation may hold, tape of a reduction's input included.
struct FusionLimits {
  int loads = 24;             ///< operands of its tapes
  int stores = 40;            ///< results: with the operands they are kernel arguments, of which 1,024 bytes are sure
  int instructions = 128;     ///< of each tape: compilers take time that grows faster than the text
  bool channel_sums = false;  ///< gradients of pooling can give ChannelSums
};

/// One processor.
class Device {
 public:
  virtual ~Device() = default;

  [[nodiscard]] virtual const DeviceInfo& info() const = 0;
  /// Uninitialised memory. Throws DeviceError (need, limit, what to change) beyond the memory limit or the device.
  [[nodiscard]] virtual std::unique_ptr<Buffer> allocate(std::size_t bytes) = 0;
  /// Copies to the device, in order with other work; `source` may be reused on return.
  void upload(Buffer& destination, std::size_t offset, const void* source, std::size_t bytes);
  /// Copies to the host; waits for all earlier work.
  void download(const Buffer& source, std::size_t offset, void* destination, std::size_t bytes);
  /// Copies between two buffers of this device, in order with other work.
  virtual void copy(const Buffer& source, std::size_t source_offset, Buffer& destination, std::size_t offset,
                    std::size_t bytes) = 0;
  /// Waits for all lanes.
  virtual void synchronize() = 0;
  /// Waits until the processor is idle, with what other libraries of this process asked of it, too.
  virtual void wait_for_everyone() { synchronize(); }
  /// The queue that this device's work goes into, for other libraries to order theirs by: a CUstream (cuda), else 0.
  [[nodiscard]] virtual std::uintptr_t stream_handle() const { return 0; }

  // Copies that the host does not wait for, and what orders them.
  /// Page-locked memory where the device copies faster from it. Throws DeviceError when there is none left.
  [[nodiscard]] virtual std::unique_ptr<HostMemory> allocate_host(std::size_t bytes);
  /// Memory for upload_async(): of a kind that such a copy need not wait for the work that is under way to get.
  [[nodiscard]] virtual std::unique_ptr<Buffer> allocate_incoming(std::size_t bytes) { return allocate(bytes); }
  /// Copies memory of allocate_host() to the whole of a buffer of allocate_incoming(), which was not used yet. Work
  /// that uses the buffer later waits for it. `source` stays alive and as it is until a mark of Lane::upload is passed.
  void upload_async(Buffer& destination, const void* source, std::size_t bytes);
  /// Copies what the work asked for so far leaves in a buffer to memory of allocate_host(). `destination` stays alive,
  /// and is not read, until a mark of Lane::download is passed; the buffer need not stay.
  void download_async(Buffer& source, void* destination, std::size_t bytes);
  /// The end of what a lane was asked for so far.
  [[nodiscard]] virtual std::unique_ptr<Mark> mark(Lane lane);
  /// What a lane is asked for from now on waits for a mark, of any device.
  virtual void wait(Lane lane, const Mark& mark);
  virtual void synchronize_lane(Lane /*lane*/) { synchronize(); }

  /// Schedules for this device keep to it.
  [[nodiscard]] virtual FusionLimits fusion_limits() const { return {}; }
  [[nodiscard]] virtual std::unique_ptr<Executable> compile(const Schedule& schedule,
                                                            const CompileOptions& options) = 0;
  /// Compiles dialect source. Throws UsageError with the compiler's log for bad source, DeviceError when this device
  /// cannot compile at run time (the cpu: without libtcc and without a compiler of C) and has no code of that name made
  /// ahead of time.
  [[nodiscard]] virtual std::unique_ptr<Program> build(const ProgramSource& program) = 0;

  /// Copies between host and device since it was opened. Waits for those that are under way.
  [[nodiscard]] Transfers transfers();
  virtual void set_memory_limit(std::uint64_t bytes) = 0;
  /// 0: none.
  [[nodiscard]] virtual std::uint64_t memory_limit() const { return 0; }
  [[nodiscard]] virtual std::uint64_t memory_held() const = 0;
  /// Gives back memory that is kept for buffers to come, where that is memory of the computer.
  virtual void release_unused() {}
  [[nodiscard]] virtual std::uint64_t memory_peak() const = 0;
  /// True when this processor runs the program itself (cpu): modules that bring C++ code of their own beside their
  /// kernels run that.
  [[nodiscard]] virtual bool is_host() const { return false; }

  // For the doctor, which alone includes backend/api/details.hpp.
  /// Versions, free memory, who holds it. Does not throw.
  [[nodiscard]] virtual DeviceDetails details();
  /// Work in a number format: "tf32", "bf16", "fp64". Throws DeviceError where there is no memory for it.
  [[nodiscard]] virtual RateProbe probe(std::string_view format);

 protected:
  /// Seconds that copies took.
  struct CopySeconds {
    double up = 0, down = 0;
  };
  // What upload() and its sisters count and tell of. They give the seconds that the copy itself took, without the wait
  // for earlier work, as far as they know them on return; settle() has the others.
  [[nodiscard]] virtual double copy_in(Buffer& destination, std::size_t offset, const void* source,
                                       std::size_t bytes) = 0;
  [[nodiscard]] virtual double copy_out(const Buffer& source, std::size_t offset, void* destination,
                                        std::size_t bytes) = 0;
  [[nodiscard]] virtual double copy_in_async(Buffer& destination, const void* source, std::size_t bytes);
  [[nodiscard]] virtual double copy_out_async(Buffer& source, void* destination, std::size_t bytes);
  /// Of copies whose seconds no call has given yet. Waits for them.
  [[nodiscard]] virtual CopySeconds settle() { return {}; }

 private:
  void count(bool is_upload, std::size_t bytes, double seconds);
  /// Makes a copy, counts it and tells profiles of it.
  template <typename Copy>
  void transfer(bool is_upload, std::size_t bytes, const Copy& copy);

  std::mutex transfer_mutex_;
  Transfers transfers_;
};

/// A family of devices, registered at start-up by each backend that was built in.
class Backend {
 public:
  virtual ~Backend() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// All devices of this backend, without opening them fully. A backend that cannot run at all (no driver) gives one
  /// entry with usable = false, reason and hint.
  [[nodiscard]] virtual std::vector<DeviceInfo> list() = 0;
  /// Opens device number `index`. Throws DeviceError naming cause and cure.
  [[nodiscard]] virtual std::unique_ptr<Device> open(int index) = 0;
  /// True where a vendor's driver does the work.
  [[nodiscard]] virtual bool has_driver() const noexcept { return true; }
  /// False where it is known, without any driver being loaded, that none of them is for a GPU.
  [[nodiscard]] virtual bool may_have_gpus() { return true; }
  /// For the doctor, after list(): findings about it, and the files of its libraries.
  [[nodiscard]] virtual BackendDetails details();

  /// Before list() and open(). Throws DeviceError in a process that was forked from one which had used the driver
  /// already: drivers hang or fail there.
  void claim_driver();

 private:
  static constexpr int unused = -1;
  std::atomic<int> claimed_after_forks_{unused};
};

/// list(), or, where claim_driver() throws, one entry that says why.
[[nodiscard]] std::vector<DeviceInfo> list_devices_of(Backend& backend);
/// As overtake::list_devices(), without backends that cannot have GPUs: drivers for the CPU take memory.
[[nodiscard]] std::vector<DeviceInfo> list_where_gpus_may_be();

/// The backends of this build, in order of preference: cpu, cuda, opencl, null.
[[nodiscard]] std::span<Backend* const> backends();

/// Opens (once per process) and returns the device named "backend" or "backend:index"; see overtake::Device.
[[nodiscard]] Device& open_device(std::string_view id);

/// Those that open_device() has opened, by name.
[[nodiscard]] std::vector<Device*> opened_devices();

}  // namespace overtake::backend
