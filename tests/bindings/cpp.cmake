# C++ in both deliveries.
add_executable(chargewire_cpp_runner cpp/runner.cpp)
target_link_libraries(chargewire_cpp_runner PRIVATE chargewire::chargewire Threads::Threads)
foreach(delivery IN ITEMS poll handler)
  add_conformance_test("c++ ${delivery}" $<TARGET_FILE:chargewire_cpp_runner> ${delivery})
endforeach()
