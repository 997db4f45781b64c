#!/usr/bin/env bash
# Makes libchargewire0, libchargewire-dev and chargewire-tools, builds and runs an example and runs a fleet with nothing else of Chargewire: from what they hold
# (unpacked), or in a Debian of its own that has just been made and in which they were installed (installed).
# usage: debian_packages_test.sh unpacked|installed <source> <work directory> <chargewire-csms> <parallel>
set -euo pipefail
how=$1 source=$2 work=$3 csms=$4 parallel=$5
# shellcheck source=cmake/debian.sh
source "$source/cmake/debian.sh"
root=$work/$how

fail() {
  echo "failed: $*" >&2
  exit 1
}
skip() {
  echo "skipped: $*"
  exit 77
}

# One set of packages for both; the objects are compiled once.
make_packages() {
  (
    flock 9
    cd "$source"
    cmake --preset debian -B "$work/build" >"$work/build.log" 2>&1 &&
      cmake --build "$work/build" --parallel "$parallel" >>"$work/build.log" 2>&1 &&
      cd "$work/build" && cpack >>"$work/build.log" 2>&1
  ) 9>"$work/lock" || { cat "$work/build.log"; fail "the packages could not be made"; }
  runtime=$(echo "$work"/build/packages/libchargewire0_*.deb)
  development=$(echo "$work"/build/packages/libchargewire-dev_*.deb)
  tools=$(echo "$work"/build/packages/chargewire-tools_*.deb)
  [ -f "$runtime" ] && [ -f "$development" ] && [ -f "$tools" ] || fail "three packages are wanted, there are: $(ls "$work/build/packages")"
}

look_at_packages() {
  local held wanted depends package
  depends=$(dpkg-deb --field "$runtime" Depends)
  for wanted in libssl3 'libyaml-cpp0\.' zlib1g 'libc6 (>='; do
    grep -q "$wanted" <<<"$depends" || fail "libchargewire0 does not depend on $wanted: $depends"
  done
  for package in "$development" "$tools"; do
    dpkg-deb --field "$package" Depends | grep -q "libchargewire0 (= $(dpkg-deb --field "$runtime" Version))" ||
      fail "$package may be installed with another version of libchargewire0"
  done
  [ "$(dpkg-deb --field "$tools" Multi-Arch)" = foreign ] || fail "the commands of one architecture are not for all"
  for wanted in "$runtime" "$development"; do
    [ "$(dpkg-deb --field "$wanted" Multi-Arch)" = same ] || fail "$wanted may be installed for one architecture only"
    if dpkg-deb --ctrl-tarfile "$wanted" | tar t | grep postinst; then fail "$wanted runs a script where a trigger does"; fi
  done
  # What two of them brought could not be installed beside each other.
  held=$(for package in "$runtime" "$development" "$tools"; do dpkg-deb --fsys-tarfile "$package" | tar t; done | grep -v '/$' | sort)
  [ -z "$(uniq -d <<<"$held")" ] || fail "two packages hold $(uniq -d <<<"$held")"
  for wanted in /libchargewire.so /libchargewire.so.0 /libchargewire.a /chargewire.pc /chargewireConfig.cmake /chargewire.h /chargewire.hpp \
    /libchargewire0/copyright /libchargewire-dev/changelog.Debian.gz /usr/bin/chargewire-fleet /usr/bin/chargewire-trace /kubernetes/job.yaml /chargewire-fleet.dashboard.json; do
    grep -q "${wanted//./\\.}\$" <<<"$held" || fail "no package holds $wanted"
  done
  if command -v help2man >/dev/null; then
    for wanted in chargewire-fleet chargewire-trace; do
      grep -q "/man1/$wanted\.1\.gz\$" <<<"$held" || fail "$wanted has no manual page"
    done
  fi
}

# run_a_fleet <directory> <command>...: five stations, and a report with plots in that directory, which the command calls by the name in the file.
run_a_fleet() {
  local directory=$1 port csms_pid
  shift
  "$csms" --port-file "$directory/port" >/dev/null &
  csms_pid=$!
  trap 'kill "$csms_pid" 2>/dev/null' EXIT
  until [ -s "$directory/port" ]; do kill -0 "$csms_pid" || fail "there is no CSMS"; done
  port=$(cat "$directory/port")
  printf 'fleet: { stations: 5, url: "ws://127.0.0.1:%s", duration: 1s }\n' "$port" >"$directory/fleet.yaml"
  "$@" || fail "chargewire-fleet does not run a fleet"
  grep -q 'Chart.js v' "$directory/report.html" || fail "the report has no plots"
  kill "$csms_pid"
  wait "$csms_pid" || true
  trap - EXIT
}

use_unpacked() {
  mkdir -p "$root"
  dpkg-deb --extract "$runtime" "$root"
  dpkg-deb --extract "$development" "$root"
  dpkg-deb --extract "$tools" "$root"
  local libraries
  libraries=$(dirname "$(find "$root/usr/lib" -name libchargewire.so.0)")
  # No other package in sight, or the one of this system might be found.
  # shellcheck disable=SC2046 # words are wanted
  cc "$source/examples/01_one_station.c" -o "$root/one_station" $(PKG_CONFIG_LIBDIR=$libraries/pkgconfig pkg-config --cflags --libs chargewire)
  run_a_fleet "$root" env LD_LIBRARY_PATH="$libraries" "$root/usr/bin/chargewire-fleet" --no-view --report "$root/report.html" "$root/fleet.yaml"
  exec "$source/tests/bindings/example" --csms "$csms" one_station env LD_LIBRARY_PATH="$libraries" "$root/one_station"
}

use_installed() {
  command -v mmdebstrap >/dev/null || skip "there is no mmdebstrap"
  [ "$(id -u)" -eq 0 ] || skip "only root makes a Debian of its own"
  local depends package
  depends=$(for package in "$runtime" "$development" "$tools"; do dpkg-deb --field "$package" Depends; done | tr ',' '\n' | awk '!/libchargewire/ {print $1}')
  debian_sources >"$work/debian.list"
  # shellcheck disable=SC1091,SC2086 # words are wanted
  mmdebstrap --variant=minbase --include="gcc libc6-dev pkg-config $(echo $depends)" "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" \
    "$work/debian.list" >"$work/mmdebstrap.log" 2>&1 || { tail -30 "$work/mmdebstrap.log"; skip "no Debian could be made here"; }
  mkdir "$root/packages"
  cp "$runtime" "$development" "$tools" "$source/examples/01_one_station.c" "$root/packages"
  chroot "$root" sh -c 'dpkg --install /packages/*.deb' >"$work/install.log" 2>&1 || { cat "$work/install.log"; fail "dpkg does not install them"; }
  chroot "$root" sh -c 'gcc /packages/01_one_station.c -o /usr/bin/one_station $(pkg-config --cflags --libs chargewire)'
  chroot "$root" sh -c 'ldconfig -p' | grep -q libchargewire.so.0 || fail "the loader does not know the library: ldconfig was not triggered"
  "$source/tests/bindings/example" --csms "$csms" one_station chroot "$root" one_station
  run_a_fleet "$root/packages" chroot "$root" chargewire-fleet --no-view --report /packages/report.html /packages/fleet.yaml
  chroot "$root" dpkg --purge chargewire-tools libchargewire-dev libchargewire0 >/dev/null || fail "the packages cannot be removed"
  rm -rf "$root"
}

mkdir -p "$work"
rm -rf "$root"
make_packages
look_at_packages
"use_$how"
