/* SPDX-License-Identifier: MIT */
/* sd_notify(3): a datagram to the socket that systemd names. */
#define _GNU_SOURCE
#include "watch/sandbox.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Of the process, as NOTIFY_SOCKET is. */
static struct {
	int fd;			/* -1: none */
	socklen_t bytes;
	struct sockaddr_un to;
} notifier = { .fd = -1 };

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;

	if (notifier.fd >= 0)
		close(notifier.fd);
	notifier.fd = -1;
	if (n < 2 || n >= sizeof(notifier.to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	notifier.to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(notifier.to.sun_path, path, n);
	if (path[0] == '@')
		notifier.to.sun_path[0] = 0;
	/* An abstract name has no end of its own. */
	notifier.bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/'));
	notifier.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

void notify(const char *state)
{
	ssize_t n;

	if (notifier.fd < 0)
		return;
	do	/* by address: whoever holds the name by then */
		n = sendto(notifier.fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
			   (const struct sockaddr *)&notifier.to, notifier.bytes);
	while (n < 0 && errno == EINTR);
}

/* Digits alone; 0: none, or too large. */
static uint64_t env_number(const char *name)
{
	const char *text = getenv(name);
	uint64_t v = 0;

	for (; text && *text; text++) {
		if (*text < '0' || *text > '9' || v > UINT64_MAX / 100000)
			return 0;
		v = 10 * v + (uint64_t)(*text - '0');
	}
	return v;
}

uint64_t notify_interval_ns(void)
{
	uint64_t usec = env_number("WATCHDOG_USEC");

	if (getenv("WATCHDOG_PID") && env_number("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	/* Twice as often, as sd_watchdog_enabled(3) advises. */
	return usec * (1000 / 2);
}
