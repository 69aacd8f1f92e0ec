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

set(options -max_len=${MAX_LEN} -timeout=20 -rss_limit_mb=2048 -print_final_stats=1
    -artifact_prefix=${found}/${NAME}-)
if(EXISTS ${DICT})
  list(APPEND options -dict=${DICT})
endif()
if(SECONDS EQUAL 0)
  list(APPEND options -runs=0)
else()
  list(APPEND options -max_total_time=${SECONDS})
endif()
execute_process(COMMAND ${FUZZER} ${options} ${corpus} RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${NAME}: the fuzzer ended with ${result}; the input is in ${found}/")
endif()
