#!/usr/bin/env python3
"""Judges the fault matrix of docs/reliability.md by the tests that its rows name.

usage: fault_matrix.py RELIABILITY_MD RESULTS_XML      what passes, by the JUnit file of a whole run
       fault_matrix.py RELIABILITY_MD CTEST BUILD_DIR  that each test exists

A row passes when each of its tests has run and passed. "not proven yet", and a test that this machine skipped, count as not
passing and are no failure. A test that does not exist or failed, or a row without a test, is."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree

NOT_PROVEN = "not proven yet"


def rows_of(page):
    """Number, fault and last cell of each row."""
    rows = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and cells[0].isdigit():
            if len(cells) != 4:
                sys.exit(f"row {cells[0]} has {len(cells)} cells instead of 4")
            rows.append((int(cells[0]), cells[1], cells[3]))
    numbers = [row[0] for row in rows]
    if not rows or numbers != list(range(1, len(rows) + 1)):
        sys.exit(f"the rows of the fault matrix are not numbered from 1 in order: {numbers}")
    return rows


def outcomes_of(results):
    """What became of each test: passed, failed or skipped."""
    outcomes = {}
    for case in xml.etree.ElementTree.parse(results).getroot().iter("testcase"):
        skipped = case.get("status") == "disabled" or any(
            (skip.get("message") or "").startswith("SKIP_") for skip in case.iter("skipped"))
        outcomes[case.get("name")] = "passed" if case.get("status") == "run" else "skipped" if skipped else "failed"
    return outcomes


def listed_in(ctest, build):
    shown = subprocess.run([ctest, "--test-dir", build, "--show-only=json-v1"], check=True, stdout=subprocess.PIPE)
    return {test["name"] for test in json.loads(shown.stdout)["tests"]}


def tests_of(proof):
    return re.findall(r"`([^`]+)`", proof)


def check_names(rows, listed):
    wrong = [f"row {number} names no test" for number, _, proof in rows
             if not tests_of(proof) and not proof.startswith(NOT_PROVEN)]
    wrong += [f"row {number}: no such test: {test}" for number, _, proof in rows
              for test in tests_of(proof) if test not in listed]
    print("\n".join(wrong) or f"fault matrix: the tests of {len(rows)} rows exist")
    return not wrong


def check_results(rows, outcomes):
    wrong = []
    failed = False
    for number, fault, proof in rows:
        short = [f"{outcomes.get(test, 'no such test')}: {test}" for test in tests_of(proof)
                 if outcomes.get(test) != "passed"]
        failed |= any(not words.startswith("skipped: ") for words in short)
        if proof.startswith(NOT_PROVEN):
            short.append(proof.split("`")[0].strip(" ."))
        if short:
            wrong.append(f"  {number}. {fault}: {'; '.join(short)}")
    print("\n".join([f"fault matrix: {len(rows) - len(wrong)} of {len(rows)} rows pass", *wrong]))
    return not failed


def main(page, *source):
    with open(page, encoding="utf-8") as file:
        rows = rows_of(file.read())
    ok = check_names(rows, listed_in(*source)) if len(source) == 2 else check_results(rows, outcomes_of(*source))
    return 0 if ok else 1


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
