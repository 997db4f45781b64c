"""Waits that end: what should happen does so at the latest after SECONDS, or the test fails and shows what there was instead. No test asks how fast
the machine is: what is to be seen is waited for, however long it takes, and then the program is told to end."""

import os
import select
import subprocess
import time

SECONDS = 120  # nothing takes a tenth of it, but for a machine that has much else to do


def happens(condition):
    """Whether it does."""
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Output:
    """What comes out of a program."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.all = b""
        self.lines_end = 0

    def read_more(self, seconds):
        """False: nothing came, or nothing ever will."""
        if not select.select([self.descriptor], [], [], max(seconds, 0))[0]:
            return False
        more = os.read(self.descriptor, 65536)
        self.all += more
        return bool(more)

    def until(self, condition, what):
        """Reads until it holds. Returns all that was read so far."""
        end = time.monotonic() + SECONDS
        while not condition():
            if not self.read_more(end - time.monotonic()):
                raise AssertionError("%s did not come within %d s, or before the end; all that came:\n%s" % (what, SECONDS, self.all.decode(errors="replace")))
        return self.all

    def has(self, text):
        return self.until(lambda: text in self.all, repr(text))

    def line(self):
        self.until(lambda: b"\n" in self.all[self.lines_end:], "a line")
        begin, self.lines_end = self.lines_end, self.all.index(b"\n", self.lines_end) + 1
        return self.all[begin:self.lines_end - 1].decode()

    def drain(self):
        """What is there already."""
        while self.read_more(0):
            pass
        return self.all


def end_of(process):
    """Both outputs of a program that is to end by itself. It is killed if it does not."""
    try:
        return process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError("it did not end within %d s; it said:\n%s%s" % (SECONDS, out, err or "")) from None
