#!/bin/bash
# SPDX-License-Identifier: MIT
# Takes a built tree to a machine with a GPU that has neither the sources' libraries nor the time to build.
#   tools/gpu_visit.sh pack BUILD_DIR PACK_DIR   here: programs, tests and the libraries they need into one folder
#   tools/gpu_visit.sh run PACK_DIR OUT_DIR      there: tests, probes and a short race; logs in OUT_DIR, a summary last
set -u

pack() {
  local build=$1 into=$2
  mkdir -p "$into/bin" "$into/lib"
  local programs
  programs=$(find "$build" -type f -executable \( -name 'overtake' -o -name 'overtake_*_tests' -o -name 'cuda_tests' \
    -o -name 'probe_*_bench' -o -name 'bench_probe_*' \) -not -path '*CMakeFiles*')
  local library
  for program in $programs $(find "$build" -name 'libovertake.so*'); do
    case $program in
      *.so*) cp -L "$program" "$into/lib/" ;;
      *) cp "$program" "$into/bin/" && strip "$into/bin/$(basename "$program")" ;;
    esac
    # The C and C++ run-time libraries are the other machine's own; everything else travels.
    ldd "$program" | awk '$3 ~ /^\// {print $3}' | while read -r library; do
      case $(basename "$library") in
        libc.so* | libm.so* | libdl.so* | libpthread.so* | librt.so* | ld-linux* | libstdc++.so* | libgcc_s.so* | libovertake*) ;;
        *) cp -L "$library" "$into/lib/" ;;
      esac
    done
  done
  du -sh "$into"
  ls "$into/bin"
}

# step NAME COMMAND...: runs it into OUT/NAME.log, remembers the outcome and the time.
step() {
  local name=$1
  shift
  local start end code
  start=$(date +%s.%N)
  timeout "${STEP_TIMEOUT:-150}" "$@" >"$out/$name.log" 2>&1
  code=$?
  end=$(date +%s.%N)
  summary+=$(printf '%-28s exit %-4s %6.1f s' "$name" "$code" "$(echo "$end $start" | awk '{print $1 - $2}')")$'\n'
}

run() {
  local packed=$1
  out=$2
  summary=''
  mkdir -p "$out"
  export LD_LIBRARY_PATH="$packed/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export OVERTAKE_CACHE_DIR="$out/cache"
  # Where the toolkit's libraries are, unless the user named folders.
  if [ -z "${OVERTAKE_LIBRARY_PATH:-}" ]; then
    OVERTAKE_LIBRARY_PATH=$(find / -xdev \( -name 'libnvrtc.so.1[23]' -o -name 'libcublasLt.so.1[23]' \) 2>/dev/null |
      xargs -r -n1 dirname | sort -u | paste -sd:)
    export OVERTAKE_LIBRARY_PATH
  fi
  {
    nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,temperature.gpu --format=csv
    echo "libraries: $OVERTAKE_LIBRARY_PATH"
    lscpu | grep -E 'Model name|^CPU\(s\)'
  } >"$out/machine.log" 2>&1

  local bin=$packed/bin test
  for test in overtake_backend_tests cuda_tests; do
    [ -x "$bin/$test" ] || continue
    step "$test" "$bin/$test" --gtest_filter='Cuda*:*cuda*' --gtest_brief=1
  done
  local probe
  for probe in start step gemm; do
    for name in "probe_${probe}_bench" "bench_probe_${probe}"; do
      [ -x "$bin/$name" ] || continue
      if [ "$probe" = gemm ]; then STEP_TIMEOUT=240 step "$name" "$bin/$name" "$out/gemm.csv"; else step "$name" "$bin/$name"; fi
      [ "$probe" = start ] && step "${name}_warm" "$bin/$name"
    done
  done
  if [ -x "$bin/overtake" ]; then
    step overtake_devices "$bin/overtake" devices
    step overtake_race "$bin/overtake" race --layers 2..12 --devices cpu,cuda:0 --repeat 3 --json "$out/race.json"
  fi
  rm -rf "$out/cache"

  local log
  for log in machine probe_start_bench probe_start_bench_warm bench_probe_start bench_probe_start_warm probe_step_bench \
    bench_probe_step overtake_devices overtake_race; do
    [ -f "$out/$log.log" ] && { echo "== $log"; cut -c1-160 "$out/$log.log" | tail -n 32; }
  done
  for log in probe_gemm_bench bench_probe_gemm; do
    [ -f "$out/$log.log" ] && { echo "== $log"; tail -n 40 "$out/$log.log"; }
  done
  for log in overtake_backend_tests cuda_tests; do
    [ -f "$out/$log.log" ] || continue
    echo "== $log: failures, then the end"
    grep -E 'FAILED|Failure|error:' "$out/$log.log" | head -n 30
    grep -vE 'SKIPPED' "$out/$log.log" | tail -n 4
  done
  echo "== summary"
  printf '%s' "$summary"
}

case ${1:-} in
  pack) pack "$2" "$3" ;;
  run) run "$2" "$3" ;;
  *)
    sed -n '3,6p' "$0"
    exit 2
    ;;
esac
