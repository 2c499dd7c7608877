#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The disc sweep beside its peers, in one run on this machine: bench/disc_sweep.sh OVERTAKE OUT_DIR [race arguments...]
# PYTHON names the interpreter that has torch and jax (either may be missing).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
overtake=$1 out=$2
shift 2
mkdir -p "$out"
"$overtake" race --json "$out/race.json" --report "$out/race.html" "$@" >"$out/race.txt"
"${PYTHON:-python3}" "$here/peers/disc_peers.py" ${PEER_ARGUMENTS:-} >"$out/peers.json"
"${PYTHON:-python3}" "$here/peers/compare.py" "$out/race.json" "$out/peers.json" "$out/disc_sweep.json" "$0 $overtake $out $*" | tee "$out/disc_sweep.md"
