#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tries the two commands on freshly installed systems (./dev machines [NAME...]). Each NAME is a root that debootstrap makes
# under build/machines/, in which a clean clone of the last commit runs as on a new machine:
#   bookworm, trixie, sid   Debian 12, 13, unstable: ./dev demo, then ./dev test
#   arm64                   Debian 12 with arm64's libraries: the build for ARM, its unit and oracle tests under qemu-user
#   compilers               the compilers of Debian 12 and 13 that are neither system's g++ nor the clang of the checks: library
#                           and tool without a warning, then the folders of inputs with known outcomes (tests/cases)
#   bundle                  dist/overtake-*.tar.gz in the roots of Debian 12 and 13 (without any of the packages), from a
#                           path with spaces, without a network
# Each writes its row of docs/devices.md's table to out/machines/NAME.md, and its log beside it. Needs root (chroot).
# Roots stay, compiled objects in them too (ccache): remove build/machines for times of a first run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 2; }
say() { printf '\n== %s\n' "$*"; }

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
roots=${MACHINES:-build/machines}

[ "$(id -u)" = 0 ] || die "only root can make and enter a root file system" "sudo ./dev machines"
command -v debootstrap >/dev/null || die "debootstrap is missing" "apt-get install debootstrap"

# make_root NAME SUITE: what a minimal installation has.
make_root() {
  local root=$roots/$1
  [ ! -e "$root/made" ] || return 0
  say "$1: debootstrap $2"
  mkdir -p "$root"
  debootstrap --variant=minbase --include=ca-certificates "$2" "$root" "$mirror" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    die "debootstrap cannot make $root" "see $root.log"
  }
  # Mirrors may be copies of another day, which apt calls expired (sid's after a week).
  echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/90mirror"
  touch "$root/made"
}

# enter NAME COMMAND...: runs in the root, in the clone, as root, with a /proc of its own and nothing of this environment.
# PoCL reads /sys and ends the process without it.
enter() {
  local root=$roots/$1
  shift
  # shellcheck disable=SC2016  # the inner shell expands
  unshare --mount --pid --fork sh -c 'mount -t proc proc "$1/proc" && mount -t sysfs -o ro sysfs "$1/sys" && mount --rbind /dev "$1/dev" && root=$1 && shift &&
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 chroot "$root" sh -c "cd /root/overtake && exec \"\$@\"" sh "$@"' \
    sh "$root" "$@" </dev/null
}

put_clone() {
  local root=$roots/$1
  mkdir -p "$root/root/overtake"
  if [ -d "$root/root/overtake/.git" ]; then
    git -C "$root/root/overtake" fetch -q "$PWD" HEAD && git -C "$root/root/overtake" reset -q --hard FETCH_HEAD
  else
    rmdir "$root/root/overtake" && git clone -q --no-hardlinks . "$root/root/overtake"
  fi
}

# timed NAME LABEL COMMAND...: runs in the root, logs, leaves "LABEL (m:ss)" or "LABEL FAILED" in $row.
row=
timed() {
  local name=$1 label=$2 begin=$SECONDS status=0
  shift 2
  say "$name: $*"
  enter "$name" "$@" >>"out/machines/$name.log" 2>&1 || status=$?
  local took=$((SECONDS - begin))
  printf -v row '%s (%d:%02d)' "$label" $((took / 60)) $((took % 60))
  [ $status = 0 ] || row="$label FAILED"
  echo "$row"
  return $status
}

passed() { grep -oE '[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+' "out/machines/$1.log" | tail -n 1; }

versions() {
  enter "$1" sh -c '. /etc/os-release; echo "$PRETTY_NAME: $(${CXX:-c++} -dumpfullversion | sed "s/^/g++ /"), CMake $(cmake --version | sed -n "1s/.* //p"), oneDNN $(dpkg-query -W -f "\${Version}" libdnnl-dev), {fmt} $(dpkg-query -W -f "\${Version}" libfmt-dev)"'
}

# both_commands NAME SUITE
both_commands() {
  local demo tests
  make_root "$1" "$2"
  put_clone "$1"
  : >"out/machines/$1.log"
  timed "$1" "demo" ./dev demo || true
  demo=$row
  timed "$1" "test" ./dev test || true
  tests=$row
  printf '| %s | `./dev machines %s` | %s, %s | %s |\n' "$(versions "$1")" "$1" "$demo" "$tests" "$(passed "$1")" >"out/machines/$1.md"
}

