"""The public headers against symbols.txt: every function is listed, documented, and reachable from the C++ wrapper.

usage: declarations_test.py <include/chargewire> <symbols.txt>
"""

import pathlib
import re
import sys

FUNCTION = re.compile(r"^CWIRE_API\b[^;(]*?\b(cwire_\w+)\(", re.MULTILINE)
# What starts a public declaration of a type or a constant. Feature macros and guards are not for callers.
DEFINITION = re.compile(r"^(?:typedef\b|#define CWIRE_(?!API\b))")


def undocumented(header):
    """Declarations with no comment: above them, on their line, or above the unbroken block of one-liners they stand in."""
    lines = header.splitlines()
    found = []
    block_documented = False
    for number, line in enumerate(lines):
        above = lines[number - 1].rstrip() if number else ""
        if not above:
            block_documented = False
        elif above.endswith("*/") and not DEFINITION.match(above):
            block_documented = True
        if line.startswith("CWIRE_API"):
            # Each function says what it does and returns, be it ever so like the one above it.
            if not above.endswith("*/"):
                found.append((number + 1, line))
        elif DEFINITION.match(line) and not (block_documented or "/*" in line):
            found.append((number + 1, line))
    return found


def main():
    directory, symbols_path = map(pathlib.Path, sys.argv[1:])
    header = (directory / "chargewire.h").read_text()
    wrapper = (directory / "chargewire.hpp").read_text()
    symbols = symbols_path.read_text().split()
    declared = FUNCTION.findall(header)

    problems = []
    if symbols != sorted(set(symbols)):
        problems.append(f"{symbols_path.name} is not sorted, or names one twice")
    for name in sorted(set(declared) - set(symbols)):
        problems.append(f"{name} is declared but not in {symbols_path.name}: add it there, and raise CWIRE_ABI_VERSION")
    for name in sorted(set(symbols) - set(declared)):
        problems.append(f"{name} is in {symbols_path.name} but no longer declared: nothing is ever removed from the ABI")
    if len(declared) != header.count("\nCWIRE_API "):
        problems.append("a line begins with CWIRE_API and declares no function that this test can read")
    for number, line in undocumented(header):
        problems.append(f"chargewire.h:{number}: no comment above: {line}")
    for name in declared:
        if not re.search(rf"\b{name}\b", wrapper):
            problems.append(f"chargewire.hpp never calls {name}")

    for problem in problems:
        print(problem)
    print(f"{len(declared)} functions, {len(problems)} problems")
    return 1 if problems or not declared else 0


sys.exit(main())
