/* SPDX-License-Identifier: MIT */
/*
 * HTTP: libmicrohttpd with a thread for each connection, because a request may wait for its
 * capture. Who may be connected is decided here, since libmicrohttpd would not tell how many it
 * turned away: at most HTTP_CONNECTIONS, HTTP_PER_ADDRESS of one address; what is beyond is closed
 * as it comes. So whoever opens a thousand connections has 8 of them, for idle_s seconds if nothing
 * is sent and for request_s seconds at most; clients at other addresses don't notice.
 */
#include "watch/http.h"
#include "watch/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES (256 << 10)	/* of a token, certificate or key */

/* ---- connections ---------------------------------------------------------------------------- */

static void address_of(const struct sockaddr *a, struct http_connection *ret)
{
	ret->family = a->sa_family;
	memset(ret->address, 0, sizeof(ret->address));
	if (a->sa_family == AF_INET)
		memcpy(ret->address, &((const struct sockaddr_in *)a)->sin_addr, 4);
	else if (a->sa_family == AF_INET6)
		memcpy(ret->address, &((const struct sockaddr_in6 *)a)->sin6_addr, 16);
}

static unsigned n_alike(const struct http *h, const struct http_connection *like)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HTTP_CONNECTIONS; i++)
		n += h->connections[i].used && h->connections[i].family == like->family &&
		     !memcmp(h->connections[i].address, like->address, sizeof(like->address));
	return n;
}

/* libmicrohttpd accepts in one thread: nobody comes between this and connection_begins(). */
static enum MHD_Result may_connect(void *cls, const struct sockaddr *a, socklen_t n)
{
	struct http_connection like = { 0 };
	struct http *h = cls;
	bool ok = false;

	(void)n;
	address_of(a, &like);
	pthread_mutex_lock(&h->lock);
	if (h->n_connections >= HTTP_CONNECTIONS)
		h->n_full++;
	/* At a unix socket all have the same one: none. */
	else if (like.family != AF_UNIX && n_alike(h, &like) >= HTTP_PER_ADDRESS)
		h->n_address++;
	else
		ok = true;
	pthread_mutex_unlock(&h->lock);
	return ok ? MHD_YES : MHD_NO;
}

static struct http_connection *connection_begins(struct http *h, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *fd, *a;
	struct http_connection *c = NULL;

	fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	a = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	pthread_mutex_lock(&h->lock);
	for (unsigned i = 0; fd && a && i < HTTP_CONNECTIONS; i++)
		if (!h->connections[i].used) {
			c = &h->connections[i];
			break;
		}
	if (c) {
		*c = (struct http_connection){
			.http = h, .used = true, .fd = fd->connect_fd, .since_ns = now_ns(),
		};
		address_of(a->client_addr, c);
		h->n_connections++;
	}
	pthread_mutex_unlock(&h->lock);
	return c;
}

/* libmicrohttpd closes the descriptor only after the call that says so. */
static void notify_connection(void *cls, struct MHD_Connection *mhd, void **ctx,
			      enum MHD_ConnectionNotificationCode what)
{
	struct http_connection *c = *ctx;
	struct http *h = cls;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*ctx = connection_begins(h, mhd);
		return;
	}
	if (!c)
		return;
	pthread_mutex_lock(&h->lock);
	c->used = false;
	h->n_connections--;
	pthread_mutex_unlock(&h->lock);
}

struct http_connection *http_connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

void http_busy(struct http *h, struct MHD_Connection *mhd, bool busy)
{
	struct http_connection *c = http_connection_of(mhd);

	if (!c)
		return;
	pthread_mutex_lock(&h->lock);
	c->busy = busy;
	c->since_ns = now_ns();
	pthread_mutex_unlock(&h->lock);
}

