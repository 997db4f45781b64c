"""Compressing stations against the npm package ws. usage: ws_test.py PEER_CLIENT BUILD_DIRECTORY"""

import json
import subprocess
import sys
import unittest

import npm

SECONDS = 60
CLIENT = DIRECTORY = None

# What ws calls its parameters, and the station's options.
SERVERS = [{}, {"serverNoContextTakeover": True, "clientNoContextTakeover": True},
           {"serverMaxWindowBits": 9, "clientMaxWindowBits": 10}]
STATIONS = [[], ["csms.deflate.context_takeover=true", "csms.deflate.server_context_takeover=true"],
            ["csms.deflate.server_window_bits=9", "csms.deflate.window_bits=9", "csms.deflate.context_takeover=true"]]


class WsTest(unittest.TestCase):
    def serve(self, parameters):
        server = subprocess.Popen(["node", "ws_server.js", json.dumps(parameters)], cwd=DIRECTORY, text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def end():
            server.stdin.close()
            try:
                server.wait(SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            server.stdout.close()

        self.addCleanup(end)
        return server, f"ws://127.0.0.1:{int(server.stdout.readline())}"

    def test_echo_with_each_others_parameters(self):
        for parameters in SERVERS:
            server, url = self.serve(parameters)
            for options in STATIONS:
                with self.subTest(parameters=parameters, options=options):
                    run = subprocess.run([CLIENT, "echo", url, "CP1", "csms.deflate.enabled=true",
                                          "csms.deflate.size_min=1B", *options], capture_output=True, text=True,
                                         timeout=2 * SECONDS)
                    self.assertEqual((run.returncode, run.stderr), (0, ""))
                    self.assertEqual(server.stdout.readline(), "permessage-deflate\n")

    def test_nothing_is_agreed_on_where_it_is_off(self):
        server, url = self.serve({})
        run = subprocess.run([CLIENT, "echo", url, "CP1"], capture_output=True, text=True, timeout=2 * SECONDS)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(server.stdout.readline(), "nothing\n")


if __name__ == "__main__":
    DIRECTORY = sys.argv.pop()
    CLIENT = sys.argv.pop()
    npm.install(DIRECTORY, "ws_server.js")
    unittest.main()
