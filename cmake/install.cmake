# What `cmake --install` puts where: the headers, both libraries, the pkg-config file and the CMake package. The component `runtime` is what programs
# need to run, `development` what they are built with, `tools` (tools.cmake) the commands.
include(CMakePackageConfigHelpers)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME development)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/chargewire TYPE INCLUDE)
install(TARGETS chargewire EXPORT chargewireTargets LIBRARY COMPONENT runtime NAMELINK_COMPONENT development)
install(TARGETS chargewire_static EXPORT chargewireStaticTargets)

# pkg-config. Paths are relative to the file itself, so that the installed tree may be moved as a whole.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
  BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig OUTPUT_VARIABLE pc_prefix)
cmake_path(APPEND pc_includedir "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
cmake_path(APPEND pc_libdir "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
# What a C compiler does not link by itself and the library, being C++, needs: libstdc++ and libm, or libc++.
set(pc_runtime ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
list(REMOVE_ITEM pc_runtime ${CMAKE_C_IMPLICIT_LINK_LIBRARIES})
list(APPEND pc_runtime ${CMAKE_DL_LIBS})
list(TRANSFORM pc_runtime PREPEND -l)
list(APPEND pc_runtime ${CMAKE_THREAD_LIBS_INIT})
# CMake knows the language of a static library, but links its runtime only in projects that have C++ enabled.
target_link_libraries(chargewire_static INTERFACE "$<INSTALL_INTERFACE:${pc_runtime}>")
list(JOIN pc_runtime " " pc_runtime)
configure_file(${PROJECT_SOURCE_DIR}/pkgconfig/chargewire.pc.in ${PROJECT_BINARY_DIR}/chargewire.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/chargewire.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# find_package(chargewire) gives chargewire::chargewire; find_package(chargewire COMPONENTS static) also chargewire::static.
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/chargewire)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/chargewireConfig.cmake.in
  ${PROJECT_BINARY_DIR}/chargewireConfig.cmake INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/chargewireConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/chargewireConfig.cmake ${PROJECT_BINARY_DIR}/chargewireConfigVersion.cmake
  DESTINATION ${package_dir})
install(EXPORT chargewireTargets NAMESPACE chargewire:: DESTINATION ${package_dir})
install(EXPORT chargewireStaticTargets NAMESPACE chargewire:: DESTINATION ${package_dir})
