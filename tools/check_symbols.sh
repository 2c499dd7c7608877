#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The bundle's promise: no FILE needs a symbol that is newer than glibc 2.34 and the C++ library of GCC 11. Asked of the bundle's
# files, and in CI of what Debian 12 builds (tools/check_symbols.sh FILE...).
set -euo pipefail

# must_not_exceed FILE PREFIX VERSION: no symbol that FILE needs has a newer version.
must_not_exceed() {
  local needed
  needed=$(objdump -T "$1" | grep -o "\*UND\*.*$2[0-9.]*" | grep -o "$2[0-9.]*$" | sort -uV | tail -n 1 || true)
  [ "$(printf '%s\n' "$2$3" "${needed:-${2}0}" | sort -V | tail -n 1)" = "$2$3" ] && return
  objdump -T "$1" | grep "$needed" >&2
  echo "error: $1 needs $needed, newer than $2$3" >&2
  echo "hint: make the bundle on Debian 12, or avoid the functions above" >&2
  return 1
}

for file in "$@"; do
  must_not_exceed "$file" GLIBC_ 2.34
  must_not_exceed "$file" GLIBCXX_ 3.4.29
done
