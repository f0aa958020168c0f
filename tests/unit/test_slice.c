/* SPDX-License-Identifier: MIT */
/*
 * Slices against a model: many CPUs whose records come late, and whose reservations are held
 * back. Whatever the slicer makes of it must equal one sort of everything by time.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "live/slice.h"
#include "support_rows.h"

#define CPUS_MAX 256

/* A record of the model. */
struct model_rec {
	uint64_t ns;
	uint32_t cpu, seq;
};

struct model_ring {
	struct rows ring;	/* all records ever, as a ring without end */
	size_t visible;		/* published up to here */
	size_t drained;
	uint32_t n_seq;
	uint64_t held_ns;	/* from this time on nothing is visible; 0: all is */
};

static struct {
	uint32_t n_rings;
	uint64_t now_ns, seed;
	struct model_ring rings[CPUS_MAX];
	struct model_rec *all;	/* in the order of time, as time never goes back */
	size_t n_all, cap_all;
	size_t n_out;		/* of these, seen in slices */
	uint64_t last_end_ns;
	uint64_t n_slices;
	size_t max_bytes, max_resident;
	uint64_t wanted_ns;
	struct scap__slicer *s;
	size_t hard;
} m;

static uint64_t rnd(uint64_t n)
{
	return rows_random(&m.seed) % n;
}

static void model_init(uint32_t n_rings, uint64_t seed, size_t budget, size_t hard)
{
	memset(&m, 0, sizeof(m));
	m.n_rings = n_rings;
	m.seed = seed;
	m.now_ns = 3 * SCAP_EPOCH_NS + 500;
	m.last_end_ns = m.now_ns;
	m.hard = hard;
	cr_assert_eq(scap__slicer_new(n_rings, budget, hard, m.now_ns, &m.s), 0);
}

static void model_fini(void)
{
	for (uint32_t i = 0; i < m.n_rings; i++)
		rows_free(&m.rings[i].ring);
	free(m.all);
	scap__slicer_free(m.s);
}

/* One record now; several CPUs may have the same moment. */
static void model_put(uint32_t cpu)
{
	struct model_ring *c = &m.rings[cpu];
	size_t at = rows_begin(&c->ring, SCAP_REC_CALL, 0, c->n_seq, m.now_ns);
	static const uint8_t zeros[2000];

	rows_put(&c->ring, zeros, 16 + rnd(rnd(16) ? 100 : 1800));
	rows_end(&c->ring, at);
	if (m.n_all == m.cap_all) {
		m.cap_all = m.cap_all ? 2 * m.cap_all : 1024;
		m.all = realloc(m.all, m.cap_all * sizeof(*m.all));
		cr_assert_not_null(m.all);
	}
	m.all[m.n_all++] = (struct model_rec){ m.now_ns, cpu, c->n_seq++ };
	if (!c->held_ns)
		c->visible = c->ring.n;
}

/* A reservation that is made but not written: later ones stay behind it. */
static void model_hold(uint32_t cpu)
{
	struct model_ring *c = &m.rings[cpu];
	size_t before = c->ring.n;

	if (c->held_ns)
		return;
	model_put(cpu);
	c->visible = before;
	c->held_ns = m.now_ns;
}

static void model_release(uint32_t cpu)
{
	m.rings[cpu].held_ns = 0;
	m.rings[cpu].visible = m.rings[cpu].ring.n;
}

static uint64_t model_watermark(void)
{
	uint64_t safe = m.now_ns;

	for (uint32_t i = 0; i < m.n_rings; i++)
		if (m.rings[i].held_ns && m.rings[i].held_ns < safe)
			safe = m.rings[i].held_ns;
	return safe;
}

static int by_time(const void *a, const void *b)
{
	const struct model_rec *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->seq < y->seq ? -1 : 1;
}

static uint32_t ring_of(const struct scap_slice_part *part)
{
	return part->cpu * SCAP_LANES + part->lane;
}

/* The records of a slice, sorted, are just the next ones of the model, sorted. */
static void check_slice(const struct scap_slice *slice)
{
	struct model_rec *got, *want = m.all + m.n_out;
	size_t n = 0, n_want = 0;

	cr_assert_geq(slice->start_ns, m.last_end_ns);
	cr_assert_lt(slice->start_ns, slice->end_ns);
	cr_assert_eq(slice->start_ns / SCAP_EPOCH_NS, (slice->end_ns - 1) / SCAP_EPOCH_NS);
	while (m.n_out + n_want < m.n_all && want[n_want].ns < slice->end_ns)
		n_want++;
	got = calloc(n_want + 1, sizeof(*got));
	for (uint32_t p = 0; p < slice->n_parts; p++) {
		const struct scap_slice_part *part = &slice->parts[p];

		uint32_t ring = ring_of(part);

		cr_assert(!p || ring > ring_of(part - 1));
		for (size_t at = 0; at < part->bytes;) {
			const struct scap_rec *rec = (const void *)((const char *)part->rows + at);

			cr_assert(rec->time_ns >= slice->start_ns && rec->time_ns < slice->end_ns);
			cr_assert_lt(n, n_want, "a record twice, or too early");
			got[n++] = (struct model_rec){ rec->time_ns, ring, rec->seq };
			at += (size_t)rec->len8 * 8;
		}
	}
	cr_assert_eq(n, n_want, "%zu records of %zu", n, n_want);
	cr_assert_gt(n, 0, "an empty slice");
	qsort(got, n, sizeof(*got), by_time);
	qsort(want, n, sizeof(*want), by_time);
	cr_assert_arr_eq(got, want, n * sizeof(*got));
	free(got);
	m.n_out += n;
	m.last_end_ns = slice->end_ns;
	m.n_slices++;
}

