# C#. Packages come from NuGet; all that is made and fetched stays below the build directory.
find_program(DOTNET dotnet)
if(NOT DOTNET)
  add_test(NAME "bindings/csharp: left out"
    COMMAND ${CMAKE_COMMAND} -E echo "There is no dotnet, and Debian has none: install the .NET SDK 10 to run these tests.")
  set_tests_properties("bindings/csharp: left out" PROPERTIES SKIP_REGULAR_EXPRESSION "There is no dotnet" LABELS bindings)
  return()
endif()

set(csharp ${CMAKE_CURRENT_BINARY_DIR}/csharp)
set(csharp_prefix ${PROJECT_BINARY_DIR}/tests/install/prefix)
# No server of the SDK outlives a test.
set(csharp_environment DOTNET_CLI_HOME=${csharp}/home DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
  DOTNET_GENERATE_ASPNET_CERTIFICATE=false MSBUILDDISABLENODEREUSE=1 NUGET_PACKAGES=${csharp}/packages)

# add_csharp_test(<name> <command>...): with the installed library, and after the build.
function(add_csharp_test name)
  add_test(NAME "bindings/csharp: ${name}" COMMAND ${ARGN})
  use_csharp("bindings/csharp: ${name}")
endfunction()
function(use_csharp test)
  set_tests_properties(${test} PROPERTIES TIMEOUT 240 LABELS bindings FIXTURES_REQUIRED "prefix;csharp"
    ENVIRONMENT "${csharp_environment};LD_LIBRARY_PATH=${csharp_prefix}/${CMAKE_INSTALL_LIBDIR};CHARGEWIRE_CSMS=$<TARGET_FILE:chargewire-csms>")
endfunction()

add_test(NAME "bindings/csharp: build" COMMAND ${DOTNET} build ${PROJECT_SOURCE_DIR}/bindings/csharp/Chargewire.slnx --configuration Release
  --artifacts-path ${csharp} --nologo --verbosity quiet -p:UseSharedCompilation=false)
set_tests_properties("bindings/csharp: build" PROPERTIES TIMEOUT 240 LABELS bindings ENVIRONMENT "${csharp_environment}" FIXTURES_SETUP csharp)

add_csharp_test("what the declarations say and what users rely on"
  ${DOTNET} test ${csharp}/bin/Chargewire.Tests/release/Chargewire.Tests.dll --nologo)
foreach(directory IN ITEMS bindings/csharp examples/csharp tests/bindings/csharp tests/bench/csharp)
  add_csharp_test("spaces and line breaks in ${directory}"
    ${DOTNET} format whitespace ${PROJECT_SOURCE_DIR}/${directory} --folder --verify-no-changes)
endforeach()
add_conformance_test(csharp ${csharp}/bin/Runner/release/Runner)
use_csharp("bindings/csharp: conformance")
# One heap: the C library gives each of the many threads that come and go one of its own, and keeps what is free in them, which looks like a leak.
set_property(TEST "bindings/csharp: conformance" APPEND PROPERTY ENVIRONMENT MALLOC_ARENA_MAX=1)

foreach(example IN ITEMS one_station:OneStation fleet:Fleet client_certificate:ClientCertificate)
  string(REGEX MATCH "(.*):(.*)" _ ${example})
  set(name ${CMAKE_MATCH_1})
  add_example_test(csharp ${name} ${csharp}/bin/${CMAKE_MATCH_2}/release/${CMAKE_MATCH_2})
  use_csharp("bindings/csharp: the example ${name}")
endforeach()

# The package has the self-contained library where that is built.
set(csharp_native ${csharp_prefix}/${CMAKE_INSTALL_LIBDIR}/libchargewire.so)
if(TARGET chargewire_bundled)
  set(csharp_native $<TARGET_FILE:chargewire_bundled>)
endif()
# That for 64-bit ARM too, where the preset aarch64 was built before.
set(csharp_natives linux-x64=${csharp_native} linux-arm64=${PROJECT_SOURCE_DIR}/build/aarch64/bundled/libchargewire.so)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  set(csharp_natives linux-arm64=${csharp_native})
endif()
add_csharp_test("the package is all that a stranger needs"
  ${CMAKE_CURRENT_SOURCE_DIR}/csharp/package ${DOTNET} ${csharp} ${csharp_natives})
set_tests_properties("bindings/csharp: the package is all that a stranger needs" PROPERTIES FIXTURES_SETUP csharp_package)
add_example_test(csharp readme ${csharp}/package/built/Station)
set_tests_properties("bindings/csharp: the example readme" PROPERTIES FIXTURES_REQUIRED csharp_package)
