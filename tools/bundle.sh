#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes the relocatable tarball from build/release, or from $BUILD (./dev bundle [--with-tests]). Everything is found from
# the program's own place; what is not shipped is glibc 2.34 or newer (RHEL 9, Ubuntu 22.04, Debian 12) with the C++ library
# of that age and, if wanted, a GPU driver.
#   bin/overtake            launcher: picks the C++ library, then runs libexec/overtake
#   lib/                    libovertake, the libraries it needs, compat/ with a C++ library for systems without one (it asks
#                           for glibc 2.36)
#   include/, lib/cmake/    for find_package(overtake)
#   tests/                  with --with-tests: test programs that look at devices and benchmarks, for a machine with a GPU
#                           and no compiler
#   share/doc/overtake/     licences of everything shipped
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${BUILD:-build/release}
version=$(sed -n 's/^project(overtake VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=overtake-$version-linux-x86_64
with_tests=no
case "${1:-}" in
  "") ;;
  --with-tests) with_tests=yes && name+=-tests ;;
  *) echo "error: unknown argument of bundle: $1" >&2; exit 2 ;;
esac
stage=dist/$name

is_elf() { [ "$(head -c 4 "$1" | od -An -c | tr -d ' ')" = '177ELF' ]; }

# Libraries of glibc come with the kernel's companion system; the C++ library is compat/'s matter.
is_system() {
  case "$1" in
    libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | librt.so.* | ld-linux* | linux-vdso* | libstdc++.so.* | libgcc_s.so.*) ;;
    *) return 1 ;;
  esac
}

# copy_libraries FILE...: the shared libraries the files need, directly or not, into lib/.
copy_libraries() {
  local library path
  ldd "$@" | sed -n 's/^\t\(\S*\) => \(\/\S*\).*/\1 \2/p' | sort -u | while read -r library path; do
    is_system "$library" || [ -e "$stage/lib/$library" ] || { cp -L "$path" "$stage/lib/$library" && echo "$path" >>"$stage/shipped"; }
  done
}

copy_licence() {
  local package=$1 target=$stage/share/doc/overtake/licences
  mkdir -p "$target"
  cp -L "/usr/share/doc/$package/copyright" "$target/$package.txt"
}

rm -rf "$stage"
mkdir -p "$stage/libexec"
cmake --install "$build" --prefix "$stage" >/dev/null
mv "$stage/bin/overtake" "$stage/libexec/overtake"
gcc -std=c17 -O2 -Wall -Wextra -Werror -s -o "$stage/bin/overtake" tools/bundle_launcher.c

: >"$stage/shipped"
copy_libraries "$stage/libexec/overtake" "$stage"/lib/libovertake.so
if [ $with_tests = yes ]; then
  mkdir -p "$stage/tests"
  find "$build/tests" "$build/bench" -maxdepth 1 -type f -executable \( -name 'overtake_*_tests' -o -name 'bench_*' \) \
    -not -name 'overtake_executor_tests' -not -name 'overtake_fuzz_tests' -not -name 'overtake_null_tests' -exec cp -t "$stage/tests" {} +
  cp -r tests/golden "$stage/tests/golden"
  copy_libraries "$stage"/tests/overtake_*_tests
fi
mkdir -p "$stage/lib/compat"
for library in libstdc++.so.6 libgcc_s.so.1; do
  path=$(gcc -print-file-name=$library)
  cp -L "$path" "$stage/lib/compat/$library"
  realpath "$path" >>"$stage/shipped"
done

# Licences: of the shared libraries, and of what is compiled into ours.
cut -d' ' -f1 "$stage/shipped" | while read -r path; do
  dpkg-query -S "$(realpath "$path")" 2>/dev/null || dpkg-query -S "${path#/usr}"
done | cut -d: -f1 | sort -u | while read -r package; do copy_licence "$package"; done
for package in nlohmann-json3-dev libcli11-dev libutfcpp-dev libxxhash-dev libhwy-dev libjs-chart.js libtcc-dev libboost-context-dev; do
  copy_licence "$package"
done
rm "$stage/shipped"
# The texts that Debian's copyright files point to.
grep -oh '/usr/share/common-licenses/[A-Za-z0-9.-]*[A-Za-z0-9]' "$stage"/share/doc/overtake/licences/*.txt | sort -u |
  while read -r text; do [ ! -f "$text" ] || cp -L "$text" "$stage/share/doc/overtake/licences/"; done

find "$stage" -type f \( -perm -u+x -o -name '*.so*' \) | while read -r file; do
  is_elf "$file" || continue
  chmod u+w,a+x "$file"
  strip --strip-unneeded "$file"
  # RPATH, which comes before LD_LIBRARY_PATH, and not RUNPATH, which comes behind: a broken libOpenCL.so.1 there would
  # keep the tool from starting, as oneDNN is linked to that.
  # shellcheck disable=SC2016  # it is the loader that expands $ORIGIN
  case "${file#"$stage"/}" in
    lib/compat/* | bin/*) ;;
    lib/*) patchelf --force-rpath --set-rpath '$ORIGIN' "$file" ;;
    *) patchelf --force-rpath --set-rpath '$ORIGIN/../lib' "$file" ;;
  esac
  case "${file#"$stage"/}" in
    lib/compat/* | tests/*) ;; # tests run where they were made to run
    *) tools/check_symbols.sh "$file" || exit 4 ;;
  esac
done

tarball=dist/$name.tar.gz
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct 2>/dev/null || echo 0)" \
  -C dist -c "$name" | gzip -9n >"$tarball"

# It must run from anywhere, with an empty environment.
trial=$(mktemp -d)
trap 'rm -rf "$trial"' EXIT
tar -xzf "$tarball" -C "$trial"
env -i HOME="$trial" "$trial/$name/bin/overtake" --version
# Nor may libraries elsewhere that have the names of ours keep it from starting.
mkdir "$trial/broken"
for library in "$trial/$name"/lib/*.so.*; do : >"$trial/broken/$(basename "$library")"; done
env -i HOME="$trial" LD_LIBRARY_PATH="$trial/broken" "$trial/$name/bin/overtake" --version >/dev/null
size=$(stat -c %s "$tarball")
printf '%s: %d.%d MB\n' "$tarball" $((size / 1000000)) $((size / 100000 % 10))
if [ "$size" -ge 60000000 ]; then
  echo "error: the bundle must stay under 60 MB" >&2
  exit 1
fi
