/* SPDX-License-Identifier: MIT */
#include "support_rows.h"
#include "support_keyframe.h"

#include <endian.h>
#include <errno.h>
#include <scap/trigger.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/event.h"
#include "format/layout.h"

/* ---- bytes --------------------------------------------------------------------------------- */

void rows_put(struct rows *r, const void *data, size_t n)
{
	if (n > r->cap - r->n) {
		r->cap = (r->n + n) * 2;
		r->p = realloc(r->p, r->cap);
		if (!r->p)
			abort();
	}
	if (n)
		memcpy(r->p + r->n, data, n);
	r->n += n;
}

void rows_free(struct rows *r)
{
	free(r->p);
	*r = (struct rows){ 0 };
}

/* splitmix64 */
uint64_t rows_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint32_t below(uint64_t *seed, uint32_t n)
{
	return rows_random(seed) % n;
}

/* ---- records ------------------------------------------------------------------------------- */

size_t rows_begin(struct rows *r, uint8_t type, uint8_t flags, uint32_t seq, uint64_t ns)
{
	struct scap_rec h = { .type = type, .flags = flags, .seq = seq, .time_ns = ns };
	size_t at = r->n;

	rows_put(r, &h, sizeof(h));
	return at;
}

void rows_end(struct rows *r, size_t at)
{
	static const uint8_t zeros[8];
	uint16_t len8;

	rows_put(r, zeros, -(r->n - at) & 7);
	len8 = (r->n - at) / 8;
	memcpy(r->p + at, &len8, sizeof(len8));
}

void rows_blob(struct rows *r, unsigned slot, unsigned state, const void *data, size_t n,
	       uint32_t orig)
{
	static const uint8_t zeros[8];
	struct scap_blob b = { SCAP_BLOB_META(slot, state, (uint32_t)n), orig };

	rows_put(r, &b, sizeof(b));
	rows_put(r, data, n);
	rows_put(r, zeros, -n & 7);
}

/* The fixed part behind a record's head. */
static void put_body(struct rows *r, const void *rec, size_t n)
{
	rows_put(r, (const uint8_t *)rec + sizeof(struct scap_rec), n - sizeof(struct scap_rec));
}

void rows_call(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, uint16_t nr, int32_t ret)
{
	struct scap_rec_call c = { .tid = tid, .latency_ns = 100, .ret = ret, .nr = nr,
				   .shape = SCAP_SHAPE(SCAP_ABI_X86_64, 0) };
	size_t at = rows_begin(r, SCAP_REC_CALL, 0, seq, ns);

	put_body(r, &c, sizeof(c));
	rows_end(r, at);
}

void rows_call_file(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, uint32_t cookie)
{
	struct scap_rec_call c = { .tid = tid, .latency_ns = 100, .nr = 3,
				   .shape = SCAP_SHAPE(SCAP_ABI_X86_64, 1) };
	uint32_t cookies[2] = { cookie, 0 };
	uint64_t fd = 5;
	size_t at = rows_begin(r, SCAP_REC_CALL, SCAP_CALL_COOKIES, seq, ns);

	put_body(r, &c, sizeof(c));
	rows_put(r, cookies, sizeof(cookies));
	rows_put(r, &fd, sizeof(fd));
	rows_end(r, at);
}

void rows_intro(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, const char *comm)
{
	struct scap_rec_intro i = { .tid = tid, .tgid = tid & ~1u, .ppid = 1, .vtid = tid,
				    .uid = 1000, .start_ns = 5, .cgroup_id = 77, .ns_pid = 9 };
	size_t at = rows_begin(r, SCAP_REC_INTRO, 0, seq, ns);

	strncpy(i.comm, comm, sizeof(i.comm) - 1);
	put_body(r, &i, sizeof(i));
	rows_end(r, at);
}

void rows_file(struct rows *r, uint32_t seq, uint64_t ns, uint32_t cookie, const char *path)
{
	struct scap_rec_file f = { .cookie = cookie, .mode = 0100644, .dev = 8 << 20 | 1,
				   .kind = SCAP_KIND_FILE, .ino = cookie * 3ull };
	size_t at = rows_begin(r, SCAP_REC_FILE, 0, seq, ns), n = strlen(path);

	put_body(r, &f, sizeof(f));
	rows_blob(r, SCAP_SLOT_PATH, SCAP_STATE_WHOLE, path, n, (uint32_t)n);
	rows_end(r, at);
}

