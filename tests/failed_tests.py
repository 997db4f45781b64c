"""What failed, from a JUnit file of ctest: each test with the end of what it printed, so that the last page of a long run tells it.

usage: failed_tests.py PRESET RESULTS
"""

import sys
import xml.etree.ElementTree as ElementTree

LINES_MAX = 60


def main() -> None:
    preset, results = sys.argv[1:]
    for test in ElementTree.parse(results).getroot().iter("testcase"):
        skipped = test.find("skipped")
        if test.get("status") in ("run", "disabled"):
            continue
        if skipped is not None and skipped.get("message", "").startswith("SKIP_"):
            continue
        failure = test.find("failure")
        why = failure if failure is not None else skipped
        print(f"== failed, {preset}: {test.get('name')} ({why.get('message', '') if why is not None else ''})")
        printed = (test.findtext("system-out") or "").rstrip().splitlines()
        if len(printed) > LINES_MAX:
            print(f"(the last {LINES_MAX} of {len(printed)} lines)")
        print("\n".join(printed[-LINES_MAX:]))


if __name__ == "__main__":
    main()
