"""The dashboard for Grafana, as far as that can be judged without one. usage: dashboard_test.py EXAMPLES PROMTOOL"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

DASHBOARD = PROMTOOL = None
# What Grafana puts in their place.
VARIABLES = {"$__rate_interval": "5m", "$job": ".*", "$endpoint": ".*"}


def expression(target):
    text = target["expr"]
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    return text


class DashboardTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(DASHBOARD) as file:
            cls.dashboard = json.load(file)
        cls.panels = cls.dashboard["panels"]
        cls.plots = [panel for panel in cls.panels if panel["type"] != "row"]

    def test_panels_stand_side_by_side(self):
        taken = {}
        for panel in self.panels:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertIsNone(taken.get((x, y)), f"{panel['title']} covers {taken.get((x, y))}")
                    taken[x, y] = panel["title"]
        self.assertEqual(len({panel["id"] for panel in self.panels}), len(self.panels))
        self.assertEqual(len({panel["title"] for panel in self.panels}), len(self.panels))

    def test_the_data_source_is_chosen_by_who_looks(self):
        variables = {variable["name"]: variable for variable in self.dashboard["templating"]["list"]}
        self.assertEqual(variables["datasource"]["type"], "datasource")
        sources = [panel["datasource"] for panel in self.plots] + [target["datasource"] for panel in self.plots for target in panel["targets"]]
        sources += [variables[name]["datasource"] for name in ("job", "endpoint")]
        self.assertEqual({source["uid"] for source in sources}, {"${datasource}"})

    def test_queries_are_promql_and_use_no_other_variable(self):
        rules = []
        for panel in self.plots:
            for target in panel["targets"]:
                self.assertNotIn("$", expression(target), panel["title"])
                rules.append({"record": "dashboard:query", "expr": expression(target), "labels": {"panel": str(panel["id"]), "query": target["refId"]}})
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
            file.flush()
            run = subprocess.run([PROMTOOL, "check", "rules", file.name], capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_each_query_says_of_which_job(self):
        for panel in self.plots:
            for target in panel["targets"]:
                for selector in re.findall(r"chargewire_\w+(\{[^}]*\})?", target["expr"]):
                    self.assertIn('job=~"$job"', selector, f"{panel['title']}: {target['expr']}")


if __name__ == "__main__":
    PROMTOOL = sys.argv.pop()
    DASHBOARD = os.path.join(sys.argv.pop(), "chargewire-fleet.dashboard.json")
    if not os.access(PROMTOOL, os.X_OK):
        print("skipped: there is no promtool; install prometheus")
        sys.exit(77)
    unittest.main()
