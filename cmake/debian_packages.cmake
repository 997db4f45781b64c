# libchargewire0, libchargewire-dev and chargewire-tools: cmake --preset debian && cmake --build --preset debian && cpack --preset debian
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The Chargewire authors <maintainers@chargewire.invalid>")
set(CPACK_PACKAGE_NAME chargewire)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "OCPP-J connections for fleets of EV charging stations")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_COMPONENTS_ALL runtime development)
if(CHARGEWIRE_BUILD_TOOLS)
  list(APPEND CPACK_COMPONENTS_ALL tools)
endif()
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
  WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SOURCE chargewire)
set(CPACK_POST_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian/finish.cmake)

# The name ends in the SOVERSION, so that the libraries of two ABIs can be installed beside each other.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libchargewire${CHARGEWIRE_SOVERSION})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
# ldconfig runs by a trigger; other packages that are built with this library learn from shlibs what to depend on.
file(WRITE ${PROJECT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
file(WRITE ${PROJECT_BINARY_DIR}/debian/shlibs
  "libchargewire ${CHARGEWIRE_SOVERSION} ${CPACK_DEBIAN_RUNTIME_PACKAGE_NAME} (>= ${PROJECT_VERSION})\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/triggers ${PROJECT_BINARY_DIR}/debian/shlibs)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
"Chargewire keeps fleets of EV charging stations connected to their CSMS over
OCPP-J WebSockets: reconnection, security profiles, queues, statistics. This
package has the shared library.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libchargewire-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# The others are what programs that take the static library link with.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "${CPACK_DEBIAN_RUNTIME_PACKAGE_NAME} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}), libssl-dev, libyaml-cpp-dev, zlib1g-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"Chargewire keeps fleets of EV charging stations connected to their CSMS over
OCPP-J WebSockets. This package has what programs are built with: the headers
for C and C++, the static library, and files for pkg-config and CMake.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME chargewire-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION net)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
# Where dpkg-shlibdeps finds the library that is made here, of which it knows no package.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/src)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS
  "${CPACK_DEBIAN_RUNTIME_PACKAGE_NAME} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}), python3:any")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION
"Chargewire keeps fleets of EV charging stations connected to their CSMS over
OCPP-J WebSockets. This package has its commands: chargewire-fleet runs a fleet
of stations against a CSMS and reports how that went, chargewire-trace prints
what a trace has of stations and their CSMS as a conversation.")

# What Debian wants of every package, and the pages for developers. Not a part of `cmake --install`, which may be for any system.
configure_file(${PROJECT_SOURCE_DIR}/cmake/debian/changelog.in ${PROJECT_BINARY_DIR}/changelog.Debian @ONLY)
# Without the time of it, so that the same sources make the same packages.
find_program(GZIP gzip REQUIRED)
mark_as_advanced(GZIP)
foreach(changelog IN ITEMS ${PROJECT_BINARY_DIR}/changelog.Debian:changelog.Debian.gz ${PROJECT_SOURCE_DIR}/CHANGELOG.md:changelog.gz)
  string(REGEX MATCH "(.*):(.*)" changelog ${changelog})
  execute_process(COMMAND ${GZIP} -9nc ${CMAKE_MATCH_1} OUTPUT_FILE ${PROJECT_BINARY_DIR}/${CMAKE_MATCH_2} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
foreach(component IN ITEMS RUNTIME DEVELOPMENT TOOLS)
  string(TOLOWER ${component} name)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/debian/copyright ${PROJECT_BINARY_DIR}/changelog.Debian.gz ${PROJECT_BINARY_DIR}/changelog.gz
    DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${CPACK_DEBIAN_${component}_PACKAGE_NAME} COMPONENT ${name} EXCLUDE_FROM_ALL)
endforeach()
file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/*.md)
set(directory ${CMAKE_INSTALL_DATAROOTDIR}/doc/${CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME})
install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${directory} COMPONENT development EXCLUDE_FROM_ALL)
install(FILES ${pages} DESTINATION ${directory}/docs COMPONENT development EXCLUDE_FROM_ALL)
set(directory ${CMAKE_INSTALL_DATAROOTDIR}/doc/${CPACK_DEBIAN_TOOLS_PACKAGE_NAME})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples/fleet ${PROJECT_SOURCE_DIR}/examples/observability DESTINATION ${directory}
  COMPONENT tools EXCLUDE_FROM_ALL FILES_MATCHING PATTERN "*.md" PATTERN "*.yaml" PATTERN "*.yml" PATTERN "*.json" PATTERN "Containerfile")
include(CPack)
