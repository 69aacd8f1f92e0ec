/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tcp_socket.h
 * @brief Access to paho's socket.
 *
 * paho has no option for TCP_NODELAY and no call that returns its socket. Its socket is the
 * connected one that this process did not have before the connect (others may have been inherited).
 */
#ifndef CUEBUS_TCP_SOCKET_H
#define CUEBUS_TCP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tcp_socket_set {
	ino_t *sockets;
	size_t n;
};

/**
 * List all current sockets of the process, for tcp_socket_find().
 * @param ret_set free it with tcp_socket_forget().
 * @return 0; -ENOMEM; -errno of reading /proc/self/fd.
 */
int tcp_socket_remember(struct tcp_socket_set *ret_set);
void tcp_socket_forget(struct tcp_socket_set *set);

/**
 * A duplicate of the first connected TCP socket in /proc/self/fd that is not in @p before; the
 * caller closes it. Other threads may close and open descriptors meanwhile, so the duplicate is
 * checked again.
 * @return the descriptor; -1 none.
 */
int tcp_socket_find(const struct tcp_socket_set *before);

/**
 * Disable Nagle's algorithm, which costs up to 40 ms an event; set a send buffer for a whole window
 * of messages; and time out a peer that does not acknowledge data for @p timeout_ms. -1 is ignored.
 */
void tcp_socket_tune(int fd, unsigned timeout_ms);

/**
 * Acknowledge received data at once: a broker with Nagle's algorithm (mosquitto's default) waits
 * for it with its next packet, up to 40 ms. The kernel resets the option, so call this for each
 * packet. Any thread; -1 is ignored.
 */
void tcp_socket_quick_ack(int fd);

/**
 * While @p on, written data waits until it fills a packet, or for 200 ms (the kernel's limit);
 * switching it off sends the data at once. Many small messages in a row then take a fraction of the
 * work, on both sides. Any thread; -1 is ignored.
 */
void tcp_socket_gather(int fd, bool on);

/** Whether the peer closed or reset the connection, rather than this side or a time-out. True for
 * -1. */
bool tcp_socket_peer_ended(int fd);

#endif
