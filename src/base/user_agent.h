#pragma once

#include <chargewire/chargewire.h>

#include <string_view>

namespace cwire {

#define CWIRE_TEXT_OF(x) #x
#define CWIRE_TEXT(x) CWIRE_TEXT_OF(x)
// What the library calls itself towards servers and proxies: "chargewire/0.1.0".
constexpr std::string_view kUserAgent = "chargewire/" CWIRE_TEXT(CWIRE_VERSION_MAJOR) "." CWIRE_TEXT(
    CWIRE_VERSION_MINOR) "." CWIRE_TEXT(CWIRE_VERSION_PATCH);
#undef CWIRE_TEXT
#undef CWIRE_TEXT_OF

}  // namespace cwire
