"""The JSON of a report is what its schema says. usage: json_test.py MAKE_REPORTS DIRECTORY SCHEMA"""

import copy
import json
import os
import pathlib
import subprocess
import sys
import unittest

MAKE_REPORTS = DIRECTORY = SCHEMA = None


class JsonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([MAKE_REPORTS, DIRECTORY], check=True)
        cls.schema = json.loads(pathlib.Path(SCHEMA).read_text())
        jsonschema.Draft202012Validator.check_schema(cls.schema)
        cls.validator = jsonschema.Draft202012Validator(cls.schema)

    def report(self, name):
        return json.loads(pathlib.Path(DIRECTORY, f"{name}.json").read_text())

    def test_every_report_is_as_the_schema_says(self):
        for name in ("outage", "calm", "hostile", "nothing"):
            with self.subTest(name):
                self.assertEqual([error.message for error in self.validator.iter_errors(self.report(name))], [])

    def test_the_schema_finds_what_is_missing_unknown_or_of_another_kind(self):
        report = self.report("outage")
        for spoil in (lambda r: r.pop("totals"), lambda r: r["totals"].update(messages=1), lambda r: r["series"]["cpu_cores"].append("much"),
                      lambda r: r["worst_stations"][0].update(state="asleep")):
            spoiled = copy.deepcopy(report)
            spoil(spoiled)
            self.assertFalse(self.validator.is_valid(spoiled))

    def test_figures_are_those_of_the_record(self):
        report = self.report("outage")
        self.assertEqual(report["started_at"], "2026-11-26T04:30:00.000Z")
        self.assertEqual(report["duration_seconds"], 604.21)
        self.assertEqual(report["verdict"]["level"], "fair")
        self.assertEqual((report["failures"][1]["status"], report["failures"][1]["phase"]), ("dial", "tcp"))
        self.assertEqual(report["handshake_seconds"]["proxy"], {"count": 0, "p50": None, "p90": None, "p99": None, "max": None})
        series = report["series"]
        self.assertEqual({len(column) for column in series.values()}, {302})
        place = series["at_seconds"].index(310)
        self.assertEqual(series["stations_connected"][place] + series["stations_reconnecting"][place], 10000)

    def test_what_is_no_text_and_no_number_is_replaced(self):
        raw = pathlib.Path(DIRECTORY, "hostile.json").read_bytes()
        self.assertTrue(raw.isascii())
        report = json.loads(raw)
        self.assertIn("</script><script>", report["setup"]["file"])
        self.assertTrue(report["setup"]["file"].endswith("\\u003c\ufffd\ufffd"))
        self.assertIsNone(report["series"]["cpu_cores"][3])

    def test_every_failure_comes_with_advice(self):
        for failure in self.report("outage")["failures"]:
            self.assertNotIn("docs/errors.md", failure["advice"])


if __name__ == "__main__":
    SCHEMA = sys.argv.pop()
    DIRECTORY = os.path.abspath(sys.argv.pop())
    MAKE_REPORTS = sys.argv.pop()
    try:
        import jsonschema
    except ImportError:
        print("skipped: there is no jsonschema; install python3-jsonschema")
        sys.exit(77)
    os.makedirs(DIRECTORY, exist_ok=True)
    unittest.main()
