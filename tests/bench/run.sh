#!/usr/bin/env bash
# Measures Chargewire against the limit, a raw epoll client with frames made beforehand, at the same echo server. The two run
# in turns, so that what else the machine does hits both alike; what is printed are medians.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: tests/bench/run.sh [--build DIR] [--rounds N] [--idle STATIONS] [--scale PERCENT]

  --build DIR      where CMake built (default build/release)
  --rounds N       runs of each client per load (default 5)
  --idle STATIONS  stations of the memory measurement (default 5000; 0: none)
  --scale PERCENT  of the usual number of messages (default 100)
TEXT
}

root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build/release
rounds=5
idle=5000
scale=100
while [ $# -gt 0 ]; do
  case $1 in
    --help) usage; exit 0 ;;
    --build | --rounds | --idle | --scale)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      case $1 in
        --build) build=$2 ;;
        --rounds) rounds=$2 ;;
        --idle) idle=$2 ;;
        --scale) scale=$2 ;;
      esac
      shift 2
      ;;
    *) usage >&2; exit 2 ;;
  esac
done

bin=$build/tests/bench
for program in echo_server raw_client chargewire_client; do
  if [ ! -x "$bin/$program" ]; then
    echo "run.sh: $bin/$program is missing: build first (cmake --build $build), or say where with --build" >&2
    exit 1
  fi
done
# The load of a run is fixed, so this is reached only if something hangs.
run_limit=120

work=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ulimit -n "$(ulimit -Hn)"
"$bin/echo_server" --port-file "$work/port" >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do
  [ -s "$work/port" ] && break
  kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; exit 1; }
  sleep 0.05
done
[ -s "$work/port" ] || { echo "run.sh: the echo server did not start within 5 s" >&2; exit 1; }
port=$(cat "$work/port")

# field NAME: that number of each line of JSON.
field() { sed -n "s/.*\"$1\":\\([0-9.]*\\).*/\\1/p"; }
median() {
  sort -n | awk '{ v[NR] = $1 } END { print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }'
}

# measure CLIENT STATIONS IN_FLIGHT MESSAGES SIZE: appends its line of JSON to a file of the same name.
measure() {
  local client=$1
  shift
  timeout "$run_limit" "$bin/${client}_client" 127.0.0.1 "$port" "$@" >>"$work/$client"
}

# cpu CLIENT: median of user + system time per round trip, in microseconds.
cpu() {
  paste -d' ' <(field cpu_user_us_per_trip <"$work/$1") <(field cpu_sys_us_per_trip <"$work/$1") |
    awk '{ print $1 + $2 }' | median
}
# rate CLIENT: median of round trips per second.
rate() {
  paste -d' ' <(field round_trips <"$work/$1") <(field seconds <"$work/$1") | awk '{ print $1 / $2 }' | median
}

size=200
printf 'messages of %s bytes, medians of %s runs each in turns\n\n' "$size" "$rounds"
printf '%-22s %14s %14s %7s %14s %14s\n' 'stations x in flight' 'raw us/trip' 'cwire us/trip' 'ratio' 'raw trips/s' \
  'cwire trips/s'
for load in '100 1 2000' '100 16 10000' '1 64 500000'; do
  read -r stations in_flight messages <<<"$load"
  messages=$((messages * scale / 100))
  [ "$messages" -gt 0 ] || messages=1
  rm -f "$work/raw" "$work/chargewire"
  for _ in $(seq "$rounds"); do
    measure raw "$stations" "$in_flight" "$messages" "$size"
    measure chargewire "$stations" "$in_flight" "$messages" "$size"
  done
  raw_cpu=$(cpu raw)
  chargewire_cpu=$(cpu chargewire)
  printf '%-22s %14.3f %14.3f %7.2f %14.0f %14.0f\n' "$stations x $in_flight" "$raw_cpu" "$chargewire_cpu" \
    "$(awk -v a="$chargewire_cpu" -v b="$raw_cpu" 'BEGIN { print (b > 0 ? a / b : 0) }')" \
    "$(rate raw)" "$(rate chargewire)"
done

if [ "$idle" -gt 0 ]; then
  rm -f "$work/raw" "$work/chargewire"
  measure raw "$idle" 1 0 "$size"
  measure chargewire "$idle" 1 0 "$size"
  printf '\n%s idle stations: %s bytes of resident memory each (raw: %s), %s connects/s (raw: %s)\n' "$idle" \
    "$(field rss_per_connection_bytes <"$work/chargewire")" "$(field rss_per_connection_bytes <"$work/raw")" \
    "$(field connects_per_second <"$work/chargewire")" "$(field connects_per_second <"$work/raw")"
fi
