#pragma once

#include <openssl/asn1.h>

#include <ctime>

namespace cwire {

// A date that cannot be read is over.
inline std::time_t time_of(const ASN1_TIME* date) {
  std::tm fields{};
  return ASN1_TIME_to_tm(date, &fields) == 1 ? ::timegm(&fields) : 0;
}

}  // namespace cwire
