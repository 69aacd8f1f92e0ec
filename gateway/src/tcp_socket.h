/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tcp_socket.h
 * @brief A way to the socket that paho does not give out.
 *
 * paho has no option for TCP_NODELAY and no call that returns its socket. But
 * the only TCP sockets of this process are paho's, and there is one at a time:
 * the one that is found is the one.
 */
#ifndef CUEBUS_TCP_SOCKET_H
#define CUEBUS_TCP_SOCKET_H

/**
 * A duplicate of the first TCP socket in /proc/self/fd; the caller closes it.
 * Other threads may close and open descriptors meanwhile, so the duplicate is
 * looked at once more. @return the descriptor; -1 none.
 */
int tcp_socket_find(void);

/**
 * No Nagle, which costs up to 40 ms an event; a send buffer that takes a whole
 * window of messages; and a peer that does not take what was sent for
 * @p timeout_ms counts as gone. -1 is ignored.
 */
void tcp_socket_tune(int fd, unsigned timeout_ms);

/**
 * Acknowledge what was received now: a broker with Nagle on (mosquitto's
 * default) holds back its next packet until then, up to 40 ms. The kernel
 * forgets it, so it is called for each packet. Any thread; -1 is ignored.
 */
void tcp_socket_quick_ack(int fd);

#endif
