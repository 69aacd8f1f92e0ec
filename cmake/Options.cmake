# SPDX-License-Identifier: Apache-2.0
# One interface target carries the warnings, hardening and sanitizers that
# every target of ours is built with.
add_library(cuebus_options INTERFACE)
target_compile_definitions(cuebus_options INTERFACE _GNU_SOURCE)
target_compile_options(cuebus_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef
  -Wswitch-enum -Wvla -Werror
  -fno-common -fstack-protector-strong)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(cuebus_options INTERFACE -Wlogical-op -Wduplicated-cond -Wjump-misses-init)
endif()
if(CUEBUS_SANITIZE)
  target_compile_options(cuebus_options INTERFACE -fsanitize=${CUEBUS_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(cuebus_options INTERFACE -fsanitize=${CUEBUS_SANITIZE})
  if(CUEBUS_SANITIZE MATCHES "thread")
    target_compile_definitions(cuebus_options INTERFACE CUEBUS_TSAN=1)
  endif()
else()
  target_compile_options(cuebus_options INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
target_link_options(cuebus_options INTERFACE -Wl,-z,relro,-z,now)
