#pragma once

namespace fixture {

// The next `times` calls of the calling thread fail: of write(2) with `error`, of OpenSSL's SSL_set_ex_data as without
// memory. What is tested here cannot be brought about from outside.
void fail_write(int times, int error);
void fail_set_ex_data(int times);

}  // namespace fixture
