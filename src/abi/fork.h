#pragma once

namespace cwire::abi {

// A child of fork() has none of its parent's threads. So there the parent's managers, stations and pools are unknown:
// calls with their tokens say INVALID_HANDLE and touch nothing. Configurations stay, and the child may make managers of
// its own. Before the first manager; again is harmless.
void prepare_for_fork();

}  // namespace cwire::abi
