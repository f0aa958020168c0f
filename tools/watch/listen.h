/* SPDX-License-Identifier: MIT */
/* Sockets that listen, and the threads behind them. */
#ifndef WATCH_LISTEN_H
#define WATCH_LISTEN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct listener {
	int fd;			/* does not block */
	char path[108];		/* "": TCP */
	dev_t dev;		/* of path, while it is ours */
	ino_t ino;
};

/*
 * A socket at path with this mode, owner and group (-1: ours), which it has before anybody can
 * connect. One that nobody listens at is replaced; its directory is made (0755) if only that is
 * missing. False and a line in err.
 */
bool listen_unix(struct listener *l, const char *path, mode_t mode, uid_t uid, gid_t gid, char *err,
		 size_t cap);
/* "127.0.0.1:9466", "[::1]:0": numbers only. False and a line in err. */
bool listen_address(const char *text, struct sockaddr_storage *ret, socklen_t *ret_n, char *err,
		    size_t cap);
/* Whether only this machine reaches it. */
bool listen_is_loopback(const struct sockaddr_storage *a);
bool listen_tcp(struct listener *l, const struct sockaddr_storage *a, socklen_t n, char *err,
		size_t cap);
/* Closes it unless fd is -1, and removes the path if it is still this socket's. */
void listen_close(struct listener *l);

/* Gets no signals: those are for the thread that waits for them. 0 or an errno. */
int quiet_thread(pthread_t *ret, void *(*run)(void *arg), void *arg);
uint64_t now_ns(void);	/* CLOCK_MONOTONIC */
/*
 * POLL* of fd, 0 at the deadline (UINT64_MAX: none), -1 when stop_fd became readable, which it
 * stays: nobody reads it.
 */
int wait_for(int fd, short events, int stop_fd, uint64_t deadline_ns);

#endif
