#!/bin/bash
# SPDX-License-Identifier: MIT
# Takes a built tree to a machine with a GPU that has neither the sources' libraries nor the time to build.
#   tools/gpu_visit.sh pack BUILD_DIR PACK.tar.xz    here: programs, tests and the libraries they need in one archive
#   tools/gpu_visit.sh run PACK.tar.xz OUT_DIR       there: tests, probes and a race; logs in OUT_DIR, a summary last
#   tools/gpu_visit.sh alone BUNDLE.tar.gz OUT_DIR   there: what ./dev bundle makes, where nothing but the driver can be found:
#                                                    devices, race and searches on cuda:0; with --with-tests its tests, too
#   tools/gpu_visit.sh unfiltered BUNDLE.tar.gz OUT_DIR
#                                                    there: every test of a bundle made --with-tests on every device, also those
#                                                    whose drivers are bad, and what devices and a race say of them
#   tools/gpu_visit.sh python WHEEL OUT_DIR          there: the wheel from ./dev wheel beside the machine's own NumPy and
#                                                    scikit-learn: forests on cuda:0 and cpu, and what calls cost
set -u

pack() {
  local build=$1 archive=$2 into program programs
  into=$(mktemp -d)
  mkdir -p "$into/bin" "$into/lib"
  programs=$(find "$build" -type f -executable \
    \( -name 'overtake' -o -name 'overtake_*_tests' -o -name 'bench_*' -o -name 'kernels_*' \) -not -path '*CMakeFiles*' -not -path '*/guest/*')
  for program in $programs $(find "$build" -name 'libovertake.so.?' -not -path '*/guest/*'); do
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
  # Beside the library, where it looks for the program that tries drivers.
  find "$build/src" -maxdepth 1 -name overtake-trial -exec cp {} "$into/lib/" \;
  cp bench/record.py "$into/bin/"
  git describe --always --dirty --abbrev=12 >"$into/commit"
  tar -C "$into" -cJf "$archive" bin lib commit
  ls -s --block-size=K "$into/bin" "$archive"
  rm -rf "$into"
}

# step SECONDS NAME COMMAND...: runs it into OUT/NAME.log, remembers the outcome and the time.
step() {
  local limit=$1 name=$2
  shift 2
  local start end code
  start=$(date +%s.%N)
  timeout "$limit" "$@" >"$out/$name.log" 2>&1
  code=$?
  end=$(date +%s.%N)
  echo "exit $code" >>"$out/$name.log"
  summary+=$(printf '%-28s exit %-4s %6.1f s' "$name" "$code" "$(echo "$end $start" | awk '{print $1 - $2}')")$'\n'
}

# probe SECONDS NAME PROGRAM [ARGUMENT...]: the same for a benchmark of the pack, which is recorded in OUT/NAME.json.
probe() {
  local limit=$1 name=$2 program=$bin/$3
  shift 3
  if [ -x "$program" ]; then step "$limit" "$name" "$bin/record.py" "$out/$name.json" "$program" "$@"; fi
}

run() {
  local packed
  packed=$(mktemp -d)
  tar -C "$packed" -xJf "$1" || exit 1
  out=$2
  summary=''
  mkdir -p "$out"
  export LD_LIBRARY_PATH="$packed/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export OVERTAKE_CACHE_DIR="$out/cache"
  BENCH_COMMIT=$(cat "$packed/commit")  # for bench/record.py: there may be no repository here
  export BENCH_COMMIT
  # Where the toolkit's libraries are, unless the user named folders.
  if [ -z "${OVERTAKE_LIBRARY_PATH:-}" ]; then
    OVERTAKE_LIBRARY_PATH=$(find / -xdev \( -name 'libnvrtc.so.1[23]' -o -name 'libcublasLt.so.1[23]' \) -printf '%h\n' \
      2>/dev/null | sort -u | paste -sd:)
    export OVERTAKE_LIBRARY_PATH
  fi
  {
    nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,temperature.gpu --format=csv
    echo "libraries: $OVERTAKE_LIBRARY_PATH"
    lscpu | grep -E 'Model name|^CPU\(s\)'
  } >"$out/machine.log" 2>&1

  local bin=$packed/bin
  if [ -x "$bin/overtake_backend_tests" ]; then
    step 240 overtake_backend_tests "$bin/overtake_backend_tests" --gtest_filter='Cuda*:*cuda*' --gtest_brief=1
  fi
  if [ -x "$bin/overtake_oracle_tests" ]; then
    step 240 overtake_oracle_tests "$bin/overtake_oracle_tests" --gtest_filter='*cuda*' --gtest_brief=1
    step 240 oracle_opencl "$bin/overtake_oracle_tests" --gtest_filter='*opencl_1*' --gtest_brief=1
  fi
  forests
  probe 60 start_cold bench_probe_start
  probe 60 start_warm bench_probe_start
  probe 100 train_step bench_probe_step
  if [ -x "$bin/overtake" ]; then
    step 60 devices "$bin/overtake" devices
    step 120 race "$bin/overtake" race --layers 2..12 --devices cpu,cuda:0 --repeat 3 --json "$out/race.json"
  fi
  probe 100 thin bench_probe_thin
  probe 200 gemm bench_probe_gemm "$out/gemm.csv"
  report
  rm -rf "$out/cache" "$packed"
}

