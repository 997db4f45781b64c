#!/bin/sh
# metrics_docs.sh GENERATOR docs/metrics.md: the page must be what the generator makes of the table of metrics.
set -eu
if ! "$1" | diff -u "$2" -; then
  echo "docs/metrics.md is stale; run: build/release/tests/generate_metrics >docs/metrics.md" >&2
  exit 1
fi
