#pragma once

#include <cstddef>
#include <string>

#include "base/secret.h"

namespace cwire {

// The bytes of a file of at most size_max bytes. Throws Error(CONFIG) that begins with `what`, names the path and says
// why.
std::string read_file(const std::string& path, std::size_t size_max, const std::string& what);

// The same for a secret: one line break at the end does not count, since editors and `echo` add it.
Secret read_secret_file(const std::string& path, const std::string& what);

}  // namespace cwire
