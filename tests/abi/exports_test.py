"""The shared library as the linker sees it: what it exports, what it is called, what it needs.

usage: exports_test.py <libchargewire.so> <symbols.txt> <soversion> <nm> <readelf> [bundled]
"""

import pathlib
import platform
import re
import subprocess
import sys

# What the library may need at run time. Anything else is a dependency that someone added without saying so.
ALLOWED = re.compile(
    r"(libssl|libcrypto|libyaml-cpp|libz|libstdc\+\+|libc\+\+|libc\+\+abi|libunwind|libm|libgcc_s|libc|libpthread|libdl"
    r"|ld-linux[\w-]*|libc\.musl-\w+|lib[at]san|libubsan)\.so(\.[\d.]+)?"
)
# The same of the self-contained library: what every system with glibc has.
ALLOWED_BUNDLED = re.compile(r"(libm|libgcc_s|libc|libpthread|libdl|ld-linux[\w-]*)\.so\.\d+")
# The oldest glibc that the self-contained library runs with, where it was built on Debian 12, whose glibc is 2.36.
GLIBC_BUNDLED, GLIBC_DEBIAN_12 = (2, 34), (2, 36)


def version_of(text):
    return tuple(int(part) for part in text.split("."))


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    library, symbols_path, soversion, nm, readelf, *bundled = sys.argv[1:]
    allowed = ALLOWED_BUNDLED if bundled else ALLOWED
    expected = set(pathlib.Path(symbols_path).read_text().split())
    exported = {line.split()[-1] for line in output_of(nm, "-D", "--defined-only", library).splitlines()}
    dynamic = output_of(readelf, "-dW", library)
    soname = re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)

    problems = [f"exported, but not in symbols.txt: {name}" for name in sorted(exported - expected)]
    problems += [f"in symbols.txt, but not exported: {name}" for name in sorted(expected - exported)]
    problems += [f"needs {name}, which is not a dependency it may have" for name in needed if not allowed.fullmatch(name)]
    if soname != [f"libchargewire.so.{soversion}"]:
        problems.append(f"the SONAME is {soname}, not libchargewire.so.{soversion}")
    if not re.search(r"\(FLAGS_1\).*\bNODELETE\b", dynamic):
        problems.append("not linked with -Wl,-z,nodelete: dlclose() could unmap code that an I/O thread is still in")
    if "(TEXTREL)" in dynamic:
        problems.append("has text relocations: something in it was compiled without -fPIC")

    if bundled and version_of(platform.libc_ver()[1]) <= GLIBC_DEBIAN_12:
        versions = set(re.findall(r"\bGLIBC_([\d.]+)", output_of(readelf, "-VW", library)))
        problems += [f"needs something of glibc {version}" for version in sorted(versions) if version_of(version) > GLIBC_BUNDLED]

    for problem in problems:
        print(problem)
    print(f"{len(exported)} exported, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
