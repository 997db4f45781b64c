# Installs BUILD_DIR into STAGING, looks whether all is there, and moves it to PREFIX: whoever uses it there shows that no path of
# the first place is in it.
file(REMOVE_RECURSE ${STAGING} ${PREFIX})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${STAGING} COMMAND_ERROR_IS_FATAL ANY)

foreach(file IN ITEMS
    include/chargewire/chargewire.h include/chargewire/callbacks.h include/chargewire/chargewire.hpp
    include/chargewire/enums.hpp include/chargewire/options.hpp
    libchargewire.so libchargewire.a pkgconfig/chargewire.pc cmake/chargewire/chargewireConfig.cmake
    cmake/chargewire/chargewireConfigVersion.cmake)
  file(GLOB_RECURSE found LIST_DIRECTORIES false ${STAGING}/*)
  string(REPLACE "." "\\." pattern "/${file}")
  list(FILTER found INCLUDE REGEX "${pattern}$")
  if(NOT found)
    message(FATAL_ERROR "${file} was not installed")
  endif()
endforeach()

file(GLOB_RECURSE texts ${STAGING}/*.pc ${STAGING}/*.cmake ${STAGING}/*.h ${STAGING}/*.hpp)
foreach(text IN LISTS texts)
  file(READ ${text} content)
  foreach(path IN ITEMS ${STAGING} ${BUILD_DIR})
    string(FIND "${content}" "${path}" position)
    if(NOT position EQUAL -1)
      message(FATAL_ERROR "${text} names ${path}, which exists on this machine only")
    endif()
  endforeach()
endforeach()

file(RENAME ${STAGING} ${PREFIX})
