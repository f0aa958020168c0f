/* SPDX-License-Identifier: MIT */
#include "monitor/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/bytes.h"
#include "core/error.h"
#include "core/options.h"
#include "format/layout.h"

#define PROGRAMS_DEFAULT	256
#define PROGRAMS_MAX		65536
#define SOCKETS_DEFAULT		16384
#define SOCKETS_MAX		(1u << 20)
#define NAMES_MAX_BYTES		(64ull << 20)

/* ---- making and ending --------------------------------------------------------------------- */

static int init(struct scap_monitor *m, const struct scap_monitor_options *o)
{
	int programs, sockets;

	pthread_mutex_init(&m->lock, NULL);
	m->flags = o->flags;
	m->epoch = UINT64_MAX;
	scap__budget_init(&m->names, NAMES_MAX_BYTES, NULL);
	scap__intros_init(&m->intros, &m->names);
	scap__map_init(&m->threads, &m->names);
	scap__map_init(&m->files, &m->names);
	programs = scap__programs_init(&m->programs, o->max_programs ? o->max_programs :
								       PROGRAMS_DEFAULT);
	sockets = scap__sockets_init(&m->sockets, o->max_sockets ? o->max_sockets :
								   SOCKETS_DEFAULT);
	return programs ? programs : sockets;
}

int scap_monitor_new(const struct scap_monitor_options *opt, struct scap_monitor **ret_m,
		     uint32_t *ret_condition, struct scap_error *err)
{
	struct scap_monitor_options o;
	struct scap__conditions *c;
	struct scap_monitor *m;
	int rc = scap__options_copy(&o, sizeof(o), opt);

	if (rc || o.flags & ~SCAP_MONITOR_SIGNALS || o.max_programs > PROGRAMS_MAX ||
	    o.max_sockets > SOCKETS_MAX)
		return scap__fail(err, rc ? rc : -EINVAL, SCAP_NO_OFFSET,
				  "the monitor's options are not valid");
	rc = scap__conditions_new(&o, &c, ret_condition, err);
	if (rc)
		return rc;
	m = calloc(1, sizeof(*m));
	rc = m ? init(m, &o) : -ENOMEM;
	if (rc) {
		scap__conditions_free(c);
		scap_monitor_free(m);
		return scap__fail(err, rc, SCAP_NO_OFFSET, "out of memory");
	}
	m->conditions = c;
	*ret_m = m;
	return 0;
}

