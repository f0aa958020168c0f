/* SPDX-License-Identifier: MIT */
#include "watch/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* ---- unix sockets --------------------------------------------------------------------------- */

/* A socket is there: false unless nobody listens at it, and then it is gone. */
static bool remove_stale(const struct sockaddr_un *un, char *err, size_t cap)
{
	struct stat st;
	int fd, rc;

	if (lstat(un->sun_path, &st) < 0)
		return true;	/* bind() will say what is wrong, if anything is */
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(err, cap, "%s is there and is no socket: remove it, or name another path",
			 un->sun_path);
		return false;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)un, sizeof(*un));
	if (rc < 0 && errno == ECONNREFUSED) {
		close(fd);
		if (!unlink(un->sun_path))
			return true;
		snprintf(err, cap, "%s: cannot remove the old socket: %s", un->sun_path,
			 strerror(errno));
		return false;
	}
	/* EAGAIN: somebody listens, and is busy. */
	if (!rc || errno == EAGAIN)
		snprintf(err, cap, "%s: somebody listens there already: is scap watch running?",
			 un->sun_path);
	else
		snprintf(err, cap, "%s: %s", un->sun_path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return false;
}

/* 0 or an errno. */
static int make_directory(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return 0;
	*slash = 0;
	return mkdir(dir, 0755) < 0 && errno != EEXIST ? errno : 0;
}

/* Nobody connects before listen(), and by then the mode is what it is to be. */
static bool bind_path(struct listener *l, const struct sockaddr_un *un, mode_t mode, uid_t uid,
		      gid_t gid)
{
	struct stat st;

	/* bind() gives the path this mode; a umask would hold for other threads, too. */
	if (fchmod(l->fd, 0) < 0 || bind(l->fd, (const struct sockaddr *)un, sizeof(*un)) < 0)
		return false;
	snprintf(l->path, sizeof(l->path), "%s", un->sun_path);
	if (lstat(un->sun_path, &st) < 0)
		return false;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return (uid == (uid_t)-1 && gid == (gid_t)-1) || lchown(un->sun_path, uid, gid) == 0 ?
	       chmod(un->sun_path, mode) == 0 && listen(l->fd, 64) == 0 : false;
}

bool listen_unix(struct listener *l, const char *path, mode_t mode, uid_t uid, gid_t gid, char *err,
		 size_t cap)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int code;

	*l = (struct listener){ .fd = -1 };
	if (!*path || strlen(path) >= sizeof(un.sun_path)) {
		snprintf(err, cap, "'%s': a socket's path has 1 to %zu bytes", path,
			 sizeof(un.sun_path) - 1);
		return false;
	}
	strcpy(un.sun_path, path);
	if (!remove_stale(&un, err, cap))
		return false;
	code = make_directory(path);
	if (!code) {
		l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (l->fd >= 0 && bind_path(l, &un, mode, uid, gid))
			return true;
		code = errno;
	}
	snprintf(err, cap, "%s: %s: %sname another path", path, strerror(code),
		 code == EACCES || code == EPERM ? "start it as root, or " : "");
	listen_close(l);
	return false;
}

/* ---- TCP ------------------------------------------------------------------------------------ */

static bool port_of(const char *text, in_port_t *ret)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || v > 65535)
		return false;
	*ret = htons((uint16_t)v);
	return true;
}

bool listen_address(const char *text, struct sockaddr_storage *ret, socklen_t *ret_n, char *err,
		    size_t cap)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t n = colon ? (size_t)(colon - text) : 0;

	memset(ret, 0, sizeof(*ret));
	if (n && n < sizeof(host)) {
		memcpy(host, text, n);
		host[n] = 0;
		if (host[0] == '[' && host[n - 1] == ']') {
			host[n - 1] = 0;
			in6->sin6_family = AF_INET6;
			*ret_n = sizeof(*in6);
			if (inet_pton(AF_INET6, host + 1, &in6->sin6_addr) == 1 &&
			    port_of(colon + 1, &in6->sin6_port))
				return true;
		}
		in->sin_family = AF_INET;
		*ret_n = sizeof(*in);
		if (inet_pton(AF_INET, host, &in->sin_addr) == 1 &&
		    port_of(colon + 1, &in->sin_port))
			return true;
	}
	snprintf(err, cap, "http.listen: '%s' is not an address such as 127.0.0.1:9466, "
		 "[::1]:9466 or unix:/run/scap/http.sock", text);
	return false;
}

bool listen_is_loopback(const struct sockaddr_storage *a)
{
	const struct in6_addr *in6 = &((const struct sockaddr_in6 *)a)->sin6_addr;

	if (a->ss_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
}

bool listen_tcp(struct listener *l, const struct sockaddr_storage *a, socklen_t n, char *err,
		size_t cap)
{
	int one = 1;

	*l = (struct listener){ .fd = -1 };
	l->fd = socket(a->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Room for a crowd: where it is full, others would wait seconds before they try again. */
	if (l->fd >= 0 && !setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
	    !bind(l->fd, (const struct sockaddr *)a, n) && !listen(l->fd, 2048))
		return true;
	snprintf(err, cap, "%s: %s", strerror(errno), errno == EADDRINUSE ?
		 "another program, or another scap watch, listens there" : "name another address");
	listen_close(l);
	return false;
}

void listen_close(struct listener *l)
{
	struct stat st;

	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	if (l->path[0] && !lstat(l->path, &st) && st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(l->path);
	l->path[0] = 0;
}

/* ---- threads -------------------------------------------------------------------------------- */

int quiet_thread(pthread_t *ret, void *(*run)(void *arg), void *arg)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(ret, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int wait_for(int fd, short events, int stop_fd, uint64_t deadline_ns)
{
	struct pollfd p[2] = {
		{ .fd = stop_fd, .events = POLLIN }, { .fd = fd, .events = events },
	};
	uint64_t now;
	int ms;

	for (;;) {
		now = now_ns();
		ms = -1;
		if (deadline_ns != UINT64_MAX) {
			if (now >= deadline_ns)
				return 0;
			/* Rounded up, or it would ask again and again within the last one. */
			ms = (deadline_ns - now) / 1000000 < INT_MAX ?
			     (int)((deadline_ns - now) / 1000000) + 1 : INT_MAX;
		}
		if (poll(p, 2, ms) < 0 && errno != EINTR)
			return -1;
		if (p[0].revents)
			return -1;
		if (p[1].revents)
			return p[1].revents;
	}
}
