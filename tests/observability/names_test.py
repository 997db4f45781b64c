"""What dashboard and rules ask for is what docs/metrics.md has. usage: names_test.py EXAMPLES METRICS_MD"""

import json
import os
import re
import sys
import unittest

import yaml

EXAMPLES = METRICS_MD = None
# What Prometheus adds to each series.
OF_PROMETHEUS = {"job", "instance"}
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "gauge histogram": ("_bucket", "_gsum", "_gcount")}


def documented():
    """The labels of each series, by its name."""
    series = {}
    with open(METRICS_MD) as file:
        for name, kind, labels in re.findall(r"^\| `(chargewire_\w+)` \| ([a-z ]+) \| ([^|]*) \|", file.read(), re.M):
            labels = set(re.findall(r"`(\w+)`", labels)) | OF_PROMETHEUS
            if kind not in SUFFIXES:
                series[name] = labels
                continue
            for suffix in SUFFIXES[kind]:
                series[name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return series


def expressions():
    with open(os.path.join(EXAMPLES, "chargewire-fleet.dashboard.json")) as file:
        dashboard = json.load(file)
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]
    with open(os.path.join(EXAMPLES, "chargewire.rules.yml")) as file:
        for group in yaml.safe_load(file)["groups"]:
            for rule in group["rules"]:
                yield rule.get("alert") or rule["record"], rule["expr"]


class NamesTest(unittest.TestCase):
    def setUp(self):
        self.series = documented()
        self.assertGreater(len(self.series), 40)

    def test_each_series_exists_and_has_the_labels_that_are_asked_for(self):
        for where, expression in expressions():
            found = set()
            # A recorded series has colons in its name, and is no name of the documentation's.
            for name, selector in re.findall(r"(?<![\w:])(chargewire_\w+)(?![\w:])(?:\{([^}]*)\})?", expression):
                self.assertIn(name, self.series, f"{where}: {expression}")
                asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
                self.assertLessEqual(asked, self.series[name], f"{where}: {name}")
                found |= self.series[name]
            for labels in re.findall(r"\bby\s*\(([^)]*)\)", expression):
                if found:
                    self.assertLessEqual(set(re.findall(r"\w+", labels)), found, f"{where}: {expression}")

    def test_all_that_is_always_there_is_looked_at(self):
        asked = " ".join(expression for _, expression in expressions())
        with open(METRICS_MD) as file:
            always = file.read().split("\n## Always\n")[1].split("\n## ")[0]
        left_out = {"chargewire_io_threads", "chargewire_stations_compressed", "chargewire_fleet_flaps", "chargewire_breaker_transitions_total", "chargewire_queued_bytes"}
        for name in re.findall(r"^\| `(chargewire_\w+)`", always, re.M):
            if name not in left_out:
                self.assertIn(name, asked)


if __name__ == "__main__":
    METRICS_MD = sys.argv.pop()
    EXAMPLES = sys.argv.pop()
    unittest.main()
