# SPDX-License-Identifier: Apache-2.0
# cmake -DCMAKE_TOOLCHAIN_FILE=cmake/toolchains/armhf.cmake: for 32-bit ARM (ARMv7 with
# VFPv3, Debian's baseline), on a Debian of another architecture with
# gcc-arm-linux-gnueabihf and the libraries' :armhf packages. Tests run under
# qemu-user when it is installed.
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(CUEBUS_DEBIAN_ARCHITECTURE armhf)
set(CUEBUS_TRIPLET arm-linux-gnueabihf)
set(CUEBUS_QEMU qemu-arm)
include(${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake)