static void take_slices(void)
{
	struct scap_slice slice;

	while (scap__slicer_next(m.s, &slice) == 0) {
		check_slice(&slice);
		scap__slicer_done(m.s);
	}
	/* Who waits gets what is complete. */
	if (scap__slicer_complete_ns(m.s, NULL) >= m.wanted_ns)
		cr_assert_geq(scap__slicer_start_ns(m.s), m.wanted_ns);
}

static void append(uint32_t cpu, size_t limit, bool force, uint64_t safe)
{
	struct model_ring *c = &m.rings[cpu];
	size_t taken;

	cr_assert_eq(scap__slicer_append(m.s, cpu, c->ring.p + c->drained, c->visible - c->drained,
					 limit, force, safe, &taken), 0, "%s",
		     scap__slicer_what(m.s));
	c->drained += taken;
}

/* The recorder's part: the watermark first, then the heads; now and then only some of it. */
static void drain(bool all)
{
	uint64_t safe = model_watermark();
	uint32_t least;

	/* What comes between watermark and heads must do no harm. */
	m.now_ns += 10;
	model_put(rnd(m.n_rings));
	for (uint32_t i = 0; i < m.n_rings; i++)
		append(i, 0, false, safe);
	scap__slicer_complete_ns(m.s, &least);
	append(least, 0, true, safe);
	for (uint32_t i = 0; i < m.n_rings; i++) {
		size_t room = scap__slicer_room(m.s), limit = all || rnd(3) ? room : rnd(4000);

		append(i, limit < room ? limit : room, false, safe);
	}
	if (scap__slicer_bytes(m.s) > m.max_bytes)
		m.max_bytes = scap__slicer_bytes(m.s);
	if (scap__slicer_resident(m.s) > m.max_resident)
		m.max_resident = scap__slicer_resident(m.s);
	take_slices();
}

static void finish(void)
{
	struct scap_slice slice;
	bool more = true;

	for (uint32_t i = 0; i < m.n_rings; i++)
		model_release(i);
	while (more) {
		more = false;
		drain(true);
		for (uint32_t i = 0; i < m.n_rings; i++)
			more |= m.rings[i].drained < m.rings[i].ring.n;
	}
	while (scap__slicer_last(m.s, m.now_ns + 1, &slice) == 0) {
		check_slice(&slice);
		scap__slicer_done(m.s);
	}
	cr_assert_eq(m.n_out, m.n_all);
	cr_assert_eq(scap__slicer_bytes(m.s), 0);
	cr_assert_eq(scap__slicer_counts(m.s)->n_records, m.n_all);
}

/* A time that is over, or not yet, or far away. */
static void want(uint64_t tick)
{
	m.wanted_ns = m.now_ns + rnd(400 * tick) - (rnd(3) ? 100 * tick : 0);
	scap__slicer_want(m.s, m.wanted_ns);
}

static void run_model(uint32_t n_rings, uint64_t seed, size_t budget, unsigned steps, uint64_t tick)
{
	bool wants = seed % 2;

	model_init(n_rings, seed, budget, 2 * budget);
	for (unsigned i = 0; i < steps; i++) {
		for (unsigned k = rnd(400); k; k--) {
			if (rnd(4))
				m.now_ns += rnd(tick);
			model_put(rnd(rnd(2) ? n_rings : 1 + n_rings / 16));
		}
		if (rnd(4) == 0)
			model_hold(rnd(n_rings));
		for (uint32_t k = 0; k < n_rings; k++)
			if (m.rings[k].held_ns && rnd(6) == 0)
				model_release(k);
		if (wants && rnd(4) == 0)
			want(tick);
		drain(false);
	}
	finish();
	/* A record over the hard limit at most, and whole pages of what was touched. */
	cr_assert_leq(m.max_bytes, m.hard + 4096);
	cr_assert_leq(m.max_resident, m.hard + m.hard / 8 + 2 * 4096 * (size_t)n_rings);
	cr_assert_gt(m.n_slices, 2);
	model_fini();
}

Test(slice, equals_a_sort_256_cpus)
{
	run_model(256, 1, 4 << 20, 600, 400000);
}

Test(slice, equals_a_sort_few_cpus)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		run_model(1 + seed % 7, seed, 1 << 20, 120, 2000000);
}

