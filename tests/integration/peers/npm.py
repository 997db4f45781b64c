"""The npm packages that servers of this directory are made of."""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def install(directory, server):
    """The packages, at the versions of package-lock.json, and the server beside them."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            skip(f"there is no {tool}; install nodejs and npm")
    os.makedirs(directory, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", server):
        shutil.copy(os.path.join(HERE, name), directory)
    run = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=directory, capture_output=True, text=True)
    if run.returncode != 0:
        skip("npm cannot install the packages: " + " ".join(run.stderr.split())[-300:])