void rows_gap(struct rows *r, uint32_t seq, uint64_t ns, uint32_t first_seq,
	      const struct scap_tally *tally, uint32_t n_tally)
{
	struct scap_rec_gap g = { .first_ns = ns, .last_ns = ns, .first_seq = first_seq,
				  .n_tally = n_tally };
	size_t at = rows_begin(r, SCAP_REC_GAP, 0, seq, ns);

	for (uint32_t i = 0; i < n_tally; i++)
		g.n_lost += tally[i].count;
	put_body(r, &g, sizeof(g));
	rows_put(r, tally, n_tally * sizeof(*tally));
	rows_end(r, at);
}

static void any_blobs(struct rows *r, uint64_t *seed, unsigned max_slot)
{
	uint8_t data[300];

	for (unsigned slot = 0; slot < max_slot; slot++) {
		unsigned state = below(seed, 4);
		size_t n = below(seed, sizeof(data));

		if (below(seed, 4))
			continue;
		for (size_t i = 0; i < n; i++)
			data[i] = below(seed, 3) ? 'a' + i % 23 : rows_random(seed);
		rows_blob(r, slot, state, data, n,
			  below(seed, 3) ? (uint32_t)n + (state ? 10 : 0) : SCAP_LEN_UNKNOWN);
	}
}

static void any_call(struct rows *r, uint32_t seq, uint64_t ns, uint64_t *seed)
{
	uint8_t flags = rows_random(seed) & 0xff;
	unsigned nargs = below(seed, 7);
	struct scap_rec_call c = {
		.tid = 100 + below(seed, 8),
		.latency_ns = below(seed, 4) ? below(seed, 100000) : SCAP_LATENCY_UNKNOWN,
		.ret = (int32_t)below(seed, 300) - 40,
		.nr = below(seed, 8) ? below(seed, 335) : rows_random(seed),
		.shape = SCAP_SHAPE(below(seed, 3), nargs),
		.more = below(seed, 8),
	};
	size_t at = rows_begin(r, SCAP_REC_CALL, flags, seq, ns);
	uint64_t w;

	put_body(r, &c, sizeof(c));
	for (unsigned i = 0; i < 3; i++)
		if (flags & 1 << i) {
			w = rows_random(seed);
			rows_put(r, &w, sizeof(w));
		}
	if (flags & SCAP_CALL_COOKIES) {
		w = below(seed, 20) | (uint64_t)below(seed, 20) << 32;
		rows_put(r, &w, sizeof(w));
	}
	for (unsigned i = 0; i < nargs; i++) {
		w = below(seed, 2) ? below(seed, 100) : rows_random(seed);
		rows_put(r, &w, sizeof(w));
	}
	any_blobs(r, seed, 6);
	rows_end(r, at);
}

static void any_enter(struct rows *r, uint32_t seq, uint64_t ns, uint64_t *seed)
{
	static const uint16_t nrs[] = { 59, 60, 231, 322 };
	struct scap_rec_enter e = { .tid = 100 + below(seed, 8), .nr = nrs[below(seed, 4)],
				    .shape = SCAP_SHAPE(SCAP_ABI_X86_64, 1) };
	size_t at = rows_begin(r, SCAP_REC_ENTER, 0, seq, ns);
	uint64_t arg = rows_random(seed);

	put_body(r, &e, sizeof(e));
	rows_put(r, &arg, sizeof(arg));
	if (below(seed, 2))
		rows_blob(r, SCAP_SLOT_FILENAME, SCAP_STATE_WHOLE, "/bin/true", 9, 9);
	rows_end(r, at);
}

static void any_process(struct rows *r, uint32_t seq, uint64_t ns, uint64_t *seed)
{
	struct scap_rec_fork f = { .tid = 100 + below(seed, 8), .tgid = 100, .child_tid = 300,
				   .child_tgid = 300, .child_start_ns = ns, .child_vtid = 3 };
	struct scap_rec_exec x = { .tid = f.tid, .old_tid = f.tid, .cookie = below(seed, 20) };
	struct scap_rec_exit e = { .tid = f.tid, .status = 256, .start_ns = 5, .group_dead = 1 };
	unsigned which = below(seed, 3);
	size_t at = rows_begin(r, SCAP_REC_FORK + which, 0, seq, ns);

	if (which == 0)
		put_body(r, &f, sizeof(f));
	else if (which == 1)
		put_body(r, &x, sizeof(x));
	else
		put_body(r, &e, sizeof(e));
	if (which == 1) {
		rows_blob(r, SCAP_SLOT_FILENAME, SCAP_STATE_WHOLE, "./x.sh", 6, 6);
		rows_blob(r, SCAP_SLOT_ARGV, SCAP_STATE_TRUNCATED, "./x.sh\0-v", 9, 700);
		rows_blob(r, SCAP_SLOT_ENV, SCAP_STATE_WHOLE, "A=1", 4, 4);
	}
	rows_end(r, at);
}

