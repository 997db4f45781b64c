"""Installs the package, offline, and looks at it as a new user would.

    package_test.py BINDINGS_PYTHON FOLDER
"""
import importlib.metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys

module, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
shutil.rmtree(folder, ignore_errors=True)
source, target = folder / "source", folder / "target"
shutil.copytree(module, source)  # a build leaves things next to its sources

result = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-build-isolation", "--no-deps", "--no-compile",
                         "--root-user-action=ignore", "--target", target, source], check=False, capture_output=True, text=True)
if re.search(r"No module named '?(pip|setuptools)", result.stderr):
    print("skipped: Debian's packages python3-pip and python3-setuptools will do")
    sys.exit(0)
assert result.returncode == 0, result.stderr

distribution, = importlib.metadata.distributions(path=[str(target)])
assert {path.name for path in target.iterdir()} == {"chargewire.py", f"chargewire-{distribution.version}.dist-info"}
assert "LICENSE" in [path.name for path in distribution.files]
assert "## A station" in distribution.metadata.get_payload() and not distribution.requires

# The configuration that its README shows, from that package alone.
programs = re.findall(r"```python\n(.*?)```", distribution.metadata.get_payload(), re.DOTALL)
program, = [program for program in programs if "load_file" in program]
(folder / "fleet.yaml").write_text("csms:\n  ping_interval: 25s\n", encoding="utf-8")
(folder / "station.key").write_text("0123456789abcdef\n", encoding="utf-8")
program += f"assert config.ping_interval == timedelta(seconds=25)\nassert chargewire.__version__ == '{distribution.version}' == chargewire.version()\n"
subprocess.run([sys.executable, "-W", "error::DeprecationWarning", "-c", "import chargewire\n" + program], cwd=folder, check=True,
               env={**os.environ, "PYTHONPATH": str(target)})
