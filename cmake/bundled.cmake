# The self-contained variant, bundled/libchargewire.so, for packages that cannot ask a system for libraries: NuGet and its like. OpenSSL, yaml-cpp, zlib
# and libstdc++ are linked in and hidden, so that a host may have its own; docs/packaging.md says what follows from that. Only where their archives are.
find_library(CHARGEWIRE_LIBSSL_ARCHIVE libssl.a)
find_library(CHARGEWIRE_LIBCRYPTO_ARCHIVE libcrypto.a)
find_library(CHARGEWIRE_YAML_CPP_ARCHIVE libyaml-cpp.a)
find_library(CHARGEWIRE_LIBZ_ARCHIVE libz.a)
mark_as_advanced(CHARGEWIRE_LIBSSL_ARCHIVE CHARGEWIRE_LIBCRYPTO_ARCHIVE CHARGEWIRE_YAML_CPP_ARCHIVE CHARGEWIRE_LIBZ_ARCHIVE)
set(archives ${CHARGEWIRE_LIBSSL_ARCHIVE} ${CHARGEWIRE_LIBCRYPTO_ARCHIVE} ${CHARGEWIRE_YAML_CPP_ARCHIVE} ${CHARGEWIRE_LIBZ_ARCHIVE})
if(archives MATCHES "NOTFOUND")
  message(STATUS "No self-contained libchargewire.so: there is no libssl.a, libcrypto.a, libyaml-cpp.a or libz.a")
  return()
endif()

add_library(chargewire_bundled SHARED $<TARGET_OBJECTS:chargewire_objects> ${PROJECT_SOURCE_DIR}/src/bundled/arc4random.c)
# One file, no symbolic links: packages of other worlds have none.
set_target_properties(chargewire_bundled PROPERTIES
  OUTPUT_NAME chargewire
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bundled
  NO_SONAME ON
  C_EXTENSIONS ON
  C_VISIBILITY_PRESET hidden
  LINKER_LANGUAGE CXX
  LINK_DEPENDS ${PROJECT_SOURCE_DIR}/src/chargewire.map)
target_link_libraries(chargewire_bundled PRIVATE ${archives} Threads::Threads ${CMAKE_DL_LIBS})
target_link_options(chargewire_bundled PRIVATE
  -Wl,-soname,libchargewire.so.${CHARGEWIRE_SOVERSION}
  -Wl,--version-script=${PROJECT_SOURCE_DIR}/src/chargewire.map
  -Wl,--exclude-libs,ALL
  -Wl,-Bsymbolic
  -Wl,-z,nodelete
  -Wl,--no-undefined
  -Wl,--strip-all
  # Not libgcc: an exception that escapes a handler is thrown by the host's C++ and caught here, and only one unwinder can do both.
  -static-libstdc++)
