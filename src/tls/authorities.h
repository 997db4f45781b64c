#pragma once

#include "config/settings.h"

struct ssl_ctx_st;

namespace cwire {

// Takes the CAs that are trusted into the context: those of the configuration, or the system's. Throws Error(TLS): what
// cannot be read or used.
void load_authorities(ssl_ctx_st* context, const TlsSettings& settings);

}  // namespace cwire