void scap_monitor_free(struct scap_monitor *m)
{
	if (!m)
		return;
	scap__conditions_free(m->conditions);
	scap__intros_fini(&m->intros);
	scap__map_fini(&m->threads);
	scap__map_fini(&m->files);
	scap__programs_fini(&m->programs);
	scap__sockets_fini(&m->sockets);
	free(m->picks);
	free(m->parts);
	free(m->heap);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

int scap_monitor_conditions(struct scap_monitor *m, const struct scap_monitor_options *opt,
			    uint32_t *ret_condition, struct scap_error *err)
{
	struct scap_monitor_options o;
	struct scap__conditions *c, *old;
	int rc = scap__options_copy(&o, sizeof(o), opt);

	if (rc)
		return scap__fail(err, rc, SCAP_NO_OFFSET, "the monitor's options are not valid");
	rc = scap__conditions_new(&o, &c, ret_condition, err);
	if (rc)
		return rc;
	pthread_mutex_lock(&m->lock);
	old = m->conditions;
	m->conditions = c;
	pthread_mutex_unlock(&m->lock);
	scap__conditions_free(old);
	return 0;
}

/* ---- slices: what is in them ----------------------------------------------------------------- */

/* How many of four bits are set. */
#define BITS(i) (((i) & 1) + ((i) >> 1 & 1) + ((i) >> 2 & 1) + ((i) >> 3 & 1))
#define CALL_BYTES(i) [i] = sizeof(struct scap_rec_call) + 8 * BITS(i)

/* Least lengths of records: of calls, by NR64, RET64, LAT64, COOKIES; and of all others. */
static const uint8_t call_bytes[16] = {
	CALL_BYTES(0), CALL_BYTES(1), CALL_BYTES(2), CALL_BYTES(3), CALL_BYTES(4), CALL_BYTES(5),
	CALL_BYTES(6), CALL_BYTES(7), CALL_BYTES(8), CALL_BYTES(9), CALL_BYTES(10), CALL_BYTES(11),
	CALL_BYTES(12), CALL_BYTES(13), CALL_BYTES(14), CALL_BYTES(15),
};

static const uint8_t other_bytes[256] = {	/* 0: there is no such type */
	[SCAP_REC_FORK ... SCAP_REC_INTRO - 1] = sizeof(struct scap_rec),
	[SCAP_REC_GAP ... SCAP_REC_TYPES - 1] = sizeof(struct scap_rec),
	[SCAP_REC_ENTER] = sizeof(struct scap_rec_enter),
	[SCAP_REC_INTRO] = sizeof(struct scap_rec_intro),
	[SCAP_REC_FILE] = sizeof(struct scap_rec_file),
};

/* How many events the part has, or SCAP_EDAMAGED. */
static int64_t check_part(const struct scap_slice_part *part)
{
	const uint8_t *p = part->rows, *end = part->bytes ? p + part->bytes : p;
	int64_t n_events = 0;

	/* Then 8 bytes at least are left at each record. */
	if (part->bytes % 8)
		return SCAP_EDAMAGED;
	while (p < end) {
		uint32_t head = scap__le32(p);
		size_t n = (size_t)(head & 0xffff) * 8, least;
		unsigned type = head >> 16 & 0xff;

		if (type == SCAP_REC_CALL) {
			least = call_bytes[head >> 24 & 15];
			n_events++;
		} else {
			least = other_bytes[type];
			n_events += scap__rec_is_event(type);
		}
		if (n > (size_t)(end - p) || n < least || !least)
			return SCAP_EDAMAGED;
		p += n;
	}
	return n_events;
}

static uint64_t ring_of(const struct scap_slice_part *part)
{
	return (uint64_t)part->cpu * SCAP_LANES + part->lane;
}

static int check_slice(const struct scap_slice *s, uint64_t *ret_n_events)
{
	if (s->start_ns >= s->end_ns || s->n_parts > SCAP__CPUS_MAX * SCAP_LANES)
		return SCAP_EDAMAGED;
	*ret_n_events = 0;
	for (uint32_t i = 0; i < s->n_parts; i++) {
		const struct scap_slice_part *part = &s->parts[i];
		int64_t n;

		if (part->cpu >= SCAP__CPUS_MAX || part->lane >= SCAP_LANES ||
		    (i && ring_of(part) <= ring_of(part - 1)))
			return SCAP_EDAMAGED;
		n = check_part(part);
		if (n < 0)
			return (int)n;
		*ret_n_events += (uint64_t)n;
	}
	return 0;
}

/* ---- slices: going over them ----------------------------------------------------------------- */

static int grow_parts(struct scap_monitor *m, uint32_t n)
{
	if (n <= m->parts_cap)
		return 0;
	free(m->parts);
	free(m->heap);
	m->parts = calloc(n, sizeof(*m->parts));
	m->heap = calloc(n, sizeof(*m->heap));
	m->parts_cap = m->parts && m->heap ? n : 0;
	return m->parts_cap ? 0 : -ENOMEM;
}

static void enter_epoch(struct scap_monitor *m, uint64_t epoch)
{
	if (epoch == m->epoch)
		return;
	m->epoch = epoch;
	scap__map_clear(&m->threads);
	scap__map_clear(&m->files);
}

static int go_over(struct scap_monitor *m, const struct scap_slice *s)
{
	int rc = grow_parts(m, s->n_parts), first = 0;

	if (rc)
		return rc;
	enter_epoch(m, s->start_ns >> SCAP_EPOCH_SHIFT);
	m->n_picks = 0;
	for (uint32_t i = 0; i < s->n_parts; i++) {
		const struct scap_slice_part *from = &s->parts[i];
		const uint8_t *p = from->rows;

		m->parts[i] = (struct scap__monitor_part){
			.p = p, .end = from->bytes ? p + from->bytes : p,
			.ring = (uint32_t)ring_of(from), .order_ns = s->start_ns,
		};
		rc = scap__monitor_ring(m, i, s->end_ns);
		first = first ? first : rc;
	}
	rc = scap__monitor_order(m, s);
	return first ? first : rc;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int scap_monitor_slice(struct scap_monitor *m, const struct scap_slice *s)
{
	uint64_t begin_ns = cpu_ns(), n_events;
	int rc;

	pthread_mutex_lock(&m->lock);
	rc = check_slice(s, &n_events);
	if (!rc) {
		if (m->conditions->n || m->flags & SCAP_MONITOR_SIGNALS)
			rc = go_over(m, s);
		m->totals.n_events += n_events;
	}
	m->totals.spent_ns += cpu_ns() - begin_ns;
	pthread_mutex_unlock(&m->lock);
	return rc == SCAP_ELIMIT ? -ENOMEM : rc;
}

/* ---- what came of it ------------------------------------------------------------------------- */

uint64_t scap_signal_bound(unsigned i)
{
	static const uint16_t tenths_ms[SCAP_SIGNAL_BUCKETS] = {
		10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000,
	};

	if (i + 1 == SCAP_SIGNAL_BUCKETS)
		return 10000000000ull;
	return i < SCAP_SIGNAL_BUCKETS ? tenths_ms[i] * 100000ull : UINT64_MAX;
}

int scap_monitor_signals(struct scap_monitor *m, uint32_t i, struct scap_signals *ret)
{
	int rc = 1;

	pthread_mutex_lock(&m->lock);
	if (i < m->programs.n) {
		*ret = m->programs.v[i].s;
		rc = 0;
	}
	pthread_mutex_unlock(&m->lock);
	return rc;
}

void scap_monitor_totals(struct scap_monitor *m, struct scap_monitor_totals *ret)
{
	pthread_mutex_lock(&m->lock);
	*ret = m->totals;
	ret->n_sockets_dropped = m->sockets.n_dropped;
	ret->n_programs_dropped = m->programs.n_dropped;
	pthread_mutex_unlock(&m->lock);
}