# Forests on the GPU: the growers against the oracle and each other, on CUDA and on the vendor's OpenCL, then times.
forests() {
  if [ -x "$bin/overtake_backend_tests" ]; then
    step 200 forest_tests "$bin/overtake_backend_tests" --gtest_filter='*Forest*cuda*:*Forest*opencl_1*:*DialectSelf*' --gtest_brief=1
  fi
  [ -x "$bin/bench_forest" ] && [ -d datasets ] || return
  step 120 forest_numbers bench/forest_numbers.sh "$bin/overtake" "$out" 200000 cuda:0 cpu
  step 200 forest_bench env PEERS="${PEERS:-yes}" bench/forest_sweep.sh "$bin/bench_forest" "$out" cuda:0 cpu
}

# Every NVRTC and cuBLAS of this machine, a file a line.
vendor_files() {
  find / -xdev \( -name 'libnvrtc*.so*' -o -name 'libcublas*.so*' \) \( -type f -o -type l \) \
    -not -path '/proc/*' -print0 2>/dev/null | xargs -0 -r realpath -q | sort -u
}

# alone BUNDLE OUT: hides the files, in a mount namespace where the system lets us, else by Overtake's own switch.
alone() {
  unset LD_LIBRARY_PATH CUDA_PATH CUDA_HOME OVERTAKE_LIBRARY_PATH
  if unshare -rm true 2>/dev/null; then
    unshare -rm bash "$0" alone_hidden "$1" "$2"
  else
    export OVERTAKE_VENDOR_LIBRARIES=no
    alone_run "$1" "$2" "OVERTAKE_VENDOR_LIBRARIES=no (no mount namespace here)"
  fi
}

alone_hidden() {
  local file count=0
  while read -r file; do
    mount --bind /dev/null "$file" && count=$((count + 1))
  done < <(vendor_files)
  alone_run "$1" "$2" "$count files hidden"
}

# has TEXT LOG, lacks TEXT LOG: a line of the summary; what is not as it should be makes the visit fail.
expect() {
  local outcome=ok
  case $1 in
    has) grep -qF -- "$2" "$out/$3.log" || outcome=FAILED ;;
    lacks) ! grep -qF -- "$2" "$out/$3.log" || outcome=FAILED ;;
  esac
  [ $outcome = ok ] || failures=$((failures + 1))
  summary+=$(printf '%-28s %s: %s "%s"' "$3" "$outcome" "$1" "$2")$'\n'
}

alone_run() {
  local packed overtake tests
  packed=$(mktemp -d)
  tar -C "$packed" -xzf "$1" || exit 1
  overtake=$(echo "$packed"/*/bin/overtake)
  tests=$(echo "$packed"/*/tests)
  out=$2
  summary="hidden: $3"$'\n'
  failures=0
  mkdir -p "$out"
  export OVERTAKE_CACHE_DIR="$out/cache"
  step 120 alone_devices "$overtake" devices
  expect lacks "cuda:0: cannot be used" alone_devices
  expect has "interpreted kernels (no NVRTC)" alone_devices
  expect has "pip install nvidia-cuda-nvrtc" alone_devices
  step 300 alone_race "$overtake" race --layers 2..8 --devices cpu,cuda:0 --repeat 3 --json "$out/alone_race.json"
  expect has "exit 0" alone_race
  step 120 alone_search "$overtake" search datasets/iris.csv --target species --grid n_estimators=50,100 --cv 5 --seed 0 \
    --device cuda:0 --json "$out/alone_search.json"
  expect has "exit 0" alone_search
  if [ -x "$tests/overtake_backend_tests" ]; then
    step 300 alone_backend_tests "$tests/overtake_backend_tests" --gtest_filter='Cuda*:*cuda*-*Dialect*' --gtest_brief=1
    step 300 alone_oracle_tests "$tests/overtake_oracle_tests" --gtest_filter='*cuda*' --gtest_brief=1
    expect has "exit 0" alone_backend_tests
    expect has "exit 0" alone_oracle_tests
  fi
  cat "$out/alone_devices.log"
  tail -n 14 "$out/alone_race.log"
  tail -n 8 "$out/alone_search.log"
  grep -hE 'FAILED|Failure' "$out"/alone_*_tests.log 2>/dev/null | head -n 20
  printf '%s' "$summary"
  rm -rf "$packed" "$out/cache"
  [ $failures = 0 ] || { echo "$failures of these are not as they should be" && exit 1; }
}

