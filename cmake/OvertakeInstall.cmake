# Installs the library, its headers, the command-line tool and what find_package(overtake) needs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(OVERTAKE_CONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/overtake)

install(TARGETS overtake EXPORT overtakeTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/overtake DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(FILES LICENSE README.md CONTRIBUTING.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
file(RELATIVE_PATH TO_LIBRARY ${CMAKE_INSTALL_FULL_LIBEXECDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set_target_properties(overtake_trial PROPERTIES INSTALL_RPATH "$ORIGIN/${TO_LIBRARY}")
install(TARGETS overtake_trial RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR})
if(TARGET overtake_cli)
  file(RELATIVE_PATH TO_LIBRARY ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(overtake_cli PROPERTIES INSTALL_RPATH "$ORIGIN/${TO_LIBRARY}")
  install(TARGETS overtake_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

install(EXPORT overtakeTargets NAMESPACE overtake:: DESTINATION ${OVERTAKE_CONFIG_DIR})
configure_package_config_file(cmake/overtakeConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/overtakeConfig.cmake
                              INSTALL_DESTINATION ${OVERTAKE_CONFIG_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/overtakeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/overtakeConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/overtakeConfigVersion.cmake
        DESTINATION ${OVERTAKE_CONFIG_DIR})
