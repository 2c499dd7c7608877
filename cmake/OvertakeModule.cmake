# overtake_module(NAME [DEPENDS module...] [LIBRARIES target...] [SUBFOLDERS folder...] [WITHOUT file...])
#
# Makes the folder's *.cpp one object library `overtake_NAME`. The folder of every module is reached
# as "NAME/file.hpp" (relative to src/), but the include rule (tools/check_includes.py) allows a file to
# include only what its module lists as DEPENDS. LIBRARIES are third-party targets, seen by this folder only. WITHOUT are
# sources that this build leaves out.
set(OVERTAKE_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)

if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND OVERTAKE_WARNINGS -Wno-restrict)  # GCC 12 warns of std::string operator+ itself (GCC bug 105651)
endif()

add_library(overtake_flags INTERFACE)
target_compile_options(overtake_flags INTERFACE ${OVERTAKE_WARNINGS} -ffp-contract=off)

function(overtake_module NAME)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES;SUBFOLDERS;WITHOUT" ${ARGN})
  list(TRANSFORM ARG_SUBFOLDERS APPEND "/*.cpp")
  file(GLOB SOURCES CONFIGURE_DEPENDS *.cpp ${ARG_SUBFOLDERS})
  foreach(FILE ${ARG_WITHOUT})
    list(REMOVE_ITEM SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/${FILE})
  endforeach()
  string(REPLACE "/" "_" TARGET overtake_${NAME})
  add_library(${TARGET} OBJECT ${SOURCES})
  target_include_directories(${TARGET} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${TARGET} PRIVATE overtake_flags ${ARG_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY OVERTAKE_MODULES ${TARGET})
  set_property(GLOBAL APPEND PROPERTY OVERTAKE_LINK ${ARG_LIBRARIES})
endfunction()
