# shellcheck shell=bash
# For tests/run.sh, tests/fuzz/run, tests/bench/run and examples/quickstart.sh to source: the Debian packages that each needs, and how to get those that are missing.

# "package=command": the command will do as well, whoever installed it.
# Arrays for the scripts that source this file.
# shellcheck disable=SC2034
library_packages=(libwebsocketpp-dev libasio-dev libssl-dev zlib1g-dev libyaml-cpp-dev)
# shellcheck disable=SC2034
build_packages=(
  build-essential cmake=cmake ninja-build=ninja ccache=ccache pkg-config=pkg-config
  "${library_packages[@]}" nlohmann-json3-dev
)
# shellcheck disable=SC2034
test_packages=(
  python3-clang-14 python3-yaml catch2 iproute2=ip openssl=openssl python3=python3 strace=strace valgrind=valgrind cargo=cargo rustc=rustc python3-websockets nginx-light=nginx nodejs=node npm=npm
  abigail-tools=abidiff
  golang-go=go
  python3-pip python3-setuptools
  libjs-chart.js chromium=chromium python3-jsonschema help2man=help2man
  prometheus=promtool python3-prometheus-client
)
# libFuzzer, for tests/fuzz/run.
# shellcheck disable=SC2034
fuzz_packages=(clang=clang++ libclang-rt-14-dev)
# For tests/run.sh --aarch64.
# shellcheck disable=SC2034
aarch64_packages=(g++-aarch64-linux-gnu=aarch64-linux-gnu-g++ qemu-user=qemu-aarch64 mmdebstrap=mmdebstrap)
# For tests/run.sh --coverage.
# shellcheck disable=SC2034
coverage_packages=(gcovr=gcovr)
# The other libraries that tests/bench/run measures, and what draws its plots.
# shellcheck disable=SC2034
bench_packages=(
  liburing-dev libwebsockets-dev libwebsockets-evlib-uv libuv1-dev libboost-dev golang-go=go golang-github-gorilla-websocket-dev python3-matplotlib
)

# Where this machine has its Debian from, for mmdebstrap.
debian_sources() {
  # shellcheck disable=SC2016 # for apt
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | sort -u
}

is_installed() { # package[=command]
  local command=${1#*=}
  if [ "$command" != "$1" ] && PATH=$PATH:/usr/sbin command -v "$command" >/dev/null; then return 0; fi
  [ "$(dpkg-query -W -f '${db:Status-Status}' "${1%%=*}" 2>/dev/null)" = installed ]
}

# What runs as root. Packages that bring a service must not start it: invoke-rc.d asks policy-rc.d, and 101 is "no". nginx and prometheus
# would start with the next boot all the same, so they are disabled, unless they were there before.
install_as_root() {
  cat <<'ROOT'
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
services=
for service in nginx prometheus; do
  [ -e "/etc/init.d/$service" ] || services="$services $service"
done
apt-get update -qq
apt-get install -qq -y --no-install-recommends "$@" >/dev/null
for service in $services; do
  if [ -e "/etc/init.d/$service" ]; then update-rc.d "$service" disable >/dev/null 2>&1; fi
done
ROOT
}

# install_missing <package[=command]>...: returns at once, and asks for no rights, when nothing is missing.
install_missing() {
  local entry missing=()
  for entry in "$@"; do
    is_installed "$entry" || missing+=("${entry%%=*}")
  done
  if [ ${#missing[@]} -eq 0 ]; then return 0; fi

  if ! command -v apt-get >/dev/null; then
    echo "This is no Debian, so nothing is installed. What Debian calls these must be here: ${missing[*]}" >&2
    return 0
  fi
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "Missing: ${missing[*]}. Install them as root (apt-get install ${missing[*]}), then run this again." >&2
      return 1
    fi
    root=(sudo)
  fi
  echo "Installing with apt-get: ${missing[*]}"
  if ! "${root[@]}" sh -c "$(install_as_root)" install_missing "${missing[@]}"; then
    echo "apt-get could not install: ${missing[*]}. See above for why; then run this again." >&2
    return 1
  fi
}
