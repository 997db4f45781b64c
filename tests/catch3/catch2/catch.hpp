// In the include path only with Catch2 3, which has no such file: makes tests written for Catch2 2 compile with it.
#pragma once

#include <catch2/catch_all.hpp>

using Catch::Approx;
namespace Catch {
using namespace Matchers;
}