/* The budget is far too small for an epoch: most cuts come early. */
Test(slice, early_cuts)
{
	for (uint64_t seed = 1; seed <= 10; seed++)
		run_model(1 + seed * 3, seed, 65536, 200, 20000);
}

/* It is not the epoch's end that is waited for, and without a record there is no slice either. */
Test(slice, wanted)
{
	struct scap_slice slice;
	uint64_t wanted;

	model_init(2, 1, 1 << 20, 2 << 20);
	m.now_ns += 1000;
	model_put(0);
	wanted = m.now_ns + 500;
	scap__slicer_want(m.s, wanted);
	cr_expect_eq(scap__slicer_due_ns(m.s), wanted);
	append(0, SIZE_MAX, false, wanted - 1);
	append(1, SIZE_MAX, false, wanted - 1);
	cr_expect_eq(scap__slicer_next(m.s, &slice), 1);
	append(0, SIZE_MAX, false, wanted + 7);
	append(1, SIZE_MAX, false, wanted + 7);
	cr_assert_eq(scap__slicer_next(m.s, &slice), 0);
	cr_expect_eq(slice.end_ns, wanted + 7);
	cr_expect_eq(slice.n_parts, 1);
	scap__slicer_done(m.s);
	scap__slicer_want(m.s, wanted + 100);
	append(0, SIZE_MAX, false, wanted + 100);
	append(1, SIZE_MAX, false, wanted + 100);
	cr_expect_eq(scap__slicer_next(m.s, &slice), 1);
	cr_expect_eq(scap__slicer_start_ns(m.s), wanted + 100);
	cr_expect_eq(scap__slicer_due_ns(m.s) % SCAP_EPOCH_NS, 0);
	model_fini();
}

Test(slice, idle_time_makes_no_slices)
{
	model_init(3, 1, 1 << 20, 2 << 20);
	for (int i = 0; i < 5; i++) {
		m.now_ns += 1000 * SCAP_EPOCH_NS;
		drain(true);
	}
	finish();
	cr_assert_leq(m.n_slices, 11);
	model_fini();
}

/* A watermark that does not come: the hard limit holds, nothing is delivered, nothing is lost. */
Test(slice, hard_limit)
{
	model_init(2, 1, 65536, 131072);
	model_hold(0);
	for (int i = 0; i < 4000; i++) {
		m.now_ns += 1000000;
		model_put(1);
	}
	for (int i = 0; i < 10; i++)
		drain(true);
	cr_assert_eq(m.n_slices, 0);
	cr_assert_leq(m.max_bytes, m.hard + 4096);
	cr_assert_lt(m.rings[1].drained, m.rings[1].visible);
	finish();
	model_fini();
}

Test(slice, memory_of_bursts_is_given_back)
{
	model_init(64, 1, 1 << 20, 2 << 20);
	/* Each CPU in turn has all of it. */
	for (uint32_t cpu = 0; cpu < 64; cpu++) {
		for (int i = 0; i < 6000; i++) {
			m.now_ns += 100000;
			model_put(cpu);
		}
		for (int i = 0; i < 4; i++)
			drain(true);
	}
	finish();
	cr_assert_leq(m.max_resident, m.hard + m.hard / 8 + 2 * 4096 * 64);
	model_fini();
}

Test(slice, nonsense_is_refused)
{
	struct scap__slicer *s;
	struct scap_rec rows[4] = { { .len8 = 2, .type = 1, .time_ns = 2000 } };
	size_t taken = 77;

	cr_assert_eq(scap__slicer_new(1, 65536, 131072, 1000, &s), 0);
	for (int i = 1; i < 4; i++)
		rows[i] = rows[0];
	rows[2].time_ns = 1999;
	cr_assert_eq(scap__slicer_append(s, 0, rows, sizeof(rows), SIZE_MAX, false, 0, &taken),
		     SCAP_EDAMAGED);
	rows[2].time_ns = 2000;
	rows[3].len8 = 3;
	cr_assert_eq(scap__slicer_append(s, 0, rows, sizeof(rows), SIZE_MAX, false, 0, &taken),
		     SCAP_EDAMAGED);
	rows[3].len8 = 2;
	rows[3].time_ns = UINT64_MAX;
	cr_assert_eq(scap__slicer_append(s, 0, rows, sizeof(rows), SIZE_MAX, false, 0, &taken),
		     SCAP_EDAMAGED);
	rows[0].time_ns = 999;
	rows[3].time_ns = 2000;
	cr_assert_eq(scap__slicer_append(s, 0, rows, sizeof(rows), SIZE_MAX, false, 0, &taken),
		     SCAP_EDAMAGED, "before the open slice");
	cr_assert_eq(scap__slicer_bytes(s), 0);
	cr_assert_eq(taken, 77);
	rows[0].time_ns = 1000;
	cr_assert_eq(scap__slicer_append(s, 0, rows, sizeof(rows), 40, false, 0, &taken), 0);
	cr_assert_eq(taken, 32);
	cr_assert_eq(scap__slicer_complete_ns(s, NULL), 2000);
	scap__slicer_free(s);
}
