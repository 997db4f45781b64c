"""A living fleet's metrics, as Prometheus sees them: its own linter, its own parser of OpenMetrics, and a Prometheus that scrapes.

usage: metrics_test.py ROOT LIBRARY CSMS PROMTOOL PROMETHEUS
"""

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

ROOT, LIBRARY, CSMS, PROMTOOL, PROMETHEUS = sys.argv[1:6]
os.environ["CHARGEWIRE_LIBRARY"] = LIBRARY
sys.path.insert(0, os.path.join(ROOT, "bindings", "python"))
import chargewire  # noqa: E402

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
    from prometheus_client.parser import text_string_to_metric_families as prometheus_text
except ImportError:
    open_metrics = None

STATIONS = 20
PATIENCE = 60
OPEN_METRICS = "application/openmetrics-text;version=1.0.0"


def eventually(what, look):
    """What `look` gives as soon as it is true."""
    end = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.05)


def get(url, accept=""):
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=PATIENCE) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


class Process:
    def __init__(self, *command, log):
        self.log = log
        with open(log, "wb") as file:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)

    def said(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.process.args[0]} ended with {self.process.returncode}:\n{self.text()}")
        return self.text()

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class MetricsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.scratch, ignore_errors=True)
        port = os.path.join(cls.scratch, "port")
        csms = Process(CSMS, "--port", "0", "--port-file", port, "--echo", log=os.path.join(cls.scratch, "csms.log"))
        cls.addClassCleanup(csms.stop)

        def listens():
            csms.said()
            if not os.path.exists(port):
                return ""
            with open(port) as file:
                return file.read().strip()
        cls.csms = f"ws://127.0.0.1:{eventually('the CSMS', listens)}"
        cls.manager = chargewire.Manager(chargewire.Config(metrics_listen="0", metrics_per_station=True, ping_interval=datetime.timedelta(milliseconds=200)))
        cls.addClassCleanup(cls.manager.close)
        stations = [cls.manager.connect(f"CP\"{number}\\", cls.csms) for number in range(STATIONS)]
        for number, station in enumerate(stations):
            station.wait_connected(PATIENCE)
            for _ in range(number):
                station.send("[2,\"1\",\"Heartbeat\",{}]")
        cls.url = cls.manager.metrics_url()
        eventually("answers to all messages and pings", lambda: cls.manager.poll(0.05) is not None and all(
            each.messages_received == each.messages_sent and each.round_trip for each in cls.manager.all_stats()) and
            sum(each.messages_sent for each in cls.manager.all_stats()) == sum(range(STATIONS)))

    def test_promtool_finds_nothing_to_say(self):
        for text in (self.manager.metrics(), get(self.url)[1]):
            run = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))

    def test_both_formats_are_served_as_what_they_are(self):
        kind, text = get(self.url)
        self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
        self.assertNotIn("# EOF", text)
        kind, text = get(self.url, OPEN_METRICS)
        self.assertEqual(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.assertTrue(text.endswith("\n# EOF\n"))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            get(self.url.replace("/metrics", "/other"))
        self.assertEqual(refused.exception.code, 404)
        refused.exception.close()

    @unittest.skipIf(open_metrics is None, "python3-prometheus-client is not installed")
    def test_a_strict_parser_reads_both_formats_alike(self):
        families = list(open_metrics(self.manager.metrics(chargewire.MetricsFormat.OPEN_METRICS)))
        self.assertGreater(len(families), 40)
        for family in families:
            self.assertTrue(family.documentation and family.name.startswith("chargewire_"), family.name)
            self.assertEqual(family.unit, next((unit for unit in ("seconds", "bytes") if family.name.endswith("_" + unit)), ""), family.name)
        self.assertLessEqual({"counter", "gauge", "info", "histogram", "gaugehistogram"}, {family.type for family in families})
        stations = {sample.labels["station"] for family in families for sample in family.samples if "station" in sample.labels}
        self.assertEqual(stations, {f"CP\"{number}\\" for number in range(STATIONS)})
        # All but what OpenMetrics alone has.
        series = {(sample.name, tuple(sorted(sample.labels.items()))) for family in families for sample in family.samples
                  if not sample.name.endswith("_created")}
        plain = {(sample.name, tuple(sorted(sample.labels.items())))
                 for family in prometheus_text(self.manager.metrics()) for sample in family.samples}
        self.assertEqual(series, plain)

    def test_a_prometheus_that_scrapes_sees_the_fleets_own_statistics(self):
        config = os.path.join(self.scratch, "prometheus.yml")
        target = urllib.parse.urlsplit(self.url)
        with open(config, "w") as file:
            json.dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                       "scrape_configs": [{"job_name": "chargewire", "static_configs": [{"targets": [target.netloc]}]}]}, file)
        prometheus = Process(PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={os.path.join(self.scratch, 'data')}",
                             "--web.listen-address=127.0.0.1:0", log=os.path.join(self.scratch, "prometheus.log"))
        self.addCleanup(prometheus.stop)
        api = "http://" + eventually("Prometheus", lambda: re.search(r'"Listening on" address=(\S+)', prometheus.said()))[1] + "/api/v1/"

        def answer(path):
            prometheus.said()
            try:
                return json.loads(get(api + path)[1])["data"]
            except urllib.error.HTTPError as error:
                error.close()
                return None
            except urllib.error.URLError:
                return None

        def up():
            targets = answer("targets")
            return [each for each in targets["activeTargets"] if each["health"] == "up"] if targets else None
        (scraped,) = eventually("a target that is up", up)
        self.assertEqual(scraped["lastError"], "")

        def query(expression):
            result = (answer("query?" + urllib.parse.urlencode({"query": expression})) or {"result": []})["result"]
            return float(result[0]["value"][1]) if result else None

        statistics = {each.station_id: each for each in self.manager.all_stats()}
        some = statistics["CP\"7\\"]
        endpoint = f'{{endpoint="{self.csms}"}}'
        for expression, expected in {
            f'chargewire_stations{{endpoint="{self.csms}",state="connected"}}': STATIONS,
            f"chargewire_messages_sent_total{endpoint}": sum(each.messages_sent for each in statistics.values()),
            f"chargewire_payload_received_bytes_total{endpoint}": sum(each.bytes_received for each in statistics.values()),
            f"chargewire_connections_total{endpoint}": sum(each.connections for each in statistics.values()),
            'sum by (state) (chargewire_breaker_state{state="closed"})': 1,
            r'chargewire_station_messages_sent_total{station="CP\"7\\"}': some.messages_sent,
            "count(chargewire_station_connected == 1)": STATIONS,
            "chargewire_message_sent_bytes_count": sum(each.messages_sent for each in statistics.values()),
            f'chargewire_build_info{{version="{chargewire.version()}"}}': 1,
        }.items():
            self.assertEqual(eventually(expression, lambda: query(expression)), expected, expression)
        # In seconds, as PromQL computes with them: the last bucket that ends does so at 30.
        quantile = eventually("a quantile over the fleet", lambda: query("histogram_quantile(1, chargewire_fleet_round_trip_seconds_bucket)"))
        self.assertLessEqual(quantile, 30)
        self.assertGreater(query(f"chargewire_round_trip_seconds_sum{endpoint}"), 0)
        metadata = answer("metadata")
        self.assertEqual({metadata["chargewire_" + name][0]["type"] for name in ("messages_sent", "fleet_round_trip_seconds", "stations")},
                         {"counter", "gaugehistogram", "gauge"})


if __name__ == "__main__":
    for tool in (PROMTOOL, PROMETHEUS):
        if not os.access(tool, os.X_OK):
            print(f"there is no {tool}: Debian's package is prometheus")
            sys.exit(77)
    unittest.main(argv=sys.argv[:1])
