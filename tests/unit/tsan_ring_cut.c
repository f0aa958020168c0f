/* SPDX-License-Identifier: MIT */
/*
 * One thread fills a ring as fast as it can, another one cuts captures of random windows out of it
 * at the same time, some of them so slowly that they are overtaken. Under ThreadSanitizer: each
 * capture is sound, holds what its window held, byte by byte, and says what it does not hold.
 */
#include <scap/ring.h>
#include <scap/scap.h>
#include <stdatomic.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support_rows.h"

#define E0 (1000 * SCAP_EPOCH_NS)
#define N_CPUS 2
#define N_CUTS 12
#define CALLS 18			/* of each CPU in each slice, which is an epoch long */
#define PAYLOAD 30000u
#define WALL_NS 7777777ull

/*
 * What is in the ring is overwritten while it may be read: who reads asks for the tail afterwards.
 * That race is meant, and kept from ThreadSanitizer's sight by not showing it these writes. All
 * else that both threads touch is seen. (A suppression would report, and drop, each 8 bytes.)
 */
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
void __real_scap__ring_overwrite(uint8_t *to, const void *from, size_t n);
void __wrap_scap__ring_overwrite(uint8_t *to, const void *from, size_t n);
void __wrap_scap__ring_overwrite(uint8_t *to, const void *from, size_t n)
{
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
	__real_scap__ring_overwrite(to, from, n);
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

static char dir[] = "/tmp/scap-tsan-XXXXXX";
static struct scap_ring *ring;
static struct scap_writer *writer;
static _Atomic uint64_t now_ns = E0;
static _Atomic bool done;

static void die(const char *what, const struct scap_error *err)
{
	printf("%s: %s\n", what, err ? err->text : "");
	exit(1);
}

static const char *path_of(const char *name)
{
	static _Thread_local char path[100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* ---- one fills ------------------------------------------------------------------------------- */

static uint64_t seed_of(uint32_t cpu, uint64_t ns)
{
	return (ns << 1 | cpu) * 0x9e3779b97f4a7c15ull | 1;
}

static void put_call(struct rows *r, uint32_t cpu, uint32_t seq, uint64_t ns)
{
	struct scap_rec_call c = { .tid = 7, .latency_ns = 100, .nr = 1, .ret = 9,
				   .shape = SCAP_SHAPE(SCAP_ABI_X86_64, 3) };
	uint64_t args[3] = { 3, 0x1000, PAYLOAD }, data[PAYLOAD / 8], seed = seed_of(cpu, ns);
	size_t at = rows_begin(r, SCAP_REC_CALL, 0, seq, ns);

	for (unsigned i = 0; i < PAYLOAD / 8; i++)
		data[i] = rows_random(&seed);
	rows_put(r, (uint8_t *)&c + sizeof(struct scap_rec), sizeof(c) - sizeof(struct scap_rec));
	rows_put(r, args, sizeof(args));
	rows_blob(r, 1, SCAP_STATE_WHOLE, data, sizeof(data), sizeof(data));
	rows_end(r, at);
}

static void put_slice(uint32_t seq[N_CPUS], uint64_t start_ns)
{
	static struct rows rows[N_CPUS];
	struct scap_slice_part parts[N_CPUS];
	struct scap_slice s = {
		.start_ns = start_ns, .end_ns = start_ns + SCAP_EPOCH_NS, .parts = parts,
		.clock_raw_ns = start_ns, .real_ns = start_ns + WALL_NS, .n_parts = N_CPUS,
	};

	for (uint32_t cpu = 0; cpu < N_CPUS; cpu++) {
		rows[cpu].n = 0;
		rows_intro(&rows[cpu], seq[cpu]++, start_ns, 7, "filler");
		for (unsigned i = 1; i <= CALLS; i++)
			put_call(&rows[cpu], cpu, seq[cpu]++, start_ns + i * 1000000);
		parts[cpu] = (struct scap_slice_part){ .cpu = cpu, .rows = rows[cpu].p,
						       .bytes = rows[cpu].n };
	}
	if (scap_writer_slice(writer, &s))
		die("slice", scap_writer_error(writer));
}

static void put_keyframe(uint32_t number, uint64_t ns)
{
	static struct rows rows;
	struct scap_keyframe_part part = {
		.begin_ns = ns, .end_ns = ns + 10, .clock_raw_ns = ns, .real_ns = ns + WALL_NS,
		.number = number, .flags = SCAP_KEYFRAME_LAST,
	};

	rows.n = 0;
	rows_file(&rows, 0, ns, 5, "/etc/motd");
	part.rows = rows.p;
	part.bytes = rows.n;
	if (scap_writer_keyframe(writer, &part))
		die("keyframe", scap_writer_error(writer));
}

static void *fill(void *unused)
{
	uint32_t seq[N_CPUS] = { 0 };
	uint64_t ns = E0;

	for (uint32_t i = 1; !atomic_load(&done); i++) {
		struct scap_ring_end ends[N_CPUS];

		put_slice(seq, ns);
		ns += SCAP_EPOCH_NS;
		if (i % 16 == 0)
			put_keyframe(i / 16, ns);
		atomic_store(&now_ns, ns);
		if (i % 4)
			continue;
		for (uint32_t cpu = 0; cpu < N_CPUS; cpu++)
			ends[cpu] = (struct scap_ring_end){ .cpu = cpu, .next_seq = seq[cpu] };
		if (scap_writer_flush(writer))
			die("flush", scap_writer_error(writer));
		scap_ring_complete(ring, ns, ends, N_CPUS);
	}
	return unused;
}

/* ---- the other cuts -------------------------------------------------------------------------- */

static unsigned n_whole, n_overtaken, n_short, n_events;

static void check_payload(const struct scap_event *ev)
{
	uint64_t seed = seed_of(scap_event_cpu(ev), scap_event_raw_ns(ev));
	uint64_t want[PAYLOAD / 8];
	const uint8_t *data;
	size_t n, orig;
	unsigned state;

	if (scap_event_bytes(ev, 1, (const void **)&data, &n, &orig, &state) || n != PAYLOAD)
		die("an event without its data", NULL);
	for (size_t i = 0; i < PAYLOAD / 8; i++)
		want[i] = rows_random(&seed);
	if (memcmp(data, want, sizeof(want)))
		die("data that nobody wrote", NULL);
}

/* As many calls as the window has epochs for; what is missing was told. */
static void check_capture(const struct scap_trigger *out)
{
	struct scap_reader_options o = { .size = sizeof(o), .flags = SCAP_READER_SEALS };
	uint64_t wanted = (out->to_raw_ns - out->from_raw_ns) / SCAP_EPOCH_NS * CALLS * N_CPUS;
	uint64_t n = 0, n_missing = 0, lost, first, last;
	const struct scap_event *ev;
	struct scap_error err;
	struct scap_reader *r;
	int rc;

	if (scap_reader_open_path(path_of("out"), &o, &r, &err))
		die("open", &err);
	while ((rc = scap_reader_next(r, &ev)) == 0) {
		if (scap_event_gap(ev, &lost, &first, &last) == 0) {
			n_missing += lost;
			continue;
		}
		check_payload(ev);
		n++;
	}
	if (rc != 1)
		die("read", scap_reader_error(r));
	scap_reader_close(r);
	if (n_missing != out->n_lost)
		die("another number was lost than is told", NULL);
	if (out->flags & SCAP_TRIGGER_OVERTAKEN ? n > wanted || n + n_missing < wanted :
						  n != wanted || n_missing)
		die("calls are missing, and nothing says so", NULL);
	n_events += n;
}

static void pause_us(unsigned us)
{
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

/*
 * Every other one begins with the oldest that there is, which is being overwritten; some wait after
 * their first step until the ring has turned.
 */
static void cut_one(unsigned i, uint64_t *seed)
{
	struct scap_trigger out, t = {
		.size = sizeof(t), .name = "t", .source = "hand", .raw_ns = atomic_load(&now_ns),
		.before_ns = (i % 2 ? 40 : rows_random(seed) % 6) * SCAP_EPOCH_NS,
		.after_ns = i % 6 == 4 ? 20 * SCAP_EPOCH_NS :
			    rows_random(seed) % (4 * SCAP_EPOCH_NS),
	};
	struct scap_cut_options o = { .size = sizeof(o), .trigger = &t,
				      .max_bytes = i % 2 ? 6 << 20 : 0 };
	uint64_t wait_ns = i % 6 == 4 ? t.raw_ns + 35 * SCAP_EPOCH_NS : 0;
	struct scap_error err = { 0 };
	struct scap_cut *c;
	int rc;

	o.fd = open(path_of("out"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (o.fd < 0 || scap_ring_cut(ring, &o, &c, &err))
		die("cut", &err);
	while ((rc = scap_cut_step(c)) > 0 || atomic_load(&now_ns) < wait_ns)
		do
			pause_us(100);
		while (atomic_load(&now_ns) < wait_ns);
	if (rc < 0)
		die("step", scap_cut_error(c));
	if (scap_cut_close(c, &out, &err))
		die("close", &err);
	n_overtaken += out.flags & SCAP_TRIGGER_OVERTAKEN ? 1 : 0;
	n_short += out.flags & SCAP_TRIGGER_SHORT ? 1 : 0;
	n_whole += !out.flags;
	check_capture(&out);
}

/* Until there is nothing that was never written. */
static void await_full_ring(void)
{
	struct scap_ring_info info;

	do {
		pause_us(1000);
		scap_ring_info(ring, &info);
	} while (!info.n_evicted);
}

int main(void)
{
	struct scap_writer_options o = { .size = sizeof(o), .hostname = "box", .n_cpus = N_CPUS,
					 .raw_ns = E0, .real_ns = E0 + WALL_NS };
	static const char *const names[] = { "ring", "ring.journal", "ring.journal2", "out" };
	struct scap_ring_info info;
	struct scap_error err;
	uint64_t seed = 4711;
	pthread_t filler;

	if (!mkdtemp(dir) || scap_ring_create(path_of("ring"), SCAP_RING_MIN_BYTES, &ring, &err) ||
	    scap_ring_writer(ring, &o, &writer, &err))
		die("ring", &err);
	if (pthread_create(&filler, NULL, fill, NULL))
		return 1;
	await_full_ring();
	for (unsigned i = 0; i < N_CUTS; i++) {
		cut_one(i, &seed);
		scap_ring_info(ring, &info);
		if (info.used_bytes > info.bytes)
			die("more is used than there is", NULL);
	}
	atomic_store(&done, true);
	pthread_join(filler, NULL);
	scap_writer_close(writer, 0, NULL, 0, NULL);
	scap_ring_close(ring);
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(path_of(names[i]));
	rmdir(dir);
	printf("%u cuts: %u whole, %u short, %u overtaken; %u events\n", N_CUTS, n_whole, n_short,
	       n_overtaken, n_events);
	if (!n_whole || !n_overtaken || !n_events)
		die("not all kinds of cuts were met", NULL);
	return 0;
}