/* Any numbers do: only the length is checked. */
static void any_event(struct rows *r, uint32_t seq, uint64_t ns, uint64_t *seed)
{
	static const uint8_t bytes[] = {
		[SCAP_REC_SIGNAL] = sizeof(struct scap_rec_signal),
		[SCAP_REC_SIGDELIVER] = sizeof(struct scap_rec_sigdeliver),
		[SCAP_REC_OOM] = sizeof(struct scap_rec_oom),
		[SCAP_REC_MODULE] = sizeof(struct scap_rec_module),
		[SCAP_REC_CGROUP] = sizeof(struct scap_rec_cgroup),
		[SCAP_REC_SWITCH] = sizeof(struct scap_rec_switch),
		[SCAP_REC_WAKE] = sizeof(struct scap_rec_wake),
		[SCAP_REC_FAULT] = sizeof(struct scap_rec_fault),
	};
	unsigned type = SCAP_REC_SIGNAL + below(seed, SCAP_REC_FAULT - SCAP_REC_SIGNAL + 1);
	size_t at = rows_begin(r, type, rows_random(seed) & 0xff, seq, ns);
	uint64_t w = 100 + below(seed, 8);

	for (size_t i = 16; i < bytes[type]; i += 8) {
		rows_put(r, &w, sizeof(w));
		w = below(seed, 2) ? below(seed, 100) : rows_random(seed);
	}
	if (type == SCAP_REC_CGROUP)
		rows_blob(r, SCAP_SLOT_CGROUP, SCAP_STATE_WHOLE, "/a/b", 4, 4);
	rows_end(r, at);
}

static void any_socket(struct rows *r, uint32_t seq, uint64_t ns, uint64_t *seed)
{
	struct scap_rec_file f = { .cookie = 1 + below(seed, 19), .kind = SCAP_KIND_UNIX };
	struct {
		struct scap_sock sock;
		char sun[24];
	} s = { .sock = { .family = 1, .type = 1, .local_len = 10, .remote_len = 14 },
		.sun = "/run/a.sok/run/peer.sock" };
	size_t at = rows_begin(r, SCAP_REC_FILE, 0, seq, ns);

	put_body(r, &f, sizeof(f));
	rows_blob(r, SCAP_SLOT_SOCK, SCAP_STATE_WHOLE, &s, sizeof(s), sizeof(s));
	rows_end(r, at);
}

static void any_file(struct rows *r, uint32_t seq, uint64_t ns, uint64_t *seed)
{
	char path[] = "/srv/data/0123456789";

	path[10 + below(seed, 10)] = 0;
	rows_file(r, seq, ns, 1 + below(seed, 19), path);
}

void rows_any(struct rows *r, uint32_t seq, uint64_t ns, uint64_t *seed)
{
	static const char *const comms[] = { "httpd", "sh", "fifteen-bytes-x" };

	switch (below(seed, 11)) {
	case 0:
		rows_intro(r, seq, ns, 100 + below(seed, 8), comms[below(seed, 3)]);
		break;
	case 1:
		any_file(r, seq, ns, seed);
		break;
	case 2:
		any_socket(r, seq, ns, seed);
		break;
	case 3:
		any_enter(r, seq, ns, seed);
		break;
	case 4:
		any_process(r, seq, ns, seed);
		break;
	case 5:
		any_event(r, seq, ns, seed);
		break;
	default:
		any_call(r, seq, ns, seed);
	}
}

/* ---- memory sinks and sources -------------------------------------------------------------- */

static int sink_write(void *ctx, const void *buf, size_t n)
{
	rows_put(ctx, buf, n);
	return 0;
}

struct scap_sink rows_sink(struct rows *r)
{
	return (struct scap_sink){ .ctx = r, .write = sink_write };
}

static ssize_t source_read(void *ctx, void *buf, size_t n)
{
	struct rows_reader *rr = ctx;

	if (rr->max_read && n > rr->max_read)
		n = rr->max_read;
	if (n > rr->n - rr->at)
		n = rr->n - rr->at;
	if (n)
		memcpy(buf, rr->p + rr->at, n);
	rr->at += n;
	rr->n_read += n;
	return (ssize_t)n;
}

int64_t rows_seek(void *ctx, int64_t offset, int whence)
{
	struct rows_reader *rr = ctx;

	if (whence == SEEK_END)
		return (int64_t)rr->n;
	rr->at = (uint64_t)offset < rr->n ? (size_t)offset : rr->n;
	return offset;
}

