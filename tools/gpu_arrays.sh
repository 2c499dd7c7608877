#!/bin/bash
# SPDX-License-Identifier: MIT
# Arrays on a machine with a GPU: their tests, the conformance suite, and their benchmarks.
#   tools/gpu_arrays.sh PACK.tar.xz OUT_DIR PART [SUITE]
#       PACK   of tools/gpu_visit.sh pack; OUT_DIR gets logs and JSON, and a summary last
#       PART   speed (benchmarks), tests, or kernels (of the user's own: both): each takes some minutes
#       SUITE  a checkout of github.com/data-apis/array-api-tests (tools/array_api.sh)
# Where pytest and the suite's libraries are not installed, PYTHONPATH names a folder that has them.
set -u
pack=$1 out=$(realpath "$2") part=$3 suite=${4:-}
root=$(cd "$(dirname "$0")/.." && pwd)
into=$(mktemp -d)
tar -C "$into" -xJf "$pack"
bin=$into/bin
OVERTAKE_LIBRARY_PATH=$(find / -xdev \( -name 'libnvrtc.so.1[23]' -o -name 'libcublasLt.so.1[23]' \) -printf '%h\n' 2>/dev/null |
  sort -u | paste -sd:)
export OVERTAKE_LIBRARY_PATH LD_LIBRARY_PATH=$into/lib OVERTAKE_CACHE_DIR=$into/cache
export OVERTAKE_LIBRARY=$into/lib/libovertake.so.0 PYTHONPATH=$root/python/src${PYTHONPATH:+:$PYTHONPATH}
export PYTHONDONTWRITEBYTECODE=1
summary=

# Functions of this script have no time limit of their own.
limited() {
  if [ "$(type -t "$2")" = function ]; then shift && "$@"; else timeout "$@"; fi
}

# step SECONDS NAME COMMAND...: runs it into OUT/NAME.log, remembers the outcome and the time.
step() {
  local limit=$1 name=$2 code began=$SECONDS
  shift 2
  limited "$limit" "$@" >"$out/$name.log" 2>&1
  code=$?
  summary+=$(printf '%-22s exit %-4s %4d s  %s' "$name" "$code" $((SECONDS - began)) "$(tail -1 "$out/$name.log" | cut -c1-90)")$'\n'
}

nvidia-smi --query-gpu=name,driver_version --format=csv,noheader >"$out/gpu.txt"
cp "$into/commit" "$out/"
# What the first use of everything costs, with an empty cache and with a full one.
first_use() {
  local code='import time; began = time.perf_counter()
import overtake as ot
loaded = time.perf_counter(); x = ot.random.uniform((1 << 20,), device="cuda:0").eval(); ot.synchronize("cuda:0")
made = time.perf_counter(); y = ot.where(x > 0.5, ot.sqrt(x) * ot.exp(-x), ot.sin(x) + x * x); print(float(ot.mean(y)))
done = time.perf_counter(); print(f"import {loaded - began:.3f} s, device and first kernel {made - loaded:.3f} s, second {done - made:.3f} s")'
  for state in cold warm; do
    echo "$state:"
    OVERTAKE_CACHE_DIR=$into/first python3 -c "$code"
  done
}

speed() {
  step 240 bench_arrays python3 "$root/bench/arrays.py" cuda:0 "$out/arrays.json"
  step 60 bench_transfers python3 "$root/bench/transfers.py" cuda:0 512 "$out/transfers.json"
  step 60 bench_command "$bin/overtake" bench arrays --device cuda:0
  step 60 disc_step "$bin/bench_disc_step" cuda:0
  step 60 disc_step_cpu taskset -c 0 "$bin/bench_disc_step" cpu
  step 60 disc_step_python python3 "$root/bench/disc_step.py" cuda:0
  step 60 first_use first_use
  step 100 arrays_cpu python3 "$root/bench/arrays.py" cpu "$out/arrays-cpu.json" 0.05
  step 100 arrays_core taskset -c 0 python3 "$root/bench/arrays.py" cpu "$out/arrays-one-core.json" 0.05
}

tests() {
  step 200 oracle "$bin/overtake_oracle_tests" --gtest_filter='*/cuda_0' --gtest_output="json:$out/oracle.json"
  step 90 backend "$bin/overtake_backend_tests" --gtest_filter='*/cuda_0:CudaGpu.*'
  step 250 python python3 -m pytest -q -n 4 -p no:cacheprovider "$root/python/tests/"test_{arrays,dlpack,transfers,nn,optim,trainer}.py
  [ -z "$suite" ] || step 200 conformance bash "$root/tools/array_api.sh" "$suite" 20 cuda:0
}

kernels() {
  step 100 kernel_oracle "$bin/overtake_oracle_tests" --gtest_filter='*UserKernels*:-*cpu' --gtest_output="json:$out/kernel_oracle.json"
  step 60 huge "$bin/overtake_oracle_tests" --gtest_filter='*HugeArrays*/cuda_0:*LongRows*/cuda_0'
  step 240 bench_kernels python3 "$root/bench/kernels.py" cuda:0 "$out/kernels.json"
  step 60 kernel_call "$bin/bench_kernel_call" cuda:0
  step 60 lennard_jones "$bin/kernels_lennard_jones" cuda:0 108000 10000
  step 60 lennard_jones_cpu "$bin/kernels_lennard_jones" cpu 108000 200
  step 60 lennard_jones_python python3 "$root/examples/kernels/lennard_jones.py" cuda:0 108000 2000
  step 60 disc_step "$bin/bench_disc_step" cuda:0
  step 200 kernel_python python3 -m pytest -q -n 6 -p no:cacheprovider "$root/python/tests/"test_kernel_{devices,groups,errors}.py
}

"$part"
cat "$out/gpu.txt"
printf '%s' "$summary" | tee "$out/summary.txt"
rm -rf "$into"