/* libmicrohttpd only knows how long nothing came: a byte now and then would go on for ever. */
static void end_slow(struct http *h)
{
	uint64_t most = h->limits.request_s * 1000000000ull, now;

	pthread_mutex_lock(&h->lock);
	/* Not before: what began while we waited would be older than time itself. */
	now = now_ns();
	for (unsigned i = 0; i < HTTP_CONNECTIONS; i++) {
		struct http_connection *c = &h->connections[i];

		if (!c->used || c->busy || now - c->since_ns < most)
			continue;
		shutdown(c->fd, SHUT_RDWR);
		c->since_ns = now;
		h->n_slow++;
	}
	pthread_mutex_unlock(&h->lock);
}

static void *watchdog_main(void *arg)
{
	struct http *h = arg;

	while (!wait_for(-1, 0, h->stop_fd, now_ns() + 500000000))
		end_slow(h);
	return NULL;
}

/* ---- start and stop ------------------------------------------------------------------------- */

/* The file's text, to be freed; NULL and a line in err. */
static char *slurp(const char *key, const char *path, char *err, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = fd >= 0 ? calloc(1, FILE_BYTES + 1) : NULL;
	ssize_t got = 0;
	size_t n = 0;

	while (text && n < FILE_BYTES && (got = read(fd, text + n, FILE_BYTES - n)) > 0)
		n += (size_t)got;
	if (text && got == 0 && n && strlen(text) == n) {
		close(fd);
		return text;
	}
	snprintf(err, cap, "%s: %s: %s", key, path, fd < 0 || got < 0 || !text ? strerror(errno) :
		 n == FILE_BYTES ? "more than 256 KiB" : n ? "it has a zero byte" : "it is empty");
	if (fd >= 0)
		close(fd);
	free(text);
	return NULL;
}

static bool read_token(struct http *h, const struct watch_config *c, char *err, size_t cap)
{
	if (!c->token_file)
		return true;
	h->token = slurp("http.token-file", c->token_file, err, cap);
	if (!h->token)
		return false;
	h->token_bytes = strcspn(h->token, "\r\n");
	if (h->token_bytes && !h->token[h->token_bytes + strspn(h->token + h->token_bytes, "\r\n")])
		return true;
	snprintf(err, cap, "http.token-file: %s: a line with the token is wanted, and nothing else",
		 c->token_file);
	return false;
}

static bool read_files(struct http *h, const struct watch_config *c, char *err, size_t cap)
{
	h->metrics_need_token = c->metrics_need_token;
	if (!read_token(h, c, err, cap))
		return false;
	if (!c->tls_cert != !c->tls_key) {
		snprintf(err, cap, "http.tls: cert and key need each other");
		return false;
	}
	if (!c->tls_cert)
		return true;
	h->cert = slurp("http.tls.cert", c->tls_cert, err, cap);
	h->key = h->cert ? slurp("http.tls.key", c->tls_key, err, cap) : NULL;
	return h->key;
}

static bool open_listener(struct http *h, const struct watch_config *c, char *err, size_t cap)
{
	uint32_t uid = (uint32_t)-1, gid = (uint32_t)-1;
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);
	char why[300];

	if (!strncmp(c->listen, "unix:", 5)) {
		/* It is made before the recorder becomes another user, whose it is to be. */
		if (c->user)
			sandbox_user(c->user, &uid, &gid, why, sizeof(why));
		if (listen_unix(&h->listener, c->listen + 5, 0660, uid, gid, why, sizeof(why)))
			return true;
		snprintf(err, cap, "http.listen: %s", why);
		return false;
	}
	if (!listen_address(c->listen, &a, &n, err, cap))
		return false;
	if (!h->token && !listen_is_loopback(&a)) {
		snprintf(err, cap, "http.listen: %s is reached from other machines, which must "
			 "have a token: set http.token-file", c->listen);
		return false;
	}
	if (!listen_tcp(&h->listener, &a, n, why, sizeof(why))) {
		snprintf(err, cap, "http.listen: %s: %s", c->listen, why);
		return false;
	}
	n = sizeof(a);
	if (!getsockname(h->listener.fd, (struct sockaddr *)&a, &n))
		h->port = ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port :
				((struct sockaddr_in6 *)&a)->sin6_port);
	return true;
}

