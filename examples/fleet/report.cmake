# The report of a run: HTML and JSON. The page plots with Chart.js, which is taken from the system when this is built and becomes a part of the
# program, so that the page needs no network. Chart.js because distributions have it, and it brings what a page of figures needs: axes, legends,
# values under the pointer.
find_package(nlohmann_json 3 REQUIRED)
find_file(CHARTJS NAMES chart.umd.min.js chart.umd.js chart.min.js
  PATHS /usr/share/javascript/chart.js /usr/share/nodejs/chart.js/dist NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH
  DOC "Chart.js 3 or 4, one file for a browser")
mark_as_advanced(CHARTJS)
if(NOT CHARTJS)
  message(WARNING "There is no Chart.js (Debian: libjs-chart.js; or -D CHARTJS=<file>), so the pages of chargewire-fleet will have no plots. They say so.")
endif()

set(assets_directory ${CMAKE_CURRENT_BINARY_DIR}/report_assets)
set(assets page=report.html style=report.css script=report.js plotting_library=${CHARTJS})
set(asset_files report.html report.css report.js)
if(CHARTJS)
  list(APPEND asset_files ${CHARTJS})
endif()
add_custom_command(OUTPUT ${assets_directory}/report_assets.h
  COMMAND ${CMAKE_COMMAND} -D "ASSETS=${assets}" -D OUTPUT=${assets_directory}/report_assets.h -P ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
  WORKING_DIRECTORY ${CMAKE_CURRENT_LIST_DIR}
  DEPENDS ${asset_files} embed.cmake
  VERBATIM)

add_library(fleet_report STATIC advice.cpp report_html.cpp report_json.cpp verdict.cpp ${assets_directory}/report_assets.h)
target_include_directories(fleet_report PUBLIC ${CMAKE_CURRENT_SOURCE_DIR} PRIVATE ${assets_directory})
target_link_libraries(fleet_report PUBLIC chargewire::chargewire PRIVATE ocpp nlohmann_json::nlohmann_json)
