#pragma once

#include <cerrno>

namespace fixture {

// What can be made to fail here cannot be brought about from outside.
enum class Call {
  write,
  ssl_set_ex_data,
  bio_meth_new,
  evp_digest_update,
  evp_digest_final_ex,
  ossl_decoder_from_data,
  x509v3_ext_d2i
};

// The next `times` calls of the calling thread fail: those of the system with this errno, those of OpenSSL as without
// memory.
void fail_next(Call call, int times = 1, int error = ENOMEM);

}  // namespace fixture
