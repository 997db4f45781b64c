"""What configuration.yaml and job.yaml say is run as a pod would run it. usage: configuration_test.py FLEET CSMS"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

import yaml

MANIFESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../examples/fleet/kubernetes")
FLEET = CSMS = None


def manifest(name):
    with open(os.path.join(MANIFESTS, name)) as file:
        return yaml.safe_load(file)


def seconds(duration):
    return float(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


class ConfigurationTest(unittest.TestCase):
    def setUp(self):
        self.job = manifest("job.yaml")["spec"]
        self.pod = self.job["template"]["spec"]
        self.container = self.pod["containers"][0]
        self.fleet = yaml.safe_load(manifest("configuration.yaml")["data"]["fleet.yaml"])

    def test_the_numbers_of_the_manifests_agree(self):
        self.assertEqual(self.job["completions"], self.job["parallelism"])
        self.assertIn(f"--shard=job/{self.job['completions']}", self.container["args"])
        self.assertGreater(self.pod["terminationGracePeriodSeconds"], seconds(self.fleet["fleet"]["drain"]) + 10)
        volumes = {volume["name"]: volume for volume in self.pod["volumes"]}
        self.assertEqual(volumes["configuration"]["configMap"]["name"], manifest("configuration.yaml")["metadata"]["name"])
        self.assertEqual(volumes["credentials"]["secret"]["secretName"], manifest("credentials.yaml")["metadata"]["name"])
        self.assertEqual(volumes["reports"]["persistentVolumeClaim"]["claimName"], manifest("reports.yaml")["metadata"]["name"])
        self.assertEqual(self.fleet["metrics"]["listen"].split(":")[1], str(self.container["ports"][0]["containerPort"]))
        self.assertEqual(set(volumes), {mount["name"] for mount in self.container["volumeMounts"]})

    def test_a_pod_runs_its_share_and_takes_its_leave_when_it_is_told_to(self):
        with tempfile.TemporaryDirectory() as root:
            secret = manifest("credentials.yaml")["stringData"]
            os.mkdir(os.path.join(root, "credentials"))
            os.mkdir(os.path.join(root, "reports"))
            certificate = os.path.join(root, "credentials/ca.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                            "-keyout", os.path.join(root, "key.pem"), "-out", certificate], check=True, capture_output=True)
            with open(os.path.join(root, "credentials/password"), "w") as file:
                file.write(secret["password"])
            with open(os.path.join(root, "fleet.yaml"), "w") as file:
                file.write(manifest("configuration.yaml")["data"]["fleet.yaml"].replace("0.0.0.0:9464", "127.0.0.1:0"))
            csms = subprocess.Popen([CSMS, "--cert", certificate, "--key", os.path.join(root, "key.pem"), "--password", secret["password"], "--stdin"],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            try:
                port = csms.stdout.readline().strip().rsplit(":", 1)[1]
                self.run_pod(root, f"wss://localhost:{port}/ocpp")
            finally:
                csms.stdin.close()
                csms.wait(60)
                csms.stdout.close()

    def run_pod(self, root, url):
        arguments = [argument.replace("/etc/chargewire", root).replace("/reports", root + "/reports").replace("$(JOB_COMPLETION_INDEX)", "1")
                     for argument in self.container["args"]]
        pod = subprocess.Popen([FLEET, *arguments, "--url", url, "--stations", "8"], env={**os.environ, "JOB_COMPLETION_INDEX": "1"}, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = ""
        with pod.stdout:
            for line in pod.stdout:
                said += line
                if "connected 2 of 2" in line and "(ending)" not in line:
                    pod.send_signal(signal.SIGTERM)
        self.assertEqual(pod.wait(60), 128 + signal.SIGTERM, said)  # before the duration was over: whoever was evicted is not done
        with open(os.path.join(root, "reports/shard-1.json")) as file:
            report = json.load(file)
        self.assertEqual((report["setup"]["stations"], report["setup"]["first_id"]), (2, "CP000002"))
        self.assertEqual((report["verdict"]["level"], report["drained"]), ("good", True))
        self.assertGreater(os.path.getsize(os.path.join(root, "reports/shard-1.html")), 10000)


if __name__ == "__main__":
    CSMS = sys.argv.pop()
    FLEET = sys.argv.pop()
    unittest.main()
