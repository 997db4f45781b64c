# Go: what is written is as gofmt and vet want it, the module's own tests under the race detector, the lifecycle, the examples, and the
# module used by a stranger. What Go compiles is kept below the build directory, the standard library for the race detector included: that
# takes a minute once, and then is there for all tests, and gone with the build.
find_program(GO_EXECUTABLE go)
if(NOT GO_EXECUTABLE)
  add_test(NAME "bindings/go: no go" COMMAND ${CMAKE_COMMAND} -E echo "skipped: there is no go; Debian's package golang-go will do")
  set_tests_properties("bindings/go: no go" PROPERTIES SKIP_REGULAR_EXPRESSION "skipped" LABELS bindings)
  return()
endif()

set(go ${CMAKE_CURRENT_BINARY_DIR}/go)
set(go_library ${PROJECT_BINARY_DIR}/tests/install/prefix/${CMAKE_INSTALL_LIBDIR})
set(go_module ${PROJECT_SOURCE_DIR}/bindings/go)
set(go_sources ${go_module} ${PROJECT_SOURCE_DIR}/examples/go ${CMAKE_CURRENT_SOURCE_DIR}/go)
# Nothing is fetched, and nothing of the user's is read.
set(go_environment GOCACHE=${go}/cache GOPATH=${go}/path GOENV=off GOFLAGS= GOPROXY=off GOTOOLCHAIN=local GO111MODULE=on CGO_ENABLED=1
  PKG_CONFIG_PATH=${go_library}/pkgconfig LD_LIBRARY_PATH=${go_library} CHARGEWIRE_CSMS=$<TARGET_FILE:chargewire-csms>
  PYTHONDONTWRITEBYTECODE=1)

# add_go_test(<name> [SETS_UP <fixture>] [NEEDS <fixture>] DIRECTORY <directory> COMMAND <command>...)
function(add_go_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SETS_UP;NEEDS;DIRECTORY" "COMMAND")
  add_test(NAME "bindings/go: ${name}" COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${arg_DIRECTORY})
  set_tests_properties("bindings/go: ${name}" PROPERTIES TIMEOUT 600 LABELS bindings FIXTURES_REQUIRED "prefix;${arg_NEEDS}"
    FIXTURES_SETUP "${arg_SETS_UP}" ENVIRONMENT "${go_environment}")
endfunction()

add_go_test("the runner is built" SETS_UP go DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/go COMMAND ${GO_EXECUTABLE} build -o ${go}/runner ./runner)
add_go_test("gofmt" DIRECTORY ${PROJECT_SOURCE_DIR} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/go/formatted.sh ${go_sources}
  ${PROJECT_SOURCE_DIR}/tests/bench)
foreach(directory IN LISTS go_sources)
  file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${directory})
  add_go_test("vet, ${name}" NEEDS go DIRECTORY ${directory} COMMAND ${GO_EXECUTABLE} vet ./...)
endforeach()
add_go_test("the module's tests, with the race detector" NEEDS go DIRECTORY ${go_module} COMMAND ${GO_EXECUTABLE} test -race -count=1 ./...)

# The callbacks are another view of the channel.
foreach(view IN ITEMS channel callbacks)
  add_conformance_test("go ${view}" ${go}/runner ${view})
  set_tests_properties("bindings/go ${view}: conformance" PROPERTIES FIXTURES_REQUIRED "prefix;go" ENVIRONMENT LD_LIBRARY_PATH=${go_library})
endforeach()

add_go_test("the examples are built" SETS_UP go_examples NEEDS go DIRECTORY ${PROJECT_SOURCE_DIR}/examples/go
  COMMAND ${GO_EXECUTABLE} build -o ${go}/examples/ ./...)
foreach(example IN ITEMS one_station fleet client_certificate)
  add_example_test(go ${example} ${go}/examples/${example})
  set_tests_properties("bindings/go: the example ${example}" PROPERTIES FIXTURES_REQUIRED "prefix;go_examples"
    ENVIRONMENT LD_LIBRARY_PATH=${go_library})
endforeach()
add_example_test(go readme ${CMAKE_CURRENT_SOURCE_DIR}/go/stranger ${go_module} ${PROJECT_VERSION} ${go}/stranger)
set_tests_properties("bindings/go: the example readme" PROPERTIES FIXTURES_REQUIRED "prefix;go" ENVIRONMENT "${go_environment}")

# The benchmark's client is in no module, as the one of gorilla/websocket cannot be: see tests/bench. So that it does not rot, it is built here too.
set(go_path ${go}/path)
file(MAKE_DIRECTORY ${go_path}/src/github.com/chargewire/chargewire/bindings)
file(CREATE_LINK ${go_module} ${go_path}/src/github.com/chargewire/chargewire/bindings/go SYMBOLIC)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/tests/bench/go_measurement ${go_path}/src/measurement SYMBOLIC)
add_go_test("the benchmark's client is built" NEEDS go DIRECTORY ${PROJECT_SOURCE_DIR}/tests/bench/chargewire_go
  COMMAND ${CMAKE_COMMAND} -E env GO111MODULE=off ${GO_EXECUTABLE} build -o ${go}/bench_client .)
