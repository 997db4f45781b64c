#!/bin/sh
# Builds consumer/main.c against an installed tree with nothing but pkg-config and a C compiler, and runs it.
# usage: pkgconfig_test.sh shared|static <libdir> <work directory> <version> <pkg-config> <cc>
set -eu
linkage=$1 libdir=$2 work=$3 version=$4 pkg_config=$5 cc=$6
source=$(dirname "$0")/consumer/main.c
rm -rf "$work" && mkdir -p "$work"

fail() {
  echo "failed: $*" >&2
  exit 1
}

if [ "$linkage" = shared ]; then
  # No other package in sight: who links the shared library needs the development files of none of its dependencies.
  export PKG_CONFIG_LIBDIR="$libdir/pkgconfig"
  [ "$("$pkg_config" --modversion chargewire)" = "$version" ] || fail "chargewire.pc does not say version $version"
  # shellcheck disable=SC2046 # words are wanted
  "$cc" -std=c99 -Wall -Wextra -Wpedantic -Werror "$source" -o "$work/consumer" $("$pkg_config" --cflags --libs chargewire) \
    -Wl,-rpath,"$libdir"
else
  export PKG_CONFIG_PATH="$libdir/pkgconfig"
  # The linker warns that a static getaddrinfo needs the glibc it was built with; that holds for every static program.
  # shellcheck disable=SC2046
  "$cc" -std=c99 -Wall -Wextra -Wpedantic -static "$source" -o "$work/consumer" \
    $("$pkg_config" --static --cflags --libs chargewire)
  if LC_ALL=C readelf -d "$work/consumer" | grep -q NEEDED; then fail "the static program still needs shared libraries"; fi
fi
[ "$("$work/consumer")" = "chargewire $version" ] || fail "the program did not print: chargewire $version"
