#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Loads the library at `path`, connects a station to the wss:// `url` of an echoing CSMS whose certificate is in
 * `ca_file`, or among the system's CAs if that is "", sends it a message and waits for that to come back. The station
 * and its manager live on. Returns NULL, or what went wrong. */
const char* talk(const char* path, const char* url, const char* ca_file);

#ifdef __cplusplus
}
#endif
