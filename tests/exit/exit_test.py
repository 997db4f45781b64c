"""exit() with living managers neither crashes nor hangs. usage: exit_test.py EXIT_CLIENT CSMS RUNS

It is a race: without the care that is tested, some of these crashed in one run of ten."""

import os
import subprocess
import sys
import tempfile
import unittest

CLIENT = CSMS = RUNS = None
MODES = ["while connecting", "while busy", "while another thread sends", "inside the handler", "with a static manager",
         "with a free that comes late", "after OpenSSL was set up by the host", "while tracing"]


class ExitTest(unittest.TestCase):
    def start_csms(self, *options):
        csms = subprocess.Popen([CSMS, "--stdin", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def end():
            csms.stdin.close()
            csms.wait(60)
            csms.stdout.close()

        self.addCleanup(end)
        return csms.stdout.readline().split()[-1]

    def exit_in_every_way(self, url):
        for mode in MODES:
            for run in range(int(RUNS)):
                with self.subTest(mode=mode, run=run):
                    self.assertEqual(subprocess.run([CLIENT, url, mode], timeout=60).returncode, 0)

    def test_ws(self):
        self.exit_in_every_way(self.start_csms())

    def test_wss(self):
        with tempfile.TemporaryDirectory() as directory:
            certificate, key = os.path.join(directory, "server.pem"), os.path.join(directory, "server.key")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-keyout", key, "-out", certificate, "-subj", "/CN=localhost"], check=True, capture_output=True)
            self.exit_in_every_way(self.start_csms("--cert", certificate, "--key", key))


if __name__ == "__main__":
    CLIENT, CSMS, RUNS = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
