"""Chromium without a window, driven over a pipe (DevTools protocol)."""

import json
import os
import select
import subprocess
import tempfile

SECONDS = 120


class Browser:
    def __init__(self, program):
        self.profile = tempfile.TemporaryDirectory()
        orders_out, self.orders = os.pipe()
        self.answers, answers_in = os.pipe()

        def at_3_and_4():  # where --remote-debugging-pipe looks for them
            held = os.dup(orders_out), os.dup(answers_in)
            for place, descriptor in zip((3, 4), held):
                os.dup2(descriptor, place)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe",
             f"--user-data-dir={self.profile.name}", "about:blank"],
            preexec_fn=at_3_and_4, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(orders_out)
        os.close(answers_in)
        self.number = 0
        self.session = None
        self.events = []
        self.unread = b""

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait(60)
        os.close(self.orders)
        os.close(self.answers)
        self.profile.cleanup()

    def read(self):
        while b"\0" not in self.unread:
            if not select.select([self.answers], [], [], SECONDS)[0]:
                raise RuntimeError(f"the browser has said nothing for {SECONDS} s; its last event: {self.events[-1:]}")
            some = os.read(self.answers, 1 << 20)
            if not some:
                raise RuntimeError("the browser has ended")
            self.unread += some
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        order = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            order["sessionId"] = self.session
        os.write(self.orders, json.dumps(order).encode() + b"\0")
        while True:
            message = self.read()
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            if "method" in message:
                self.events.append(message)

    def wait_for(self, method):
        while not any(event["method"] == method for event in self.events):
            message = self.read()
            if "method" in message:
                self.events.append(message)

    def open(self, url, width, height, **media):
        """A tab of its own, without a network. `events` has what happened in it."""
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.events = []
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")
        self.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.show(**media)
        self.events = []
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def show(self, medium="", scheme="light"):
        self.call("Emulation.setEmulatedMedia", media=medium, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")
