/* SPDX-License-Identifier: MIT */
/*
 * The control socket: a thread that accepts, and one for each client, of which there are at most
 * CONTROL_CLIENTS. A client that may not, or finds no place, gets its answer from the first one,
 * which waits for nobody.
 */
#define _GNU_SOURCE	/* struct ucred, accept4 */
#include "watch/control.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "watch/listen.h"
#include "watch/webhook.h"

struct client {
	struct control *s;
	int fd;
	pthread_t thread;
	bool used;		/* the accepting thread's: there is a thread to be joined */
	atomic_bool ended;
};

struct control {
	struct watch_ops ops;
	struct listener listener;
	uid_t uid;		/* of socket_owner; -1: none */
	gid_t gid;		/* of socket_group; -1: none */
	uint64_t patience_ns;
	int stop_fd;		/* readable: everybody ends */
	bool serves;		/* there is a thread */
	pthread_t thread;
	uint64_t said_ns;	/* when a refusal was told last; 0: never */
	struct client clients[CONTROL_CLIENTS];
};

/* ---- who may -------------------------------------------------------------------------------- */

static bool in_group(int fd, gid_t gid)
{
	socklen_t n = 0;
	gid_t *groups;
	bool found = false;

	/* Those it had when it connected. ERANGE: n is what it takes. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &n) == 0 || errno != ERANGE)
		return false;
	groups = malloc(n);
	if (groups && !getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n))
		for (size_t i = 0; i < n / sizeof(*groups); i++)
			found |= groups[i] == gid;
	free(groups);
	return found;
}

static bool may(const struct control *s, int fd, struct ucred *ret)
{
	socklen_t n = sizeof(*ret);

	*ret = (struct ucred){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &n) < 0 || ret->uid == (uid_t)-1)
		return false;
	if (ret->uid == 0 || ret->uid == geteuid() || ret->uid == s->uid)
		return true;
	return s->gid != (gid_t)-1 && (ret->gid == s->gid || in_group(fd, s->gid));
}

/* ---- a client ------------------------------------------------------------------------------- */

/* False: it went away, or took too long. */
static bool send_all(struct client *c, const char *line, size_t n, uint64_t deadline_ns)
{
	while (n) {
		ssize_t done = send(c->fd, line, n, MSG_NOSIGNAL);

		if (done > 0) {
			line += done;
			n -= (size_t)done;
		} else if (done < 0 && errno == EINTR) {
			continue;
		} else if (done == 0 || errno != EAGAIN ||
			   wait_for(c->fd, POLLOUT, c->s->stop_fd, deadline_ns) <= 0) {
			return false;
		}
	}
	return true;
}

/* Frees the line. */
static bool answer(struct client *c, char *line)
{
	uint64_t deadline = now_ns() + c->s->patience_ns;
	bool ok = line && send_all(c, line, strlen(line), deadline) &&
		  send_all(c, "\n", 1, deadline);

	free(line);
	return ok;
}

static bool client_gone(void *ctx)
{
	const struct client *c = ctx;
	struct pollfd p[2] = { { .fd = c->s->stop_fd, .events = POLLIN }, { .fd = c->fd } };

	/* POLLHUP: both directions are closed; one that has no more to say may listen. */
	return poll(p, 2, 0) > 0;
}

static bool serve_line(struct client *c, const char *line, size_t n)
{
	const struct watch_ops *ops = &c->s->ops;
	struct watch_reply reply = { 0 };
	char text[512] = "";
	struct webhook w;
	char *out;
	bool ok;

	if (webhook_control(&w, line, n, text, sizeof(text)) < 0) {
		out = webhook_answer_text(false, "error", text);
	} else if (w.status) {
		ok = ops->healthy(ops->ctx, text, sizeof(text));
		out = webhook_answer_text(ok, "status", text);
	} else {
		w.requests[0].gone = client_gone;
		w.requests[0].gone_ctx = c;
		ops->request(ops->ctx, &w.requests[0], &reply);
		out = webhook_answer_one(&reply);
	}
	webhook_fini(&w);
	return answer(c, out);
}

/*
 * A line into buf, which holds *used bytes of what came. Its length with its end; 0: there will be
 * none, because the client is done, too slow or stopped; -1: the line is too long.
 */
static ssize_t get_line(struct client *c, char *buf, size_t *used)
{
	uint64_t deadline = now_ns() + c->s->patience_ns;

	for (;;) {
		char *end = memchr(buf, '\n', *used);
		ssize_t got;

		if (end)
			return end + 1 - buf;
		if (*used == CONTROL_LINE)
			return -1;
		if (wait_for(c->fd, POLLIN, c->s->stop_fd, deadline) <= 0)
			return 0;
		got = recv(c->fd, buf + *used, CONTROL_LINE - *used, 0);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		/* The last line may lack its end. */
		if (got <= 0)
			return got < 0 ? 0 : (ssize_t)*used;
		*used += (size_t)got;
	}
}

static void serve(struct client *c, char *buf)
{
	size_t used = 0;
	ssize_t n;

	while ((n = get_line(c, buf, &used)) > 0) {
		if (!serve_line(c, buf, (size_t)n))
			return;
		used -= (size_t)n;
		memmove(buf, buf + n, used);
	}
	if (n < 0)
		answer(c, webhook_answer_text(false, "error", "a request has at most 64 KiB"));
}

static void *client_main(void *arg)
{
	struct client *c = arg;
	char *buf = malloc(CONTROL_LINE);

	if (buf)
		serve(c, buf);
	free(buf);
	/* For the client, now; the descriptor lives until the thread is joined. */
	shutdown(c->fd, SHUT_RDWR);
	c->ended = true;
	return NULL;
}

/* ---- accepting ------------------------------------------------------------------------------ */

static void reap(struct control *s, bool all)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *c = &s->clients[i];

		if (!c->used || (!all && !c->ended))
			continue;
		pthread_join(c->thread, NULL);
		close(c->fd);
		c->used = false;
	}
}

