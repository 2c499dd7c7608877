# Device code compiled ahead of time for NVIDIA GPUs, so that a machine with the driver alone can run it. The compiler is NVRTC, a
# library: of a toolkit, of PyTorch or JAX, or that which `./dev setup` (tools/cuda_compiler.sh) fetches into .venv/cuda.

# What is built here finds the fetched library when it runs, too; what is installed does not.
file(GLOB CMAKE_BUILD_RPATH ${PROJECT_SOURCE_DIR}/.venv/cuda/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib)

set(OVERTAKE_CUDA_SCRIPT ${PROJECT_SOURCE_DIR}/cmake/compile_cuda.py)

# Sets OVERTAKE_NVRTC and OVERTAKE_NVRTC_VERSION in the cache, or says at the end why there is none. The fetched library comes
# first: drivers of its generation load its code, those older than a toolkit's would not.
function(overtake_find_cuda_compiler)
  if(OVERTAKE_NVRTC AND Python3_FOUND AND (EXISTS "${OVERTAKE_NVRTC}" OR NOT IS_ABSOLUTE "${OVERTAKE_NVRTC}"))
    return()
  endif()
  unset(OVERTAKE_NVRTC CACHE)
  set(OVERTAKE_NVRTC_VERSION 0 CACHE INTERNAL "")
  set(TEXT "no python3 was found")
  if(Python3_FOUND)
    execute_process(
      COMMAND ${Python3_EXECUTABLE} -B ${OVERTAKE_CUDA_SCRIPT} --find ${CMAKE_BUILD_RPATH}
      RESULT_VARIABLE STATUS
      OUTPUT_VARIABLE TEXT
      OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(STATUS EQUAL 0 AND TEXT MATCHES "^(.*) ([0-9]+\\.[0-9]+)$")
      set(OVERTAKE_NVRTC "${CMAKE_MATCH_1}" CACHE STRING "NVRTC library that compiles the CUDA kernels ahead of time")
      set(OVERTAKE_NVRTC_VERSION "${CMAKE_MATCH_2}" CACHE INTERNAL "")
      message(STATUS "CUDA kernels are compiled by NVRTC ${CMAKE_MATCH_2} (${CMAKE_MATCH_1})")
      return()
    endif()
  endif()
  message(STATUS "CUDA kernels are not compiled: ${TEXT}")
  overtake_leave_out("CUDA kernels compiled ahead"
    "no NVRTC was found, so CUDA needs it when this build runs (OVERTAKE_CUDA_WHEELS=yes ./dev setup fetches it, 23 MB)")
endfunction()

# overtake_cuda_kernels(TARGET NAME SOURCES file... [DEFINES NAME=VALUE...]): the joined dialect sources as machine code in
# TARGET, `cuda_NAME` in namespace overtake::embedded; empty in a build without a compiler.
function(overtake_cuda_kernels TARGET NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEFINES" ${ARGN})
  if(NOT OVERTAKE_NVRTC)
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/no_code CONTENT "")
    overtake_embed(${TARGET} cuda_${NAME} ${CMAKE_CURRENT_BINARY_DIR}/no_code)
    return()
  endif()
  get_property(PRELUDE GLOBAL PROPERTY OVERTAKE_CUDA_PRELUDE)
  set(SOURCES ${PRELUDE} ${ARG_SOURCES})
  set(OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${NAME}.code)
  list(TRANSFORM ARG_DEFINES PREPEND -D)
  add_custom_command(
    OUTPUT ${OUTPUT}
    COMMAND ${Python3_EXECUTABLE} -B ${OVERTAKE_CUDA_SCRIPT} ${OVERTAKE_NVRTC} ${OUTPUT} ${ARG_DEFINES} ${SOURCES}
    DEPENDS ${SOURCES} ${OVERTAKE_CUDA_SCRIPT}
    COMMENT "Compiling ${NAME} for CUDA"
    VERBATIM)
  overtake_embed(${TARGET} cuda_${NAME} ${OUTPUT})
endfunction()
