#pragma once

#include <ctime>

#include "config/settings.h"

struct ssl_ctx_st;
struct x509_store_ctx_st;

namespace cwire {

// Takes the revocation lists of csms.tls.crl_file, if it is set, into the context: from then on the server's
// certificate must be covered by one. Returns until when all of them hold. Throws Error(TLS): what cannot be read or
// used.
std::time_t load_revocation_lists(ssl_ctx_st* context, const TlsSettings& settings);

// For the callback of verification. True, and nothing is wrong any more: there was only no list for a CA's own
// certificate. Few CAs publish one, so those that are there count, and no more is asked for.
bool accept_missing_list_of_authority(x509_store_ctx_st* store);

}  // namespace cwire
