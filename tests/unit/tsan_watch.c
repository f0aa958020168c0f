/* SPDX-License-Identifier: MIT */
/*
 * What runs in scap watch at the same time, under ThreadSanitizer: the recorder's thread fills the
 * ring, flushes, fires and reloads; clients fire and wait; others look at the metrics. Every firing
 * is counted once, whatever the configuration was by then.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support_recording.h"
#include "watch/captures.h"
#include "watch/server.h"

#define CLIENTS 4	/* and as many through sockets */
#define FIRINGS 12
#define EPOCHS 60

static char *hook[] = { (char *)"true", NULL };
static struct trigger_config triggers[] = {
	{ .name = (char *)"hand", .source = TRIGGER_HAND, .before_ns = 2 * SCAP_EPOCH_NS,
	  .after_ns = SCAP_EPOCH_NS, .text = (char *)"hand" },
	{ .name = (char *)"some", .source = TRIGGER_EVENT, .before_ns = SCAP_EPOCH_NS,
	  .keep = (char *)"evt.type=close" },
};
static struct watch_config configs[2];
static struct captures *captures;
static struct store *store;
static struct control *control;
static struct http *http;
static atomic_uint n_clients, n_fired[2];
static _Atomic uint64_t now_ns;

static void die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void fire(unsigned trigger, const struct captures_waiter *waiter)
{
	struct firing f = {
		.by = triggers[trigger].source, .name = triggers[trigger].name, .source = "hand",
		.why = "a test", .raw_ns = atomic_load(&now_ns), .real_ns = atomic_load(&now_ns),
		.before_ns = UINT64_MAX, .after_ns = UINT64_MAX,
	};
	struct watch_reply reply;

	captures_fire(captures, &f, &reply, waiter);
	if (reply.code == -ENOENT)
		die("a trigger was not found");
	atomic_fetch_add(&n_fired[trigger], 1);
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

static void *client(void *arg)
{
	struct captures_waiter waiter = { .sealed = arg, .gone = never };

	for (unsigned i = 0; i < FIRINGS; i++) {
		fire(0, &waiter);
		usleep(5000);
	}
	atomic_fetch_sub(&n_clients, 1);
	return NULL;
}

/* ---- servers --------------------------------------------------------------------------------- */

static void serve_request(void *ctx, const struct watch_request *q, struct watch_reply *reply)
{
	struct captures_waiter waiter = {
		.sealed = q->wait, .gone = q->gone, .gone_ctx = q->gone_ctx,
	};
	struct firing f = {
		.by = TRIGGER_HAND, .source = "hand", .why = q->why, .labels = q->labels,
		.n_labels = q->n_labels, .raw_ns = atomic_load(&now_ns),
		.before_ns = q->before_ns, .after_ns = q->after_ns,
	};

	(void)ctx;
	captures_fire(captures, &f, reply, &waiter);
	atomic_fetch_add(&n_fired[0], 1);
}

static void serve_metrics(void *ctx, FILE *out)
{
	struct store_totals t;

	(void)ctx;
	store_totals(store, &t);
	fprintf(out, "files %llu\n", (unsigned long long)t.n_files);
	http_metrics(http, out);
}

static bool serve_health(void *ctx, char *text, size_t cap)
{
	(void)ctx;
	snprintf(text, cap, "recording");
	return true;
}

static void say(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* A client may come before anybody serves it; libmicrohttpd complains of it while it starts. */
static int come_early(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(un.sun_path, configs[0].listen + 5);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) || send(fd, "GET /x", 6, 0) != 6)
		die("no connection");
	shutdown(fd, SHUT_WR);
	return fd;
}

static void start_servers(void)
{
	static const struct watch_ops ops = {
		NULL, serve_request, serve_metrics, serve_health, say,
	};
	char text[512];
	int early = -1;

	control = control_open(&configs[0], text, sizeof(text));
	http = control ? http_open(&configs[0], text, sizeof(text)) : NULL;
	if (http)
		early = come_early();
	if (!http || !control_serve(control, &ops, text, sizeof(text)) ||
	    !http_serve(http, &ops, text, sizeof(text)))
		die(text);
	/* Before all that follows has the threads meet. */
	usleep(200000);
	close(early);
}

/* All that is answered, to the end; what comes of it is not looked at. */
static size_t ask(const char *path, const char *text)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char buf[4096];
	size_t n = 0;
	ssize_t got;

	strcpy(un.sun_path, path);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) ||
	    send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		die("no connection");
	shutdown(fd, SHUT_WR);
	while ((got = recv(fd, buf, sizeof(buf), 0)) > 0)
		n += (size_t)got;
	close(fd);
	return n;
}

