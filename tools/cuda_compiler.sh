#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fetches NVRTC, NVIDIA's compiler library, for machines that have an NVIDIA driver and no NVRTC. The build compiles CUDA kernels
# with it ahead of time (cmake/OvertakeCudaCompiler.cmake), and what is built here compiles more of them when it runs. It is a
# wheel from PyPI, pinned by version and checksum, in a virtual environment of its own, .venv/cuda. `./dev setup` runs this;
# OVERTAKE_CUDA_WHEELS=yes fetches it in any case, OVERTAKE_CUDA_WHEELS=no never.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

environment=.venv/cuda
# An old release on purpose: drivers load its code that are of its age (535) or newer, and for most cards those from 525 on.
wheel=nvidia-cuda-nvrtc-cu12==12.2.140
checksum=b1cdcae6443cb7cdcfb5d1bf51896a148c9f82f9e65b27db9ab095eaed689aa7
megabytes=23

warn() { printf 'warning: %s\n' "$@" >&2; }

# What of NVIDIA's is here, in words; nothing where nothing is.
find_gpu() {
  local vendor
  if [ -e /proc/driver/nvidia/version ] || [ -e /usr/lib/wsl/lib/libcuda.so.1 ] ||
    ldconfig -p 2>/dev/null | grep 'libcuda\.so\.1 ' >/dev/null; then
    echo "an NVIDIA driver"
    return
  fi
  for vendor in /sys/bus/pci/devices/*/vendor; do
    if [ -r "$vendor" ] && [ "$(cat "$vendor")" = 0x10de ]; then
      echo "an NVIDIA card"
      return
    fi
  done
}

# Into a new environment, which takes its place only when it is whole.
fetch() {
  local new=$environment.new
  rm -rf "$new"
  mkdir -p .venv
  python3 -m venv "$new" || return
  echo "$wheel --hash=sha256:$checksum" >"$new/wheel.txt"
  timeout 1800 "$new/bin/python3" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --only-binary :all: \
    --require-hashes -r "$new/wheel.txt" || return
  rm -rf "$environment"
  mv "$new" "$environment"
}

gpu=$(find_gpu)
nvrtc=$(python3 -B cmake/compile_cuda.py --find) || nvrtc=
case "${OVERTAKE_CUDA_WHEELS:-auto}" in
  no) exit 0 ;;
  yes) ;;
  auto) [ -n "$gpu" ] && [ -z "$nvrtc" ] || exit 0 ;;
  *) echo "error: OVERTAKE_CUDA_WHEELS is \"$OVERTAKE_CUDA_WHEELS\"; expected yes or no" >&2; exit 2 ;;
esac
if grep -qs "^$wheel " "$environment/wheel.txt"; then
  echo "setup: NVIDIA's compiler is in $environment"
  exit 0
fi
if [ "$(uname -sm)" != "Linux x86_64" ]; then
  warn "NVIDIA's compiler is not fetched on $(uname -sm): the wheel is pinned for Linux x86_64" \
    "install the CUDA toolkit; without it the CUDA backend of the build needs NVRTC when it runs"
  exit 0
fi
echo
echo "== fetching NVIDIA's compiler ($wheel) from PyPI into $environment: $megabytes MB, 84 MB on disk"
echo "found: ${gpu:-no NVIDIA driver}; NVRTC: ${nvrtc:-none}"
echo "NVIDIA's licence applies to it; OVERTAKE_CUDA_WHEELS=no does without it"
if ! fetch; then
  rm -rf "$environment.new"
  warn "NVIDIA's compiler could not be fetched (see above)" \
    "the build goes on: its CUDA backend needs NVRTC when it runs, else the GPU is not used" "to try again: ./dev setup"
fi
