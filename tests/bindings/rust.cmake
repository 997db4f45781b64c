# Rust: the crates' own tests, the packages used by a stranger, the examples, and the lifecycle.
find_program(CARGO_EXECUTABLE cargo)
if(NOT CARGO_EXECUTABLE)
  add_test(NAME "bindings/rust: no cargo" COMMAND ${CMAKE_COMMAND} -E echo "skipped: there is no cargo; Debian's package will do")
  set_tests_properties("bindings/rust: no cargo" PROPERTIES SKIP_REGULAR_EXPRESSION "skipped" LABELS bindings)
  return()
endif()

set(rust_library ${PROJECT_BINARY_DIR}/tests/install/prefix/${CMAKE_INSTALL_LIBDIR})
set(rust_crates ${PROJECT_SOURCE_DIR}/bindings/rust)
set(rust_target ${CMAKE_CURRENT_BINARY_DIR}/cargo)

# add_rust_test(<name> [SETS_UP <fixture>] [NEEDS <fixture>] DIRECTORY <directory> COMMAND <command>...)
# Cargo builds one thing at a time anyway, and would only stand in line.
function(add_rust_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SETS_UP;NEEDS;DIRECTORY" "COMMAND")
  add_test(NAME "bindings/rust: ${name}" COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${arg_DIRECTORY})
  set_tests_properties("bindings/rust: ${name}" PROPERTIES TIMEOUT 240 LABELS bindings RESOURCE_LOCK cargo
    FIXTURES_REQUIRED "prefix;${arg_NEEDS}" FIXTURES_SETUP "${arg_SETS_UP}"
    ENVIRONMENT "CARGO_TARGET_DIR=${rust_target};PKG_CONFIG_PATH=${rust_library}/pkgconfig;CHARGEWIRE_CSMS=$<TARGET_FILE:chargewire-csms>;RUSTDOCFLAGS=-D warnings;PYTHONDONTWRITEBYTECODE=1;LD_LIBRARY_PATH=${rust_library}")
endfunction()

add_rust_test("every symbol, size and offset" DIRECTORY ${rust_crates}
  COMMAND ${CARGO_EXECUTABLE} test --offline --locked -p chargewire-sys)
add_rust_test("the crate's own tests" DIRECTORY ${rust_crates}
  COMMAND ${CARGO_EXECUTABLE} test --offline --locked -p chargewire --all-features)
add_rust_test("documented without a warning" DIRECTORY ${rust_crates}
  COMMAND ${CARGO_EXECUTABLE} doc --offline --locked --no-deps --all-features)
add_rust_test("packages, used by a stranger" DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/rust/package_test.py ${rust_crates} ${rust_library}
    $<TARGET_FILE:chargewire-csms> ${CMAKE_CURRENT_BINARY_DIR}/rust_package)

# Not part of a bare toolchain. Debian's packages are rustfmt and rust-clippy.
set(rust_packages ${rust_crates} ${PROJECT_SOURCE_DIR}/examples/rust ${PROJECT_SOURCE_DIR}/tests/bench/rust_client
  ${CMAKE_CURRENT_SOURCE_DIR}/rust)
foreach(package IN LISTS rust_packages)
  file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${package})
  execute_process(COMMAND ${CARGO_EXECUTABLE} fmt --version RESULT_VARIABLE no_fmt OUTPUT_QUIET ERROR_QUIET)
  if(NOT no_fmt)
    add_rust_test("formatted, ${name}" DIRECTORY ${package} COMMAND ${CARGO_EXECUTABLE} fmt --all --check)
  endif()
  execute_process(COMMAND ${CARGO_EXECUTABLE} clippy --version RESULT_VARIABLE no_clippy OUTPUT_QUIET ERROR_QUIET)
  if(NOT no_clippy)
    add_rust_test("clippy is silent, ${name}" DIRECTORY ${package}
      COMMAND ${CARGO_EXECUTABLE} clippy --offline --locked --all-features --all-targets -- -D warnings)
  endif()
endforeach()

# The oldest Rust that is promised, where it stands beside the one in PATH.
find_program(DEBIAN_CARGO cargo PATHS /usr/bin NO_DEFAULT_PATH)
if(DEBIAN_CARGO AND NOT DEBIAN_CARGO STREQUAL CARGO_EXECUTABLE)
  foreach(package IN LISTS rust_packages)
    file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${package})
    set(does check)
    if(package STREQUAL rust_crates)
      set(does test --all-features)
    endif()
    add_rust_test("Debian's Rust, ${name}" DIRECTORY ${package}
      COMMAND ${CMAKE_COMMAND} -E env RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc CARGO_TARGET_DIR=${rust_target}-debian
        ${DEBIAN_CARGO} ${does} --offline --locked)
  endforeach()
endif()

add_rust_test("the examples are built" SETS_UP rust_examples DIRECTORY ${PROJECT_SOURCE_DIR}/examples/rust
  COMMAND ${CARGO_EXECUTABLE} build --release --offline --locked)
foreach(example IN ITEMS one_station fleet client_certificate)
  add_example_test(rust ${example} ${rust_target}/release/${example})
  set_tests_properties("bindings/rust: the example ${example}" PROPERTIES FIXTURES_REQUIRED "prefix;rust_examples"
    ENVIRONMENT LD_LIBRARY_PATH=${rust_library})
endforeach()

add_rust_test("the runner is built" SETS_UP rust_runner DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/rust
  COMMAND ${CARGO_EXECUTABLE} build --release --offline --locked)
foreach(delivery IN ITEMS iterator batches stream)
  add_conformance_test("rust ${delivery}" ${rust_target}/release/runner ${delivery})
  set_tests_properties("bindings/rust ${delivery}: conformance" PROPERTIES FIXTURES_REQUIRED "prefix;rust_runner"
    ENVIRONMENT LD_LIBRARY_PATH=${rust_library})
endforeach()
