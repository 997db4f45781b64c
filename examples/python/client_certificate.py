#!/usr/bin/env python3
"""TLS with a client certificate, OCPP's security profile 3: connects, exchanges one Heartbeat, closes. Whatever is wrong with a certificate, on
either side, is told in one line.

    client_certificate.py wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem

The password of an encrypted key is taken from the environment variable KEY_PASSWORD.
"""
import os
import sys

from chargewire import ChargewireError, Config, EventType, Manager, SecurityProfile


def exchange(url, station_id, ca, certificate, key):
    """Whether the Heartbeat was answered."""
    config = Config(
        security_profile=SecurityProfile.PROFILE_3,  # ws:// is now refused
        max_reconnect_attempts=1,
        tls_ca_cert=ca,
        tls_client_cert=certificate,
        tls_client_key=key,
        tls_client_key_password=os.environ.get("KEY_PASSWORD"),
    )
    answered = False
    with Manager(config) as manager:
        # The files are read and checked here, not at the first handshake: a mistake in them is told at once.
        station = manager.connect(station_id, url)
        for event in manager.events():
            if event.type == EventType.CONNECTED:
                print(f"connected, {event.text}")
                station.send('[2,"heartbeat-1","Heartbeat",{}]')
            elif event.type == EventType.MESSAGE:
                print(f"{event.station_id}: {event.text}")
                answered = True
                station.disconnect()
            elif event.type == EventType.ERROR:
                print(event.text, file=sys.stderr)
            elif event.type == EventType.CLOSED:
                break
    return answered


if len(sys.argv) != 6:
    print("usage: client_certificate.py wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem", file=sys.stderr)
    sys.exit(2)
try:
    sys.exit(0 if exchange(*sys.argv[1:]) else 1)
except ChargewireError as failed:
    sys.exit(str(failed))
