"""A fleet of all three versions against the npm package ocpp-rpc in strict mode. usage: strict_test.py FLEET BUILD_DIRECTORY"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from waits import Output, end_of

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(HERE, "../integration/peers")  # says which version of ocpp-rpc
ACTIONS = ("BootNotification", "Heartbeat", "StatusNotification", "MeterValues", "StartTransaction", "StopTransaction", "TransactionEvent")
FLEET = DIRECTORY = None

YAML = """
fleet: { stations: 9, ramp: 0, protocol: { "1.6": 34%, "2.0.1": 33%, "2.1": 33% } }
scenario:
  connectors: 2
  boot: { serial_number: "SN{}", firmware_version: "1.0" }
  heartbeat: { interval: 300ms }
  status: { interval: 1s }
  meter_values: { interval: 200ms }
  transactions: { pause: 400ms, duration: 900ms }
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def install():
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            skip(f"there is no {tool}; install nodejs and npm")
    os.makedirs(DIRECTORY, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(os.path.join(PACKAGE, name), DIRECTORY)
    shutil.copy(os.path.join(HERE, "strict_csms.js"), DIRECTORY)
    run = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=DIRECTORY, capture_output=True, text=True)
    if run.returncode != 0:
        skip("npm cannot install ocpp-rpc: " + " ".join(run.stderr.split())[-300:])


class StrictTest(unittest.TestCase):
    def test_what_stations_say_fits_the_schemas_of_their_version(self):
        # What the validator says of the schemas themselves goes nowhere.
        server = subprocess.Popen(["node", "strict_csms.js"], cwd=DIRECTORY, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with tempfile.TemporaryDirectory() as directory:
            yaml, record = os.path.join(directory, "fleet.yaml"), os.path.join(directory, "run.json")
            with open(yaml, "w") as file:
                file.write(YAML)
            output = Output(server.stdout.fileno())
            run = None
            try:
                url = f"ws://127.0.0.1:{int(output.line())}/ocpp"
                run = subprocess.Popen([FLEET, yaml, "--url", url, "--json", record], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                output.until(lambda: output.all.count(b"told ") == 9 and all(b"answered %s\n" % action.encode() in output.all for action in ACTIONS),
                             "all that is told and answered")
                run.send_signal(signal.SIGTERM)
                out, err = end_of(run)
            finally:
                if run is not None:
                    run.kill()
                rest, _ = end_of(server)
            with open(record) as file:
                actions = {action["action"]: action["answered"] for action in json.load(file)["actions"]}
        said = output.all.decode() + rest
        self.assertEqual(run.returncode, 0, out + err + said)
        self.assertEqual(sorted(line for line in said.splitlines()[1:] if not line.startswith("answered ")),
                         ["told ocpp1.6"] * 3 + ["told ocpp2.0.1"] * 3 + ["told ocpp2.1"] * 3)
        self.assertEqual(set(actions), set(ACTIONS))


if __name__ == "__main__":
    FLEET, DIRECTORY = map(os.path.abspath, sys.argv[1:3])
    install()
    unittest.main(argv=sys.argv[:1])
