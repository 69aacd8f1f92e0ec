/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tcp_socket.h
 * @brief A way to the socket that paho does not give out.
 *
 * paho has no option for TCP_NODELAY and no call that returns its socket. Its
 * socket is the connected one that this process did not have before the connect:
 * others may have been inherited from whatever started the process.
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
 * Remember every socket that the process has now, for tcp_socket_find().
 * @param ret_set to be freed with tcp_socket_forget().
 * @return 0; -ENOMEM; -errno of reading /proc/self/fd.
 */
int tcp_socket_remember(struct tcp_socket_set *ret_set);
void tcp_socket_forget(struct tcp_socket_set *set);

/**
 * A duplicate of the first connected TCP socket in /proc/self/fd that is not in
 * @p before; the caller closes it. Other threads may close and open descriptors
 * meanwhile, so the duplicate is looked at once more.
 * @return the descriptor; -1 none.
 */
int tcp_socket_find(const struct tcp_socket_set *before);

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

/**
 * From @p on what is written waits until it fills a packet, or for 200 ms (the kernel's limit);
 * off sends what waits at once. Many small messages in a row take a fraction of the work so, on
 * both sides. Any thread; -1 is ignored.
 */
void tcp_socket_gather(int fd, bool on);

/** Whether the peer closed or reset the connection: not this side, and
 *  not a time-out. True for -1. */
bool tcp_socket_peer_ended(int fd);

#endif
