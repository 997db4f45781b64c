#!/usr/bin/env bash
# Runs idle_fleet against echo_server, each in a process of its own: idle.sh BIN_DIR STATIONS SECONDS
set -euo pipefail
bin=$1
stations=$2
seconds=$3

ulimit -n "$(ulimit -Hn)"
if [ "$(ulimit -n)" != unlimited ] && [ "$(ulimit -n)" -lt $((stations + 100)) ]; then
  echo "skipped: $stations stations need as many descriptors, and ulimit -Hn is $(ulimit -n)"
  exit 77
fi
work=$(mktemp -d)
mkfifo "$work/port"
"$bin/echo_server" >"$work/port" &
server=$!
finish() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true # it was ended by us
  rm -rf "$work"
}
trap finish EXIT
read -r _ port <"$work/port" # "port N", said when it listens
"$bin/idle_fleet" 127.0.0.1 "$port" "$stations" "$seconds"
