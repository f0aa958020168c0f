/* SPDX-License-Identifier: MIT */
/* The endpoints of HTTP, and what is checked before them. */
#define _GNU_SOURCE	/* POLLRDHUP */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "watch/http.h"
#include "watch/metrics.h"
#include "watch/webhook.h"

struct answer {
	unsigned code;
	const char *type;
	char *text;		/* is freed */
	size_t n;
};

struct request {
	struct http *http;
	const struct endpoint *endpoint;
	unsigned refused;	/* the answer's code, before the endpoint was asked; 0: none */
	const char *why;
	char *body;
	size_t n_body, cap, n_seen;
	bool scrape;		/* counted in n_scrapes */
};

struct endpoint {
	const char *path;
	const char *allow;	/* methods */
	bool has_body;
	bool (*open)(const struct http *h);	/* needs no token; NULL: it does */
	void (*run)(struct request *q, struct MHD_Connection *mhd, struct answer *a);
};

static const char json_type[] = "application/json";
static const char text_type[] = "text/plain; charset=utf-8";

/* ---- endpoints ------------------------------------------------------------------------------ */

static void say_error(struct answer *a, unsigned code, const char *why)
{
	*a = (struct answer){ .code = code, .type = json_type };
	a->text = webhook_answer_text(false, "error", why);
}

/* The client has gone, or the server stops. A client of TCP that only stopped sending, too. */
static bool client_gone(void *ctx)
{
	struct MHD_Connection *mhd = ctx;
	struct http_connection *c = http_connection_of(mhd);
	struct pollfd p[2] = { { .fd = -1 }, { .fd = -1, .events = POLLIN } };

	if (!c)
		return true;
	p[0].fd = c->fd;
	p[0].events = c->family == AF_UNIX ? 0 : POLLRDHUP;
	p[1].fd = c->http->stop_fd;
	return poll(p, 2, 0) > 0;
}

typedef int (*form_fn)(struct webhook *w, const char *body, size_t n, char *err, size_t cap);

/* The body is gone afterwards. False: the answer says why. */
static bool parse_body(struct request *q, form_fn form, struct webhook *w, struct answer *a)
{
	char err[300];
	int rc;

	pthread_mutex_lock(&q->http->parsing);
	rc = form(w, q->body ? q->body : "", q->n_body, err, sizeof(err));
	pthread_mutex_unlock(&q->http->parsing);
	free(q->body);
	q->body = NULL;
	if (rc < 0)
		say_error(a, rc == -ENOMEM ? 503 : 400, err);
	return rc == 0;
}

static unsigned code_of(const struct watch_reply *r, unsigned refused)
{
	if (r->code == 0)
		return 200;
	if (r->code > 0)
		return refused;
	/* What another attempt would not change is the client's: it is not to try again. */
	return r->code == -EINVAL || r->code == -ENOENT ? 400 : 503;
}

static void run_alertmanager(struct request *q, struct MHD_Connection *mhd, struct answer *a)
{
	const struct watch_ops *ops = &q->http->ops;
	struct watch_reply *replies = NULL;
	struct webhook w;
	unsigned code;

	if (!parse_body(q, webhook_alertmanager, &w, a))
		goto fini;
	replies = calloc(w.n_requests ? w.n_requests : 1, sizeof(*replies));
	if (!replies) {
		say_error(a, 503, "not enough memory");
		goto fini;
	}
	*a = (struct answer){ .code = 200, .type = json_type };
	for (uint32_t i = 0; i < w.n_requests; i++) {
		w.requests[i].gone = client_gone;
		w.requests[i].gone_ctx = mhd;
		ops->request(ops->ctx, &w.requests[i], &replies[i]);
		/* What a cool-down refused is as good as done; after 5xx it comes again. */
		code = code_of(&replies[i], replies[i].code == WATCH_BUSY ? 503 : 200);
		a->code = code > a->code ? code : a->code;
	}
	a->text = webhook_answer(&w, replies);
fini:
	free(replies);
	webhook_fini(&w);
}

static void run_trigger(struct request *q, struct MHD_Connection *mhd, struct answer *a)
{
	const struct watch_ops *ops = &q->http->ops;
	struct watch_reply reply = { 0 };
	struct webhook w;

	if (parse_body(q, webhook_plain, &w, a)) {
		w.requests[0].gone = client_gone;
		w.requests[0].gone_ctx = mhd;
		ops->request(ops->ctx, &w.requests[0], &reply);
		*a = (struct answer){ .code = code_of(&reply, 429), .type = json_type };
		if (a->code == 200 && !w.requests[0].wait)
			a->code = 202;
		a->text = webhook_answer_one(&reply);
	}
	webhook_fini(&w);
}

