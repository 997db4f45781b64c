"""chargewire-csms against Debian's python3-websockets. usage: csms_test.py PATH_OF_CHARGEWIRE_CSMS"""

import asyncio
import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

import websockets

PROGRAM = None
SECONDS = 20  # for anything that should happen at once


class Csms:
    """The program, with its commands."""

    def __init__(self, directory, *arguments):
        port_file = os.path.join(directory, "port")
        self.process = subprocess.Popen([PROGRAM, "--stdin", "--port-file", port_file, *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        with open(port_file) as file:
            self.port = int(file.read())

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self):
        return self.process.stdout.readline().strip()

    def stats(self):
        return json.loads(self.command("stats"))

    async def stations(self, wanted):
        """Waits for so many stations: the server notices the end of a connection a little after the client."""
        deadline = asyncio.get_running_loop().time() + SECONDS
        while (now := self.stats()["stations"]) != wanted:
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{now} stations, expected {wanted}")
            await asyncio.sleep(0)

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(SECONDS)
        self.process.stdout.close()
        return code


class CsmsTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    async def asyncSetUp(self):
        # unittest turns it on, and 1,000 connections then take ten times as long.
        asyncio.get_running_loop().set_debug(False)

    def start(self, *arguments):
        csms = Csms(self.directory.name, *arguments)
        self.addCleanup(lambda: self.assertEqual(csms.end(), 0))
        return csms

    async def connect(self, csms, station, *subprotocols, **options):
        connection = await websockets.connect(f"{csms.url}/ocpp/{station}", subprotocols=subprotocols or ["ocpp1.6"],
                                              ping_interval=None, open_timeout=SECONDS, **options)
        self.addAsyncCleanup(connection.close)
        return connection

    async def refused(self, csms, station, **options):
        with self.assertRaises(websockets.InvalidStatusCode) as caught:
            await self.connect(csms, station, **options)
        return caught.exception

    async def call(self, connection, text):
        await connection.send(text)
        return json.loads(await asyncio.wait_for(connection.recv(), SECONDS))

    async def closed(self, connection):
        with self.assertRaises(websockets.ConnectionClosed):
            while True:
                await asyncio.wait_for(connection.recv(), SECONDS)
        return connection.close_code, connection.close_reason

    async def test_stations_boot_in_each_version(self):
        csms = self.start("--interval", "77")
        for version in ("ocpp1.6", "ocpp2.0.1", "ocpp2.1"):
            station = await self.connect(csms, "CP" + version, "ocpp9", version)
            self.assertEqual(station.subprotocol, version)
            answer = await self.call(station, '[2,"1","BootNotification",{}]')
            self.assertEqual((answer[:2], answer[2]["status"], answer[2]["interval"]), ([3, "1"], "Accepted", 77))
        stats = csms.stats()
        self.assertEqual((stats["stations"], stats["boots"], stats["messages_in"], stats["messages_out"]), (3, 3, 3, 3))

    async def test_the_first_version_offered_is_chosen(self):
        csms = self.start("--subprotocols", "ocpp2.0.1,ocpp1.6")
        station = await self.connect(csms, "CP1", "ocpp2.1", "ocpp1.6", "ocpp2.0.1")
        self.assertEqual(station.subprotocol, "ocpp1.6")

    async def test_no_version_in_common_is_upgraded_and_closed(self):
        csms = self.start()
        station = await self.connect(csms, "CP1", "ocpp9")
        self.assertIsNone(station.subprotocol)
        self.assertEqual((await self.closed(station))[0], 1002)
        self.assertEqual(csms.stats()["upgrades_accepted"], 0)

    async def test_unknown_stations_get_404(self):
        csms = self.start("--station", "RDAM|123", "--station-prefix", "CP")
        await self.connect(csms, "RDAM%7C123")
        await self.connect(csms, "CP1")
        for station in ("X1", "", "RDAM", "CP%zz"):
            self.assertEqual((await self.refused(csms, station)).status_code, 404, station)

    async def test_basic_auth(self):
        passwords = os.path.join(self.directory.name, "passwords")
        with open(passwords, "w") as file:
            file.write("CP9:own:one\n")
        csms = self.start("--passwords", passwords, "--password-hex", "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")

        def basic(text):
            return {"Authorization": "Basic " + base64.b64encode(text).decode()}

        # The vector of the OCPP 1.6 security whitepaper.
        vector = {"Authorization": "Basic QUwxMDAwOgABAgMEBQYH////////////////"}
        await self.connect(csms, "AL1000", extra_headers=vector)
        await self.connect(csms, "CP9", extra_headers=basic(b"CP9:own:one"))
        for station, headers in (("AL1001", vector), ("AL1000", {}), ("CP9", basic(b"CP9:own")),
                                 ("CP9", basic(b"CP9:" + bytes(range(8)) + b"\xff" * 12)),
                                 ("AL1000", {"Authorization": "Basic !"})):
            refusal = await self.refused(csms, station, extra_headers=headers)
            self.assertEqual(refusal.status_code, 401)
            self.assertTrue(refusal.headers["WWW-Authenticate"].startswith("Basic "))

    async def test_bearer_token(self):
        csms = self.start("--bearer", "abc")
        await self.connect(csms, "CP1", extra_headers={"Authorization": "Bearer abc"})
        refusal = await self.refused(csms, "CP1", extra_headers={"Authorization": "Bearer ab"})
        self.assertEqual(refusal.status_code, 401)

    async def test_it_dies_and_comes_back_with_1000_stations(self):
        csms = self.start()
        for die, back in (("command", "command"), ("signal", "signal")):
            stations = await asyncio.gather(*[self.connect(csms, f"CP{i}") for i in range(1000)])
            answers = await asyncio.gather(*[self.call(s, '[2,"1","BootNotification",{}]') for s in stations])
            self.assertEqual({a[2]["status"] for a in answers}, {"Accepted"})
            half_open = socket.create_connection(("127.0.0.1", csms.port))
            self.addCleanup(half_open.close)
            await csms.stations(1000)
            if die == "command":
                self.assertEqual(csms.command("die"), "ok")
            else:
                csms.process.send_signal(signal.SIGUSR1)
                self.assertEqual(csms.answer(), "ok")
            self.assertEqual(csms.stats()["stations"], 0)
            self.assertEqual({c[0] for c in await asyncio.gather(*[self.closed(s) for s in stations])}, {1006})
            with self.assertRaises(ConnectionRefusedError):
                await self.connect(csms, "CP1")
            if back == "command":
                self.assertEqual(csms.command("back"), "ok")
            else:
                csms.process.send_signal(signal.SIGUSR2)
                self.assertEqual(csms.answer(), "ok")
        await self.connect(csms, "CP1")

    async def test_death_by_reset_and_by_fin(self):
        csms = self.start()
        for how, expected in (("die", ConnectionResetError), ("die fin", None)):
            reader, writer = await asyncio.open_connection("127.0.0.1", csms.port)
            self.addCleanup(writer.close)
            writer.write(b"GET /CP1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                         b"Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            csms.command(how)
            if expected:
                with self.assertRaises(expected):
                    await reader.read()
            else:
                self.assertEqual(await reader.read(), b"")
            csms.command("back")

    async def test_it_refuses_by_status_and_by_tcp(self):
        csms = self.start()
        connected = await self.connect(csms, "CP1")
        csms.command("refuse 503 7")
        refusal = await self.refused(csms, "CP2")
        self.assertEqual((refusal.status_code, refusal.headers["Retry-After"]), (503, "7"))
        csms.command("refuse tcp")
        with self.assertRaises(ConnectionRefusedError):
            await self.connect(csms, "CP2")
        self.assertEqual((await self.call(connected, '[2,"1","Heartbeat",{}]'))[1], "1")
        csms.command("back")
        await self.connect(csms, "CP2")

    async def test_it_falls_silent(self):
        csms = self.start()
        station = await self.connect(csms, "CP1")
        csms.command("silent")
        await station.send('[2,"1","Heartbeat",{}]')
        pong = await station.ping()
        while csms.stats()["pings"] == 0:
            await asyncio.sleep(0)
        csms.command("back")
        # Had the first been answered, its answer would come first.
        self.assertEqual((await self.call(station, '[2,"2","Heartbeat",{}]'))[1], "2")
        self.assertFalse(pong.done())
        pong.cancel()

    async def test_orderly_close(self):
        csms = self.start()
        stations = [await self.connect(csms, f"CP{i}") for i in range(3)]
        csms.command("close 1012 back in a minute")
        for station in stations:
            self.assertEqual(await self.closed(station), (1012, "back in a minute"))
        await csms.stations(0)

    async def test_it_takes_leave_of_its_stations(self):
        for end in (lambda csms: csms.process.send_signal(signal.SIGTERM), lambda csms: csms.command("quit"),
                    lambda csms: csms.process.stdin.close()):
            csms = self.start()
            connections = [await self.connect(csms, f"CP{i}") for i in range(20)]
            end(csms)
            for connection in connections:
                self.assertEqual(await self.closed(connection), (1001, "the CSMS ends"))
            self.assertEqual(await asyncio.to_thread(csms.process.wait, SECONDS), 0)

    async def test_messages_and_pings_to_a_station(self):
        csms = self.start()
        station = await self.connect(csms, "CP1")
        self.assertEqual(csms.command('send CP1 [2,"7","Reset",{}]'), "ok")
        self.assertEqual(await asyncio.wait_for(station.recv(), SECONDS), '[2,"7","Reset",{}]')
        self.assertTrue(csms.command("send CP2 x").startswith("error"))
        csms.command("ping")
        self.assertEqual((await self.call(station, '[2,"1","Heartbeat",{}]'))[1], "1")  # the pong went before it
        self.assertEqual(csms.stats()["pongs"], 1)

    async def test_a_newer_connection_replaces_the_older(self):
        csms = self.start()
        older = await self.connect(csms, "CP1")
        newer = await self.connect(csms, "CP1")
        self.assertEqual((await self.closed(older))[0], 1008)
        await csms.stations(1)
        self.assertEqual((await self.call(newer, '[2,"1","Heartbeat",{}]'))[1], "1")
        self.assertEqual(csms.command("send CP1 x"), "ok")

    async def test_a_binary_message_is_not_ocpp(self):
        csms = self.start()
        station = await self.connect(csms, "CP1")
        await station.send(b"[]")
        self.assertEqual((await self.closed(station))[0], 1003)

    async def test_echo_over_ipv6(self):
        csms = self.start("--echo", "--address", "::1")
        self.assertEqual(csms.url, f"ws://[::1]:{csms.port}")
        station = await websockets.connect(csms.url + "/CP1", max_size=None)
        self.addAsyncCleanup(station.close)
        for message in ("", "h\u00e9", b"\0\xff", "x" * 70000):
            await station.send(message)
            self.assertEqual(await asyncio.wait_for(station.recv(), SECONDS), message)

    async def test_tls_and_client_certificates(self):
        ca, certificate, key = self.certificates()
        csms = self.start("--cert", certificate, "--key", key, "--client-ca", ca)
        context = ssl.create_default_context(cafile=ca)
        with self.assertRaises((OSError, websockets.InvalidMessage)):
            await self.connect(csms, "CP1", ssl=context)
        context.load_cert_chain(certificate, key)
        stations = await asyncio.gather(*[self.connect(csms, f"CP{i}", ssl=context) for i in range(50)])
        self.assertEqual((await self.call(stations[0], '[2,"1","Heartbeat",{}]'))[1], "1")
        await stations[0].close()
        await csms.stations(49)
        half_open = socket.create_connection(("127.0.0.1", csms.port))
        self.addCleanup(half_open.close)
        csms.command("die")
        self.assertEqual(csms.stats()["stations"], 0)
        self.assertEqual({c[0] for c in await asyncio.gather(*[self.closed(s) for s in stations[1:]])}, {1006})
        csms.command("back")
        await self.connect(csms, "CP1", ssl=context)

    def certificates(self):
        """A CA, and a certificate of it for 127.0.0.1 that both sides use."""
        path = {name: os.path.join(self.directory.name, name) for name in ("ca.pem", "ca.key", "csr", "pem", "key")}
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for arguments in (
                ["req", "-x509", *new_key, "-keyout", path["ca.key"], "-out", path["ca.pem"], "-subj", "/CN=test CA"],
                ["req", *new_key, "-keyout", path["key"], "-out", path["csr"], "-subj", "/CN=localhost",
                 "-addext", "subjectAltName=IP:127.0.0.1"],
                ["x509", "-req", "-in", path["csr"], "-CA", path["ca.pem"], "-CAkey", path["ca.key"], "-CAcreateserial",
                 "-copy_extensions", "copy", "-out", path["pem"]]):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True)
        return path["ca.pem"], path["pem"], path["key"]

    def test_bad_arguments_are_said_in_one_line(self):
        for arguments in (["--port", "x"], ["--port"], ["--port", "65536"], ["--cert", "a"], ["--client-ca", "a"],
                          ["--cert", "/nowhere", "--key", "/nowhere"], ["--address", "localhost"], ["--nonsense"],
                          ["--address", "192.0.2.1"], ["--password-hex", "0g"], ["--passwords", "/nowhere"],
                          ["--port-file", "/nowhere/port"]):
            run = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=SECONDS)
            self.assertEqual(run.returncode, 1, arguments)
            self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
            self.assertIn(arguments[0] if arguments[0] not in ("--cert", "--address") else arguments[-1], run.stderr)

    def test_a_bad_command_is_said_and_harmless(self):
        csms = self.start()
        for line in ("nonsense", "refuse", "refuse 200", "refuse x", "close", "close 99", "close x"):
            self.assertTrue(csms.command(line).startswith("error: "), line)
        self.assertEqual(csms.command("quit"), "ok")

    def test_it_ends_by_signal(self):
        csms = self.start()
        csms.process.send_signal(signal.SIGTERM)
        self.assertEqual(csms.process.wait(SECONDS), 0)


    async def test_compression_only_if_told_to(self):
        for arguments, wanted in (([], []), (["--deflate"], ["permessage-deflate"])):
            with self.subTest(arguments):
                station = await self.connect(self.start("--echo", *arguments), "CP1")
                self.assertEqual([extension.name for extension in station.extensions], wanted)
                for message in ("x" * 5000, "h\u00e9llo", "", "x" * 5000):
                    await station.send(message)
                    self.assertEqual(await asyncio.wait_for(station.recv(), SECONDS), message)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
