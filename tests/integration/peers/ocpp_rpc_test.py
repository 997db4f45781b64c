"""Stations against the npm package ocpp-rpc in strict mode. usage: ocpp_rpc_test.py PEER_CLIENT BUILD_DIRECTORY"""

import subprocess
import sys
import unittest

import npm

SECONDS = 60
CLIENT = DIRECTORY = None


class OcppRpcTest(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen(["node", "ocpp_rpc_server.js"], cwd=DIRECTORY, text=True, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        self.addCleanup(self.end)
        self.url = f"ws://127.0.0.1:{int(self.server.stdout.readline())}/ocpp"

    def end(self):
        self.server.stdin.close()
        try:
            self.server.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
        self.server.stdout.close()

    def station(self, scenario, identity, *options):
        return subprocess.run([CLIENT, scenario, self.url, identity, "csms.security_profile=1", *options],
                              capture_output=True, text=True, timeout=2 * SECONDS)

    def said(self, lines):
        return sorted(self.server.stdout.readline().strip() for _ in range(lines))

    def test_a_station_boots_and_beats_in_both_versions(self):
        for version in ("1.6", "2.0.1"):
            with self.subTest(version):
                run = self.station("boot", "RDAM|123", f"csms.protocol={version}", "csms.auth.type=basic",
                                   "csms.auth.password=a password of sixteen")
                self.assertEqual((run.returncode, run.stderr), (0, ""))
                self.assertEqual(run.stdout, f"ocpp{version} booted\n")
                self.assertEqual(self.said(2), ["cleared Accepted", f"closed RDAM|123 ocpp{version} 1000 done"])

    def test_the_server_chooses_among_the_versions_offered(self):
        run = self.station("boot", "RDAM|123", "csms.protocol=2.1, 2.0.1, 1.6", "csms.auth.type=basic",
                           "csms.auth.password=a password of sixteen")
        self.assertEqual((run.returncode, run.stdout), (0, "ocpp2.0.1 booted\n"))

    def test_a_hex_key_arrives_as_its_bytes(self):
        run = self.station("boot", "AL1000", "csms.auth.type=basic", "csms.auth.password_format=hex",
                           "csms.auth.password=0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_a_wrong_password_is_auth(self):
        run = self.station("listen", "RDAM|123", "csms.auth.type=basic", "csms.auth.password=wrong",
                           "csms.max_reconnect_attempts=1")
        self.assertEqual(run.returncode, 0)
        self.assertIn("ERROR CWIRE_E_AUTH 401 ", run.stdout)
        self.assertNotIn("CONNECTED", run.stdout.replace("DISCONNECTED", ""))
        self.assertEqual(self.said(1), ["refused RDAM|123"])

    def test_no_version_in_common_ends_the_attempt(self):
        run = self.station("listen", "RDAM|123", "csms.protocol=2.1", "csms.auth.type=basic",
                           "csms.auth.password=a password of sixteen", "csms.max_reconnect_attempts=1")
        self.assertEqual(run.returncode, 0)
        self.assertRegex(run.stdout, "ERROR CWIRE_E_(SUBPROTOCOL|HANDSHAKE) ")


if __name__ == "__main__":
    DIRECTORY = sys.argv.pop()
    CLIENT = sys.argv.pop()
    npm.install(DIRECTORY, "ocpp_rpc_server.js")
    unittest.main()
