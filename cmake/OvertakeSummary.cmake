# What this build leaves out, and why: said at the end of the configuration and kept in build/PRESET/left_out.txt, which
# ./dev shows again after the compiler's output, where nobody can miss it.

# overtake_leave_out(WHAT WHY): "the CUDA backend" "no CUDA compiler was found; ./dev setup fetches one".
function(overtake_leave_out WHAT WHY)
  set_property(GLOBAL APPEND PROPERTY OVERTAKE_LEFT_OUT "${WHAT}: ${WHY}")
endfunction()

# Called last.
function(overtake_summary)
  get_property(LINES GLOBAL PROPERTY OVERTAKE_LEFT_OUT)
  set(TEXT "")
  foreach(LINE IN LISTS LINES)
    string(APPEND TEXT "left out of this build: ${LINE}\n")
  endforeach()
  file(WRITE ${CMAKE_BINARY_DIR}/left_out.txt "${TEXT}")
  if(TEXT)
    message(NOTICE "\n${TEXT}")
  endif()
endfunction()
