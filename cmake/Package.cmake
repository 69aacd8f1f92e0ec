# SPDX-License-Identifier: Apache-2.0
# What is installed beside the program, and the .deb (`cmake --preset package`,
# `cmake --build --preset package --target package`).
set(CUEBUS_CONFIG_DIR ${CMAKE_INSTALL_FULL_SYSCONFDIR}/cuebus)
set(CUEBUS_CONFIG_FILE ${CUEBUS_CONFIG_DIR}/cuebus.json)
set(CUEBUS_MAINTAINER "cuebus maintainers <maintainers@cuebus.invalid>" CACHE STRING
    "Maintainer field of the package")
set(PACKAGING ${CMAKE_SOURCE_DIR}/packaging)
set(PACKAGED ${CMAKE_BINARY_DIR}/packaging)

configure_file(${PACKAGING}/cuebus.service.in ${PACKAGED}/cuebus.service @ONLY)

# Compressed as Debian wants it, and without time stamps.
find_program(GZIP gzip REQUIRED)
function(compressed source name)
  add_custom_command(OUTPUT ${PACKAGED}/${name}.gz
    COMMAND ${GZIP} -9nc ${source} > ${PACKAGED}/${name}.gz
    DEPENDS ${source} VERBATIM)
  set(COMPRESSED ${COMPRESSED} ${PACKAGED}/${name}.gz PARENT_SCOPE)
endfunction()
foreach(page cuebus.1 cuebus.json.5 cuebus-topics.7)
  compressed(${CMAKE_SOURCE_DIR}/docs/man/${page} ${page})
  string(REGEX REPLACE "^.*\\." "" section ${page})
  install(FILES ${PACKAGED}/${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
          COMPONENT gateway)
endforeach()
compressed(${CMAKE_SOURCE_DIR}/CHANGELOG.md changelog)
# The same sources give another package for each release, and that of the newer
# release must have the higher version: 0.1.0-1+deb12, 0.1.0-1+deb13.
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
cmake_host_system_information(RESULT host QUERY DISTRIB_INFO)
if(host_ID AND host_VERSION_ID)
  string(REGEX REPLACE "^debian$" "deb" distribution ${host_ID})
  string(APPEND CPACK_DEBIAN_PACKAGE_RELEASE "+${distribution}${host_VERSION_ID}")
endif()
file(READ ${PACKAGING}/deb/changelog changelog)
string(REGEX REPLACE "^(cuebus \\([^)]*)-1\\)" "\\1-${CPACK_DEBIAN_PACKAGE_RELEASE})" changelog "${changelog}")
file(WRITE ${PACKAGED}/changelog.Debian "${changelog}")
compressed(${PACKAGED}/changelog.Debian changelog.Debian)
add_custom_target(packaged ALL DEPENDS ${COMPRESSED})

install(FILES ${PACKAGED}/changelog.gz ${PACKAGED}/changelog.Debian.gz ${PACKAGING}/deb/copyright
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/cuebus COMPONENT gateway)
# lib and not CMAKE_INSTALL_LIBDIR: these are the same for every architecture.
install(FILES ${PACKAGED}/cuebus.service DESTINATION lib/systemd/system COMPONENT gateway)
install(FILES ${PACKAGING}/cuebus.sysusers DESTINATION lib/sysusers.d RENAME cuebus.conf
        COMPONENT gateway)
install(FILES ${PACKAGING}/60-cuebus.rules DESTINATION lib/udev/rules.d COMPONENT gateway)
install(FILES ${PACKAGING}/cuebus.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        RENAME cuebus COMPONENT gateway)
# An edited configuration stays when the next version is installed. In a package it is a
# conffile, and the folder that CPack fills is empty.
install(CODE "
  set(config \"\$ENV{DESTDIR}${CUEBUS_CONFIG_FILE}\")
  if(EXISTS \"\${config}\")
    message(STATUS \"Kept: \${config}\")
  else()
    file(INSTALL \"${PACKAGING}/cuebus.json\" DESTINATION \"${CUEBUS_CONFIG_DIR}\")
  endif()" COMPONENT gateway)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs/examples/ DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/cuebus/examples
        COMPONENT gateway FILES_MATCHING PATTERN "*.jsonc" PATTERN "*.trace"
        PATTERN embed EXCLUDE PATTERN mosquitto EXCLUDE)
install(DIRECTORY DESTINATION ${CUEBUS_CONFIG_DIR}/conf.d COMPONENT gateway)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cuebus)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
# The library's headers (component dev) are not in it.
set(CPACK_COMPONENTS_ALL gateway)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${CUEBUS_MAINTAINER})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "event gateway between hardware inputs and MQTT")
set(CPACK_PACKAGE_DESCRIPTION
"cuebus reads buttons, switches, dials and pulse counters on GPIO lines,
recognises gestures in them (double taps, chords, sequences), plays timed
sequences of events, and carries all of it to an MQTT broker and commands
back. A broker that is away is waited for, and nothing is lost meanwhile.")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION}")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "systemd | systemd-standalone-sysusers, init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "mosquitto, gpiod, bash-completion")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PACKAGING}/deb/conffiles ${PACKAGING}/deb/postinst
    ${PACKAGING}/deb/prerm ${PACKAGING}/deb/postrm)
if(CUEBUS_DEBIAN_ARCHITECTURE)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${CUEBUS_DEBIAN_ARCHITECTURE})
  # dpkg-shlibdeps looks for the libraries of this architecture.
  file(WRITE ${PACKAGED}/cross.cmake "set(ENV{DEB_HOST_ARCH} ${CUEBUS_DEBIAN_ARCHITECTURE})\n")
  set(CPACK_PROJECT_CONFIG_FILE ${PACKAGED}/cross.cmake)
endif()
include(CPack)
