/* SPDX-License-Identifier: MIT */
/* The recorder's end of the socket pair. */
#define _GNU_SOURCE
#include "watch/hooks.h"

#include "watch/store.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DROP_WAIT_MS 60000
#define STOP_WAIT_MS 5000	/* for what runs or waits when the recorder ends */

struct hooks {
	int fd;
	pid_t pid;
	struct hook_counts counts;	/* the last that came */
	uint64_t n_unsent;
	bool gone;		/* the runner ended: nothing will run any more */
};

struct hooks *hooks_start(void)
{
	struct hooks *h = calloc(1, sizeof(*h));
	int fds[2];

	if (!h)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		goto free;
	h->counts.dropped = 1;
	h->fd = fds[0];
	h->pid = fork();
	if (!h->pid)
		hooks_runner(fds[1]);
	close(fds[1]);
	if (h->pid > 0)
		return h;
	close(fds[0]);
free:
	free(h);
	return NULL;
}

/* Whatever has come, waiting at most that long for the first. False: nothing came in time. */
static bool receive(struct hooks *h, int wait_ms)
{
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	struct hook_counts c;
	bool any = false;
	ssize_t n;
	int rc;

	do
		rc = h->gone ? 0 : poll(&p, 1, wait_ms);
	while (rc < 0 && errno == EINTR);
	if (rc <= 0)
		return false;
	while ((n = recv(h->fd, &c, sizeof(c), MSG_DONTWAIT)) == sizeof(c)) {
		h->counts = c;
		any = true;
	}
	h->gone = !n || (n < 0 && errno != EAGAIN && errno != EINTR);
	return any;
}

static size_t job_bytes(const struct hook_job *j)
{
	return offsetof(struct hook_job, text) + j->used;
}

void hooks_run(struct hooks *h, const struct hook_job *j)
{
	if (send(h->fd, j, job_bytes(j), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		h->n_unsent++;
}

int hooks_drop(struct hooks *h, uint32_t uid, uint32_t gid)
{
	struct hook_job *j = calloc(1, sizeof(*j));
	int rc = 0;

	if (!j)
		return -ENOMEM;
	j->kind = HOOK_DROP;
	j->uid = uid;
	j->gid = gid;
	if (send(h->fd, j, job_bytes(j), MSG_NOSIGNAL) < 0)
		rc = -errno;
	free(j);
	while (!rc && h->counts.dropped > 0)
		if (!receive(h, DROP_WAIT_MS))
			rc = h->gone ? -EPIPE : -ETIMEDOUT;
	return rc ? rc : (int)h->counts.dropped;
}

void hooks_counts(struct hooks *h, struct hook_counts *ret)
{
	receive(h, 0);
	*ret = h->counts;
	ret->n_skipped += h->n_unsent;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void hooks_stop(struct hooks *h)
{
	uint64_t now = now_ms(), end = now + STOP_WAIT_MS;

	if (!h)
		return;
	/* No more will come: it ends when all have ended. */
	shutdown(h->fd, SHUT_WR);
	for (; !h->gone && now < end; now = now_ms())
		receive(h, (int)(end - now));
	/* Else it kills what still runs, and ends. */
	close(h->fd);
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(h);
}
