"""The alert rules and the configuration for Prometheus, by its own promtool. usage: rules_test.py EXAMPLES PROMTOOL"""

import os
import subprocess
import sys
import unittest

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = PROMTOOL = None


def promtool(*arguments):
    return subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=120)


class RulesTest(unittest.TestCase):
    def assert_good(self, run):
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_promtool_finds_nothing_wrong(self):
        self.assert_good(promtool("check", "config", os.path.join(EXAMPLES, "prometheus.yml")))
        self.assert_good(promtool("check", "rules", "--lint=all", "--lint-fatal", os.path.join(EXAMPLES, "chargewire.rules.yml")))

    def test_each_alert_fires_when_it_should_and_not_before(self):
        self.assert_good(promtool("test", "rules", os.path.join(HERE, "rules_test.yml")))

    def test_each_alert_has_a_test(self):
        with open(os.path.join(EXAMPLES, "chargewire.rules.yml")) as file:
            alerts = {rule["alert"] for group in yaml.safe_load(file)["groups"] for rule in group["rules"] if "alert" in rule}
        with open(os.path.join(HERE, "rules_test.yml")) as file:
            tests = {test["name"] for test in yaml.safe_load(file)["tests"]}
        self.assertEqual(alerts, tests - {"a fleet that is well"})


if __name__ == "__main__":
    PROMTOOL = sys.argv.pop()
    EXAMPLES = sys.argv.pop()
    if not os.access(PROMTOOL, os.X_OK):
        print("skipped: there is no promtool; install prometheus")
        sys.exit(77)
    unittest.main()
