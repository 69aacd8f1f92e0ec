# SPDX-License-Identifier: Apache-2.0
# cmake -DCMAKE_TOOLCHAIN_FILE=cmake/toolchains/arm64.cmake: for 64-bit ARM, on a
# Debian of another architecture with gcc-aarch64-linux-gnu and the libraries' :arm64
# packages. Tests run under qemu-user when it is installed.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CUEBUS_DEBIAN_ARCHITECTURE arm64)
set(CUEBUS_TRIPLET aarch64-linux-gnu)
set(CUEBUS_QEMU qemu-aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake)
