"""The HTML of a report in a browser that has no network. usage: page_test.py MAKE_REPORTS DIRECTORY CHROMIUM"""

import base64
import os
import pathlib
import re
import subprocess
import sys
import unittest

from browser import Browser

MAKE_REPORTS = DIRECTORY = CHROMIUM = None
# Of each canvas, the share of its dots that are drawn upon.
DRAWN = """[...document.querySelectorAll('canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let drawn = 0;
  for (let i = 3; i < data.length; i += 4) drawn += data[i] > 0;
  return drawn / (canvas.width * canvas.height);
})"""
PLOTS = 7


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([MAKE_REPORTS, DIRECTORY], check=True)
        cls.browser = Browser(CHROMIUM)
        cls.addClassCleanup(cls.browser.close)

    def open(self, name, width=1240, height=1600, **media):
        page = pathlib.Path(DIRECTORY, f"{name}.html")
        self.browser.open(page.as_uri(), width, height, **media)
        return page

    def picture(self, name):
        """For people to look at."""
        height = self.browser.evaluate("document.documentElement.scrollHeight")
        self.browser.call("Emulation.setDeviceMetricsOverride", width=self.browser.evaluate("innerWidth"), height=height,
                          deviceScaleFactor=1, mobile=False)
        shot = self.browser.call("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(DIRECTORY, f"{name}.png").write_bytes(base64.b64decode(shot))

    def assert_drawn(self, plots):
        drawn = self.browser.evaluate(DRAWN)
        self.assertEqual(len(drawn), plots)
        for share in drawn:
            self.assertGreater(share, 0.01)

    def assert_nothing_went_wrong(self, page):
        for event in self.browser.events:
            self.assertNotEqual(event["method"], "Runtime.exceptionThrown", event)
            if event["method"] == "Log.entryAdded":  # a violation of the page's own policy is one
                self.fail(event["params"]["entry"]["text"])
            if event["method"] == "Network.requestWillBeSent":
                self.assertEqual(event["params"]["request"]["url"], page.as_uri())

    def test_it_refers_to_nothing_outside(self):
        text = pathlib.Path(DIRECTORY, "outage.html").read_text()
        markup = re.sub(r"<script\b.*?</script>", "", text, flags=re.S)
        self.assertNotRegex(markup, r"""(?i)\b(src|href|data|action)\s*=|url\(|@import|https?:""")
        self.assertEqual(len(re.findall("<script", text)), 3)

    def test_a_run_is_drawn_on_light_and_dark_screens(self):
        for scheme in ("light", "dark"):
            with self.subTest(scheme):
                page = self.open("outage", scheme=scheme)
                self.assert_drawn(PLOTS)
                self.assertEqual(self.browser.evaluate("document.querySelector('h1').textContent"), "ten_thousand.yaml: 10,000 stations")
                self.assertIn("9,960 connections lost", self.browser.evaluate("document.querySelector('.verdict.fair').textContent"))
                self.picture(f"outage-{scheme}")
                self.assert_nothing_went_wrong(page)

    def test_an_outage_is_seen_and_what_is_the_same_is_said_once(self):
        self.open("outage")
        text = self.browser.evaluate("document.querySelector('main').textContent")
        self.assertIn("outages are shaded", text)
        self.assertEqual(text.count("as above"), 9)
        # In the middle of it and before it, at a height where there is no curve.
        dot = """(() => { const { x, y } = charts[1].scales; const { ctx } = charts[1]; const ratio = charts[1].currentDevicePixelRatio;
          return [...ctx.getImageData(x.getPixelForValue(%s) * ratio, (charts[1].chartArea.top + 1) * ratio, 1, 1).data]; })()"""
        self.assertGreater(self.browser.evaluate(dot % "360")[3], 0)
        self.assertEqual(self.browser.evaluate(dot % "200")[3], 0)
        self.assertEqual(self.browser.evaluate("charts[1].data.datasets.map((set) => set.borderDash.length)"), [0, 2])

    def test_the_screen_may_change_from_light_to_dark(self):
        self.open("outage", scheme="light")
        line = "charts[1].data.datasets[0].borderColor"
        light = self.browser.evaluate(line)
        self.browser.evaluate("globalThis.dark = new Promise((done) => matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => done())); 0")
        self.browser.show(scheme="dark")
        self.browser.evaluate("dark")
        self.assertNotEqual(self.browser.evaluate(line), light)

    def test_paper_is_light_and_has_all_of_it(self):
        page = self.open("outage", scheme="dark")
        ground = self.browser.evaluate("getComputedStyle(document.querySelector('.tile')).backgroundColor")
        pdf = base64.b64decode(self.browser.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])
        pathlib.Path(DIRECTORY, "outage.pdf").write_bytes(pdf)
        self.assertEqual(pdf[:5], b"%PDF-")
        self.browser.show(medium="print", scheme="dark")
        self.assertNotEqual(self.browser.evaluate("getComputedStyle(document.querySelector('.tile')).backgroundColor"), ground)
        self.assert_drawn(PLOTS)
        self.assert_nothing_went_wrong(page)

    def test_what_the_csms_says_stays_text(self):
        page = self.open("hostile")
        self.picture("hostile")
        self.assertIn("fleet report", self.browser.evaluate("document.title"))
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('img').length"), 0)
        self.assertEqual(self.browser.evaluate("document.scripts.length"), 3)
        self.assertIn("</script><script>document.title='owned'", self.browser.evaluate("document.querySelector('main').textContent"))
        self.assertIn("2 of 4 promises were not kept", self.browser.evaluate("document.querySelector('.verdict.bad h2').textContent"))
        self.assert_drawn(PLOTS)
        self.assert_nothing_went_wrong(page)

    def test_a_script_that_got_into_the_page_would_not_run(self):
        self.open("outage")
        self.browser.evaluate("""document.body.append(Object.assign(document.createElement('script'), { textContent: "document.title = 'owned'" }))""")
        self.assertNotEqual(self.browser.evaluate("document.title"), "owned")

    def test_a_calm_run_is_good_and_one_that_was_over_at_once_says_so(self):
        page = self.open("calm")
        self.assertIn("nothing went wrong", self.browser.evaluate("document.querySelector('.verdict.good').textContent"))
        self.picture("calm")
        self.assert_nothing_went_wrong(page)
        page = self.open("nothing")
        self.assertIn("too short", self.browser.evaluate("document.querySelector('main').textContent"))
        self.picture("nothing")
        self.assert_nothing_went_wrong(page)

    def test_it_fits_a_telephone(self):
        for name in ("outage", "hostile"):
            with self.subTest(name):
                self.open(name, width=390)
                self.assertLessEqual(self.browser.evaluate("document.documentElement.scrollWidth"), 390)
        self.picture("telephone")


if __name__ == "__main__":
    CHROMIUM = sys.argv.pop()
    DIRECTORY = os.path.abspath(sys.argv.pop())
    MAKE_REPORTS = sys.argv.pop()
    if not os.access(CHROMIUM, os.X_OK):
        print("skipped: there is no chromium; install chromium")
        sys.exit(77)
    os.makedirs(DIRECTORY, exist_ok=True)
    unittest.main()
