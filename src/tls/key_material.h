#pragma once

#include "config/settings.h"

struct ssl_ctx_st;

namespace cwire {

// Takes the station's certificate, the chain behind it and the private key into the context, if there are any. Throws
// Error(TLS): what cannot be read or used, a key of another certificate, an encrypted key without its password. Nothing
// ever prompts for one.
void load_identity(ssl_ctx_st* context, const TlsSettings& settings);

}  // namespace cwire