struct scap_source rows_source(struct rows_reader *rr, const void *p, size_t n)
{
	*rr = (struct rows_reader){ .p = p, .n = n };
	return (struct scap_source){ .ctx = rr, .read = source_read };
}

/* ---- captures ------------------------------------------------------------------------------ */

#define BASE_EPOCH 1000ull

static void expect(struct capture *c, uint32_t cpu, size_t at, uint64_t ns)
{
	const struct rows *rows = &c->cpu_rows[cpu];
	struct scap_rec h;

	memcpy(&h, rows->p + at, sizeof(h));
	c->expect[c->n_expect++] = (struct expected){
		.ns = ns, .order_ns = ns, .cpu = cpu, .seq = h.seq, .type = h.type,
		.at = (uint32_t)at, .bytes = (uint32_t)(rows->n - at),
	};
	c->n_gaps += h.type == SCAP_REC_GAP;
	if (h.type >= SCAP_REC_INTRO)
		c->n_bookkeeping++;
	else
		c->n_stored++;
}

/* Some numbers are lost, and the GAP that tells so. */
static uint32_t lose(struct capture *c, uint32_t cpu, uint32_t seq, uint64_t ns, uint64_t *seed)
{
	struct scap_tally t[2] = {
		{ SCAP_TALLY_KEY(SCAP_REC_CALL, SCAP_ABI_X86_64, 39), 1 + below(seed, 50) },
		{ SCAP_TALLY_KEY(SCAP_REC_FORK, 0, 0), 1 + below(seed, 3) },
	};
	uint32_t n = t[0].count + t[1].count;
	size_t at = c->cpu_rows[cpu].n;

	rows_gap(&c->cpu_rows[cpu], seq + n, ns, seq, t, 2);
	expect(c, cpu, at, ns);
	c->n_lost += n;
	return seq + n + 1;
}

static void fill_cpu(struct capture *c, const struct capture_spec *spec, uint32_t cpu,
		     uint64_t start, uint64_t span, uint64_t *seed)
{
	uint32_t n = below(seed, spec->per_slice * 2 + 1), seq = c->ends[cpu].next_seq;
	uint64_t ns = start;

	for (uint32_t i = 0; i < n; i++) {
		size_t at;

		/* Often the same time again, and short steps, so that CPUs meet. */
		if (below(seed, 3))
			ns += below(seed, 50);
		if (i == n - 1 && !below(seed, 4))
			ns = start + span - 1;
		if (spec->gaps && !below(seed, 20))
			seq = lose(c, cpu, seq, ns, seed);
		at = c->cpu_rows[cpu].n;
		rows_any(&c->cpu_rows[cpu], seq++, ns, seed);
		expect(c, cpu, at, ns);
	}
	c->ends[cpu].next_seq = seq;
}