arm64() {
  make_root arm64 bookworm
  put_clone arm64
  : >out/machines/arm64.log
  local libraries="libhwy-dev libdnnl-dev libfmt-dev libcsv-dev libxxhash-dev zlib1g-dev libjpeg-dev libpng-dev libsqlite3-dev libgtest-dev libgmock-dev"
  local tests
  timed arm64 packages sh -c "dpkg --add-architecture arm64 && apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
    --no-install-recommends cmake ninja-build ccache git python3 crossbuild-essential-arm64 qemu-user libcli11-dev nlohmann-json3-dev \
    libutfcpp-dev libjs-chart.js $(printf '%s:arm64 ' $libraries)"
  timed arm64 build sh -c 'cmake --preset arm64 -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache && cmake --build --preset arm64'
  timed arm64 "unit and oracle tests under qemu-user" ctest --preset arm64 -j "$(nproc)" -L 'unit|oracle' || true
  tests=$row
  ./dev build release overtake_cli >>out/machines/arm64.log 2>&1
  OVERTAKE=build/release/cli/overtake forests_and_predictions out/machines/here
  timed arm64 "forests and predictions" sh -ec "OVERTAKE='qemu-aarch64 build/arm64/cli/overtake'
    $(declare -f forests_and_predictions)
    forests_and_predictions out/there" || true
  tests="$tests, $row"
  if diff -rq out/machines/here "$roots/arm64/root/overtake/out/there" >>out/machines/arm64.log; then tests="$tests equal bit for bit those of x86"
  else tests="$tests FAILED: they are not those of x86"; fi
  printf '| ARM (aarch64), cross-compiled on Debian 12 | `./dev machines arm64` | %s | %s |\n' "$tests" "$(passed arm64)" >out/machines/arm64.md
}

# forests_and_predictions FOLDER: of every estimator a forest, its file and what it predicts, by $OVERTAKE.
forests_and_predictions() {
  rm -rf "$1"
  mkdir -p "$1"
  for estimator in random-forest extra-trees; do
    for target in species petal_width; do
      file=$1/$estimator-$target
      $OVERTAKE train datasets/iris.csv --target $target --estimator $estimator --device cpu --save "$file.overtake" >/dev/null
      $OVERTAKE predict "$file.overtake" datasets/iris.csv --out "$file.csv"
    done
  done
}

# compilers_of NAME COMPILER...: each by its package's name.
compilers_of() {
  local name=$1 compiler folder flags
  shift
  put_clone "$name"
  timed "$name" packages sh -c './dev setup >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"' sh "$@"
  for compiler in "$@"; do
    folder=build/$compiler
    # A compiler's OpenMP may be missing: then large products are our own kernel's. Debian 13's g++ 13 links its own older
    # libstdc++, while the system's {fmt} asks for that of g++ 14, which is there when programs run.
    flags=
    [ "$compiler" != g++-13 ] || flags=-Wl,--allow-shlib-undefined
    timed "$name" "library, tool and cases" sh -ec "
      cmake --preset cpu-only -B $folder -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS=-O1 -DCMAKE_EXE_LINKER_FLAGS=$flags -DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DOVERTAKE_TESTS=OFF -DOVERTAKE_BENCH=OFF \
        -DOVERTAKE_EXAMPLES=OFF -DCMAKE_C_COMPILER=${compiler/g++/gcc} -DCMAKE_CXX_COMPILER=${compiler/clang/clang++} \
        -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache
      cmake --build $folder
      OVERTAKE_BINARY=\$PWD/$folder/cli/overtake python3 -B tests/cases/run.py" || true
    printf '| %s on %s | `./dev machines compilers` | %s | cases |\n' "$compiler" "$name" "$row" >>out/machines/compilers.md
  done
}

compilers() {
  : >out/machines/compilers.md
  make_root bookworm bookworm
  make_root trixie trixie
  compilers_of bookworm clang-15 clang-16
  compilers_of trixie g++-13 clang-17 clang-18 clang-19
}

# The bundle runs where nothing of it is installed.
bundle() {
  local tarball name root
  tarball=$(find dist -maxdepth 1 -name 'overtake-*-linux-x86_64.tar.gz' | head -n 1)
  [ -n "$tarball" ] || die "there is no bundle in dist/" "./dev bundle"
  : >out/machines/bundle.md
  for name in bookworm trixie; do
    make_root "bare-$name" $name
    root=$roots/bare-$name
    rm -rf "$root/root/overtake" && mkdir -p "$root/root/overtake/a path with spaces"
    tar -C "$root/root/overtake/a path with spaces" -xzf "$tarball" --strip-components 1
    cp datasets/iris.csv "$root/root/overtake/"
    : >"out/machines/bare-$name.log"
    # unshare --net: no network, not even loopback.
    timed "bare-$name" "search" unshare --net "a path with spaces/bin/overtake" search iris.csv --target species \
      --grid max_depth=none,3 --cv 3 --report r.html --save f.overtake || true
    printf '| the bundle on a bare %s, path with spaces, no network | `./dev machines bundle` | %s | - |\n' "$name" "$row" >>out/machines/bundle.md
  done
}

mkdir -p "$roots" out/machines
[ $# -gt 0 ] || set -- bookworm trixie sid arm64 compilers bundle
for name in "$@"; do
  case "$name" in
    bookworm | trixie | sid) both_commands "$name" "$name" ;;
    arm64 | compilers | bundle) "$name" ;;
    *) die "there is no machine $name" "bookworm, trixie, sid, arm64, compilers, bundle" ;;
  esac
done
say "rows for docs/devices.md"
for name in "$@"; do cat "out/machines/$name.md"; done
for name in "$@"; do
  ! grep -q FAILED "out/machines/$name.md" || die "not every command passed" "see out/machines/*.log"
done
