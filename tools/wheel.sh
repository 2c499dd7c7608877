#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes dist/overtake_ml-VERSION-py3-none-manylinux_2_34_x86_64.whl of the tree that tools/bundle.sh made (./dev wheel): one
# wheel for every Python from 3.10 on. The libraries that ours needs come along under names of their own (auditwheel), so
# that they do not meet other copies in one process. Then it is installed into an empty environment and must work there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

most_bytes=60000000
version=$(sed -n 's/^project(overtake VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
python=.venv/python/bin # made by ./dev
stage=$PWD/dist/overtake-$version-linux-x86_64
wheel=dist/overtake_ml-$version-py3-none-manylinux_2_34_x86_64.whl

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/stage" "$work/wheel"
cp -r "$stage/." "$work/stage"
mv "$work/stage/libexec/overtake" "$work/stage/bin/overtake" # the launcher finds a C++ library: Python's users have one
# oneDNN needs OpenCL's loader, which must keep its name because ours opens it by that: so both stay beside the library,
# oneDNN under a name that no other package has.
if [ -e "$work/stage/lib/libdnnl.so.2" ]; then
  mv "$work/stage/lib/libdnnl.so.2" "$work/stage/lib/libdnnl-overtake.so.2"
  patchelf --set-soname libdnnl-overtake.so.2 "$work/stage/lib/libdnnl-overtake.so.2"
  patchelf --replace-needed libdnnl.so.2 libdnnl-overtake.so.2 "$work/stage/lib/libovertake.so.0"
fi

echo "wheel: packing"
(cd python && OVERTAKE_STAGE=$work/stage "../$python/python" -c "import build_wheel; build_wheel.build_wheel('$work/wheel')")
rm -f dist/overtake_ml-*.whl
PATH=$PWD/$python:$PATH "$python/auditwheel" repair --plat manylinux_2_34_x86_64 --only-plat -w dist "$work"/wheel/*.whl \
  >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 4; }
"$python/auditwheel" show "$wheel" | grep 'manylinux_2_34_x86_64' >/dev/null || { "$python/auditwheel" show "$wheel" >&2; exit 4; }

echo "wheel: trying it in an empty environment"
"$python/python" -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check "$wheel" scikit-learn
env -i HOME="$work" "$work/env/bin/overtake" --version
env -i HOME="$work" OVERTAKE_CACHE_DIR="$work/cache" "$work/env/bin/python" -I - <<'PYTHON'
import overtake
from overtake.sklearn import RandomForestClassifier

forest = RandomForestClassifier(n_estimators=3, random_state=0).fit([[0.0], [1.0], [2.0], [3.0]] * 5, [0, 0, 1, 1] * 5)
assert list(forest.predict([[0.0], [3.0]])) == [0, 1], forest.predict([[0.0], [3.0]])
assert {device["id"] for device in overtake.devices()} >= {"cpu"}
PYTHON
size=$(stat -c %s "$wheel")
printf '%s: %d.%d MB\n' "$wheel" $((size / 1000000)) $((size / 100000 % 10))
if [ "$size" -ge $most_bytes ]; then
  echo "error: the wheel must stay under 60 MB" >&2
  exit 1
fi
