#pragma once

#include <string>
#include <string_view>

#include "ocpp/own_secrets.h"

namespace cwire {

// What of a message, a head or a URL may be shown to whoever reads a trace. Values are replaced by "***"; all else
// stays byte for byte. Hidden are:
//
// - values of names that hold a word for a secret (password, authorizationKey, privateKey ..., in any case and with
//   anything between but letters and digits), or end with one (token, pin, authorization ...); `vpn.key`
// - values that stand beside such a name: {"key": "AuthorizationKey", "value": ...}, and an attributeValue or a
//   variableAttribute with a variable {"name": "BasicAuthPassword"}
// - texts that hold such a word, and are no mere name: a PEM private key, "pin=1234"
// - user, password and query of URLs
// - what the station itself must keep to itself, if the peer repeats it
// - likewise idTags and idTokens, unless they may be shown: they are personal data, and who knows one can charge with
// it
//
// JSON that stands in a string is looked into as well.
struct RedactionRules {
  bool shows_id_tokens = false;
};

struct Redacted {
  std::string text;
  bool changed = false;
  const char* withheld = nullptr;  // why nothing is shown, in place of `text`
};

// The payload of a message, a ping or a pong, or the reason of a close frame. Binary payloads are shown or withheld as
// a whole.
Redacted redact_message(std::string_view payload, bool binary, const OwnSecrets& own, RedactionRules rules);

// One header line, "Name: value". `is_secret`: whatever its name, because this station has a secret of that name.
std::string redact_header(std::string_view line, bool is_secret, const OwnSecrets& own);
// Whether the values of headers of that name are secret wherever they occur.
bool is_secret_header(std::string_view name);
// "/ocpp/CP001?***": a path without its query.
std::string redact_query(std::string_view path);

}  // namespace cwire
