/* SPDX-License-Identifier: MIT */
/* Who talks to a running scap watch: the control socket and HTTP. */
#ifndef WATCH_SERVER_H
#define WATCH_SERVER_H

#include <scap/trigger.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "watch/config.h"
#include "watch/store.h"

/* The most of before_ns and of after_ns, as in scap-watch.yaml(5). */
#define WATCH_WINDOW_NS (86400 * 1000000000ull)

/* A request for a capture. Strings live during the call. */
struct watch_request {
	enum trigger_source source;	/* HAND or ALERT */
	const char *name;	/* of a configured trigger; NULL: the only one of that source */
	const char *why;
	/* Of the alert; NULL: none. In the cool-down the same one is refused, others are not. */
	const char *fingerprint;
	const struct scap_label *labels;
	uint32_t n_labels;
	uint64_t before_ns, after_ns;	/* UINT64_MAX: as configured */
	bool wait;		/* until the file is sealed, or the time is over */
	/*
	 * Whoever waits has gone, or the server is to stop: asked once a second or so while
	 * request() waits, which then comes back at once. The capture is made all the same. NULL:
	 * nobody goes.
	 */
	bool (*gone)(void *gone_ctx);
	void *gone_ctx;
};

#define WATCH_REFUSED	1	/* by a cool-down or a limit of the trigger */
#define WATCH_BUSY	2	/* refused for now: so many captures are being written */

struct watch_reply {
	int code;		/* 0; WATCH_*; negative: -errno */
	char text[256];		/* why, in a line */
	char file[STORE_PATH_BYTES];	/* the capture's path; "": none */
};

/* What the servers ask for, from their threads. */
struct watch_ops {
	void *ctx;
	void (*request)(void *ctx, const struct watch_request *req, struct watch_reply *reply);
	/* Text of Prometheus, format 0.0.4. */
	void (*metrics)(void *ctx, FILE *out);
	/* A line of text; false: unhealthy. */
	bool (*healthy)(void *ctx, char *text, size_t cap);
	/* What went wrong in a server, for the log: a line. */
	void (*say)(void *ctx, const char *text);
};

struct control;
struct http;

/*
 * Each is opened with the privileges of its caller: it listens, so that nobody else can, and has
 * read tokens, certificates and keys; NULL, and a line in err. It answers once it serves, from
 * threads of its own: false, and a line in err. It is to be stopped in any case; NULL is allowed.
 */
struct control *control_open(const struct watch_config *c, char *err, size_t cap);
bool control_serve(struct control *s, const struct watch_ops *ops, char *err, size_t cap);
void control_stop(struct control *s);
struct http *http_open(const struct watch_config *c, char *err, size_t cap);
bool http_serve(struct http *s, const struct watch_ops *ops, char *err, size_t cap);
void http_stop(struct http *s);
/* The port that listens, where the configuration says 0. */
uint16_t http_port(const struct http *s);
/* How many were served and refused, by reason: metrics lines of the server itself. */
void http_metrics(const struct http *s, FILE *out);

#endif
