# SPDX-License-Identifier: Apache-2.0
# A room is a folder of sources with its private headers, compiled as one object
# library. A room sees the headers of the rooms that it USES, and theirs, and no
# others: an include the wrong way does not compile.
#   cuebus_room(FOLDER [USES FOLDER...] [LINKS LIBRARY...])
# makes the target of cuebus_room_target(FOLDER); the library or program that is
# made of rooms takes their objects.

define_property(GLOBAL PROPERTY CUEBUS_ROOMS)        # folders, lowest first
define_property(GLOBAL PROPERTY CUEBUS_ROOM_FOLDERS) # the same, absolute: tests see them all
define_property(GLOBAL PROPERTY CUEBUS_ROOM_TABLE)   # "folder:used,used", for build.rooms

function(cuebus_room_target folder ret_target)
  string(MAKE_C_IDENTIFIER "room_${folder}" target)
  set(${ret_target} ${target} PARENT_SCOPE)
endfunction()

function(cuebus_room folder)
  cmake_parse_arguments(PARSE_ARGV 1 ROOM "" "" "USES;LINKS")
  cuebus_room_target(${folder} target)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
  if(sources)
    set(scope PUBLIC)
    add_library(${target} OBJECT ${sources})
    set_target_properties(${target} PROPERTIES C_VISIBILITY_PRESET hidden)
    target_link_libraries(${target} PRIVATE cuebus_options)
  else() # only headers
    set(scope INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  target_include_directories(${target} ${scope} ${CMAKE_SOURCE_DIR}/${folder})
  target_link_libraries(${target} ${scope} ${ROOM_LINKS})
  foreach(used ${ROOM_USES})
    cuebus_room_target(${used} used)
    target_link_libraries(${target} ${scope} ${used})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY CUEBUS_ROOMS ${folder})
  string(REPLACE ";" "," uses "${ROOM_USES}")
  set_property(GLOBAL APPEND PROPERTY CUEBUS_ROOM_TABLE "${folder}:${uses}")
  set_property(GLOBAL APPEND PROPERTY CUEBUS_ROOM_FOLDERS ${CMAKE_SOURCE_DIR}/${folder})
endfunction()

# The objects of rooms, for add_library() or add_executable().
function(cuebus_room_objects ret_objects)
  set(objects "")
  foreach(folder ${ARGN})
    cuebus_room_target(${folder} target)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "OBJECT_LIBRARY")
      list(APPEND objects $<TARGET_OBJECTS:${target}>)
    endif()
  endforeach()
  set(${ret_objects} ${objects} PARENT_SCOPE)
endfunction()
