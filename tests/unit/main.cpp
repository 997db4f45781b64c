// The main of each test executable. It stands alone because Catch2 2 takes long to compile it; with Catch2 3, which
// links its own main, the macro has no meaning and nothing is left here.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
