/*
 * One function per type of event, made out of the one event stream. Everything here is inline and becomes part of your
 * program; the library knows nothing of it.
 *
 *     static void on_message(void *user, const cwire_event *event) { puts(event->data); }
 *
 *     static cwire_callbacks callbacks = {.on_message = on_message};
 *     cwire_manager_new(config, cwire_dispatch, (uintptr_t)&callbacks, &manager, &err);
 *
 * Who polls calls cwire_dispatch with each batch instead.
 */
#ifndef CHARGEWIRE_CALLBACKS_H
#define CHARGEWIRE_CALLBACKS_H

#include <chargewire/chargewire.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Takes one event. In handler mode it runs on an I/O thread, and all that is said of cwire_event_handler holds for it.
 * `user` is cwire_callbacks.user; what was given to connect is event->user_data. The event lives until the function
 * returns. */
typedef void (*cwire_callback)(void *user, const cwire_event *event);

/* What to call. Set all to zero first, then what you need: events without a function are passed over. It must stay
 * where it is, and unchanged, until SHUTDOWN was delivered; on_shutdown may free it. */
typedef struct cwire_callbacks {
  void *user;                     /* yours; given to each function */
  cwire_callback on_connected;    /* data: the subprotocol; CWIRE_FLAG_RECONNECT when not the first connection */
  cwire_callback on_message;      /* data: the message */
  cwire_callback on_sent;         /* tag: the send's; status: OK, or why it was not sent */
  cwire_callback on_writable;     /* after QUEUE_FULL: there is room again */
  cwire_callback on_disconnected; /* code: close code; CWIRE_FLAG_WILL_RETRY when another attempt follows */
  cwire_callback on_error;        /* an attempt to connect failed; data: why, and what follows */
  cwire_callback on_state;        /* code: the new state; tag: the old one */
  cwire_callback on_closed;       /* the last event of a station */
  cwire_callback on_log;          /* code: CWIRE_LOG_*; data: the line */
  cwire_callback on_shutdown;     /* the last event of the manager */
  cwire_callback on_paused;       /* poll mode: reading had paused, because events waited to be polled; tag: nanoseconds */
  cwire_callback on_endpoint;     /* code: CWIRE_BREAKER_*; data: which endpoint, why, what follows */
} cwire_callbacks;

/* The function for a type of event. NULL if there is none, or if the type is newer than this header. */
static inline cwire_callback cwire_callback_for(const cwire_callbacks *callbacks, int32_t type) {
  switch (type) {
    case CWIRE_EVENT_CONNECTED: return callbacks->on_connected;
    case CWIRE_EVENT_MESSAGE: return callbacks->on_message;
    case CWIRE_EVENT_SENT: return callbacks->on_sent;
    case CWIRE_EVENT_WRITABLE: return callbacks->on_writable;
    case CWIRE_EVENT_DISCONNECTED: return callbacks->on_disconnected;
    case CWIRE_EVENT_ERROR: return callbacks->on_error;
    case CWIRE_EVENT_STATE: return callbacks->on_state;
    case CWIRE_EVENT_CLOSED: return callbacks->on_closed;
    case CWIRE_EVENT_LOG: return callbacks->on_log;
    case CWIRE_EVENT_SHUTDOWN: return callbacks->on_shutdown;
    case CWIRE_EVENT_PAUSED: return callbacks->on_paused;
    case CWIRE_EVENT_ENDPOINT: return callbacks->on_endpoint;
    default: return NULL;
  }
}

/* A cwire_event_handler: calls the function for each event, oldest first. `context` is the address of a cwire_callbacks.
 * It is not looked at again after SHUTDOWN, which is always the last of its batch. */
static inline void cwire_dispatch(uintptr_t context, const cwire_event *events, size_t count) {
  const cwire_callbacks *callbacks = (const cwire_callbacks *)context;
  size_t i;
  for (i = 0; i < count; ++i) {
    const cwire_callback callback = cwire_callback_for(callbacks, events[i].type);
    if (callback != NULL) callback(callbacks->user, &events[i]);
  }
}

#ifdef __cplusplus
}
#endif

#endif /* CHARGEWIRE_CALLBACKS_H */
