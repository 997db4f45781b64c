# The commands that are installed, and their manual pages, which are what they say of themselves with --help.
find_program(HELP2MAN help2man)
mark_as_advanced(HELP2MAN)

# add_tool_page(<name> <file> <target>...): the page of that program, which the targets make.
function(add_tool_page name file)
  if(NOT HELP2MAN OR CMAKE_CROSSCOMPILING)
    return()
  endif()
  set(page ${PROJECT_BINARY_DIR}/man/${name}.1)
  # Of the day of cmake/debian/changelog.in, so that the same sources make the same page.
  add_custom_command(OUTPUT ${page}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
    COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=1795651200 LC_ALL=C.UTF-8 ${HELP2MAN} --no-info --output=${page} ${file}
    DEPENDS ${file} ${ARGN} VERBATIM)
  add_custom_target(${name}-page ALL DEPENDS ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
endfunction()

if(TARGET chargewire-fleet)
  install(TARGETS chargewire-fleet COMPONENT tools)
  add_tool_page(chargewire-fleet $<TARGET_FILE:chargewire-fleet> chargewire-fleet)
endif()
# Python, of the standard library alone.
set(trace ${PROJECT_SOURCE_DIR}/examples/trace/chargewire-trace)
install(PROGRAMS ${trace} TYPE BIN COMPONENT tools)
add_tool_page(chargewire-trace ${trace})
