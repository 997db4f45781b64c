"""Packages both crates, and uses them as a stranger would: a new project that depends on `chargewire`, with the first program of the README in
the package as its main.rs. `cargo run` alone has to find the library.

    package_test.py BINDINGS_RUST PREFIX_LIB CHARGEWIRE_CSMS WORK_DIRECTORY
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

from csms import Csms

CRATES, LIBRARY, CSMS, WORK = sys.argv[1], sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
TARGET, REGISTRY, STATION = WORK / "target", WORK / "registry", WORK / "station"
# A CARGO_HOME of its own: where cargo keeps what it unpacks, it takes a crate of the same version for the same crate.
ENVIRONMENT = {**os.environ, "CARGO_TARGET_DIR": str(TARGET), "CARGO_HOME": str(WORK / "cargo"), "CHARGEWIRE_LIB_DIR": LIBRARY}
ENVIRONMENT.pop("LD_LIBRARY_PATH", None)


def cargo(*arguments, directory, **variables):
    command = ["cargo", arguments[0], "--offline", "--quiet", *arguments[1:]]
    return subprocess.run(command, cwd=directory, env={**ENVIRONMENT, **variables}, check=False, capture_output=True, text=True)


def must(result):
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(result.args)}: {result.returncode}\n{result.stdout}{result.stderr}")


def package():
    """In the order in which they would be published. A cargo older than 1.90 cannot verify a crate that depends on one that is not published."""
    options = ["--locked", "--allow-dirty"]
    if cargo("package", *options, "--workspace", directory=CRATES).returncode != 0:
        must(cargo("package", *options, "-p", "chargewire-sys", directory=CRATES))
        must(cargo("package", *options, "-p", "chargewire", "--no-verify", directory=CRATES))


def publish():
    """Into a directory that is all of crates.io to the new project."""
    for crate in sorted((TARGET / "package").glob("*.crate")):
        with tarfile.open(crate) as archive:
            archive.extractall(REGISTRY)
        directory = REGISTRY / crate.stem
        for name in ("README.md", "LICENSE", "Cargo.toml", "src/lib.rs"):
            assert (directory / name).stat().st_size > 0, f"{crate.name} has no {name}"
        checksums = {"files": {}, "package": hashlib.sha256(crate.read_bytes()).hexdigest()}
        (directory / ".cargo-checksum.json").write_text(json.dumps(checksums))
    assert len(list(REGISTRY.iterdir())) == 2


def new_project(url):
    readme = next(REGISTRY.glob("chargewire-[0-9]*/README.md")).read_text()
    program = re.search(r"```rust,no_run\n(.*?)```", readme, re.DOTALL)[1]
    assert len(program.splitlines()) <= 20, "the first program is one of twenty lines"
    assert "ws://localhost:9000" in program
    dependency = re.search(r"```toml\n(.*?)```", readme, re.DOTALL)[1]
    (STATION / "src").mkdir(parents=True)
    (STATION / ".cargo").mkdir()
    (STATION / "Cargo.toml").write_text(
        f'[package]\nname = "station"\nversion = "0.1.0"\nedition = "2021"\n{dependency}[workspace]\n')
    (STATION / "src" / "main.rs").write_text(program.replace("ws://localhost:9000", url))
    (STATION / ".cargo" / "config.toml").write_text(
        f'[source.crates-io]\nreplace-with = "packaged"\n[source.packaged]\ndirectory = "{REGISTRY}"\n')


def run(csms):
    must(cargo("build", directory=STATION))
    with subprocess.Popen(["cargo", "run", "--offline", "--quiet"], cwd=STATION, env=ENVIRONMENT, stdout=subprocess.PIPE,
                          text=True, start_new_session=True) as program:
        try:
            accepted = program.stdout.readline()
            assert accepted.startswith('CP001: [3,"1",') and "Accepted" in accepted, accepted
            csms.process.stdin.write("die\n")
            csms.process.stdin.flush()
            lost = program.stdout.readline()
            assert lost.startswith("CP001: ") and "next attempt in" in lost, lost
            print(accepted, lost, sep="", end="")
        finally:
            os.killpg(program.pid, 9)  # cargo and the station


def linked_in():
    """By pkg-config, since only that knows what else it takes."""
    must(cargo("build", directory=STATION, CHARGEWIRE_STATIC="1", PKG_CONFIG_PATH=f"{LIBRARY}/pkgconfig"))
    needs = subprocess.run(["readelf", "-d", TARGET / "debug" / "station"], check=True, capture_output=True, text=True).stdout
    assert "libssl" in needs and "libchargewire" not in needs, needs


def not_there():
    """What to install is said."""
    elsewhere = cargo("build", directory=STATION, CHARGEWIRE_LIB_DIR=str(WORK))
    assert elsewhere.returncode != 0 and "there is no libchargewire.so" in elsewhere.stderr, elsewhere
    del ENVIRONMENT["CHARGEWIRE_LIB_DIR"]
    nowhere = cargo("build", directory=STATION, PKG_CONFIG_LIBDIR=str(WORK), PKG_CONFIG_PATH="")
    assert nowhere.returncode != 0 and "Install the package libchargewire-dev" in nowhere.stderr, nowhere
    no_program = cargo("build", directory=STATION, PKG_CONFIG="no-such-program")
    assert no_program.returncode != 0 and "no-such-program does not run" in no_program.stderr, no_program


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    package()
    publish()
    with Csms(CSMS) as csms:
        new_project(csms.url)
        run(csms)
    linked_in()
    not_there()


main()
