"""The self-contained library in hosts that have an OpenSSL of their own.

usage: host_test.py <chargewire-csms> <bundled libchargewire.so> stand-in <host> <ordinary libchargewire.so>
       host_test.py <chargewire-csms> <bundled libchargewire.so> node <host.js> <addon>
       host_test.py <chargewire-csms> <bundled libchargewire.so> other-distribution <host>
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


@contextlib.contextmanager
def wss_csms(csms):
    """Yields its URL and the file of its certificate."""
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = pathlib.Path(directory, "server.pem"), pathlib.Path(directory, "server.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                        "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True)
        process = subprocess.Popen([csms, "--echo", "--stdin", "--cert", certificate, "--key", key], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        try:
            yield process.stdout.readline().split()[-1], certificate
        finally:
            process.stdin.close()
            process.wait(60)
            process.stdout.close()


def run(*command, **variables):
    result = subprocess.run(command, capture_output=True, text=True, timeout=50, env={**os.environ, **variables})
    return result.returncode, result.stdout + result.stderr


def stand_in(csms, bundled, host, ordinary):
    with wss_csms(csms) as (url, certificate):
        status, said = run(host, bundled, url, certificate)
        print(said, end="")
        if status != 0:
            return 1
        # The ordinary library takes whatever libssl is there first: the stand-in, which tells. Else this test could not fail.
        status, said = run(host, ordinary, url, certificate)
        print("the ordinary library:", said, end="")
        return 0 if status != 0 and "called the OpenSSL of the host" in said else 1


def node(csms, bundled, script, addon):
    executable = shutil.which("node")
    if executable is None:
        print("there is no node")
        return 77
    if " SSL_CTX_new" not in run("nm", "-D", "--defined-only", os.path.realpath(executable))[1]:
        print("this node uses the system's OpenSSL, and exports none")
        return 77
    with wss_csms(csms) as (url, certificate):
        status, said = run(executable, script, addon, HOST_LIBRARY=bundled, HOST_URL=url, HOST_CA=str(certificate))
        print(said, end="")
        return 0 if status == 0 and "talked beside OpenSSL" in said else 1


def other_distribution(csms, bundled, host):
    """Where there is no /usr/lib/ssl, and the CAs are where Fedora, SUSE and others have them."""
    isolated = ["env", "-u", "SSL_CERT_FILE", "-u", "SSL_CERT_DIR", "unshare", "--map-root-user", "--mount"]
    if run(*isolated, "true")[0] != 0:
        print("this machine lets nobody have mounts of his own")
        return 77
    script = """set -e
        bundle=$1 certificate=$2
        shift 2
        mount -t tmpfs none /usr/lib/ssl
        mount -t tmpfs none /etc
        mkdir -p "$(dirname "$bundle")"
        cp "$certificate" "$bundle"
        exec "$@"
    """
    with wss_csms(csms) as (url, certificate):
        for bundle in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"):
            status, said = run(*isolated, "sh", "-c", script, "sh", bundle, certificate, host, bundled, url, "")
            print(f"{bundle}: {said}", end="")
            if status != 0:
                return 1
    return 0


csms, bundled, host, *rest = sys.argv[1:]
sys.exit({"stand-in": stand_in, "node": node, "other-distribution": other_distribution}[host](csms, bundled, *rest))
