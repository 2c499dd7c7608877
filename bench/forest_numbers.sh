#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Forests of numbers on several devices, with a sentinel among the targets: times, and the same file on every device.
#   bench/forest_numbers.sh OVERTAKE OUT_DIR ROWS DEVICE...
# OUT_DIR/forest_numbers.json has a row a device.
set -euo pipefail
[ -n "${BENCH_RECORDED:-}" ] || exec python3 "$(dirname "${BASH_SOURCE[0]}")/record.py" "$2/forest_numbers.json" "$0" "$@"
overtake=$1 rows=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$rows" "$work/d.csv" <<'PY'
import random
import sys
random.seed(7)
rows = int(sys.argv[1])
with open(sys.argv[2], "w") as file:
    file.write(",".join(f"x{i}" for i in range(12)) + ",y\n")
    for row in range(rows):
        x = [random.random() for _ in range(12)]
        y = 10 * x[0] * x[1] + 5 * x[2] + random.random()
        if row % 5000 == 17:
            y = 99999999
        file.write(",".join(f"{v:.5f}" for v in x) + f",{y:.6f}\n")
PY
for device in "$@"; do
  "$overtake" train "$work/d.csv" --target y --estimator random-forest --n-estimators 100 --max-depth 14 --seed 3 --device "$device" \
    --save "$work/m" --json "$work/r.json" >/dev/null
  python3 - "$work/r.json" "$(sha256sum "$work/m" | cut -c1-16)" "$rows" <<'PY'
import json
import sys
r = json.load(open(sys.argv[1]))
print(json.dumps({"bench": "forest_numbers", "rows": int(sys.argv[3]), "features": 12, "device": r["device"], "trees": r["trees"],
                  "nodes": r["nodes"], "seconds": r["seconds"], "training_r2": r["training_score"], "model_sha256": sys.argv[2]}))
PY
done
