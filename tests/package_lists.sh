#!/usr/bin/env bash
# usage: package_lists.sh <source directory>: cmake/debian.sh says what building the library takes; whoever names it elsewhere has to name all.
set -euo pipefail
cd "$1"
# shellcheck source=cmake/debian.sh
source cmake/debian.sh

status=0
for file in README.md examples/fleet/kubernetes/Containerfile; do
  for package in "${library_packages[@]}"; do
    grep -qE "(^|[^a-z0-9-])$package([^a-z0-9-]|\$)" "$file" || { echo "$file does not name $package"; status=1; }
  done
done
exit $status
