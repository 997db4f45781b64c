#!/bin/sh
# configuration_docs.sh GENERATOR docs/configuration.md: the page must be what the generator makes of the option table, and the schema
# must be JSON.
set -eu
generator=$1
page=$2

if ! "$generator" | diff -u "$page" -; then
  echo "docs/configuration.md is stale; run: generate_configuration > docs/configuration.md" >&2
  exit 1
fi

"$generator" --schema | python3 -c '
import json, sys
options = json.load(sys.stdin)["options"]
names = ["key", "type", "default", "minimum", "maximum", "choices", "description", "reloadable", "secret"]
for option in options:
    assert list(option) == names, option
assert len(options) == len({option["key"] for option in options}) > 40
'
