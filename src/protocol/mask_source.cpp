#include "protocol/mask_source.h"

#include <openssl/rand.h>

#include <stdexcept>

namespace cwire {

void MaskSource::refill() {
  if (RAND_bytes(reinterpret_cast<unsigned char*>(block_.data()), static_cast<int>(sizeof block_)) != 1) {
    throw std::runtime_error("the cryptographic random generator failed");
  }
  used_ = 0;
}

}  // namespace cwire