static struct client *free_client(struct control *s)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (!s->clients[i].used)
			return &s->clients[i];
	return NULL;
}

/* Whatever fits into the socket at once: it is not waited for. */
static void refuse(int fd, const char *why)
{
	char *line = webhook_answer_text(false, "error", why);
	struct iovec iov[2] = { { line, line ? strlen(line) : 0 }, { "\n", 1 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (line)
		sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	free(line);
	close(fd);
}

/* At most one a minute: anybody who reaches the socket can bring it about. */
static void tell_refused(struct control *s, const struct ucred *peer)
{
	uint64_t now = now_ns();
	char text[160];

	if (s->said_ns && now - s->said_ns < 60000000000ull)
		return;
	s->said_ns = now;
	snprintf(text, sizeof(text), "control socket: process %d of user %d was refused",
		 (int)peer->pid, (int)peer->uid);
	s->ops.say(s->ops.ctx, text);
}

static void take_client(struct control *s, int fd)
{
	struct client *c;
	struct ucred peer;

	if (!may(s, fd, &peer)) {
		tell_refused(s, &peer);
		refuse(fd, "permission denied: root, the recorder's user, control.owner and "
			   "members of control.group may");
		return;
	}
	c = free_client(s);
	if (!c) {
		refuse(fd, "16 clients are connected already: try again");
		return;
	}
	c->s = s;
	c->fd = fd;
	c->ended = false;
	c->used = !quiet_thread(&c->thread, client_main, c);
	if (!c->used)
		refuse(fd, "no thread could be started: try again");
}

static void *accept_main(void *arg)
{
	struct control *s = arg;
	int fd;

	while (wait_for(s->listener.fd, POLLIN, s->stop_fd, UINT64_MAX) > 0) {
		fd = accept4(s->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		reap(s, false);
		if (fd >= 0)
			take_client(s, fd);
		else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			/* No descriptors, no memory: it would be readable again at once. */
			wait_for(-1, 0, s->stop_fd, now_ns() + 100000000);
	}
	reap(s, true);
	return NULL;
}

/* ---- start and stop ------------------------------------------------------------------------- */

/* It is made before the recorder becomes another user, whose it is to be. */
static bool find_owner(struct control *s, const struct watch_config *c, char *err, size_t cap)
{
	const char *owner = c->socket_owner ? c->socket_owner : c->user;
	struct passwd *pw = owner ? getpwnam(owner) : NULL;
	struct group *gr = c->socket_group ? getgrnam(c->socket_group) : NULL;

	s->uid = pw ? pw->pw_uid : (uid_t)-1;
	s->gid = gr ? gr->gr_gid : (gid_t)-1;
	if (c->socket_owner && !pw)
		snprintf(err, cap, "control.owner: there is no user '%s'", c->socket_owner);
	else if (c->socket_group && !gr)
		snprintf(err, cap, "control.group: there is no group '%s'", c->socket_group);
	else
		return true;
	return false;
}

struct control *control_open_patient(const struct watch_config *c, uint64_t patience_ns,
				     char *err, size_t cap)
{
	struct control *s = calloc(1, sizeof(*s));
	char why[300];

	if (!s) {
		snprintf(err, cap, "not enough memory");
		return NULL;
	}
	s->patience_ns = patience_ns;
	if (!find_owner(s, c, err, cap))
		goto free_it;
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (s->stop_fd < 0) {
		snprintf(err, cap, "no event descriptor: %s", strerror(errno));
		goto free_it;
	}
	if (listen_unix(&s->listener, c->socket, (mode_t)c->socket_mode, s->uid, s->gid, why,
			sizeof(why)))
		return s;
	snprintf(err, cap, "control.socket: %s", why);
	close(s->stop_fd);
free_it:
	free(s);
	return NULL;
}

struct control *control_open(const struct watch_config *c, char *err, size_t cap)
{
	return control_open_patient(c, CONTROL_PATIENCE_NS, err, cap);
}

bool control_serve(struct control *s, const struct watch_ops *ops, char *err, size_t cap)
{
	int rc;

	s->ops = *ops;
	rc = quiet_thread(&s->thread, accept_main, s);
	if (rc)
		snprintf(err, cap, "no thread could be started: %s", strerror(rc));
	s->serves = !rc;
	return s->serves;
}

void control_stop(struct control *s)
{
	if (!s)
		return;
	eventfd_write(s->stop_fd, 1);
	if (s->serves)
		pthread_join(s->thread, NULL);
	listen_close(&s->listener);
	close(s->stop_fd);
	free(s);
}