static void run_metrics(struct request *q, struct MHD_Connection *mhd, struct answer *a)
{
	struct http *h = q->http;
	bool failed;
	FILE *out;

	(void)mhd;
	pthread_mutex_lock(&h->lock);
	q->scrape = h->n_scrapes < HTTP_SCRAPES;
	h->n_scrapes += q->scrape;
	pthread_mutex_unlock(&h->lock);
	if (!q->scrape) {
		say_error(a, 503, "too many read the metrics at this moment: try again");
		return;
	}
	*a = (struct answer){ .code = 200, .type = METRICS_TYPE };
	out = open_memstream(&a->text, &a->n);
	if (!out)
		return;
	h->ops.metrics(h->ops.ctx, out);
	failed = ferror(out);
	failed |= fclose(out) != 0;
	if (failed) {
		free(a->text);
		a->text = NULL;
	}
}

static void run_health(struct request *q, struct MHD_Connection *mhd, struct answer *a)
{
	const struct watch_ops *ops = &q->http->ops;
	char text[512] = "";
	bool ok = ops->healthy(ops->ctx, text, sizeof(text) - 1);

	(void)mhd;
	strcat(text, "\n");
	*a = (struct answer){ .code = ok ? 200 : 503, .type = text_type, .text = strdup(text) };
}

static bool always(const struct http *h)
{
	(void)h;
	return true;
}

static bool metrics_open(const struct http *h)
{
	return !h->metrics_need_token;
}

static const struct endpoint endpoints[] = {
	{ "/trigger/alertmanager", "POST", true, NULL, run_alertmanager },
	{ "/trigger", "POST", true, NULL, run_trigger },
	{ "/metrics", "GET, HEAD", false, metrics_open, run_metrics },
	{ "/healthz", "GET, HEAD", false, always, run_health },
};

/* ---- what is checked first ------------------------------------------------------------------ */

static const struct endpoint *find_endpoint(const char *path)
{
	for (unsigned i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
		if (!strcmp(endpoints[i].path, path))
			return &endpoints[i];
	return NULL;
}

/* How long it takes tells nothing but whether the length is right. */
static bool token_ok(const struct http *h, struct MHD_Connection *mhd)
{
	const char *got = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Authorization");
	volatile unsigned char differs = 0;

	if (!got || strncasecmp(got, "Bearer ", 7))
		return false;
	got += 7 + strspn(got + 7, " ");
	if (strlen(got) != h->token_bytes)
		return false;
	for (size_t i = 0; i < h->token_bytes; i++)
		differs |= (unsigned char)(got[i] ^ h->token[i]);
	return !differs;
}

static bool method_allowed(const struct endpoint *e, const char *method)
{
	if (e->has_body)
		return !strcmp(method, "POST");
	return !strcmp(method, "GET") || !strcmp(method, "HEAD");
}

/* UINT64_MAX: the request does not say. */
static uint64_t body_length(struct MHD_Connection *mhd)
{
	const char *n = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Content-Length");
	const char *chunked = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND,
							  "Transfer-Encoding");

	if (n)
		return strtoull(n, NULL, 10);
	return chunked ? 0 : UINT64_MAX;
}

