"""The alert rules and the configuration for Prometheus, by its own promtool. usage: rules_test.py EXAMPLES PROMTOOL"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = PROMTOOL = None


def promtool(*arguments):
    return subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=120)


SCRAPE_S = 30
MENDED_S = 10 * 3600


def default_s(option):
    """Of docs/configuration.md, in seconds."""
    with open(os.path.join(EXAMPLES, "../../docs/configuration.md")) as file:
        number, unit = re.search(rf"^\| `{re.escape(option)}` \| duration \| `(\d+)([smh])`", file.read(), re.MULTILINE).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def refusals(longest_s, tries_before=0):
    """When one station is refused until it is mended, each wait as long as docs/errors.md allows: doubled up to `longest_s`, and a fifth more."""
    times = [SCRAPE_S + 5 * n for n in range(tries_before + 1)]
    wait_s = default_s("csms.refused_backoff")
    while times[-1] + 1.2 * wait_s < MENDED_S:
        times.append(times[-1] + 1.2 * wait_s)
        wait_s = min(2 * wait_s, longest_s)
    return times


class RulesTest(unittest.TestCase):
    def assert_good(self, run):
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_promtool_finds_nothing_wrong(self):
        self.assert_good(promtool("check", "config", os.path.join(EXAMPLES, "prometheus.yml")))
        self.assert_good(promtool("check", "rules", "--lint=all", "--lint-fatal", os.path.join(EXAMPLES, "chargewire.rules.yml")))

    def test_each_alert_fires_when_it_should_and_not_before(self):
        self.assert_good(promtool("test", "rules", os.path.join(HERE, "rules_test.yml")))

    def assert_lasts_until_mended(self, alert, severity, status, phase, times):
        scrapes = range(0, MENDED_S + 3600, SCRAPE_S)
        labels = 'job="chargewire", instance="a:9464", endpoint="wss://c:443"'

        def series(name, more, value_at):
            return {"series": f"{name}{{{labels}, {more}}}", "values": " ".join(str(int(value_at(time))) for time in scrapes)}

        firing = f'ALERTS{{alertname="{alert}", alertstate="firing", job="chargewire", endpoint="wss://c:443", severity="{severity}"}}'
        test = {"interval": f"{SCRAPE_S}s", "input_series": [
            series("chargewire_stations", 'state="connected"', lambda time: 999 + (time >= MENDED_S)),
            series("chargewire_stations", 'state="reconnecting"', lambda time: time < MENDED_S),
            series("chargewire_connection_failures_total", f'status="{status}", phase="{phase}"', lambda time: sum(at <= time for at in times)),
        ], "promql_expr_test": [
            {"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{time}s", "exp_samples": [{"labels": firing, "value": 1}] if time < MENDED_S else []}
            for time in range(600, MENDED_S + 3600, 300)]}
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            yaml.safe_dump({"rule_files": [os.path.join(EXAMPLES, "chargewire.rules.yml")], "evaluation_interval": f"{SCRAPE_S}s", "tests": [test]}, file)
            file.flush()
            self.assert_good(promtool("test", "rules", file.name))

    def test_an_alert_on_what_is_refused_lasts_until_it_is_mended_however_seldom_the_library_tries(self):
        longest_s = default_s("csms.refused_max_backoff")
        self.assert_lasts_until_mended("ChargewireCredentialsRefused", "warning", "auth", "http", refusals(longest_s))
        self.assert_lasts_until_mended("ChargewireCertificatesRefused", "critical", "tls", "tls", refusals(min(longest_s, 15 * 60), tries_before=3))

    def test_each_alert_has_a_test(self):
        with open(os.path.join(EXAMPLES, "chargewire.rules.yml")) as file:
            alerts = {rule["alert"] for group in yaml.safe_load(file)["groups"] for rule in group["rules"] if "alert" in rule}
        with open(os.path.join(HERE, "rules_test.yml")) as file:
            tests = {test["name"] for test in yaml.safe_load(file)["tests"]}
        self.assertEqual(alerts, tests - {"a fleet that is well"})


if __name__ == "__main__":
    PROMTOOL = sys.argv.pop()
    EXAMPLES = os.path.abspath(sys.argv.pop())
    if not os.access(PROMTOOL, os.X_OK):
        print("skipped: there is no promtool; install prometheus")
        sys.exit(77)
    unittest.main()
