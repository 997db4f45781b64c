# Python: chargewire.py judged by a C compiler, its own tests against the CSMS, the examples, and the lifecycle by poll and by asyncio.
set(python_module ${PROJECT_SOURCE_DIR}/bindings/python)
set(python_library ${PROJECT_BINARY_DIR}/tests/install/prefix/${CMAKE_INSTALL_LIBDIR}/libchargewire.so.0)

function(set_python_environment)
  set_tests_properties(${ARGN} PROPERTIES LABELS bindings FIXTURES_REQUIRED prefix
    ENVIRONMENT "PYTHONPATH=${python_module}:${CMAKE_CURRENT_SOURCE_DIR}/rust;PYTHONDONTWRITEBYTECODE=1;CHARGEWIRE_LIBRARY=${python_library}")
endfunction()

# add_python_test(<name> <file> <argument>...): every warning is a failure, that of an unclosed manager too.
function(add_python_test name file)
  add_test(NAME "bindings/python: ${name}"
    COMMAND ${Python3_EXECUTABLE} -W error -X dev ${CMAKE_CURRENT_SOURCE_DIR}/python/${file} ${ARGN})
  set_tests_properties("bindings/python: ${name}" PROPERTIES TIMEOUT ${test_timeout})
  set_python_environment("bindings/python: ${name}")
endfunction()

add_python_test("every symbol, size and offset" abi_test.py ${PROJECT_SOURCE_DIR}/include/chargewire/chargewire.h
  ${PROJECT_SOURCE_DIR}/tests/abi/symbols.txt ${CMAKE_C_COMPILER})
add_python_test("the module's own tests" module_test.py $<TARGET_FILE:chargewire-csms>)
add_python_test("the package, used by a stranger" package_test.py ${python_module} ${CMAKE_CURRENT_BINARY_DIR}/python_package)
set_tests_properties("bindings/python: the package, used by a stranger" PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped")

add_example_test(python readme ${CMAKE_CURRENT_SOURCE_DIR}/python/readme ${python_module} ${CMAKE_CURRENT_BINARY_DIR}/python_readme 0)
add_example_test("python asyncio" readme ${CMAKE_CURRENT_SOURCE_DIR}/python/readme ${python_module} ${CMAKE_CURRENT_BINARY_DIR}/python_readme_asyncio 1)
set_python_environment("bindings/python: the example readme" "bindings/python asyncio: the example readme")
foreach(example IN ITEMS one_station fleet client_certificate)
  add_example_test(python ${example} ${Python3_EXECUTABLE} -W error -X dev ${PROJECT_SOURCE_DIR}/examples/python/${example}.py)
  set_python_environment("bindings/python: the example ${example}")
endforeach()

foreach(delivery IN ITEMS poll asyncio)
  add_conformance_test("python ${delivery}" ${Python3_EXECUTABLE} -W error ${CMAKE_CURRENT_SOURCE_DIR}/python/runner.py ${delivery})
  set_python_environment("bindings/python ${delivery}: conformance")
endforeach()
