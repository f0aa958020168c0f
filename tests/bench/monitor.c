/* SPDX-License-Identifier: MIT */
/*
 * What it costs to watch a recording: monitor [MODE] goes over the same slices in each way, or in
 * that one, and prints ns per record beside those of a walk over the headers. Seconds on a shared
 * machine are noise; instructions are not:
 *
 *	valgrind --tool=callgrind --toggle-collect=scap_monitor_slice \
 *		--callgrind-out-file=/dev/null \
 *		build/guest/monitor MODE
 *
 * divided by the number of records, which is printed.
 */
#include <scap/abi.h>
#include <scap/monitor.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RINGS 4
#define PER_RING 20000
#define SLICES 4	/* an epoch */
#define THREADS 8	/* of each ring */
#define T0 (1000 * SCAP_EPOCH_NS)
#define SPAN (SCAP_EPOCH_NS / SLICES)

static uint8_t *rows[SLICES][RINGS];
static size_t n_bytes[SLICES][RINGS];
static uint64_t n_records;

/* ---- records ------------------------------------------------------------------------------- */

static uint32_t draw(uint32_t n)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 33) % n;
}

struct out {
	uint8_t *p;
	uint64_t ns;
	uint32_t seq;
};

static void put(struct out *o, const void *rec, size_t n, uint8_t type, uint8_t flags,
		size_t more)
{
	struct scap_rec h = { .len8 = (uint16_t)((n + more) / 8), .type = type, .flags = flags,
			      .seq = o->seq++, .time_ns = o->ns };

	memcpy(o->p, rec, n);
	memcpy(o->p, &h, sizeof(h));
	o->p += n + more;
	n_records++;
}

static void put_names(struct out *o, unsigned ring)
{
	struct scap_rec_file f = { 0 };

	for (unsigned i = 0; i < THREADS; i++) {
		struct scap_rec_intro t = { .tid = 100 + ring * THREADS + i, .cgroup_id = i % 3 };

		snprintf(t.comm, sizeof(t.comm), "program%u", i % 5);
		put(o, &t, sizeof(t), SCAP_REC_INTRO, 0, 0);
	}
	for (unsigned i = 1; i <= 40; i++) {
		struct scap_sock sock = { .family = 2, .type = 1 };
		struct scap_blob blob = { SCAP_BLOB_META(SCAP_SLOT_SOCK, 0, sizeof(sock)),
					  sizeof(sock) };
		uint8_t rec[sizeof(f) + sizeof(blob) + sizeof(sock)];

		f.cookie = i * 7919;
		f.kind = i % 4 ? SCAP_KIND_FILE : SCAP_KIND_INET;
		memcpy(rec, &f, sizeof(f));
		memcpy(rec + sizeof(f), &blob, sizeof(blob));
		memcpy(rec + sizeof(f) + sizeof(blob), &sock, sizeof(sock));
		put(o, rec, i % 4 ? sizeof(f) : sizeof(rec), SCAP_REC_FILE, 0, 0);
	}
}

