#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

// Who is calling: what a station says of itself in the HTTP request. Pure functions.
namespace csms {

// The station's identity: the last segment of the request target's path, percent-decoded (OCPP-J part 4, 3.1.1).
// Nothing if it is empty or holds an escape that is none.
std::optional<std::string> identity_of(std::string_view request_target);

// User name and password of an `Authorization: Basic` header. The password is bytes, not text: OCPP 1.6 puts the raw
// bytes of its hex AuthorizationKey there. Nothing if the header is of another scheme or not base64.
std::optional<std::pair<std::string, std::string>> basic_credentials(std::string_view authorization);

// The token of an `Authorization: Bearer` header.
std::optional<std::string> bearer_token(std::string_view authorization);

// Compares in a time that does not tell how much of it was right.
bool same_secret(std::string_view left, std::string_view right);

}  // namespace csms
