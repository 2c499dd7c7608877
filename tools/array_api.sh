#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the array API consortium's conformance suite against the Python package.
#   tools/array_api.sh SUITE [EXAMPLES] [DEVICE]
#       SUITE     a checkout of github.com/data-apis/array-api-tests with its submodule array-api
#       EXAMPLES  drawn for each test (default 100)
#       DEVICE    cpu (the default), cuda:0, ...
# What must be importable: pytest, pytest-xdist, pytest-json-report, hypothesis, ndindex, numpy, and the package (PYTHONPATH, OVERTAKE_LIBRARY).
# Every failure must stand in docs/array-api.txt, with its reason; the script prints what differs and exits 1 then.
set -eu
suite=$1 examples=${2:-100} device=${3:-cpu}
list=$(cd "$(dirname "$0")/.." && pwd)/docs/array-api.txt
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cd "$suite"
# The suite takes complex numbers for granted in two places; without them there is nothing to choose from.
sed -i 's/for dt in complex_dtypes\], key=lambda x: x\[1\]$/&, default=(None,)/' array_api_tests/dtype_helpers.py
sed -i 's/^        cmplx_name = dh.dtype_to_name\[dh.widest_complex_dtype\]/        cmplx_name = "complex128"/' \
  array_api_tests/test_signatures.py
# The suite names no device: all of it goes to the default one.
printf 'import overtake\n\novertake.set_default_device("%s")\n' "$device" >overtake_on_device.py
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
export ARRAY_API_TESTS_MODULE=overtake ARRAY_API_TESTS_VERSION=2024.12 ARRAY_API_TESTS_SKIP_DTYPES=complex64,complex128
python3 -m pytest -q -p overtake_on_device -n auto -p no:cacheprovider --max-examples="$examples" \
  --disable-deadline array_api_tests --ignore=array_api_tests/test_fft.py --ignore=array_api_tests/test_linalg.py >"$log" 2>&1 || true
tail -1 "$log"
# Complex numbers, fft and linalg do not apply.
failed=$(grep -aE '^(FAILED|ERROR)' "$log" | sed 's/^[A-Z]* array_api_tests\///; s/ - .*//' |
  grep -avE 'imag\(x_i\)|has_names\[(linalg|fft)-' | LC_ALL=C sort || true)
passed=$(tail -1 "$log" | sed -n 's/.* \([0-9]*\) passed.*/\1/p')
count=$(printf '%s' "$failed" | grep -c . || true)
echo "$passed pass, $count of what applies fail: $(awk -v p="$passed" -v f="$count" 'BEGIN {printf "%.1f %%", 100 * p / (p + f)}')"
diff <(grep -v '^#' "$list" | sed 's/ *#.*//' | LC_ALL=C sort) <(printf '%s\n' "$failed" | grep . || true)
