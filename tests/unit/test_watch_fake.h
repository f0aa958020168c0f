/* SPDX-License-Identifier: MIT */
/* A recorder for the servers' tests: notes what it was asked, answers as the test says. */
#ifndef TEST_WATCH_FAKE_H
#define TEST_WATCH_FAKE_H

#include <criterion/criterion.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "watch/listen.h"
#include "watch/server.h"

#define ms_ns(n) ((n) * 1000000ull)

static struct {
	pthread_mutex_t lock;
	unsigned n;		/* requests */
	char name[100], why[1100], fingerprint[100], label[200];
	uint64_t before_ns, after_ns;
	enum trigger_source source;
	int code;		/* of the answer */
	bool unhealthy;
	atomic_uint wait_ms;	/* what one that waits takes */
	atomic_uint n_gone;	/* that noticed that nobody waits any longer */
	char said[300];
} fake = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void fake_request(void *ctx, const struct watch_request *r, struct watch_reply *reply)
{
	uint64_t end = now_ns() + ms_ns(fake.wait_ms);

	cr_assert_eq(ctx, &fake);
	pthread_mutex_lock(&fake.lock);
	fake.n++;
	fake.source = r->source;
	snprintf(fake.name, sizeof(fake.name), "%s", r->name ?: "-");
	snprintf(fake.why, sizeof(fake.why), "%s", r->why ?: "-");
	snprintf(fake.fingerprint, sizeof(fake.fingerprint), "%s", r->fingerprint ?: "-");
	snprintf(fake.label, sizeof(fake.label), "%s=%s", r->n_labels ? r->labels[0].name : "",
		 r->n_labels ? r->labels[0].value : "");
	fake.before_ns = r->before_ns;
	fake.after_ns = r->after_ns;
	reply->code = fake.code;
	snprintf(reply->text, sizeof(reply->text), "%s", fake.code ? "cool-down" : "");
	snprintf(reply->file, sizeof(reply->file), "%s", fake.code ? "" : "/c/x.scapz");
	pthread_mutex_unlock(&fake.lock);
	while (r->wait && now_ns() < end) {
		if (r->gone && r->gone(r->gone_ctx)) {
			fake.n_gone++;
			return;
		}
		usleep(5000);
	}
}

static void fake_metrics(void *ctx, FILE *out)
{
	(void)ctx;
	fputs("# TYPE x gauge\nx 1\n", out);
}

static bool fake_healthy(void *ctx, char *text, size_t cap)
{
	(void)ctx;
	snprintf(text, cap, fake.unhealthy ? "disk is full" : "recording");
	return !fake.unhealthy;
}

static void fake_say(void *ctx, const char *text)
{
	(void)ctx;
	snprintf(fake.said, sizeof(fake.said), "%s", text);
}

static const struct watch_ops fake_ops = {
	&fake, fake_request, fake_metrics, fake_healthy, fake_say,
};

/* ---- a client ------------------------------------------------------------------------------- */

static inline void set_patience(int fd, unsigned s)
{
	struct timeval tv = { .tv_sec = s };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

static inline int connect_unix(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(un.sun_path, path);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0) {
		set_patience(fd, 20);
		return fd;
	}
	close(fd);
	return -1;
}

/* All that comes until the end, in a buffer that the next call overwrites; closes fd. */
static inline const char *read_all(int fd)
{
	static char buf[1 << 16];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(buf) - 1 && (got = recv(fd, buf + n, sizeof(buf) - 1 - n, 0)) > 0)
		n += (size_t)got;
	buf[n] = 0;
	close(fd);
	return buf;
}

static inline void send_text(int fd, const char *text)
{
	size_t n = strlen(text);

	while (n) {
		ssize_t done = send(fd, text, n, MSG_NOSIGNAL);

		if (done <= 0)
			return;
		text += done;
		n -= (size_t)done;
	}
}

/* Whether it becomes true within s seconds. */
#define within(s, condition) ({ \
	uint64_t end_ = now_ns() + ms_ns((s) * 1000); \
	bool ok_; \
	while (!(ok_ = (condition)) && now_ns() < end_) \
		usleep(5000); \
	ok_; })

static inline void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

#endif
