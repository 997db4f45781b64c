"""Stations against Debian's python3-websockets. usage: websockets_test.py PEER_CLIENT"""

import asyncio
import logging
import sys
import unittest

try:
    import websockets
    from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
except ImportError:
    print("skipped: this Python has no websockets; install python3-websockets")
    sys.exit(77)

SECONDS = 60
CLIENT = None


class WebsocketsTest(unittest.IsolatedAsyncioTestCase):
    async def serve(self, handler, **options):
        """A server whose handler runs for each connection."""
        options = {"subprotocols": ["ocpp2.0.1", "ocpp1.6"], "ping_interval": None, "max_size": None, **options}
        server = await websockets.serve(handler, "127.0.0.1", 0, **options)

        async def end():
            server.close()
            await server.wait_closed()

        self.addAsyncCleanup(end)
        return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def station(self, scenario, url, *options):
        """The lines the station writes, when it has ended well."""
        process = await asyncio.create_subprocess_exec(CLIENT, scenario, url, "CP1", *options,
                                                       stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        try:
            out, err = await asyncio.wait_for(process.communicate(), 2 * SECONDS)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()
            raise
        self.assertEqual((process.returncode, err.decode()), (0, ""))
        return out.decode().splitlines()

    async def test_echo_in_every_size_and_the_subprotocol(self):
        async def echo(connection):
            async for message in connection:
                await connection.send(message)

        url = await self.serve(echo)
        self.assertEqual(await self.station("echo", url, "csms.protocol=1.6"), ["ocpp1.6 echoed"])
        self.assertEqual(await self.station("echo", url, "csms.protocol=2.0.1"), ["ocpp2.0.1 echoed"])

    async def test_compressed_echo_with_each_others_parameters(self):
        async def echo(connection):
            self.agreed = [extension.name for extension in connection.extensions]
            async for message in connection:
                await connection.send(message)

        servers = [{}, {"server_no_context_takeover": True, "client_no_context_takeover": True},
                   {"server_max_window_bits": 9, "client_max_window_bits": 9}, {"client_max_window_bits": 8}]
        stations = [[], ["csms.deflate.context_takeover=true", "csms.deflate.server_context_takeover=true"],
                    ["csms.deflate.server_window_bits=9", "csms.deflate.window_bits=9"],
                    ["csms.deflate.window_bits=15", "csms.deflate.memory_level=9", "csms.deflate.context_takeover=true"]]
        for parameters in servers:
            factory = ServerPerMessageDeflateFactory(**parameters)
            url = await self.serve(echo, extensions=[factory], compression=None)
            for options in stations:
                with self.subTest(parameters=parameters, options=options):
                    lines = await self.station("echo", url, "csms.deflate.enabled=true", "csms.deflate.size_min=1B",
                                               *options)
                    self.assertEqual(lines, ["ocpp1.6 echoed"])
                    self.assertEqual(self.agreed, ["permessage-deflate"])

    async def test_compression_is_not_agreed_on_unless_both_want_it(self):
        async def echo(connection):
            self.agreed = connection.extensions
            async for message in connection:
                await connection.send(message)

        for wanted, options in ((None, ["csms.deflate.enabled=true"]), ("deflate", [])):
            with self.subTest(wanted):
                url = await self.serve(echo, compression=wanted)
                self.assertEqual(await self.station("echo", url, *options), ["ocpp1.6 echoed"])
                self.assertEqual(self.agreed, [])

    async def test_a_compressed_message_too_big_for_the_station_is_1009(self):
        messages = [b"\x00" * (32 << 20), "disconnect"]

        async def handler(connection):
            await connection.send(messages.pop(0))
            await connection.wait_closed()

        url = await self.serve(handler, compression="deflate")
        lines = await self.station("listen", url, "csms.deflate.enabled=true", "csms.reconnect_backoff=5ms")
        ends = [line for line in lines if line.startswith("DISCONNECTED")]
        self.assertTrue(ends[0].startswith("DISCONNECTED CWIRE_E_TOO_BIG 1009 "), lines)

    async def test_fragments_come_as_one_message(self):
        async def handler(connection):
            await connection.send(["[2,", "\"1\",", "\"Res\u00e9t\"", ",{}]"])
            await connection.send([b"\x00" * 70000, b"\xff"])
            await connection.send("disconnect")
            await connection.wait_closed()
            self.ended = (connection.close_code, connection.close_reason)

        lines = await self.station("listen", await self.serve(handler))
        self.assertIn('MESSAGE CWIRE_OK 0 0 19 [2,"1","Res\u00e9t",{}]', lines)
        self.assertTrue(any(line.startswith("MESSAGE CWIRE_OK 0 1 70001") for line in lines), lines)
        self.assertEqual(self.ended, (3005, "as told"))
        self.assertTrue(any(line.startswith("DISCONNECTED CWIRE_OK 3005 0 ") for line in lines), lines)
        self.assertTrue(lines[-1].startswith("CLOSED CWIRE_OK 3005 "), lines)

    async def test_pings_both_ways(self):
        pinged = asyncio.Event()

        class Protocol(websockets.WebSocketServerProtocol):
            async def pong(self, data=b""):
                pinged.set()
                await super().pong(data)

        async def handler(connection):
            # websockets answers a station's pings by itself, by the same function that says so here.
            await asyncio.wait_for(await connection.ping(b"x" * 125), SECONDS)
            await asyncio.wait_for(pinged.wait(), SECONDS)
            await connection.send("disconnect")
            await connection.wait_closed()

        url = await self.serve(handler, create_protocol=Protocol)
        lines = await self.station("listen", url, "csms.ping_interval=50ms", "csms.pong_timeout=30s")
        self.assertTrue(lines[-1].startswith("CLOSED CWIRE_OK"), lines)

    async def test_close_codes_arrive_and_are_not_final(self):
        codes = [1000, 1001, 1011, 3000, 4999]
        connections = []

        async def handler(connection):
            number = len(connections)
            connections.append(connection)
            if number < len(codes):
                await connection.close(codes[number], f"number {number}")
                return
            await connection.send("disconnect")
            await connection.wait_closed()

        lines = await self.station("listen", await self.serve(handler), "csms.reconnect_backoff=5ms",
                                   "csms.reconnect_max_backoff=5ms")
        ends = [line for line in lines if line.startswith("DISCONNECTED")]
        self.assertEqual(len(ends), len(codes) + 1)
        for number, code in enumerate(codes):
            # 24: WILL_RETRY and REMOTE.
            self.assertTrue(ends[number].startswith(f"DISCONNECTED CWIRE_E_CLOSED {code} 24 "), ends[number])
            self.assertIn(f"number {number}", ends[number])

    async def test_a_message_too_big_for_the_server_is_told(self):
        async def handler(connection):
            async for message in connection:
                await connection.send(message)

        # websockets does not read on after such a message, so it does not see our answer and waits for its own time limit.
        url = await self.serve(handler, max_size=1000, close_timeout=1)
        process = await asyncio.create_subprocess_exec(CLIENT, "echo", url, "CP1", stdout=asyncio.subprocess.PIPE,
                                                       stderr=asyncio.subprocess.PIPE)
        _, err = await asyncio.wait_for(process.communicate(), 2 * SECONDS)
        self.assertEqual(process.returncode, 1)
        self.assertIn("1009", err.decode())


if __name__ == "__main__":
    CLIENT = sys.argv.pop()
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # the connections that tests break on purpose
    unittest.main()