static void *remote(void *arg)
{
	for (unsigned i = 0; i < FIRINGS; i++) {
		const char *line = i % 2 ? "{\"trigger\":\"hand\",\"wait\":true}\n" :
					   "{\"trigger\":\"hand\",\"why\":\"x\"}\n";

		if (!ask(configs[0].socket, line) ||
		    !ask(configs[0].listen + 5, "GET /metrics HTTP/1.0\r\n\r\n") ||
		    !ask(configs[0].listen + 5, "GET /healthz HTTP/1.0\r\n\r\n"))
			die("no answer");
	}
	atomic_fetch_sub(&n_clients, 1);
	return arg;
}

static void *looker(void *arg)
{
	struct watch_trigger_health h[2];
	struct captures_totals c;
	struct scap_ring_info info;
	struct store_totals t;
	uint64_t left;

	while (atomic_load(&n_clients)) {
		captures_health(captures, h, 2);
		captures_totals(captures, &c);
		store_totals(store, &t);
		store_disk_ok(store, &left);
		scap_ring_info(rec.ring, &info);
		usleep(1000);
	}
	return arg;
}

static void reload(unsigned which)
{
	captures_configure(captures, captures_prepare(&configs[which]));
	store_configure(store, &configs[which]);
}

static void record(void)
{
	for (unsigned i = 0; atomic_load(&n_clients) || i < EPOCHS; i++) {
		rec_slice(1);
		atomic_store(&now_ns, rec.now_ns - 1);
		if (captures_want_keyframe(captures))
			rec_keyframe(2);
		if (captures_due_ns(captures) <= rec.now_ns) {
			rec_complete();
			captures_more(captures, rec.now_ns);
		}
		if (i % 8 == 0)
			fire(1, NULL);
		reload(i & 1);
		usleep(10000);
	}
}

static void check_counts(void)
{
	struct watch_trigger_health h[2];

	captures_health(captures, h, 2);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t n = 0;

		for (unsigned k = 0; k < N_CAPTURE_OUTCOMES; k++)
			n += h[i].n[k];
		printf("%s: %llu of %u written\n", h[i].name,
		       (unsigned long long)h[i].n[CAPTURE_WRITTEN], atomic_load(&n_fired[i]));
		if (n != atomic_load(&n_fired[i]))
			die("a firing is missing among the outcomes");
		if (!h[i].n[CAPTURE_WRITTEN])
			die("nothing was written");
	}
}

static void set_up(void)
{
	char text[256];

	recording_setup();
	configs[0] = configs[1] = (struct watch_config){
		.dir = strdup(in_dir("captures")), .triggers = triggers, .n_triggers = 2,
		.keep_count = 20, .socket = strdup(in_dir("control")), .socket_mode = 0600,
		.listen = malloc(200),
	};
	snprintf(configs[0].listen, 200, "unix:%s", in_dir("http"));
	configs[1].hook = hook;
	configs[1].keep_count = 10;
	seed = 42;
	rec_open(2, SCAP_RING_MIN_BYTES);
	store = store_open(&configs[0], -1, -1, text, sizeof(text));
	if (!store)
		die(text);
	for (unsigned i = 0; i < 4; i++)
		rec_slice(1);
	atomic_store(&now_ns, rec.now_ns - 1);
	captures = captures_start(&configs[0], rec.ring, store);
	if (!captures)
		die("nothing was started");
}

int main(void)
{
	struct hooks *hooks = hooks_start();
	pthread_t threads[2 * CLIENTS + 1];
	char command[300];

	set_up();
	store_use_hooks(store, hooks);
	start_servers();
	atomic_store(&n_clients, 2 * CLIENTS);
	for (unsigned i = 0; i < CLIENTS; i++) {
		pthread_create(&threads[i], NULL, client, i ? (void *)1 : NULL);
		pthread_create(&threads[CLIENTS + i], NULL, remote, NULL);
	}
	pthread_create(&threads[2 * CLIENTS], NULL, looker, NULL);
	record();
	for (unsigned i = 0; i <= 2 * CLIENTS; i++)
		pthread_join(threads[i], NULL);
	captures_stop(captures);
	http_stop(http);
	control_stop(control);
	check_counts();
	captures_free(captures);
	store_close(store);
	hooks_stop(hooks);
	rec_close(true);
	snprintf(command, sizeof(command), "rm -rf '%s'", configs[0].dir);
	if (system(command))
		die(command);
	free(configs[0].dir);
	free(configs[0].socket);
	free(configs[0].listen);
	recording_teardown();
	return 0;
}
