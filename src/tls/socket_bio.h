#pragma once

struct bio_st;

namespace cwire {

// What a TLS stream needs to know of its socket beyond what OpenSSL passes on. OpenSSL's own socket BIO writes with
// write(), which raises SIGPIPE, and errno does not survive its way back through the library.
struct SocketBio {
  int socket = -1;
  int error = 0;     // errno of the last call that failed for good
  bool end = false;  // the peer has closed its side
};

// A BIO on `state`, which must outlive it. Throws std::bad_alloc.
bio_st* new_socket_bio(SocketBio& state);

}  // namespace cwire
