# The commands that are installed, and their manual pages, which are what they say of themselves with --help.
find_program(HELP2MAN help2man)
mark_as_advanced(HELP2MAN)
foreach(tool IN ITEMS chargewire-fleet chargewire-trace)
  if(NOT TARGET ${tool})
    continue()
  endif()
  install(TARGETS ${tool} COMPONENT tools)
  if(HELP2MAN AND NOT CMAKE_CROSSCOMPILING)
    set(page ${PROJECT_BINARY_DIR}/man/${tool}.1)
    # Of the day of cmake/debian/changelog.in, so that the same sources make the same page.
    add_custom_command(OUTPUT ${page}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
      COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=1795651200 LC_ALL=C.UTF-8 ${HELP2MAN} --no-info --output=${page} $<TARGET_FILE:${tool}>
      DEPENDS ${tool} VERBATIM)
    add_custom_target(${tool}-page ALL DEPENDS ${page})
    install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
  endif()
endforeach()
