#!/usr/bin/env bash
# Installs what is missing (Debian 12), builds, runs the tests (--nightly: also those that take long), says how many rows of
# the fault matrix pass, and ends with one line: N passed, N failed, N skipped. Where CI is set to true, the sanitizers run as
# well, and the fuzzers for a minute each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=cmake/debian.sh
source cmake/debian.sh

usage() {
  cat <<'TEXT'
usage: tests/run.sh [options]
  --sanitize       also build and test with AddressSanitizer + UndefinedBehaviorSanitizer, and with ThreadSanitizer
  --aarch64        also build for 64-bit ARM, and run the unit tests of that under qemu-user
  --preset NAME    build and test this preset (debug, release, asan-ubsan, tsan); may be repeated; default: release
  --fuzz [SECONDS] also fuzz each target of tests/fuzz for as long (60; with --nightly 1800)
  --coverage       also say what the tests reach of src/, which has to be 90 % of its lines, and 95 % of the branches of
                   src/station, src/governor and src/protocol
  --nightly        also run the tests that take long, and --aarch64
  --filter REGEX   only tests whose name matches, as `ctest -R`
  --jobs N         that many at a time; default: the number of processors
TEXT
}

presets=()
sanitize=no
aarch64=no
ctest_options=()
filtered=no
nightly=no
fuzz_seconds=0
coverage=no
jobs=$(nproc)
while [ $# -gt 0 ]; do
  case $1 in
    --preset | --filter | --jobs)
      [ $# -ge 2 ] || { echo "$1 needs a value; see --help" >&2; exit 2; }
      ;;&
    --sanitize) sanitize=yes ;;
    --aarch64) aarch64=yes ;;
    --coverage) coverage=yes ;;
    --nightly) nightly=yes aarch64=yes ;;
    --fuzz)
      fuzz_seconds=60
      if [[ ${2:-} =~ ^[1-9][0-9]*$ ]]; then fuzz_seconds=$2; shift; fi
      ;;
    --preset) presets+=("$2"); shift ;;
    --filter) filtered=yes ctest_options+=(--tests-regex "$2"); shift ;;
    --jobs) jobs=$2; shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "unknown option: $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
