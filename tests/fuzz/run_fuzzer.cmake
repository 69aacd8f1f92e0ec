# SPDX-License-Identifier: Apache-2.0
# Run one fuzzer on a copy of its corpus, so that the source tree is not
# written to. Called by ctest; see CMakeLists.txt for the variables.
if(NOT IS_DIRECTORY ${SEEDS})
  message(FATAL_ERROR "${NAME}: no seeds in ${SEEDS}")
endif()
set(corpus ${WORK}/work/${NAME})
set(found ${WORK}/found)
file(REMOVE_RECURSE ${corpus})
file(MAKE_DIRECTORY ${corpus} ${found})
file(COPY ${SEEDS}/ DESTINATION ${corpus})

# The time of one input is a safety net, scaled as in tests/time_limits.py.
set(slow 1)
if("$ENV{CUEBUS_SLOW}" MATCHES "^([1-9][0-9]*)")
  set(slow ${CMAKE_MATCH_1})
endif()
math(EXPR timeout "20 * ${slow}")
set(options -max_len=${MAX_LEN} -timeout=${timeout} -rss_limit_mb=2048 -print_final_stats=1
    -artifact_prefix=${found}/${NAME}-)
if(EXISTS ${DICT})
  list(APPEND options -dict=${DICT})
endif()

function(run)
  execute_process(COMMAND ${FUZZER} ${options} ${ARGN} ${corpus} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${NAME}: the fuzzer ended with ${result}; the input is in ${found}/")
  endif()
endfunction()

# Of this process's children, in whole seconds: see cutime and cstime in proc(5).
function(processor_seconds ret_seconds)
  file(READ /proc/self/stat stat)
  string(REGEX REPLACE "^.*[)] " "" stat "${stat}")
  string(REPLACE " " ";" stat "${stat}")
  list(GET stat 13 user_ticks)
  list(GET stat 14 system_ticks)
  math(EXPR seconds "(${user_ticks} + ${system_ticks}) / 100")
  set(${ret_seconds} ${seconds} PARENT_SCOPE)
endfunction()

if(SECONDS EQUAL 0)
  run(-runs=0)
  return()
endif()
# libFuzzer counts time, not processor time: beside other tests it may get little of it. Each
# round goes on with what the one before has found.
set(used 0)
while(used LESS SECONDS)
  math(EXPR left "${SECONDS} - ${used}")
  run(-max_total_time=${left})
  processor_seconds(used)
endwhile()
message(STATUS "${NAME}: ${used} s of processor time")
