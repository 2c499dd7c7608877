# overtake_embed(TARGET VARIABLE FILE): compiles FILE into TARGET as
# `extern const std::string_view VARIABLE` in namespace overtake::embedded (declared by the user of it).
function(overtake_embed TARGET VARIABLE FILE)
  set(OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/embedded_${VARIABLE}.cpp)
  add_custom_command(
    OUTPUT ${OUTPUT}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${FILE} -DOUTPUT=${OUTPUT} -DVARIABLE=${VARIABLE} -P
            ${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake
    DEPENDS ${FILE} ${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake
    COMMENT "Embedding ${VARIABLE}"
    VERBATIM)
  set_source_files_properties(${OUTPUT} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
  target_sources(${TARGET} PRIVATE ${OUTPUT})
endfunction()
