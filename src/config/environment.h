#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"

namespace cwire {

// Replaces ${NAME} by the environment variable and $${ by ${. The result is a Secret, for it may well be one. Throws
// Error(CONFIG) that begins with `where` and shows the variable's name alone.
Secret expand_environment(std::string_view text, const std::string& where);

}  // namespace cwire
