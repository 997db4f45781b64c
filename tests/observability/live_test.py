"""Prometheus with these rules scrapes a live fleet that loses its CSMS, and each query of the dashboard has an answer.
usage: live_test.py EXAMPLES CSMS PROMETHEUS; PYTHONPATH and CHARGEWIRE_LIBRARY lead to the module and the library of Chargewire"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from datetime import timedelta

import yaml

EXAMPLES = CSMS = PROMETHEUS = None
STATIONS = 20
SECONDS = 120
# Scrapes are a second apart here.
VARIABLES = {"$__rate_interval": "5s", "[5m]": "[5s]", "$job": ".*", "$endpoint": ".*"}
# A fleet that polls has none of it.
OF_HANDLERS = "chargewire_handler_seconds"


class LiveTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.csms = subprocess.Popen([CSMS, "--stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.csms.stdout.close)
        self.addCleanup(self.csms.wait, 60)
        self.addCleanup(self.csms.stdin.close)
        url = re.search(r"ws://\S+", self.csms.stdout.readline())[0]
        self.manager = Manager(Config(default_url=url, ping_interval=timedelta(seconds=1), metrics_enabled=True, metrics_listen="127.0.0.1:0",
                                      reconnect_backoff=timedelta(milliseconds=200), reconnect_max_backoff=timedelta(seconds=1)))
        events = threading.Thread(target=self.take_events)
        events.start()
        self.addCleanup(events.join)
        self.addCleanup(self.manager.shutdown)
        for number in range(STATIONS):
            self.manager.connect(f"CP{number}")

    def take_events(self):
        with self.manager:
            for event in self.manager.events():
                if event.type == EventType.CONNECTED:
                    event.station.send('[2,"1","Heartbeat",{}]')

    def start_prometheus(self):
        """With what examples/observability has, but faster, and from this fleet."""
        with open(os.path.join(EXAMPLES, "prometheus.yml")) as file:
            configuration = yaml.safe_load(file)
        configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        configuration["rule_files"] = [os.path.join(EXAMPLES, name) for name in configuration["rule_files"]]
        served = urllib.parse.urlsplit(self.manager.metrics_url())
        configuration["scrape_configs"][0]["static_configs"][0]["targets"] = [served.netloc]
        path = os.path.join(self.directory.name, "prometheus.yml")
        with open(path, "w") as file:
            yaml.safe_dump(configuration, file)
        prometheus = subprocess.Popen([PROMETHEUS, f"--config.file={path}", f"--storage.tsdb.path={self.directory.name}/data", "--web.listen-address=127.0.0.1:0"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(prometheus.stderr.close)
        self.addCleanup(prometheus.wait, 60)
        self.addCleanup(prometheus.terminate)
        said = ""
        for line in prometheus.stderr:
            said += line
            listening = re.search(r'"Listening on" address=(\S+)', line)
            if listening:
                self.address = listening[1]
                threading.Thread(target=prometheus.stderr.read, daemon=True).start()  # so that it never waits for a reader
                return self.wait_until_ready()
        self.fail(said)

    def ask(self, path, **parameters):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return json.load(answer)["data"]

    def wait_until_ready(self):
        """It listens before it can answer."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=SECONDS).close()
                return
            except urllib.error.HTTPError as unready:
                unready.close()
                time.sleep(0.2)
        self.fail("Prometheus does not become ready")

    def wait_for_answers(self, queries):
        """Until each has one: to each query that has none, that of which panel it is."""
        missing = dict(queries)
        end = time.monotonic() + SECONDS
        while missing and time.monotonic() < end:
            for query in list(missing):
                if self.ask("query", query=query)["result"]:
                    del missing[query]
            if missing:
                time.sleep(0.2)
        self.assertEqual(missing, {})

    def test_each_query_of_the_dashboard_has_an_answer_and_each_rule_can_be_evaluated(self):
        with open(os.path.join(EXAMPLES, "chargewire-fleet.dashboard.json")) as file:
            panels = json.load(file)["panels"]
        of_a_well_fleet, of_trouble = {}, {}
        for panel in panels:
            for target in panel.get("targets", []):
                query = target["expr"]
                for name, value in VARIABLES.items():
                    query = query.replace(name, value)
                if OF_HANDLERS not in query:
                    (of_trouble if query.endswith(" > 0") else of_a_well_fleet)[query] = panel["title"]
        self.start_prometheus()
        self.wait_for_answers(of_a_well_fleet)
        self.wait_for_answers({f'sum(chargewire_stations{{state="connected"}}) == {STATIONS}': "all are connected"})
        self.assertEqual(self.ask("query", query='ALERTS')["result"], [])
        self.csms.stdin.write("die\n")
        self.csms.stdin.flush()
        self.wait_for_answers(of_trouble)
        self.wait_for_answers({'ALERTS{alertname="ChargewireFleetDown", alertstate="pending"}': "an alert is on its way"})
        for group in self.ask("rules")["groups"]:
            for rule in group["rules"]:
                self.assertEqual((rule["name"], rule["health"], rule.get("lastError", "")), (rule["name"], "ok", ""))


if __name__ == "__main__":
    PROMETHEUS = sys.argv.pop()
    CSMS = sys.argv.pop()
    EXAMPLES = os.path.abspath(sys.argv.pop())
    if not os.access(PROMETHEUS, os.X_OK):
        print("skipped: there is no prometheus; install prometheus")
        sys.exit(77)
    from chargewire import Config, EventType, Manager
    unittest.main()
