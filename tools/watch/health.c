/* SPDX-License-Identifier: MIT */
/* What the servers are told of a running scap watch. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "opts.h"
#include "watch/listen.h"
#include "watch/metrics.h"
#include "watch/run.h"

/* A recorder that has not looked at its rings for so long is not well. */
#define SILENT_NS (10 * 1000000000ull)

static void request(void *ctx, const struct watch_request *req, struct watch_reply *reply)
{
	struct watch *w = ctx;
	struct captures_waiter waiter = {
		.sealed = req->wait, .gone = req->gone, .gone_ctx = req->gone_ctx,
	};
	struct firing f = {
		.by = req->source, .name = req->name, .why = req->why,
		.fingerprint = req->fingerprint,
		.source = req->source == TRIGGER_ALERT ? "alert" : "hand",
		.labels = req->labels, .n_labels = req->n_labels,
		.raw_ns = watch_raw_ns(w), .real_ns = watch_real_ns(),
		.before_ns = req->before_ns, .after_ns = req->after_ns,
	};

	captures_fire(w->captures, &f, reply, &waiter);
}

/* ---- the process ----------------------------------------------------------------------------- */

static uint64_t resident_bytes(void)
{
	unsigned long long total, pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &total, &pages) != 2)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t n_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n > 3 ? n - 3 : 0;	/* ".", "..", and the one that looks */
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* 0: it is not over, or there was no such time. */
static uint64_t since(uint64_t now_ns, uint64_t then_ns)
{
	return then_ns && now_ns > then_ns ? now_ns - then_ns : 0;
}

static bool is_alive(struct watch *w)
{
	return since(now_ns(), atomic_load(&w->seen_mono_ns)) < SILENT_NS;
}

/* ---- metrics --------------------------------------------------------------------------------- */

static void put_ring(struct watch *w, struct watch_health *h)
{
	struct scap_ring_info info;

	scap_ring_info(w->ring, &info);
	h->bytes = atomic_load(&w->bytes);
	h->ring_bytes = info.bytes;
	h->ring_used_bytes = info.used_bytes;
	/* They are not of one moment, and both are 0 at first. */
	h->ring_window_ns = since(info.end_raw_ns, info.start_raw_ns);
	h->n_groups = info.n_sections;
	h->n_groups_evicted = info.n_evicted;
}

static void put_store(struct watch *w, struct watch_health *h)
{
	struct captures_totals c;
	struct store_totals s;

	captures_totals(w->captures, &c);
	store_totals(w->store, &s);
	store_disk_ok(w->store, &h->disk_free_bytes);
	h->n_capturing = c.n_capturing;
	h->n_write_errors = c.n_write_errors;
	h->n_sealed = c.n_sealed;
	h->seal_ns = c.seal_ns;
	h->seal_max_ns = c.seal_max_ns;
	h->n_files = s.n_files;
	h->file_bytes = s.bytes;
	h->n_deleted = s.n_deleted;
	h->n_hooks_ok = s.n_hooks_ok;
	h->n_hooks_failed = s.n_hooks_failed - s.n_hooks_killed;
	h->n_hooks_killed = s.n_hooks_killed;
	h->n_hooks_skipped = s.n_hooks_skipped;
}

static void put_monitor(struct watch *w, struct watch_health *h)
{
	struct scap_monitor_totals m;

	scap_monitor_totals(w->monitor, &m);
	h->n_decoded = m.n_decoded;
	h->evaluation_ns = m.spent_ns;
	h->n_sockets_dropped = m.n_sockets_dropped;
	h->n_programs_dropped = m.n_programs_dropped;
}

static int get_signals(void *ctx, uint32_t i, struct scap_signals *ret)
{
	return scap_monitor_signals(ctx, i, ret);
}

static void metrics(void *ctx, FILE *out)
{
	struct watch *w = ctx;
	struct metrics_source from = {
		.ctx = w->monitor, .get = get_signals, .bound = scap_signal_bound,
	};
	struct watch_health h = {
		.version = SCAP_VERSION, .abi = scap_live_info(w->live)->abi_version,
		.start_time = (double)atomic_load(&w->start_real_ns) / 1e9,
		.healthy = is_alive(w), .n_events = atomic_load(&w->n_events),
		.n_lost = atomic_load(&w->n_lost), .resident_bytes = resident_bytes(),
		.cpu_ns = cpu_ns(), .n_descriptors = n_descriptors(),
		.n_reloads = atomic_load(&w->n_reloads),
		.n_reloads_failed = atomic_load(&w->n_reloads_failed),
	};
	struct watch_trigger_health *triggers;
	bool signals;

	put_ring(w, &h);
	put_store(w, &h);	/* a disk that hangs must not hold a reload */
	put_monitor(w, &h);
	/* Names of triggers live until the next configuration. */
	pthread_mutex_lock(&w->lock);
	signals = w->c->signals;
	triggers = calloc(w->c->n_triggers + 1, sizeof(*triggers));
	if (triggers)
		h.n_triggers = captures_health(w->captures, triggers, w->c->n_triggers);
	h.triggers = triggers;
	metrics_health(out, &h);
	free(triggers);
	pthread_mutex_unlock(&w->lock);
	if (signals)
		metrics_signals(out, &from);
	if (w->http)
		http_metrics(w->http, out);
}

static bool healthy(void *ctx, char *text, size_t cap)
{
	struct watch *w = ctx;
	struct scap_ring_info info;
	bool alive = is_alive(w);

	scap_ring_info(w->ring, &info);
	snprintf(text, cap,
		 "%s: %" PRIu64 " events, %" PRIu64 " lost; the ring reaches back %.1f s",
		 alive ? "recording" : "the recorder does not answer", atomic_load(&w->n_events),
		 atomic_load(&w->n_lost),
		 (double)since(watch_raw_ns(w), info.start_raw_ns) / 1e9);
	return alive;
}

static void say(void *ctx, const char *text)
{
	(void)ctx;
	tool_note("%s", text);
}

struct watch_ops watch_make_ops(struct watch *w)
{
	return (struct watch_ops){
		.ctx = w, .request = request, .metrics = metrics, .healthy = healthy, .say = say,
	};
}
