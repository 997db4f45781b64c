#!/usr/bin/env bash
# Runs a script of node with the packages that stand beside it, at the versions of its package-lock.json, installed into a directory of the build.
# Exit code 77: they cannot be had here, and the last line says why.
# usage: node_check.sh <script> <directory> [<argument>...]
set -euo pipefail
script=$1 directory=$2
shift 2
for tool in node npm; do
  command -v $tool >/dev/null || { echo "skipped: there is no $tool; install nodejs and npm"; exit 77; }
done
mkdir -p "$directory"
source=$(dirname "$script")
cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" "$script" "$directory"
cd "$directory"
npm ci --no-audit --no-fund >npm.log 2>&1 || { echo "skipped: npm cannot install $(node -p 'Object.keys(require("./package.json").dependencies).join(", ")'): $(tail -n 3 npm.log | tr '\n' ' ')"; exit 77; }
exec node "$(basename "$script")" "$@"
