#pragma once

#include <cstdint>
#include <string_view>

namespace cwire {

constexpr std::int32_t kRetryAfterMaxSeconds = 3600;

// The value of a Retry-After header (RFC 7231 7.1.3), in seconds from now: a number, or a date of the form that RFC
// 7231 7.1.1.1 asks for. More than an hour counts as an hour, a date that is past as 0. -1: neither form.
std::int32_t parse_retry_after(std::string_view value, std::int64_t now_unix_s);

}  // namespace cwire