static int by_order(const void *a, const void *b)
{
	const struct expected *x = a, *y = b;

	if (x->order_ns != y->order_ns)
		return x->order_ns < y->order_ns ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void fill_slice(struct capture *c, const struct capture_spec *spec, struct scap_writer *w,
		       uint32_t i, uint64_t *seed)
{
	uint32_t per_epoch = spec->slices_per_epoch ? spec->slices_per_epoch : 1;
	uint64_t span = SCAP_EPOCH_NS / per_epoch;
	uint64_t start = BASE_EPOCH * SCAP_EPOCH_NS + i / per_epoch * SCAP_EPOCH_NS +
			 i % per_epoch * span;
	struct scap_slice_part parts[256];
	struct scap_slice s = { .start_ns = start, .end_ns = start + span,
				.clock_raw_ns = start, .real_ns = start + 7777777, .boot_ns = start,
				.n_parts = spec->n_cpus, .parts = parts };
	size_t from[256];

	for (uint32_t cpu = 0; cpu < spec->n_cpus; cpu++) {
		from[cpu] = c->cpu_rows[cpu].n;
		fill_cpu(c, spec, cpu, start, span, seed);
		parts[cpu] = (struct scap_slice_part){
			.cpu = cpu,
			.rows = c->cpu_rows[cpu].p ? c->cpu_rows[cpu].p + from[cpu] : NULL,
			.bytes = c->cpu_rows[cpu].n - from[cpu],
		};
	}
	if (scap_writer_slice(w, &s) < 0)
		abort();
	c->slice_ends[i] = c->file.n;
}

static void put_trigger(struct scap_writer *w, uint64_t flags)
{
	static const struct scap_label labels[] = { { "severity", "page" }, { "a", "" } };
	struct scap_trigger t = {
		.size = sizeof(t), .name = "name", .why = "why", .labels = labels, .n_labels = 2,
		.raw_ns = BASE_EPOCH * SCAP_EPOCH_NS + 50, .event = 3, .flags = flags,
	};

	if (scap_writer_trigger(w, &t) < 0)
		abort();
}

void rows_capture(struct capture *c, const struct capture_spec *spec)
{
	struct scap_writer_options opt = {
		.size = sizeof(opt), .flags = spec->groups ? SCAP_WRITER_GROUPS : 0,
		.level = spec->level, .hostname = "host", .kernel = "6.1",
		.machine = "x86_64", .boot_id = "boot", .recorder = "test", .filter = "-a",
		.n_cpus = spec->n_cpus, .snaplen = 80, .recorder_tgid = 42, .ring_bytes = 65536,
		.raw_ns = BASE_EPOCH * SCAP_EPOCH_NS,
		.real_ns = BASE_EPOCH * SCAP_EPOCH_NS + 7777777,
	};
	struct scap_sink sink = rows_sink(&c->file);
	uint64_t seed = spec->seed;
	struct scap_writer *w;

	*c = (struct capture){ .n_cpus = spec->n_cpus, .n_slices = spec->n_slices };
	c->cpu_rows = calloc(spec->n_cpus, sizeof(*c->cpu_rows));
	c->ends = calloc(spec->n_cpus, sizeof(*c->ends));
	c->slice_ends = calloc(spec->n_slices + 1, sizeof(*c->slice_ends));
	c->expect = calloc((size_t)spec->n_cpus * spec->n_slices * (spec->per_slice + 1) * 4 + 1,
			   sizeof(*c->expect));
	if (scap_writer_open_sink(&sink, &opt, &w, NULL) < 0)
		abort();
	for (uint32_t cpu = 0; cpu < spec->n_cpus; cpu++) {
		c->ends[cpu].cpu = cpu;
		c->ends[cpu].next_seq = spec->first_seq ? spec->first_seq + cpu : 0;
	}
	if (spec->first_seq &&
	    scap_writer_start(w, BASE_EPOCH * SCAP_EPOCH_NS, c->ends, spec->n_cpus) < 0)
		abort();
	if (spec->trigger)
		put_trigger(w, 0);
	for (uint32_t i = 0; i < spec->n_slices; i++) {
		if (spec->keyframes && i % 2 == 0)
			rows_keyframe(w, i + 1, BASE_EPOCH * SCAP_EPOCH_NS + i, 4);
		fill_slice(c, spec, w, i, &seed);
	}
	if (spec->trigger && !spec->no_end)
		put_trigger(w, SCAP_TRIGGER_SHORT);
	if (scap_writer_close(w, (BASE_EPOCH + spec->n_slices) * SCAP_EPOCH_NS,
			      spec->no_end ? NULL : c->ends, spec->n_cpus, NULL) < 0)
		abort();
	qsort(c->expect, c->n_expect, sizeof(*c->expect), by_order);
}

void capture_free(struct capture *c)
{
	for (uint32_t i = 0; i < c->n_cpus; i++)
		rows_free(&c->cpu_rows[i]);
	free(c->cpu_rows);
	free(c->ends);
	free(c->slice_ends);
	free(c->expect);
	rows_free(&c->file);
	*c = (struct capture){ 0 };
}

uint64_t rows_behind_schema(const struct rows *file, uint64_t at)
{
	struct scap__section_header h;

	for (;;) {
		memcpy(&h, file->p + at, sizeof(h));
		if (le16toh(h.type) != SCAP__SECTION_SCHEMA)
			return at;
		at += sizeof(h) + ((le64toh(h.stored_bytes) + 7) & ~7ull);
	}
}

struct rows_seen rows_see(const struct scap_event *ev)
{
	struct rows_seen s = { .num = ev->num, .raw_ns = ev->raw_ns, .wall_ns = ev->wall_ns,
			  .cpu = ev->cpu, .type = ev->type };

	if (ev->type == SCAP_REC_GAP && ev->u.gap.unexplained) {
		s.sum = ev->u.gap.n_lost;
		return s;
	}
	for (uint32_t i = 0; i < ev->rec_bytes; i++)
		s.sum = s.sum * 31 + ev->rec[i];
	s.sum += ev->thread ? ev->thread->comm[0] : 1000;
	s.sum += ev->file && ev->file->path ? ev->file->path_bytes : 10000;
	return s;
}

bool rows_same(const struct rows_seen *a, const struct rows_seen *b)
{
	return a->num == b->num && a->raw_ns == b->raw_ns && a->wall_ns == b->wall_ns &&
	       a->cpu == b->cpu && a->type == b->type && a->sum == b->sum;
}