/* The first thing that is wrong: an answer's code, and why; or 0. */
static unsigned judge(struct request *q, struct MHD_Connection *mhd, const char *path,
		      const char *method)
{
	const struct endpoint *e = q->endpoint = find_endpoint(path);
	uint64_t n;

	q->why = "there is /metrics, /healthz, /trigger and /trigger/alertmanager";
	if (!e)
		return 404;
	q->why = "this is not for that method";
	if (!method_allowed(e, method))
		return 405;
	q->why = "the bearer token is missing, or wrong";
	if (q->http->token && !(e->open && e->open(q->http)) && !token_ok(q->http, mhd))
		return 401;
	if (!e->has_body)
		return 0;
	/* A page that somebody on this host looks at could ask for captures, too. */
	q->why = "a browser's page may not ask";
	if (MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Origin"))
		return 403;
	n = body_length(mhd);
	q->why = "how long is the body? Content-Length is missing";
	if (n == UINT64_MAX)
		return 411;
	q->why = "a body has 1 MiB at most";
	return n > HTTP_BODY_BYTES ? 413 : 0;
}

/* ---- requests ------------------------------------------------------------------------------- */

static void count_code(struct http *h, unsigned code)
{
	static const unsigned codes[] = {
#define CODE_ROW(code) code,
		HTTP_CODES(CODE_ROW)
#undef CODE_ROW
	};

	pthread_mutex_lock(&h->lock);
	for (unsigned i = 0; i < HTTP_N_CODES; i++)
		h->n_codes[i] += codes[i] == code;
	pthread_mutex_unlock(&h->lock);
}

static enum MHD_Result respond(struct request *q, struct MHD_Connection *mhd, struct answer *a)
{
	struct MHD_Response *r;
	enum MHD_Result rc;

	if (!a->text) {
		*a = (struct answer){ .code = 500, .type = text_type };
		a->text = strdup("not enough memory\n");
	}
	if (!a->text)
		return MHD_NO;
	if (!a->n)
		a->n = strlen(a->text);
	r = MHD_create_response_from_buffer(a->n, a->text, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		free(a->text);
		return MHD_NO;
	}
	MHD_add_response_header(r, "Content-Type", a->type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	if (a->code == 401)
		MHD_add_response_header(r, "WWW-Authenticate", "Bearer realm=\"scap\"");
	if (a->code == 405)
		MHD_add_response_header(r, "Allow", q->endpoint->allow);
	rc = MHD_queue_response(mhd, a->code, r);
	MHD_destroy_response(r);
	count_code(q->http, a->code);
	return rc;
}

static enum MHD_Result refuse(struct request *q, struct MHD_Connection *mhd)
{
	struct answer a;

	say_error(&a, q->refused, q->why);
	return respond(q, mhd, &a);
}

static enum MHD_Result begin(struct http *h, struct MHD_Connection *mhd, const char *path,
			     const char *method, void **ctx)
{
	struct request *q = calloc(1, sizeof(*q));
	uint64_t n;

	if (!q)
		return MHD_NO;
	*ctx = q;
	q->http = h;
	q->refused = judge(q, mhd, path, method);
	if (!q->refused)
		return MHD_YES;
	/*
	 * Most clients send all before they read: answered now, and closed, they would find an
	 * error of the connection instead. Those that ask first are told at once.
	 */
	n = body_length(mhd);
	if ((n != UINT64_MAX && n > HTTP_DISCARD_BYTES) ||
	    MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Expect"))
		return refuse(q, mhd);
	return MHD_YES;
}

/* A piece of the body. False: no more is read of this one. */
static bool take_piece(struct request *q, const char *data, size_t n)
{
	size_t cap = q->cap;
	char *body;

	q->n_seen += n;
	if (q->refused || !q->endpoint->has_body)
		return q->n_seen <= HTTP_DISCARD_BYTES;
	if (q->n_seen > HTTP_BODY_BYTES) {
		free(q->body);
		q->body = NULL;
		q->refused = 413;	/* q->why says so already */
		return true;
	}
	while (cap < q->n_seen)
		cap = cap ? 2 * cap : 4096;
	body = cap > q->cap ? realloc(q->body, cap) : q->body;
	if (!body)
		return false;
	q->body = body;
	q->cap = cap;
	memcpy(body + q->n_body, data, n);
	q->n_body += n;
	return true;
}

enum MHD_Result http_handle(void *cls, struct MHD_Connection *mhd, const char *url,
			    const char *method, const char *version, const char *data,
			    size_t *n_data, void **ctx)
{
	struct request *q = *ctx;
	struct answer a = { 0 };

	(void)version;
	if (!q)
		return begin(cls, mhd, url, method, ctx);
	if (*n_data) {
		size_t n = *n_data;

		*n_data = 0;
		return take_piece(q, data, n) ? MHD_YES : MHD_NO;
	}
	if (q->refused)
		return refuse(q, mhd);
	http_busy(q->http, mhd, true);
	q->endpoint->run(q, mhd, &a);
	http_busy(q->http, mhd, false);
	return respond(q, mhd, &a);
}

void http_completed(void *cls, struct MHD_Connection *mhd, void **ctx,
		    enum MHD_RequestTerminationCode how)
{
	struct http_connection *c = http_connection_of(mhd);
	struct request *q = *ctx;
	struct http *h = cls;

	(void)how;
	pthread_mutex_lock(&h->lock);
	if (c)
		c->since_ns = now_ns();
	if (q && q->scrape)
		h->n_scrapes--;
	pthread_mutex_unlock(&h->lock);
	if (q)
		free(q->body);
	free(q);
	*ctx = NULL;
}

/* ---- its own metrics ------------------------------------------------------------------------ */

static void print_counters(const struct http *h, FILE *out)
{
	unsigned i = 0;

	metrics_family(out, "scap_http_requests_total", "counter", "HTTP requests, by answer.");
#define CODE_LINE(code) \
	fprintf(out, "scap_http_requests_total{code=\"" #code "\"} %llu\n", \
		(unsigned long long)h->n_codes[i++]);
	HTTP_CODES(CODE_LINE)
#undef CODE_LINE
	metrics_family(out, "scap_http_connections", "gauge", "Connections that are open.");
	fprintf(out, "scap_http_connections %u\n", h->n_connections);
	metrics_family(out, "scap_http_connections_refused_total", "counter",
		       "Connections closed as they came, by the limit that was reached.");
	fprintf(out, "scap_http_connections_refused_total{limit=\"all\"} %llu\n"
		"scap_http_connections_refused_total{limit=\"address\"} %llu\n",
		(unsigned long long)h->n_full, (unsigned long long)h->n_address);
	metrics_family(out, "scap_http_connections_slow_total", "counter",
		       "Connections ended because a request took too long to come.");
	fprintf(out, "scap_http_connections_slow_total %llu\n", (unsigned long long)h->n_slow);
}

void http_metrics(const struct http *s, FILE *out)
{
	struct http *h = (struct http *)s;

	pthread_mutex_lock(&h->lock);
	print_counters(h, out);
	pthread_mutex_unlock(&h->lock);
}
