"""Writes the source of a library that has every function of another one, each of which says its name and aborts.

usage: stand_in.py <nm> <library> <output.c>
"""

import pathlib
import subprocess
import sys

nm, library, output = sys.argv[1:]
symbols = subprocess.run([nm, "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
rows = [line.split()[1:] for line in symbols.splitlines()]
functions = sorted({name.split("@")[0] for kind, name in rows if kind in "TWi"})
pathlib.Path(output).write_text(
    "#include <stdio.h>\n#include <stdlib.h>\n"
    '#define STAND_IN(name) void name(void) { fputs("called the OpenSSL of the host: " #name "\\n", stderr); abort(); }\n'
    + "".join(f"STAND_IN({name})\n" for name in functions)
)
