# SPDX-License-Identifier: Apache-2.0
# Everything comes from the distribution's packages (scripts/setup); each
# library is one imported target so that only the room that may use it links it.
find_package(PkgConfig REQUIRED)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson>=1.7.15)
pkg_check_modules(GPIOD REQUIRED IMPORTED_TARGET libgpiod>=1.6)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv>=1.40)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.37)

# paho ships no pkg-config file on Debian 12.
find_library(PAHO_MQTT3CS paho-mqtt3cs REQUIRED)
find_path(PAHO_INCLUDE MQTTClient.h REQUIRED)
add_library(paho_mqtt3cs INTERFACE IMPORTED)
target_include_directories(paho_mqtt3cs SYSTEM INTERFACE ${PAHO_INCLUDE})
target_link_libraries(paho_mqtt3cs INTERFACE ${PAHO_MQTT3CS})

# What paho does TLS with; ours says why a handshake failed.
find_package(OpenSSL 3.0 REQUIRED)

find_package(Threads REQUIRED)
