# SPDX-License-Identifier: Apache-2.0
# One interface target carries the warnings, hardening and sanitizers that
# every target of ours is built with. Warnings are errors (CMAKE_COMPILE_WARNING_AS_ERROR) in the
# presets of developers only: a compiler of next year must not stop an install.
add_library(cuebus_options INTERFACE)
target_compile_definitions(cuebus_options INTERFACE _GNU_SOURCE)
# On 32 bit: times after 2038 and files over 2 GB. Debian 13's compilers define it by
# themselves, Debian 12's do not.
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  target_compile_options(cuebus_options INTERFACE
    -U_FILE_OFFSET_BITS -D_FILE_OFFSET_BITS=64 -U_TIME_BITS -D_TIME_BITS=64)
endif()
target_compile_options(cuebus_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef
  -Wswitch-enum -Wvla
  -fno-common -fstack-protector-strong)
# What a compiler or processor has of it is taken: stack clash protection, and
# control flow protection (CET on x86-64, PAC and BTI on arm64).
include(CheckCCompilerFlag)
foreach(flag stack-clash-protection cf-protection=full)
  string(MAKE_C_IDENTIFIER "HAVE_F_${flag}" have)
  check_c_compiler_flag("-Werror -f${flag}" ${have})
  if(${have})
    target_compile_options(cuebus_options INTERFACE -f${flag})
  endif()
endforeach()
check_c_compiler_flag("-Werror -mbranch-protection=standard" HAVE_BRANCH_PROTECTION)
if(HAVE_BRANCH_PROTECTION)
  target_compile_options(cuebus_options INTERFACE -mbranch-protection=standard)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(cuebus_options INTERFACE -Wlogical-op -Wduplicated-cond -Wjump-misses-init)
endif()
if(CUEBUS_SANITIZE)
  target_compile_options(cuebus_options INTERFACE -fsanitize=${CUEBUS_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(cuebus_options INTERFACE -fsanitize=${CUEBUS_SANITIZE})
else()
  target_compile_options(cuebus_options INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>
    # A shipped program does not tell where it was built, and is the same everywhere.
    $<$<NOT:$<CONFIG:Debug>>:-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.>)
endif()
target_link_options(cuebus_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
# Without it CMAKE_POSITION_INDEPENDENT_CODE makes the objects PIC, not the program PIE.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
