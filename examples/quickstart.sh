#!/usr/bin/env bash
# Installs what is missing (Debian 12), builds, and shows a fleet of stations that loses its CSMS and comes back.
# Exits 0 only if every boot was accepted, every station came back, and every accepted message is accounted for.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=cmake/debian.sh
source "$repository/cmake/debian.sh"

usage() {
  cat <<'TEXT'
usage: examples/quickstart.sh [options]
  --stations N         how many (default 1000)
  --url URL            a CSMS of your own; it is not killed, unless --csms-pid asks for that
  --config FILE        settings of the library as YAML, in place of the demonstration's short waits
  --protocols LIST     OCPP versions that the stations take turns with (default 1.6,2.0.1,2.1)
  --id-prefix TEXT     stations are called TEXT and a number (default CP)
  --csms-pid PID       with --url: the process that SIGUSR1 tells to die, and SIGUSR2 to come back
  --heartbeat SECONDS  time between two heartbeats of a station (default 2)
  --calm SECONDS       exchange heartbeats this long before and after the outage (default 4)
  --outage SECONDS     leave the CSMS dead this long (default 3)
  --patience SECONDS   give up on whatever takes longer (default 120)
  --jobs N             compile that many files at a time (default: the number of processors)
TEXT
}

program_options=()
jobs=$(nproc)
own_csms=no
config=
csms_pid_option=

# Installing and building take minutes: what is wrong with an option is said before.
expect_whole() { # option, value, minimum, maximum
  [[ $2 =~ ^[0-9]{1,10}$ ]] && ((10#$2 >= $3 && 10#$2 <= $4)) && return
  echo "$1 $2: expected a whole number from $3 to $4" >&2
  exit 2
}
expect_seconds() { # option, value, minimum
  [[ $2 =~ ^[0-9]{1,5}(\.[0-9]{1,9})?$ ]] && awk "BEGIN { exit !($2 >= $3 && $2 <= 86400) }" && return
  echo "$1 $2: expected seconds, from $3 to 86400" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --stations | --url | --config | --protocols | --id-prefix | --csms-pid) ;;
    --heartbeat | --calm | --outage | --patience | --jobs) ;;
    *) echo "unknown option: $1" >&2; usage >&2; exit 2 ;;
  esac
  [ $# -ge 2 ] || { echo "$1 needs a value; see --help" >&2; exit 2; }
  case $1 in
    --jobs) expect_whole "$1" "$2" 1 1024; jobs=$2 ;;
    --stations) expect_whole "$1" "$2" 1 1000000 ;;
    --csms-pid) expect_whole "$1" "$2" 2 2147483647; csms_pid_option=$2 ;;
    --heartbeat) expect_seconds "$1" "$2" 0.01 ;;
    --calm | --outage | --patience) expect_seconds "$1" "$2" 0 ;;
    --config) config=$2 ;;
    --url) own_csms=yes ;;
  esac
  [ "$1" = --jobs ] || program_options+=("$1" "$2")
  shift 2
done
if [ -n "$config" ] && ! { [ -r "$config" ] && [ ! -d "$config" ]; }; then
  echo "--config $config: not a file that can be read" >&2
  exit 2
fi
if [ -n "$csms_pid_option" ] && [ $own_csms = no ]; then
  echo "--csms-pid needs --url: without a CSMS of your own, the embedded one is started and killed" >&2
  exit 2
fi

# Shows how far ninja is: at once where somebody watches, and now and then in a log.
watch_build() { # pid, log
  local step told=$SECONDS
  while kill -0 "$1" 2>/dev/null; do
    step=$(grep -o '^\[[0-9]*/[0-9]*\]' "$2" | tail -n 1 || true)
    if [ -t 1 ]; then
      printf '\r%s\033[K' "$step"
    elif [ $((SECONDS - told)) -ge 30 ]; then
      told=$SECONDS
      echo "$step"
    fi
    sleep 0.2
  done
  if [ -t 1 ]; then printf '\r\033[K'; fi
}

build() { # target...
  local log=$build/quickstart.log builder status=0
  mkdir -p "$build"
  echo "Building (the first time takes some minutes)"
  # A folder of its own: this build has no tests, and needs nothing that only they need.
  cmake -S "$repository" --preset release -B "$build" \
    -DCHARGEWIRE_BUILD_TESTS=OFF -DCHARGEWIRE_BUILD_BENCH=OFF -DCHARGEWIRE_BUILD_TOOLS=OFF >"$log" 2>&1 || status=$?
  if [ $status -eq 0 ]; then
    cmake --build "$build" --parallel "$jobs" --target "$@" >>"$log" 2>&1 &
    builder=$!
    watch_build $builder "$log"
    wait $builder || status=$?
  fi
  [ $status -eq 0 ] || { cat "$log"; echo "The build failed; see above for why." >&2; exit 1; }
}

csms_pid=
program_pid=
folder=
clean_up() {
  local pid
  for pid in $program_pid $csms_pid; do # in this order, so that the stations may take their leave
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if [ -n "$folder" ]; then rm -rf "$folder"; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_csms() {
  local deadline=$((SECONDS + 10))
  folder=$(mktemp -d)
  # It ends with the end of its input, so it does not outlive this script, however that ends.
  mkfifo "$folder/input"
  "$build/examples/csms/chargewire-csms" --port-file "$folder/port" --stdin <"$folder/input" >"$folder/log" 2>&1 &
  csms_pid=$!
  exec {csms_input}>"$folder/input"
  until [ -s "$folder/port" ]; do
    if ! kill -0 "$csms_pid" 2>/dev/null || [ $SECONDS -ge $deadline ]; then
      cat "$folder/log" >&2
      echo "The embedded CSMS did not start." >&2
      exit 1
    fi
    sleep 0.05
  done
  program_options+=(--url "ws://127.0.0.1:$(cat "$folder/port")" --csms-pid "$csms_pid")
  echo "The embedded CSMS listens on port $(cat "$folder/port"), as process $csms_pid"
}

build=$repository/build/quickstart
install_missing "${build_packages[@]}"
targets=(chargewire-quickstart)
[ $own_csms = yes ] || targets+=(chargewire-csms)
build "${targets[@]}"
ulimit -S -n "$(ulimit -H -n)" # each station needs a descriptor, here and in the CSMS

if [ $own_csms = no ]; then start_csms; else exec {csms_input}>/dev/null; fi
# In the background, or a signal to this script would wait for its end.
"$build/examples/quickstart/chargewire-quickstart" "${program_options[@]}" {csms_input}>&- &
program_pid=$!
if wait $program_pid; then
  program_pid=
else
  status=$?
  program_pid=
  exit $status
fi
