"""docs/errors.md against chargewire.h: every status of a failure has one row there, and no cell of it is empty.

usage: errors_documented_test.py <chargewire.h> <errors.md>
"""

import pathlib
import re
import sys

STATUS = re.compile(r"^#define (CWIRE_E_\w+) \(-\d+\)", re.MULTILINE)
ROW = re.compile(r"^\| `(CWIRE_E_\w+)` \|(.*)\|$", re.MULTILINE)
CELLS = 3  # after the status: what happened with a real message, what to do, whether the library tries again
MESSAGE = re.compile(r"<br>`[^`]+`")


def main():
    header, page = (pathlib.Path(argument).read_text(encoding="utf-8") for argument in sys.argv[1:])
    declared = STATUS.findall(header)
    rows = ROW.findall(page)
    described = [status for status, _ in rows]

    problems = []
    if len(declared) != header.count("\n#define CWIRE_E_"):
        problems.append("chargewire.h defines a CWIRE_E_ that this test cannot read")
    for status in declared:
        if described.count(status) != 1:
            problems.append(f"{status} has {described.count(status)} rows; give it one: | `{status}` | what happened | ...")
    for status, text in rows:
        if status not in declared:
            problems.append(f"{status} has a row but is no status of chargewire.h")
        cells = [cell.strip() for cell in text.split("|")]
        if len(cells) != CELLS or not all(cells):
            problems.append(f"{status}: a row has {CELLS} cells after the status, none of them empty")
        elif not MESSAGE.search(cells[0]):
            problems.append(f"{status}: no message as users see it; end the first cell with <br>`...`")

    for problem in problems:
        print(problem)
    print(f"{len(declared)} statuses, {len(problems)} problems")
    return 1 if problems or not declared else 0


sys.exit(main())