__attribute__((format(printf, 2, 0)))
static void complain(void *cls, const char *fmt, va_list ap)
{
	struct http *h = cls;

	pthread_mutex_lock(&h->lock);
	/* Not later: clients could fill the log. Some come before the start is over. */
	if (h->starts)
		vsnprintf(h->log, sizeof(h->log), fmt, ap);
	pthread_mutex_unlock(&h->lock);
}

static void set_starts(struct http *h, bool starts)
{
	pthread_mutex_lock(&h->lock);
	h->starts = starts;
	pthread_mutex_unlock(&h->lock);
}

static bool start_daemon(struct http *h, char *err, size_t cap)
{
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
			 MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, h->cert }, { MHD_OPTION_HTTPS_MEM_KEY, 0, h->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1" },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
	sigset_t all, old;

	strcpy(h->log, "no memory, or no thread");
	set_starts(h, true);
	/* Its threads get no signals: those are for the thread that waits for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	h->daemon = MHD_start_daemon(flags | (h->cert ? MHD_USE_TLS : 0), 0, may_connect, h,
		http_handle, h, MHD_OPTION_EXTERNAL_LOGGER, complain, h,
		MHD_OPTION_LISTEN_SOCKET, h->listener.fd,
		/* One more than may_connect() lets in, or it could not count who is turned away. */
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS + 1,
		MHD_OPTION_CONNECTION_TIMEOUT, h->limits.idle_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADER_BYTES,
		MHD_OPTION_NOTIFY_COMPLETED, http_completed, h,
		MHD_OPTION_NOTIFY_CONNECTION, notify_connection, h,
		MHD_OPTION_ARRAY, h->cert ? tls : none, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	set_starts(h, false);
	if (!h->daemon)
		snprintf(err, cap, "the HTTP server does not start: %.*s",
			 (int)strcspn(h->log, "\n"), h->log);
	/* It has taken the descriptor, also where it failed. */
	h->listener.fd = -1;
	return h->daemon;
}

static void free_http(struct http *h)
{
	listen_close(&h->listener);
	if (h->token)
		explicit_bzero(h->token, strlen(h->token));
	if (h->key)
		explicit_bzero(h->key, strlen(h->key));
	free(h->token);
	free(h->cert);
	free(h->key);
	if (h->stop_fd >= 0)
		close(h->stop_fd);
	pthread_mutex_destroy(&h->parsing);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

struct http *http_open_limits(const struct watch_config *c, const struct http_limits *limits,
			      char *err, size_t cap)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h) {
		snprintf(err, cap, "not enough memory");
		return NULL;
	}
	h->limits = *limits;
	h->listener.fd = -1;
	pthread_mutex_init(&h->parsing, NULL);
	pthread_mutex_init(&h->lock, NULL);
	h->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (h->stop_fd < 0)
		snprintf(err, cap, "no event descriptor: %s", strerror(errno));
	else if (read_files(h, c, err, cap) && open_listener(h, c, err, cap))
		return h;
	free_http(h);
	return NULL;
}

struct http *http_open(const struct watch_config *c, char *err, size_t cap)
{
	static const struct http_limits limits = { .idle_s = 10, .request_s = 30 };

	return http_open_limits(c, &limits, err, cap);
}

bool http_serve(struct http *h, const struct watch_ops *ops, char *err, size_t cap)
{
	int rc;

	h->ops = *ops;
	rc = quiet_thread(&h->watchdog, watchdog_main, h);
	if (rc) {
		snprintf(err, cap, "no thread could be started: %s", strerror(rc));
		return false;
	}
	h->watched = true;
	return start_daemon(h, err, cap);
}

void http_stop(struct http *h)
{
	if (!h)
		return;
	eventfd_write(h->stop_fd, 1);
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	if (h->watched)
		pthread_join(h->watchdog, NULL);
	free_http(h);
}

uint16_t http_port(const struct http *h)
{
	return h->port;
}
