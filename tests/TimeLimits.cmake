# SPDX-License-Identifier: Apache-2.0
# Time limits of tests scale with CUEBUS_SLOW when they run, not when they are configured.

# As set_tests_properties(); the TIMEOUT in it is that of a machine with nothing else to do.
function(cuebus_test_properties)
  set(tests "")
  set(i 0)
  while(i LESS ARGC AND NOT "${ARGV${i}}" STREQUAL "PROPERTIES")
    list(APPEND tests "${ARGV${i}}")
    math(EXPR i "${i} + 1")
  endwhile()
  math(EXPR i "${i} + 1")
  while(i LESS ARGC)
    set(key "${ARGV${i}}")
    math(EXPR i "${i} + 1")
    # A value may be a list: it must stay one.
    set_property(TEST ${tests} PROPERTY ${key} "${ARGV${i}}")
    if(key STREQUAL "TIMEOUT")
      foreach(test ${tests})
        set_property(GLOBAL APPEND_STRING PROPERTY CUEBUS_TIME_LIMITS
          "cuebus_limit(${test} ${ARGV${i}})\n")
      endforeach()
    endif()
    math(EXPR i "${i} + 1")
  endwhile()
endfunction()

# After all tests: what ctest includes behind them.
function(cuebus_write_time_limits file)
  get_property(limits GLOBAL PROPERTY CUEBUS_TIME_LIMITS)
  file(WRITE ${file} "# Generated; read by ctest.
set(slow 1)
# Whole numbers only; a part counts as a whole.
if(\"\$ENV{CUEBUS_SLOW}\" MATCHES \"^([0-9]+)([.][0-9]+)?$\")
  set(slow \${CMAKE_MATCH_1})
  if(CMAKE_MATCH_2)
    math(EXPR slow \"\${slow} + 1\")
  endif()
endif()
if(slow LESS 1)
  set(slow 1)
endif()
macro(cuebus_limit test seconds)
  math(EXPR limit \"\${seconds} * \${slow}\")
  set_tests_properties(\${test} PROPERTIES TIMEOUT \${limit})
endmacro()
${limits}")
endfunction()
