#include "ocpp.h"

#include <stdio.h>
#include <string.h>

size_t ocpp_boot_notification(char* frame, const char* id, const char* subprotocol) {
  /* OCPP 2.x moved the station into an object of its own, and wants to know why it booted. */
  const char* payload = strcmp(subprotocol, "ocpp1.6") == 0
                            ? "{\"chargePointVendor\":\"Chargewire\",\"chargePointModel\":\"Quickstart\"}"
                            : "{\"reason\":\"PowerUp\","
                              "\"chargingStation\":{\"vendorName\":\"Chargewire\",\"model\":\"Quickstart\"}}";
  return (size_t)snprintf(frame, OCPP_FRAME_MAX, "[2,\"%s\",\"BootNotification\",%s]", id, payload);
}

size_t ocpp_heartbeat(char* frame, const char* id) {
  return (size_t)snprintf(frame, OCPP_FRAME_MAX, "[2,\"%s\",\"Heartbeat\",{}]", id);
}

size_t ocpp_not_implemented(char* frame, const char* id) {
  return (size_t)snprintf(frame, OCPP_FRAME_MAX, "[4,\"%s\",\"NotImplemented\",\"\",{}]", id);
}

/* Passes over white space, then this character. NULL: there is another, or `at` was NULL already. */
static const char* after(const char* at, char expected) {
  if (at == NULL) return NULL;
  at += strspn(at, " \t\r\n");
  return *at == expected ? at + 1 : NULL;
}

bool ocpp_read(const char* text, ocpp_frame* out) {
  const char* at = after(text, '[');
  size_t size;
  if (at == NULL) return false;
  at += strspn(at, " \t\r\n");
  if (*at < '0' || *at > '9') return false;
  out->type = *at - '0';
  at = after(after(at + 1, ','), '"');
  if (at == NULL) return false;
  /* An id with an escape in it would come back changed, so it is not taken for one. */
  size = strcspn(at, "\"\\");
  if (at[size] != '"' || size > OCPP_MESSAGE_ID_MAX) return false;
  memcpy(out->id, at, size);
  out->id[size] = '\0';
  return true;
}

bool ocpp_boot_accepted(const char* text) {
  static const char key[] = "\"status\"", accepted[] = "Accepted\"";
  const char* at = strstr(text, key);
  if (at == NULL) return false;
  at = after(after(at + sizeof key - 1, ':'), '"');
  return at != NULL && strncmp(at, accepted, sizeof accepted - 1) == 0;
}
