/* SPDX-License-Identifier: MIT */
#include "support_recording.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Also in children, which may not speak to the test runner. */
#define must(x) do { if (!(x)) abort(); } while (0)

static char dir[40];
uint64_t seed;

const char *in_dir(const char *name)
{
	static char path[4][100];
	static unsigned i;
	char *p = path[i++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

/* In memory, where a ring belongs; there may be too little of it, as in a container. */
void recording_setup(void)
{
	struct statvfs fs;
	bool roomy = statvfs("/dev/shm", &fs) == 0 && fs.f_bavail * fs.f_frsize >= 1u << 30;

	snprintf(dir, sizeof(dir), "%s/scap-cut-XXXXXX", roomy ? "/dev/shm" : "/tmp");
	must(mkdtemp(dir) != NULL);
}

void recording_teardown(void)
{
	static const char *const names[] = { "ring", "ring.journal", "ring.journal2", "out" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(in_dir(names[i]));
	rmdir(dir);
}

/* ---- a recording: into the ring, and whole beside it ---------------------------------------- */

struct recording rec;

void rec_open(unsigned n_cpus, uint64_t bytes)
{
	struct scap_writer_options o = {
		.size = sizeof(o), .hostname = "box", .n_cpus = n_cpus, .raw_ns = E0,
		.real_ns = E0 + 7777777,
	};
	struct scap_sink sink = rows_sink(&rec.file);
	struct scap_error err = { 0 };

	memset(&rec, 0, sizeof(rec));
	rec.n_cpus = n_cpus;
	rec.now_ns = E0;
	rec.per_slice = 20;
	must(scap_ring_create(in_dir("ring"), bytes, &rec.ring, &err) == 0);
	must(scap_ring_writer(rec.ring, &o, &rec.w, &err) == 0);
	must(scap_writer_open_sink(&sink, &o, &rec.whole, NULL) == 0);
}

static void put_payload_call(struct rows *r, uint32_t seq, uint64_t ns)
{
	struct scap_rec_call c = { .tid = 7, .latency_ns = 100, .nr = 1, .ret = 9,
				   .shape = SCAP_SHAPE(SCAP_ABI_X86_64, 3) };
	uint64_t args[3] = { 3, 0x1000, rec.payload };
	uint8_t data[60000];
	size_t at = rows_begin(r, SCAP_REC_CALL, 0, seq, ns);

	for (unsigned i = 0; i + 8 <= rec.payload; i += 8) {
		uint64_t v = rows_random(&seed);

		memcpy(data + i, &v, 8);
	}
	rows_put(r, (uint8_t *)&c + sizeof(struct scap_rec), sizeof(c) - sizeof(struct scap_rec));
	rows_put(r, args, sizeof(args));
	rows_blob(r, 1, SCAP_STATE_WHOLE, data, rec.payload, rec.payload);
	rows_end(r, at);
}

static void put_gap(struct rows *r, unsigned cpu, uint64_t ns)
{
	struct scap_tally t = { .key = SCAP_TALLY_KEY(SCAP_REC_CALL, SCAP_ABI_X86_64, 39),
				.count = 1 + rows_random(&seed) % 9 };

	rec.n_lost += t.count;
	rec.seq[cpu] += t.count;
	rows_gap(r, rec.seq[cpu], ns, rec.seq[cpu] - t.count, &t, 1);
	rec.seq[cpu]++;
}

static void fill(struct rows *r, unsigned cpu, uint64_t start_ns, uint64_t end_ns)
{
	unsigned n = rec.per_slice;

	for (unsigned i = 0; i < n; i++) {
		uint64_t ns = start_ns + (end_ns - start_ns) * i / n;

		if (start_ns % SCAP_EPOCH_NS == 0 && i < 2) {
			if (i)
				rows_file(r, rec.seq[cpu]++, ns, 5, "/etc/motd");
			else
				rows_intro(r, rec.seq[cpu]++, ns, 7, cpu ? "other" : "first");
			continue;
		}
		if (rec.gap_next || (rec.gaps && rows_random(&seed) % 40 == 0)) {
			rec.gap_next = false;
			put_gap(r, cpu, ns);
			continue;
		}
		if (rec.payload)
			put_payload_call(r, rec.seq[cpu]++, ns);
		else if (rows_random(&seed) & 1)
			rows_call_file(r, rec.seq[cpu]++, ns, 7, 5);
		else
			rows_call(r, rec.seq[cpu]++, ns, 7, 39, (int)(rows_random(&seed) % 100));
		rec.n_events++;
	}
}

void rec_ends(struct scap_ring_end *ends)
{
	for (unsigned cpu = 0; cpu < rec.n_cpus; cpu++)
		ends[cpu] = (struct scap_ring_end){ .cpu = cpu, .next_seq = rec.seq[cpu] };
}

/* A slice from now on, of part of an epoch; not all CPUs have something. */
void rec_slice(unsigned share)
{
	struct scap_slice_part parts[MAX_CPUS];
	struct rows rows[MAX_CPUS] = { { 0 } };
	struct scap_slice s = {
		.start_ns = rec.now_ns, .end_ns = rec.now_ns + SCAP_EPOCH_NS / share,
		.clock_raw_ns = rec.now_ns, .real_ns = rec.now_ns + 7777777, .parts = parts,
	};

	for (unsigned cpu = 0; cpu < rec.n_cpus; cpu++) {
		if (cpu && rows_random(&seed) % 4 == 0 && s.start_ns % SCAP_EPOCH_NS)
			continue;
		fill(&rows[cpu], cpu, s.start_ns, s.end_ns);
		parts[s.n_parts++] = (struct scap_slice_part){
			.cpu = cpu, .rows = rows[cpu].p, .bytes = rows[cpu].n };
	}
	rec.seq[0] += rec.lose_next;
	if (rec.tells) {
		struct scap_ring_end ends[MAX_CPUS];

		rec_ends(ends);
		scap_ring_ends(rec.ring, s.end_ns, ends, rec.n_cpus);
	}
	must(scap_writer_slice(rec.w, &s) == 0);
	must(scap_writer_slice(rec.whole, &s) == 0);
	rec.now_ns = s.end_ns;
	for (unsigned cpu = 0; cpu < rec.n_cpus; cpu++)
		rows_free(&rows[cpu]);
}

/* What a recorder does when a window is over. */
void rec_complete(void)
{
	struct scap_ring_end ends[MAX_CPUS];

	rec_ends(ends);
	must(scap_writer_flush(rec.w) == 0);
	scap_ring_complete(rec.ring, rec.now_ns, ends, rec.n_cpus);
}

void rec_close(bool clean)
{
	struct scap_ring_end ends[MAX_CPUS];

	rec_ends(ends);
	must(scap_writer_close(rec.w, rec.now_ns, clean ? ends : NULL, rec.n_cpus, NULL) == 0);
	scap_ring_close(rec.ring);
}

/* ---- looking at it -------------------------------------------------------------------------- */

struct rows_seen *whole_seen, *cut_seen;
size_t n_whole, n_cut;
uint64_t whole_lost, cut_lost, cut_unexplained;

static size_t see_all(struct scap_reader *r, struct rows_seen **seen, uint64_t *lost,
		      uint64_t *unexplained)
{
	const struct scap_event *ev;
	size_t n = 0;
	int rc;

	free(*seen);
	*seen = malloc(MAX_EVENTS * sizeof(**seen));
	*lost = *unexplained = 0;
	while ((rc = scap_reader_next(r, &ev)) == 0) {
		uint64_t n_lost, first, last;

		if (scap_event_gap(ev, &n_lost, &first, &last) == 0) {
			*(scap_event_gap_unexplained(ev) ? unexplained : lost) += n_lost;
			continue;
		}
		cr_assert_lt(n, MAX_EVENTS);
		(*seen)[n++] = rows_see(ev);
	}
	cr_assert_eq(rc, 1, "%d %s", rc, scap_reader_error(r)->text);
	scap_reader_close(r);
	return n;
}

void see_whole(void)
{
	struct rows_reader rr;
	struct scap_source src;
	struct scap_ring_end ends[MAX_CPUS];
	struct scap_reader *r;
	uint64_t unexplained;

	rec_ends(ends);
	cr_assert_eq(scap_writer_close(rec.whole, rec.now_ns, ends, rec.n_cpus, NULL), 0);
	src = rows_source(&rr, rec.file.p, rec.file.n);
	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, NULL), 0);
	n_whole = see_all(r, &whole_seen, &whole_lost, &unexplained);
	cr_assert_eq(n_whole, rec.n_events);
	rows_free(&rec.file);
}

void see_cut(const char *path)
{
	struct scap_reader_options o = { .size = sizeof(o), .flags = SCAP_READER_SEALS };
	struct scap_error err;
	struct scap_reader *r;

	cr_assert_eq(scap_reader_open_path(path, &o, &r, &err), 0, "%s", err.text);
	n_cut = see_all(r, &cut_seen, &cut_lost, &cut_unexplained);
}

/*
 * The capture at path is the whole recording between two times, exactly: where the first event lies
 * in it.
 */
size_t compare(const char *path, uint64_t from_ns, uint64_t to_ns)
{
	size_t first = 0, n = 0;

	see_cut(path);
	while (first < n_whole && whole_seen[first].raw_ns < from_ns)
		first++;
	while (first + n < n_whole && whole_seen[first + n].raw_ns < to_ns)
		n++;
	cr_assert_eq(n_cut, n, "%zu events, not %zu", n_cut, n);
	for (size_t i = 0; i < n; i++) {
		struct rows_seen want = whole_seen[first + i];

		want.num -= first;
		cr_assert(rows_same(&cut_seen[i], &want), "event %zu", i);
	}
	return first;
}

void rec_keyframe(uint32_t parts)
{
	rec.keyframes++;
	for (uint32_t i = 0; i < parts; i++) {
		struct rows rows = { 0 };
		struct scap_keyframe_part part = {
			.begin_ns = rec.now_ns, .end_ns = i + 1 == parts ? rec.now_ns + 10 : 0,
			.clock_raw_ns = rec.now_ns, .real_ns = rec.now_ns + 7777777,
			.number = rec.keyframes, .part = i,
			.flags = i + 1 == parts ? SCAP_KEYFRAME_LAST : 0,
		};

		rows_file(&rows, i, rec.now_ns, 5, "/etc/motd");
		part.rows = rows.p;
		part.bytes = rows.n;
		must(scap_writer_keyframe(rec.w, &part) == 0);
		rows_free(&rows);
	}
}
