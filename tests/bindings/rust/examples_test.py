"""The three programs of examples/rust, against the embedded CSMS.

    examples_test.py DIRECTORY_OF_THE_PROGRAMS CHARGEWIRE_CSMS
"""
import pathlib
import subprocess
import sys
import tempfile

from csms import Csms

PROGRAMS, CSMS = pathlib.Path(sys.argv[1]), sys.argv[2]


def run(name, *arguments):
    return subprocess.run([PROGRAMS / name, *arguments], check=False, capture_output=True, text=True, timeout=60)


def one_station():
    with Csms(CSMS) as csms, subprocess.Popen([PROGRAMS / "one_station", csms.url, "CP|1"], stdout=subprocess.PIPE,
                                              text=True) as program:
        try:
            line = program.stdout.readline()
            assert line.startswith('CP|1: [3,"1",') and "Accepted" in line, line
        finally:
            program.kill()


def fleet():
    with Csms(CSMS) as csms:
        result = run("fleet", csms.url, "1000", "2")
    lines = result.stdout.splitlines()
    assert result.returncode == 0, result
    assert lines[-2].startswith("1000 of 1000 connected, 0 refused; 3000 messages sent, 3000 received, 0 waiting"), lines
    assert lines[-1] == "0 failed attempts, 0 connections lost, 1000 of 1000 stations closed", lines


def openssl(*arguments, directory):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def certificates(directory):
    """One CA, a server and a station."""
    key = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
    openssl("req", "-x509", *key, "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem", directory=directory)
    for name, subject, extensions in (("server", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
                                      ("station", "/CN=CP001", "extendedKeyUsage=clientAuth")):
        (directory / "extensions").write_text(extensions)
        openssl("req", *key[:3], "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr", directory=directory)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", "extensions", "-out", f"{name}.pem", directory=directory)


def client_certificate():
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        certificates(directory)
        path = [str(directory / file) for file in ("ca.pem", "station.pem", "station.key", "server.pem", "server.key")]
        with Csms(CSMS, "--cert", path[3], "--key", path[4], "--client-ca", path[0]) as csms:
            result = run("client_certificate", csms.url, "CP001", *path[:3])
            assert result.returncode == 0 and '[3,"heartbeat-1",' in result.stdout, result
            # A key that is not that certificate's is found before anything is dialled.
            result = run("client_certificate", csms.url, "CP001", *path[:2], path[4])
            assert result.returncode == 1 and "key" in result.stderr, result
        assert run("client_certificate").returncode == 2


one_station()
fleet()
client_certificate()