# python WHEEL OUT: nothing is fetched, so the wheel is only unpacked.
python() {
  out=$2
  summary=''
  mkdir -p "$out"
  python3 -m pip install --quiet --no-index --no-deps --target "$out/site" "$1" || exit 1
  export PYTHONPATH=$out/site OVERTAKE_CACHE_DIR=$out/cache
  step 120 python_devices python3 - <<'PYTHON'
import numpy as np, overtake, sklearn
from sklearn.datasets import load_digits
from overtake.sklearn import GridSearchCV, RandomForestClassifier
print(overtake.version(), sklearn.__version__, np.__version__)
for device in overtake.devices():
    print(device["id"], device["name"], device["usable"], device.get("reason"))
X, y = load_digits(return_X_y=True)
shares = {}
for device in ("cpu", "cuda:0"):
    shares[device] = RandomForestClassifier(device=device, random_state=0).fit(X, y).predict_proba(X)
assert (shares["cpu"] == shares["cuda:0"]).all()
grid = {"n_estimators": [50, 100], "max_depth": [None, 5]}
scores = [GridSearchCV(RandomForestClassifier(device=device, random_state=0), grid).fit(X, y).cv_results_["mean_test_score"]
          for device in ("cpu", "cuda:0")]
assert (scores[0] == scores[1]).all(), scores
print("equal on cpu and cuda:0:", scores[0])
PYTHON
  step 300 python_calls bench/record.py "$out/python.json" python3 bench/python.py
  cat "$out/python_devices.log" "$out/python_calls.log"
  printf '%s' "$summary"
  rm -rf "$out/cache" "$out/site"
}

# Every test program as it is, drivers tried first: a device that is refused is skipped with its reason.
unfiltered() {
  local packed overtake program
  packed=$(mktemp -d)
  tar -C "$packed" -xzf "$1" || exit 1
  overtake=$(echo "$packed"/*/bin/overtake)
  out=$2
  summary=''
  failures=0
  mkdir -p "$out"
  export OVERTAKE_CACHE_DIR="$out/cache"
  step 200 unfiltered_devices "$overtake" devices
  step 200 unfiltered_race "$overtake" race --layers 2..8 --repeat 3 --json "$out/unfiltered_race.json"
  step 60 unfiltered_search "$overtake" search datasets/iris.csv --target species --grid n_estimators=50 --device opencl:0
  for program in "$packed"/*/tests/overtake_*_tests; do
    step 300 "$(basename "$program")" "$program" --gtest_brief=1
    expect has "exit 0" "$(basename "$program")"
  done
  tail -n 30 "$out/unfiltered_devices.log"
  tail -n 14 "$out/unfiltered_race.log"
  tail -n 5 "$out/unfiltered_search.log"
  grep -hE 'FAILED|Failure' "$out"/overtake_*_tests.log | head -n 20
  printf '%s' "$summary"
  rm -rf "$packed" "$out/cache"
  [ $failures = 0 ] || { echo "$failures of these are not as they should be" && exit 1; }
}

# The whole of every log goes into OUT/all.log; what is printed fits a short screen, the most important last.
report() {
  local log
  for log in "$out"/*.log; do
    echo "==== $(basename "$log" .log)"
    cat "$log"
  done >"$out/all.txt"
  show() { if [ -f "$out/$1.log" ]; then echo "== $1" && cut -c1-"$3" "$out/$1.log" | tail -n "$2"; fi; }
  show machine 5 200
  show gemm 40 300
  show devices 4 150
  show race 20 150
  show start_cold 5 250
  show start_warm 14 300
  show train_step 20 450
  show forest_bench 24 330
  show forest_numbers 6 330
  for log in overtake_backend_tests overtake_oracle_tests oracle_opencl forest_tests; do
    [ -f "$out/$log.log" ] || continue
    echo "== $log: failures, then the end"
    grep -E 'FAILED|Failure|error:' "$out/$log.log" | cut -c1-200 | head -n 20
    grep -v SKIPPED "$out/$log.log" | cut -c1-200 | tail -n 3
  done
  rm -f "$out"/*.log
  mv "$out/all.txt" "$out/all.log"
  echo "== summary"
  printf '%s' "$summary"
}

case ${1:-} in
  pack) pack "$2" "$3" ;;
  run) run "$2" "$3" ;;
  alone) alone "$2" "$3" ;;
  unfiltered) unfiltered "$2" "$3" ;;
  python) python "$2" "$3" ;;
  alone_hidden) alone_hidden "$2" "$3" ;;  # alone calls itself
  *)
    sed -n '3,12p' "$0"
    exit 2
    ;;
esac
