#pragma once

#include <chargewire/chargewire.hpp>
#include <string_view>

namespace fleet {

// What to do about failures of one kind: docs/errors.md in one sentence.
std::string_view advice(chargewire::Status status, chargewire::Phase phase);

}  // namespace fleet