[ ${#presets[@]} -gt 0 ] || presets=(release)
if [ "${CI:-}" = true ]; then
  sanitize=yes
  [ "$fuzz_seconds" -gt 0 ] || fuzz_seconds=60
fi
[ $nightly = no ] || [ "$fuzz_seconds" -gt 60 ] || fuzz_seconds=1800
[ $sanitize = no ] || presets+=(asan-ubsan tsan)
# First: packages that hold the library for several processors are made in the tests of the others.
[ $aarch64 = no ] || presets=(aarch64 "${presets[@]}")
[ $nightly = yes ] || ctest_options+=(--label-exclude '^nightly$')

passed=0 failed=0 skipped=0
failures=$PWD/build/failures.txt
# Much is printed after a test that failed, and whoever reads a long run begins at its end.
finish() {
  [ ! -s "$failures" ] || cat "$failures"
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] || exit 1
  exit 0
}
# What stops the run before its tests counts as one failure, so that the closing line is never good by accident.
give_up() {
  echo "tests/run.sh: $*" >&2
  failed=$((failed + 1))
  finish
}

count() { # pattern, file: a test is one line of what ctest writes
  grep -c -- "$1" "$2" || true
}

run_preset() { # preset
  local preset=$1 results=$PWD/build/$1/results.xml status=0
  echo "== $preset: configuring"
  cmake --preset "$preset" >"build/$preset.log" 2>&1 || { cat "build/$preset.log"; give_up "configuring $preset failed"; }
  echo "== $preset: building (the first time takes some minutes)"
  cmake --build --preset "$preset" --parallel "$jobs" || give_up "building $preset failed"
  echo "== $preset: testing"
  rm -f "$results"
  # ThreadSanitizer of GCC 12 cannot start in an address space with more than 28 random bits, which newer kernels have.
  local without_aslr=()
  if [ "$preset" = tsan ] && [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)" -gt 28 ]; then
    without_aslr=(setarch "$(uname -m)" --addr-no-randomize)
  fi
  "${without_aslr[@]}" ctest --preset "$preset" --parallel "$jobs" --output-junit "$results" "${ctest_options[@]}" || status=$?
  [ -s "$results" ] || give_up "ctest ended with $status and no results"

  local all ran_well skips
  all=$(count '<testcase ' "$results")
  ran_well=$(count '<testcase .*status="run"' "$results")
  skips=$(count '<skipped message="SKIP_\|<testcase .*status="disabled"' "$results")
  # Whatever was neither run to its end nor skipped by its own word (not built, timed out, crashed) has failed.
  passed=$((passed + ran_well))
  skipped=$((skipped + skips))
  failed=$((failed + all - ran_well - skips))
  python3 tests/failed_tests.py "$preset" "$results" >>"$failures"
  if [ $status -ne 0 ] && [ $((all - ran_well - skips)) -eq 0 ]; then give_up "ctest ended with $status"; fi
}

# What docs/reliability.md promises, by the tests that have just run. A promise without its test is a failure of the run.
judge_fault_matrix() { # results
  python3 tests/fault_matrix.py docs/reliability.md "$1" || failed=$((failed + 1))
}

# Each target is one test: it has passed if nothing was found that breaks a promise.
run_fuzzers() {
  local results=$PWD/build/fuzz/results status=0 found
  mkdir -p build/fuzz
  : >"$results"
  tests/fuzz/run --seconds "$fuzz_seconds" --jobs "$jobs" || status=$?
  found=$(count '^failed' "$results")
  grep "^failed" "$results" >>"$failures" || true
  passed=$((passed + $(count '^passed' "$results")))
  failed=$((failed + found))
  if [ $status -ne 0 ] && [ "$found" -eq 0 ]; then give_up "fuzzing ended with $status"; fi
}

# promise, gcovr options: one test of its own.
check_coverage() {
  local promise=$1
  shift
  if gcovr --root . --object-directory build/coverage --exclude-throw-branches --exclude-branches-by-pattern '.*catch \(' "$@" \
    build/coverage; then
    passed=$((passed + 1))
  else
    echo "coverage: $promise: no" >&2
    failed=$((failed + 1))
  fi
}

# Behind every call that may throw, GCC has a branch for the case that it does, and at each catch one per type. These branches are
# left out: they outnumber the others and are in no line that anybody wrote. tests/failures takes each that an allocation can cause.
measure_coverage() {
  mkdir -p build/coverage
  find build/coverage -name '*.gcda' -delete
  run_preset coverage
  echo "== coverage: counting"
  check_coverage "90 % of the lines" --filter src/ --fail-under-line 90 --txt build/coverage/lines.txt --print-summary
  check_coverage "95 % of the branches" --filter 'src/(station|governor|protocol)/' --branches --fail-under-branch 95 \
    --txt build/coverage/branches.txt --print-summary
  echo "what is missing: build/coverage/lines.txt, build/coverage/branches.txt"
}

mkdir -p build
: >"$failures"
[ $coverage = no ] || test_packages+=("${coverage_packages[@]}")
[ $aarch64 = no ] || test_packages+=("${aarch64_packages[@]}")
install_missing "${build_packages[@]}" "${test_packages[@]}" || give_up "packages are missing"
[ $aarch64 = no ] || cmake/aarch64-sysroot || give_up "there are no arm64 libraries"
for preset in "${presets[@]}"; do run_preset "$preset"; done
if [ $filtered = no ] && [[ " ${presets[*]} " == *" release "* ]]; then judge_fault_matrix build/release/results.xml; fi
[ "$fuzz_seconds" -eq 0 ] || run_fuzzers
[ $coverage = no ] || measure_coverage
finish
