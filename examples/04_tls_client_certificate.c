/*
 * Lesson 4: TLS with a client certificate, OCPP's security profile 3.
 *
 *     04_tls_client_certificate wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem
 *
 * Connects, exchanges one Heartbeat, closes. Whatever is wrong with a certificate, on either side, is told in one line.
 * The password of an encrypted key is taken from the environment variable KEY_PASSWORD.
 */
#include <chargewire/chargewire.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char heartbeat[] = "[2,\"heartbeat-1\",\"Heartbeat\",{}]";

static cwire_status set_certificates(cwire_config config, char** paths, cwire_error* err) {
  static const char* const keys[] = {"csms.tls.ca_cert", "csms.tls.client_cert", "csms.tls.client_key"};
  const char* password = getenv("KEY_PASSWORD");
  cwire_status status = cwire_config_set(config, "csms.tls.enabled", "true", err); /* ws:// is now refused */
  size_t i;
  /* A station tries for ever by default. This one is to say at once what is wrong. */
  if (status == CWIRE_OK) status = cwire_config_set(config, "csms.max_reconnect_attempts", "1", err);
  for (i = 0; i < 3 && status == CWIRE_OK; ++i) status = cwire_config_set(config, keys[i], paths[i], err);
  if (status == CWIRE_OK && password != NULL) {
    status = cwire_config_set(config, "csms.tls.client_key_password", password, err);
  }
  return status;
}

/* Polls until an event of this type. 0: the station ended before, or nothing came for ten seconds. */
static int print_until(cwire_manager manager, int32_t type) {
  const cwire_event* events;
  size_t count, i;
  while (cwire_manager_poll(manager, 10000, 64, &events, &count) == CWIRE_OK) {
    for (i = 0; i < count; ++i) {
      if (events[i].type == CWIRE_EVENT_CLOSED) return events[i].type == type;
      if (events[i].type != CWIRE_EVENT_STATE && events[i].data_size > 0) printf("%s\n", events[i].data);
      if (events[i].type == type) return 1;
    }
  }
  fprintf(stderr, "nothing came for ten seconds\n");
  return 0;
}

int main(int argc, char** argv) {
  cwire_error err = CWIRE_ERROR_INIT;
  cwire_config config;
  cwire_manager manager;
  cwire_station station;
  int answered;

  if (argc != 6) {
    fprintf(stderr, "usage: %s wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem\n", argv[0]);
    return 2;
  }
  if (cwire_config_new(&config) != CWIRE_OK) return 1;

  /* The files are read and checked by connect, not at the first handshake: a mistake in them is told here. */
  if (set_certificates(config, argv + 3, &err) != CWIRE_OK ||
      cwire_manager_new(config, NULL, 0, &manager, &err) != CWIRE_OK ||
      cwire_manager_connect(manager, argv[2], argv[1], NULL, 0, &station, &err) != CWIRE_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  cwire_config_free(config); /* the manager has a copy */

  /* err says why not: "unable to get local issuer certificate", "Connection refused". */
  if (cwire_station_wait(station, 10000, &err) != CWIRE_OK) {
    fprintf(stderr, "%s\n", err.message);
    cwire_manager_free(manager);
    return 1;
  }
  answered = cwire_station_send(station, heartbeat, strlen(heartbeat), 0, 0) == CWIRE_OK &&
             print_until(manager, CWIRE_EVENT_MESSAGE);
  cwire_station_disconnect(station, 0, NULL);
  print_until(manager, CWIRE_EVENT_CLOSED);
  cwire_manager_free(manager);
  return answered ? 0 : 1;
}
