"""The embedded CSMS, for as long as a test needs it."""
import subprocess


class Csms:
    def __init__(self, program, *options):
        # pylint: disable=consider-using-with  # it lives as long as the test
        self.process = subprocess.Popen([program, "--port", "0", "--stdin", *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate(timeout=30)  # the end of its input ends it
