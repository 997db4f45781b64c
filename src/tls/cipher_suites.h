#pragma once

#include "config/settings.h"

struct ssl_ctx_st;

namespace cwire {

// Sets which cipher suites are offered: the configuration's, or those of OCPP. Throws Error(CONFIG) for one that
// OpenSSL does not have or that is not safe, which OpenSSL itself would pass over in silence, and for a choice without
// those that a security profile demands.
void set_cipher_suites(ssl_ctx_st* context, const TlsSettings& settings);

}  // namespace cwire
