#pragma once

namespace fixture {

// While this is set, `operator new` fails on the thread that set it: a thread of the library that runs a handler can so
// be made to live without memory.
void starve_this_thread(bool starved);

}  // namespace fixture
