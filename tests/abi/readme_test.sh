#!/bin/sh
# Compiles the first C program of README.md as a reader would who copies it, and wants it to stay short.
# usage: readme_test.sh <README.md> <include directory> <cc>
set -eu
readme=$1 include=$2 cc=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^```/ { if (inside) exit; if ($0 == "```c") { inside = 1; next } } inside' "$readme" >"$work/readme.c"
lines=$(wc -l <"$work/readme.c")
if [ "$lines" -eq 0 ] || [ "$lines" -ge 40 ]; then
  echo "failed: the C program of README.md has $lines lines; it must have some, and fewer than 40" >&2
  exit 1
fi
"$cc" -std=c99 -Wall -Wextra -Werror -I "$include" -c "$work/readme.c" -o "$work/readme.o"
