/* The little of OCPP-J that the fleet speaks: writes BootNotification and Heartbeat, reads what comes back. */
#ifndef QUICKSTART_OCPP_H
#define QUICKSTART_OCPP_H

#include <stdbool.h>
#include <stddef.h>

#define OCPP_MESSAGE_ID_MAX 36 /* characters */
#define OCPP_FRAME_MAX 256     /* bytes of the longest frame written here, its NUL included */

/* MessageTypeId (OCPP-J part 4, 4.1.3) */
#define OCPP_CALL 2
#define OCPP_CALL_RESULT 3
#define OCPP_CALL_ERROR 4

/* What is common to all frames. */
typedef struct ocpp_frame {
  int type;
  char id[OCPP_MESSAGE_ID_MAX + 1];
} ocpp_frame;

/* Each writes a frame of at most OCPP_FRAME_MAX bytes and returns its size. `subprotocol` is as agreed on: "ocpp1.6".
 */
size_t ocpp_boot_notification(char* frame, const char* id, const char* subprotocol);
size_t ocpp_heartbeat(char* frame, const char* id);
/* The answer of a station to a CALL it does not know. */
size_t ocpp_not_implemented(char* frame, const char* id);

/* False: not a frame of OCPP-J. */
bool ocpp_read(const char* text, ocpp_frame* out);
/* Whether the CALLRESULT of a BootNotification says that the station may start. */
bool ocpp_boot_accepted(const char* text);

#endif
