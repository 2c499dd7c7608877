#!/bin/bash
# SPDX-License-Identifier: MIT
# Networks for images on a machine with a GPU: tests of convolutions, LeNet on Fashion-MNIST, VGG16 beside PyTorch.
#   tools/gpu_images.sh PACK.tar.xz OUT_DIR [FASHION_DIR]
#       PACK of tools/gpu_visit.sh pack; OUT_DIR gets logs and JSON, and a summary last
#       FASHION_DIR  with train-images-idx3-ubyte.gz and its sisters (Debian: dataset-fashion-mnist)
set -u
pack=$1 out=$(realpath "$2") fashion=${3:-}
root=$(cd "$(dirname "$0")/.." && pwd)
into=$(mktemp -d)
tar -C "$into" -xJf "$pack"
bin=$into/bin
OVERTAKE_LIBRARY_PATH=$(find / -xdev \( -name 'libnvrtc.so.1[23]' -o -name 'libcublasLt.so.1[23]' -o -name 'libcudnn.so.9' \) \
  -printf '%h\n' 2>/dev/null | sort -u | paste -sd:)
export OVERTAKE_LIBRARY_PATH LD_LIBRARY_PATH=$into/lib OVERTAKE_CACHE_DIR=$into/cache

# step SECONDS NAME COMMAND...: runs it into OUT/NAME.log; its outcome and time are a line of OUT/summary.txt. What the
# pack has not is left out.
step() {
  local program
  for program in "${@:3}"; do
    case $program in "$bin"/*) [ -x "$program" ] || return 0 ;; esac
  done
  local limit=$1 name=$2 code began=$SECONDS
  shift 2
  timeout "$limit" "$@" >"$out/$name.log" 2>&1
  code=$?
  printf '%-22s exit %-4s %4d s  %s\n' "$name" "$code" $((SECONDS - began)) "$(tail -1 "$out/$name.log" | cut -c1-90)" >>"$out/summary.txt"
}

bench() { step "$1" "$2" "$bin/overtake" bench "$3" --device cuda:0 --json "$out/$2.json" "${@:4}"; }

nvidia-smi --query-gpu=name,driver_version --format=csv,noheader >"$out/gpu.txt"
cp "$into/commit" "$out/"
bench 60 vgg16_bf16 vgg16 --batch-size 256 --precision bf16
bench 60 vgg16_bf16_again vgg16 --batch-size 256 --precision bf16
bench 60 vgg16_64 vgg16 --batch-size 64 --precision fp32,tf32
step 60 vgg16_bf16_profile "$bin/overtake" bench vgg16 --device cuda:0 --batch-size 256 --precision bf16 --profile
bench 30 vgg16_1 vgg16 --batch-size 1 --precision bf16 --steps 50
step 30 vgg16_1_profile "$bin/overtake" bench vgg16 --device cuda:0 --batch-size 1 --precision bf16 --steps 50 --profile
bench 30 lenet lenet --batch-size 64 --precision fp32 --steps 500
step 30 lenet_profile "$bin/overtake" bench lenet --device cuda:0 --batch-size 64 --steps 300 --profile
step 30 lenet_cpu "$bin/overtake" bench lenet --device cpu --steps 1000 --json "$out/lenet_cpu.json"
step 30 lenet_cpu_profile "$bin/overtake" bench lenet --device cpu --steps 300 --profile
for precision in bf16 f32 tf32; do  # layer by layer, beside the floor; bf16 as trained, the others of 64 images
  batch=64 way=dnn
  [ $precision = bf16 ] && batch=256
  [ $precision = f32 ] && way=blas
  step 60 "layers_$precision" "$bin/record.py" "$out/layers_$precision.json" "$bin/bench_probe_convolution" $batch $precision last $way
done
step 100 thin "$bin/record.py" "$out/thin.json" "$bin/bench_probe_thin"
step 60 loader "$bin/record.py" "$out/loader.json" "$bin/bench_image_loader" cuda:0
step 200 peers python3 "$root/bench/peers/vgg16_peers.py" "$out/peers.json" lenet-graph lenet lenet-cpu tf32-64 bf16-256 infer-256 infer-1 \
  bf16-256-compiled infer-256-compiled infer-1-compiled fp32-64-first
# Nothing is timed from here on.
step 200 convolution_tests "$bin/overtake_backend_tests" \
  --gtest_filter='CudaConvolution.*:CudaProducts.*:*Dialect*cuda_0' &
step 200 operators "$bin/overtake_oracle_tests" --gtest_filter='*Operators*/cuda_0:*Image*/cuda_0' &
wait
opencl=$("$bin/overtake" devices --json - 2>/dev/null | python3 -c 'import json, sys
print(next((d["id"] for d in json.load(sys.stdin)["devices"] if d["backend"] == "opencl" and "NVIDIA" in d["name"] and d["usable"]), ""))')
for device in ${fashion:+cuda:0 $opencl}; do
  step 90 "fashion_${device%:*}" "$bin/overtake" train "$fashion/train-images-idx3-ubyte.gz" --labels "$fashion/train-labels-idx1-ubyte.gz" \
    --model lenet --epochs 10 --lr 0.05 --schedule cosine --device "$device" --save "$into/fashion.safetensors" --json "$out/fashion_${device%:*}.json"
  step 30 "fashion_${device%:*}_test" "$bin/overtake" predict "$into/fashion.safetensors" "$fashion/t10k-images-idx3-ubyte.gz" \
    --labels "$fashion/t10k-labels-idx1-ubyte.gz" --device "$device" --out "$into/answers.csv"
done
cat "$out/gpu.txt" "$out/summary.txt"
rm -rf "$into"
