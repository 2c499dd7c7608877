# What is missing, told once and completely.
#
# overtake_require(FOUND WHAT DEBIAN package FEDORA package): a library that nothing works without. FOUND names the
# variable that says whether it is there. The configuration goes on, so that overtake_summary() can name all of them.
#
# overtake_leave_out(WHAT WHY): a part that this build goes without ("the OpenCL backend" "CL/cl.h was not found ...").
# Said at the end of the configuration and kept in build/PRESET/left_out.txt, which ./dev shows again after the
# compiler's output, where nobody can miss it.
function(overtake_require FOUND WHAT)
  if(${FOUND})
    return()
  endif()
  cmake_parse_arguments(ARG "" "DEBIAN;FEDORA" "" ${ARGN})
  set_property(GLOBAL APPEND_STRING PROPERTY OVERTAKE_MISSING "  ${WHAT}: Debian ${ARG_DEBIAN}, Fedora ${ARG_FEDORA}\n")
endfunction()

function(overtake_leave_out WHAT WHY)
  set_property(GLOBAL APPEND_STRING PROPERTY OVERTAKE_LEFT_OUT "left out of this build: ${WHAT}: ${WHY}\n")
endfunction()

# Called last.
function(overtake_summary)
  get_property(MISSING GLOBAL PROPERTY OVERTAKE_MISSING)
  if(MISSING)
    message(FATAL_ERROR "These libraries were not found, with their headers, and Overtake is built on them:\n${MISSING}"
                        "./dev setup installs them on Debian and its kin; docs/devices.md says more of other systems.")
  endif()
  get_property(LEFT_OUT GLOBAL PROPERTY OVERTAKE_LEFT_OUT)
  file(WRITE ${CMAKE_BINARY_DIR}/left_out.txt "${LEFT_OUT}")
  if(LEFT_OUT)
    message(NOTICE "\n${LEFT_OUT}")
  endif()
endfunction()