/* A third is reading and writing with 80 bytes of data, of that a quarter on sockets. */
static void put_call(struct out *o, uint32_t tid)
{
	static const uint16_t nrs[] = { 0, 1, 202, 39, 228, 0, 1, 232, 3, 9, 11, 230, 5, 8, 16 };
	struct {
		struct scap_rec_call c;
		uint32_t cookies[2];
		uint64_t args[3];
		struct scap_blob blob;
	} r = { .c = { .tid = tid, .latency_ns = 700, .nr = nrs[draw(15)], .ret = 80 } };

	r.c.shape = SCAP_SHAPE(0, 3);
	r.cookies[0] = (1 + draw(40)) * 7919;
	r.blob.meta = SCAP_BLOB_META(1, 0, 80);
	r.blob.orig_bytes = 80;
	if (r.c.nr <= 1) {
		memcpy(o->p + sizeof(r), "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 28);
		put(o, &r, sizeof(r), SCAP_REC_CALL, SCAP_CALL_COOKIES, 80);
		return;
	}
	r.c.ret = draw(10) ? 0 : -11;
	r.c.shape = SCAP_SHAPE(0, 0);
	put(o, &r.c, sizeof(r.c), SCAP_REC_CALL, 0, 0);
}

static void make(void)
{
	for (unsigned s = 0; s < SLICES; s++)
		for (unsigned ring = 0; ring < RINGS; ring++) {
			struct out o = { .ns = T0 + s * SPAN };
			uint32_t tid = 100;

			o.p = rows[s][ring] = calloc(PER_RING + 100, 176);
			if (!o.p)
				exit(1);
			if (!s)
				put_names(&o, ring);
			for (unsigned i = 0; i < PER_RING; i++) {
				if (!draw(10))
					tid = 100 + ring * THREADS + draw(THREADS);
				o.ns += draw(2 * SPAN / PER_RING);
				put_call(&o, tid);
			}
			n_bytes[s][ring] = (size_t)(o.p - rows[s][ring]);
		}
}

/* ---- modes --------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static volatile uint64_t sink;

static double walk(void)
{
	uint64_t begin = now_ns(), sum = 0;

	for (unsigned s = 0; s < SLICES; s++)
		for (unsigned r = 0; r < RINGS; r++)
			for (const uint8_t *p = rows[s][r], *end = p + n_bytes[s][r]; p < end;
			     p += (size_t)(p[0] | p[1] << 8) * 8)
				sum += p[2];
	sink = sum;
	return (double)(now_ns() - begin) / (double)n_records;
}

static void fired(void *ctx, uint32_t condition, const struct scap_event *ev)
{
	(void)condition;
	(void)ev;
	++*(uint64_t *)ctx;
}

static struct mode {
	const char *name, *filter;
	unsigned n, flags, kind;
} modes[] = {
	{ .name = "nothing" },
	{ .name = "10", .n = 10, .filter = "evt.type=procexit" },
	{ .name = "100", .n = 100, .filter = "evt.type=connect and evt.res=ECONNREFUSED" },
	{ .name = "100-one", .n = 100, .filter = "evt.type=connect or (evt.type=fstat and "
						 "evt.rawres=-11)" },
	{ .name = "http", .n = 1, .kind = SCAP_CONDITION_HTTP_5XX },
	{ .name = "signals", .flags = SCAP_MONITOR_SIGNALS },
	{ .name = "signals-100", .n = 100, .flags = SCAP_MONITOR_SIGNALS,
	  .filter = "evt.type=connect and evt.res=ECONNREFUSED" },
	{ .name = "all-10", .n = 10, .filter = "evt.failed=true and proc.name=nobody" },
};

static double watch(const struct mode *mode)
{
	struct scap_condition c[100] = { 0 };
	uint64_t begin, n_fired = 0;
	struct scap_monitor_options opt = { .size = sizeof(opt), .conditions = c,
					    .n_conditions = mode->n, .flags = mode->flags,
					    .fired = fired, .ctx = &n_fired };
	struct scap_monitor *m;

	for (unsigned i = 0; i < mode->n; i++)
		c[i] = (struct scap_condition){ .kind = mode->kind, .filter = mode->filter };
	if (scap_monitor_new(&opt, &m, NULL, NULL))
		exit(1);
	begin = now_ns();
	for (unsigned s = 0; s < SLICES; s++) {
		struct scap_slice_part parts[RINGS];
		struct scap_slice slice = { .start_ns = T0 + s * SPAN, .n_parts = RINGS,
					    .end_ns = T0 + (s + 1) * SPAN, .parts = parts };

		for (unsigned r = 0; r < RINGS; r++)
			parts[r] = (struct scap_slice_part){ r / 2, r % 2, rows[s][r],
							     n_bytes[s][r] };
		if (scap_monitor_slice(m, &slice))
			exit(1);
	}
	begin = now_ns() - begin;
	scap_monitor_free(m);
	return (double)begin / (double)n_records;
}

int main(int argc, char **argv)
{
	make();
	printf("%llu records\nwalk %.1f ns\n", (unsigned long long)n_records, (walk(), walk()));
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (argc < 2 || !strcmp(argv[1], modes[i].name)) {
			if (argc < 2)
				watch(&modes[i]);
			printf("%s %.1f ns\n", modes[i].name, watch(&modes[i]));
		}
	return 0;
}
