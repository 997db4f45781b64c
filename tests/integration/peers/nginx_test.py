"""Stations behind nginx, which terminates TLS in front of the embedded CSMS. usage: nginx_test.py PEER_CLIENT CSMS"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

SECONDS = 60
CLIENT = CSMS = NGINX = None

CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name localhost;
    ssl_certificate {directory}/server.pem;
    ssl_certificate_key {directory}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_verify_client {verify_client};
    ssl_client_certificate {directory}/ca.pem;
    location /ocpp/ {{
      proxy_pass http://127.0.0.1:{csms_port};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $http_host;
    }}
  }}
}}
"""


def make_certificates(directory):
    def path(name):
        return os.path.join(directory, name)

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    commands = [["req", "-x509", *new_key, "-keyout", path("ca.key"), "-out", path("ca.pem"), "-subj", "/CN=test CA"],
                ["req", "-x509", *new_key, "-keyout", path("other.key"), "-out", path("other.pem"), "-subj", "/CN=other CA"]]
    for name in ("server", "station"):
        commands += [["req", *new_key, "-keyout", path(name + ".key"), "-out", path(name + ".csr"), "-subj", f"/CN={name}",
                      "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
                     ["x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
                      "-CAcreateserial", "-copy_extensions", "copy", "-out", path(name + ".pem")]]
    for command in commands:
        subprocess.run(["openssl", *command], check=True, capture_output=True)


class NginxTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = temporary.name
        make_certificates(self.directory)
        self.csms = subprocess.Popen([CSMS, "--stdin", "--password", "a password of sixteen"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, self.csms)
        self.csms_port = int(self.csms.stdout.readline().strip().rsplit(":", 1)[1])

    def end(self, process):
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()

    def start_nginx(self, verify_client="off"):
        """nginx cannot be told to take any port: one that was free a moment ago is tried, and another if it is not any more."""
        for _ in range(20):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            file = os.path.join(self.directory, "nginx.conf")
            with open(file, "w") as out:
                out.write(CONFIGURATION.format(directory=self.directory, port=port, csms_port=self.csms_port,
                                               verify_client=verify_client))
            process = subprocess.Popen([NGINX, "-p", self.directory, "-e", os.path.join(self.directory, "error.log"), "-c", file],
                                       stderr=subprocess.PIPE, text=True)
            if self.listens(process, port):
                self.addCleanup(self.end, process)
                self.url = f"wss://127.0.0.1:{port}/ocpp"
                return
            self.end(process)
        self.fail("nginx found no port")

    @staticmethod
    def listens(process, port):
        """Waits until nginx listens (True) or has ended (False)."""
        while True:
            try:
                process.wait(0.05)
                return False
            except subprocess.TimeoutExpired:
                pass
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return process.poll() is None

    def station(self, scenario, *options):
        return subprocess.run([CLIENT, scenario, self.url, "RDAM|123", "csms.auth.type=basic",
                               "csms.auth.password=a password of sixteen", *options],
                              capture_output=True, text=True, timeout=2 * SECONDS)

    def file(self, name):
        return os.path.join(self.directory, name)

    def test_stations_boot_through_the_proxy(self):
        self.start_nginx()
        for version in ("1.6", "2.0.1", "2.1"):
            run = self.station("boot", f"csms.protocol={version}", f"csms.tls.ca_cert={self.file('ca.pem')}")
            self.assertEqual((run.returncode, run.stderr, run.stdout), (0, "", f"ocpp{version} booted\n"))

    def test_tls_1_3_alone(self):
        self.start_nginx()
        run = self.station("boot", f"csms.tls.ca_cert={self.file('ca.pem')}", "csms.tls.min_version=1.3")
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_a_client_certificate_is_wanted(self):
        self.start_nginx(verify_client="on")
        run = self.station("boot", f"csms.tls.ca_cert={self.file('ca.pem')}", f"csms.tls.client_cert={self.file('station.pem')}",
                           f"csms.tls.client_key={self.file('station.key')}")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        # nginx lets the handshake pass and answers the request with 400.
        run = self.station("listen", f"csms.tls.ca_cert={self.file('ca.pem')}", "csms.max_reconnect_attempts=1")
        self.assertEqual(run.returncode, 0)
        self.assertIn("ERROR CWIRE_E_HANDSHAKE 400 ", run.stdout)

    def test_an_unknown_ca_is_tls(self):
        self.start_nginx()
        run = self.station("listen", f"csms.tls.ca_cert={self.file('other.pem')}", "csms.max_reconnect_attempts=1")
        self.assertEqual(run.returncode, 0)
        self.assertIn("ERROR CWIRE_E_TLS ", run.stdout)
        self.assertNotIn("CONNECTED", run.stdout)

    def test_a_csms_that_is_gone_is_bad_gateway(self):
        self.start_nginx()
        self.csms.stdin.write("die\n")
        self.csms.stdin.flush()
        self.assertEqual(self.csms.stdout.readline(), "ok\n")
        run = self.station("listen", f"csms.tls.ca_cert={self.file('ca.pem')}", "csms.max_reconnect_attempts=1")
        self.assertEqual(run.returncode, 0)
        self.assertIn("ERROR CWIRE_E_HANDSHAKE 502 ", run.stdout)


if __name__ == "__main__":
    CSMS = sys.argv.pop()
    CLIENT = sys.argv.pop()
    NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if NGINX is None:
        print("skipped: there is no nginx; install nginx-light")
        sys.exit(77)
    unittest.main()
