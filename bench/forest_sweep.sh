#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Forests and their searches beside scikit-learn, in one run on this machine:
#   bench/forest_sweep.sh BENCH_FOREST OUT_DIR DEVICE... [-- ROWS...]
# OUT_DIR/forest_sweep.json has a row a case. ROWS of the large cases: 1000000 by default. PYTHON names the
# interpreter that has numpy and scikit-learn; PEERS=no leaves scikit-learn out.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -n "${BENCH_RECORDED:-}" ] || exec python3 "$here/record.py" "$2/forest_sweep.json" "$0" "$@"
bench=$1
shift 2
devices=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do devices+=("$1") && shift; done
[ $# -gt 0 ] && shift
rows=("${@:-1000000}")
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here/.."
for device in "${devices[@]}"; do
  "$bench" search datasets/iris.csv species "$device" 5
  "$bench" search datasets/digits.csv digit "$device" 3
done
if [ "${PEERS:-yes}" = yes ]; then
  "$python" bench/peers/forest_peers.py search datasets/iris.csv species
  "$python" bench/peers/forest_peers.py search datasets/digits.csv digit
fi
for count in "${rows[@]}"; do
  "$python" bench/peers/forest_peers.py make "$work" "$count"
  for device in "${devices[@]}"; do
    [ "$device" = cpu ] && [ "$count" -gt 2000000 ] && continue
    "$bench" fit "$work/X_$count.npy" "$work/y_$count.npy" "$device" 100 16
    # At most four times the binned data.
    [ "$device" = cpu ] || "$bench" fit "$work/X_$count.npy" "$work/y_$count.npy" "$device" 100 16 $((count * 112 / 1000000))
    [ "$count" -gt 1000000 ] || "$bench" share "$work/X_$count.npy" "$work/y_$count.npy" "$device"
  done
  if [ "${PEERS:-yes}" = yes ] && [ "$count" -le 1000000 ]; then
    "$python" bench/peers/forest_peers.py fit "$work" "$count" 100 16
  fi
  rm -f "$work"/*.npy
done
