#!/usr/bin/env bash
# Fails, and shows what is not as gofmt writes it, if anything is not.
set -euo pipefail
unformatted=$(gofmt -d "$@")
[ -z "$unformatted" ] || { printf '%s\n' "$unformatted"; exit 1; }
