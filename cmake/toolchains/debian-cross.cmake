# SPDX-License-Identifier: Apache-2.0
# What the toolchain files of this folder share. Debian installs the libraries of
# several architectures side by side (multiarch): CMake finds those of the target by
# the compiler's triplet, pkg-config and dpkg have to be told.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${CUEBUS_TRIPLET}-gcc)
set(CMAKE_STRIP ${CUEBUS_TRIPLET}-strip)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/${CUEBUS_TRIPLET}/pkgconfig:/usr/share/pkgconfig)
find_program(CUEBUS_EMULATOR NAMES ${CUEBUS_QEMU}-static ${CUEBUS_QEMU})
if(CUEBUS_EMULATOR)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${CUEBUS_EMULATOR})
endif()
