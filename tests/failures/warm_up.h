#pragma once

#include <string>

namespace failures {

// What OpenSSL and the C library do once per process: fetching algorithms, naming errors, seeding generators, loading
// what resolves names. Some of it fails for good when there is no memory for it, and that is their affair. `directory`
// is that of the scenario.
void warm_up(const std::string& directory);

}  // namespace failures
