/* SPDX-License-Identifier: MIT */
/* What the HTTP server's parts share: connections (http.c), endpoints (http_request.c). */
#ifndef WATCH_HTTP_H
#define WATCH_HTTP_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "watch/listen.h"
#include "watch/server.h"

#define HTTP_CONNECTIONS 64
#define HTTP_PER_ADDRESS 8
#define HTTP_BODY_BYTES (1 << 20)
/* What is read of a body that is refused anyway, so that the client gets to see why. */
#define HTTP_DISCARD_BYTES (8 << 20)
#define HTTP_HEADER_BYTES 32768	/* of memory for a connection's headers */
#define HTTP_SCRAPES 8		/* texts of metrics in memory at a time */

struct http_limits {
	unsigned idle_s;	/* nothing comes or goes for so long: closed */
	unsigned request_s;	/* a request and its answer, without the time that we take */
};

/* A row for each answer that is ours. */
#define HTTP_CODES(X) X(200) X(202) X(400) X(401) X(404) X(405) X(411) X(413) X(429) X(500) X(503)

enum {
#define CODE_INDEX(code) HTTP_##code,
	HTTP_CODES(CODE_INDEX)
#undef CODE_INDEX
	HTTP_N_CODES
};

struct http_connection {
	struct http *http;
	bool used, busy;	/* busy: we work, the client waits */
	int fd;
	int family;
	uint8_t address[16];	/* zeros behind an IPv4 one */
	uint64_t since_ns;	/* of its request; of the connection before the first */
};

struct http {
	struct watch_ops ops;
	struct http_limits limits;
	struct MHD_Daemon *daemon;
	struct listener listener;
	uint16_t port;
	char *token;		/* NULL: none is asked for */
	size_t token_bytes;
	bool metrics_need_token;
	char *cert, *key;
	int stop_fd;		/* readable: everybody ends */
	pthread_t watchdog;
	bool watched;		/* there is that thread */
	pthread_mutex_t parsing;	/* one body at a time is JSON in memory */
	pthread_mutex_t lock;	/* what follows */
	bool starts;
	char log[200];		/* libmicrohttpd's last complaint until then */
	struct http_connection connections[HTTP_CONNECTIONS];
	unsigned n_connections;
	unsigned n_scrapes;
	uint64_t n_codes[HTTP_N_CODES];
	uint64_t n_full, n_address, n_slow;
};

struct http *http_open_limits(const struct watch_config *c, const struct http_limits *limits,
			      char *err, size_t cap);

/* For libmicrohttpd; cls is the struct http. */
enum MHD_Result http_handle(void *cls, struct MHD_Connection *mhd, const char *url,
			    const char *method, const char *version, const char *data,
			    size_t *n_data, void **ctx);
void http_completed(void *cls, struct MHD_Connection *mhd, void **ctx,
		    enum MHD_RequestTerminationCode how);
/* NULL: it found no place in the table. */
struct http_connection *http_connection_of(struct MHD_Connection *mhd);
/* While we work on a request, time is not counted against its client. */
void http_busy(struct http *h, struct MHD_Connection *mhd, bool busy);

#endif
