/* SPDX-License-Identifier: MIT */
#include "live/slice.h"

#include <errno.h>
#include <scap/abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A row's place is noted about this often, so that a time is found by a short walk. */
#define MARK_BYTES 4096
#define COMMIT_BYTES (1024 * 1024)
/* Beyond the hard limit: records that were taken by force. */
#define SLACK_BYTES (4 * 1024 * 1024)
#define PAGE 4096
#define FIRST_BOOKKEEPING 16

/*
 * Rows of one ring. The address range is reserved for the worst case, so that rows never move when
 * it grows; memory is only used as far as rows were stored since the last trim.
 */
struct stream {
	uint8_t *base;
	size_t end;		/* rows are [0, end) */
	size_t cut;		/* [0, cut) is in the slice just delivered */
	size_t committed;	/* accessible */
	size_t touched;		/* memory used, whole pages */
	uint64_t frontier_ns;
	uint64_t last_ns;	/* time of the last record ever taken */
	uint32_t next_seq;	/* what follows its number */
	uint64_t n_lost;
	uint32_t *marks;	/* places of some records, ascending; 0 is not among them */
	size_t n_marks, cap_marks;
};

struct scap__slicer {
	uint32_t n_rings;
	size_t budget, hard, reserve;
	size_t bytes, resident;
	uint64_t start_ns;
	uint64_t wanted_ns;	/* of no meaning where start_ns has reached it */
	bool delivered;
	uint64_t delivered_end_ns;
	struct scap__row_counts counts;
	const char *what;
	struct scap_slice_part *parts;
	struct stream streams[];
};

/* ---- rows ------------------------------------------------------------------------------- */

static const struct scap_rec *rec_at(const void *rows, size_t off)
{
	return (const struct scap_rec *)((const char *)rows + off);
}

/* Book-keeping records are rare; so all that they need stays out of the loops. */
static __attribute__((noinline)) int count_bookkeeping(const struct scap_rec *rec,
							struct scap__row_counts *counts)
{
	const struct scap_rec_gap *gap = (const struct scap_rec_gap *)rec;

	counts->n_bookkeeping++;
	if (rec->type != SCAP_REC_GAP)
		return 0;
	if ((size_t)rec->len8 * 8 < sizeof(*gap))
		return SCAP_EDAMAGED;
	counts->n_lost += gap->n_lost;
	return 0;
}

/* Whether a record of len8 units can begin where left8 (not 0) units are left. */
static inline bool sane_length(size_t len8, size_t left8)
{
	return len8 - sizeof(struct scap_rec) / 8 < left8 - (sizeof(struct scap_rec) / 8 - 1);
}

int scap__rows_visit(const void *rows, size_t bytes, struct scap__row_counts *counts)
{
	const uint64_t *p = rows;
	size_t left8 = bytes / 8;
	uint64_t n = 0;

	if (bytes % 8)
		return SCAP_EDAMAGED;
	while (left8) {
		const struct scap_rec *rec = (const struct scap_rec *)p;
		size_t len8 = rec->len8;

		if (!sane_length(len8, left8))
			return SCAP_EDAMAGED;
		if (rec->type >= FIRST_BOOKKEEPING && count_bookkeeping(rec, counts) < 0)
			return SCAP_EDAMAGED;
		p += len8;
		left8 -= len8;
		n++;
		(void)*(const volatile uint64_t *)(p - 1);
	}
	counts->n_records += n;
	return 0;
}

/* ---- memory ------------------------------------------------------------------------------- */

static int stream_init(struct stream *st, size_t reserve, uint64_t start_ns)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	void *p = mmap(NULL, reserve, PROT_NONE, flags, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	st->base = p;
	st->frontier_ns = st->last_ns = start_ns;
	return 0;
}

int scap__slicer_new(uint32_t n_rings, size_t budget_bytes, size_t hard_bytes, uint64_t start_ns,
		     struct scap__slicer **ret_s)
{
	struct scap__slicer *s;

	/* Places in a stream are 32 bits wide. */
	if (!n_rings || budget_bytes > hard_bytes || hard_bytes > 1U << 30)
		return -EINVAL;
	s = calloc(1, sizeof(*s) + n_rings * sizeof(struct stream));
	if (!s)
		return -ENOMEM;
	s->budget = budget_bytes;
	s->hard = hard_bytes;
	s->reserve = (hard_bytes + SLACK_BYTES + PAGE - 1) & ~(size_t)(PAGE - 1);
	s->start_ns = start_ns;
	s->parts = calloc(n_rings, sizeof(*s->parts));
	if (!s->parts)
		goto free_slicer;
	for (; s->n_rings < n_rings; s->n_rings++)
		if (stream_init(&s->streams[s->n_rings], s->reserve, start_ns) < 0)
			goto free_slicer;
	*ret_s = s;
	return 0;

free_slicer:
	scap__slicer_free(s);
	return -ENOMEM;
}

void scap__slicer_free(struct scap__slicer *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n_rings; i++) {
		munmap(s->streams[i].base, s->reserve);
		free(s->streams[i].marks);
	}
	free(s->parts);
	free(s);
}

static size_t whole_pages(size_t n)
{
	return (n + PAGE - 1) & ~(size_t)(PAGE - 1);
}

/* Gives back what bursts of single CPUs left behind: else the sum would grow with their number. */
static void trim(struct scap__slicer *s)
{
	for (uint32_t i = 0; i < s->n_rings; i++) {
		struct stream *st = &s->streams[i];
		size_t used = whole_pages(st->end);

		if (used == st->touched)
			continue;
		madvise(st->base + used, st->touched - used, MADV_DONTNEED);
		s->resident -= st->touched - used;
		st->touched = used;
	}
}

static int make_room(struct scap__slicer *s, struct stream *st, size_t n)
{
	size_t need = st->end + n, to;

	if (need > s->reserve)
		return -ENOMEM;
	if (need > st->committed) {
		to = (need + COMMIT_BYTES - 1) / COMMIT_BYTES * COMMIT_BYTES;
		if (to > s->reserve)
			to = s->reserve;
		if (mprotect(st->base, to, PROT_READ | PROT_WRITE) < 0)
			return -ENOMEM;
		st->committed = to;
	}
	if (need > st->touched) {
		if (s->resident + whole_pages(n) > s->hard + s->hard / 8)
			trim(s);
		s->resident += whole_pages(need) - st->touched;
		st->touched = whole_pages(need);
	}
	return 0;
}

static int note_mark(struct stream *st, size_t off)
{
	if (st->n_marks == st->cap_marks) {
		size_t cap = st->cap_marks ? st->cap_marks * 2 : 64;
		uint32_t *marks = realloc(st->marks, cap * sizeof(*marks));

		if (!marks)
			return -ENOMEM;
		st->marks = marks;
		st->cap_marks = cap;
	}
	st->marks[st->n_marks++] = off;
	return 0;
}

/* ---- taking rows -------------------------------------------------------------------------- */

/* A walk over rows that are to be taken. */
struct taking {
	const void *rows;
	size_t bytes, limit;
	size_t off;		/* what was walked */
	uint64_t last_ns;
	uint32_t next_seq;
	struct scap__row_counts counts;
};

/* Walks up to `to`, or one record further. 0; 1: the limit is reached. */
static int walk(struct scap__slicer *s, struct taking *t, size_t to, bool force)
{
	uint64_t last_ns = t->last_ns, n = 0;
	uint32_t next_seq = t->next_seq;
	size_t off = t->off;
	int rc = 0;

	while (off < to) {
		const struct scap_rec *rec = rec_at(t->rows, off);
		size_t len8 = rec->len8;

		if (!sane_length(len8, (t->bytes - off) / 8)) {
			s->what = "a record of impossible length";
			return SCAP_EDAMAGED;
		}
		if (rec->time_ns < last_ns) {
			s->what = "time that goes back";
			return SCAP_EDAMAGED;
		}
		if (off + len8 * 8 > t->limit && !(force && !off)) {
			rc = 1;
			break;
		}
		if (rec->type >= FIRST_BOOKKEEPING && count_bookkeeping(rec, &t->counts) < 0) {
			s->what = "a GAP record that is too short";
			return SCAP_EDAMAGED;
		}
		last_ns = rec->time_ns;
		next_seq = rec->seq + 1;
		off += len8 * 8;
		n++;
	}
	t->counts.n_records += n;
	t->last_ns = last_ns;
	t->next_seq = next_seq;
	t->off = off;
	return rc;
}

/* Walks from mark to mark. */
static int walk_all(struct scap__slicer *s, struct stream *st, struct taking *t, bool force)
{
	size_t last_mark = st->n_marks ? st->marks[st->n_marks - 1] : 0;
	int rc = 0;

	while (!rc && t->off < t->bytes) {
		size_t to = last_mark + MARK_BYTES > st->end ? last_mark + MARK_BYTES - st->end : 0;

		if (to <= t->off) {
			last_mark = st->end + t->off;
			if (last_mark && note_mark(st, last_mark) < 0)
				return -ENOMEM;
			to = t->off + MARK_BYTES;
		}
		rc = walk(s, t, to < t->bytes ? to : t->bytes, force);
	}
	return rc < 0 ? rc : 0;
}

static void add_counts(struct scap__row_counts *to, const struct scap__row_counts *from)
{
	to->n_records += from->n_records;
	to->n_bookkeeping += from->n_bookkeeping;
	to->n_lost += from->n_lost;
}

int scap__slicer_append(struct scap__slicer *s, uint32_t ring, const void *rows, size_t bytes,
			size_t limit, bool force, uint64_t drained_ns, size_t *ret_taken)
{
	struct stream *st = &s->streams[ring];
	struct taking t = {
		.rows = rows, .bytes = bytes, .limit = limit,
		.last_ns = st->last_ns > s->start_ns ? st->last_ns : s->start_ns,
	};
	size_t n_marks = st->n_marks;
	uint64_t next_ns;
	int rc;

	if (bytes % 8)
		return SCAP_EDAMAGED;
	rc = walk_all(s, st, &t, force);
	next_ns = t.off < bytes ? rec_at(rows, t.off)->time_ns : drained_ns;
	/* Time is added to elsewhere; no machine runs for centuries. */
	if (!rc && (t.last_ns > INT64_MAX || next_ns > INT64_MAX)) {
		s->what = "time out of range";
		rc = SCAP_EDAMAGED;
	}
	if (!rc)
		rc = make_room(s, st, t.off);
	if (rc < 0) {
		st->n_marks = n_marks;
		return rc;
	}
	if (t.off) {
		memcpy(st->base + st->end, rows, t.off);
		st->last_ns = t.last_ns;
		st->next_seq = t.next_seq;
	}
	/* A mark behind the last row taken names the row that will come next; so it stays. */
	st->end += t.off;
	s->bytes += t.off;
	st->n_lost += t.counts.n_lost;
	add_counts(&s->counts, &t.counts);
	if (next_ns > st->frontier_ns)
		st->frontier_ns = next_ns;
	*ret_taken = t.off;
	return 0;
}

/* ---- what there is ------------------------------------------------------------------------ */

const char *scap__slicer_what(const struct scap__slicer *s)
{
	return s->what ? s->what : "nonsense";
}

size_t scap__slicer_room(const struct scap__slicer *s)
{
	return s->bytes < s->hard ? s->hard - s->bytes : 0;
}

size_t scap__slicer_bytes(const struct scap__slicer *s)
{
	return s->bytes;
}

uint64_t scap__slicer_complete_ns(const struct scap__slicer *s, uint32_t *ret_ring)
{
	uint32_t least = 0;

	for (uint32_t i = 1; i < s->n_rings; i++)
		if (s->streams[i].frontier_ns < s->streams[least].frontier_ns)
			least = i;
	if (ret_ring)
		*ret_ring = least;
	return s->streams[least].frontier_ns;
}

static uint64_t epoch_start(uint64_t ns)
{
	return ns & ~(SCAP_EPOCH_NS - 1);
}

static uint64_t epoch_end(const struct scap__slicer *s)
{
	return epoch_start(s->start_ns) + SCAP_EPOCH_NS;
}

void scap__slicer_want(struct scap__slicer *s, uint64_t ns)
{
	s->wanted_ns = ns;
}

uint64_t scap__slicer_due_ns(const struct scap__slicer *s)
{
	uint64_t end = epoch_end(s);

	return s->wanted_ns > s->start_ns && s->wanted_ns < end ? s->wanted_ns : end;
}

uint64_t scap__slicer_last_ns(const struct scap__slicer *s)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < s->n_rings; i++)
		if (s->streams[i].last_ns > last)
			last = s->streams[i].last_ns;
	return last;
}

uint64_t scap__slicer_start_ns(const struct scap__slicer *s)
{
	return s->start_ns;
}

const struct scap__row_counts *scap__slicer_counts(const struct scap__slicer *s)
{
	return &s->counts;
}

uint64_t scap__slicer_lost(const struct scap__slicer *s, uint32_t ring)
{
	return ring < s->n_rings ? s->streams[ring].n_lost : 0;
}

const void *scap__slicer_behind(const struct scap__slicer *s, uint32_t ring, size_t *ret_bytes)
{
	const struct stream *st = &s->streams[ring];

	*ret_bytes = st->end - st->cut;
	return st->base + st->cut;
}

const void *scap__slicer_rest(const struct scap__slicer *s, uint32_t ring, size_t *ret_bytes)
{
	*ret_bytes = s->streams[ring].end;
	return s->streams[ring].base;
}

uint32_t scap__rows_first_seq(const void *rows)
{
	const struct scap_rec *rec = rows;

	/* What a GAP tells of lies before it. */
	if (rec->type == SCAP_REC_GAP && (size_t)rec->len8 * 8 >= sizeof(struct scap_rec_gap))
		return ((const struct scap_rec_gap *)rows)->first_seq;
	return rec->seq;
}

uint32_t scap__rows_untold_seq(const void *rows, uint64_t before_ns)
{
	const struct scap_rec *rec = rows;

	if (rec->type == SCAP_REC_GAP && (size_t)rec->len8 * 8 >= sizeof(struct scap_rec_gap) &&
	    ((const struct scap_rec_gap *)rows)->first_ns < before_ns)
		return rec->seq;
	return scap__rows_first_seq(rows);
}

uint32_t scap__slicer_next_seq(const struct scap__slicer *s, uint32_t ring)
{
	const struct stream *st = &s->streams[ring];

	return st->end ? scap__rows_first_seq(st->base) : st->next_seq;
}

/* These were checked when they were taken. */
static struct scap__row_counts count_rest(const struct stream *st)
{
	struct scap__row_counts counts = { 0 };

	scap__rows_visit(st->base, st->end, &counts);
	return counts;
}

void scap__slicer_rest_counts(const struct scap__slicer *s, struct scap__row_counts *ret_counts)
{
	*ret_counts = (struct scap__row_counts){ 0 };
	for (uint32_t i = 0; i < s->n_rings; i++) {
		struct scap__row_counts counts = count_rest(&s->streams[i]);

		add_counts(ret_counts, &counts);
	}
}

size_t scap__slicer_resident(const struct scap__slicer *s)
{
	return s->resident;
}

/* ---- cutting ------------------------------------------------------------------------------ */

/* Where the first record at or after `ns` begins. */
static size_t find_cut(const struct stream *st, uint64_t ns)
{
	size_t lo = 0, hi = st->n_marks, off;

	/* Marks below lo lie before ns, those from hi on do not (or lie at the end). */
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (st->marks[mid] < st->end && rec_at(st->base, st->marks[mid])->time_ns < ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	off = lo ? st->marks[lo - 1] : 0;
	while (off < st->end && rec_at(st->base, off)->time_ns < ns)
		off += (size_t)rec_at(st->base, off)->len8 * 8;
	return off;
}

static size_t set_cuts(struct scap__slicer *s, uint64_t ns)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < s->n_rings; i++) {
		struct stream *st = &s->streams[i];

		st->cut = find_cut(st, ns);
		sum += st->cut;
	}
	return sum;
}

/* The earliest row, or `ns` if all are later. */
static uint64_t first_row_ns(const struct scap__slicer *s, uint64_t ns)
{
	for (uint32_t i = 0; i < s->n_rings; i++) {
		const struct stream *st = &s->streams[i];

		if (st->end && rec_at(st->base, 0)->time_ns < ns)
			ns = rec_at(st->base, 0)->time_ns;
	}
	return ns;
}

static void deliver(struct scap__slicer *s, uint64_t end_ns, struct scap_slice *ret_slice)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n_rings; i++) {
		struct stream *st = &s->streams[i];

		if (!st->cut)
			continue;
		s->parts[n++] = (struct scap_slice_part){
			.cpu = i / SCAP_LANES, .lane = i % SCAP_LANES,
			.rows = st->base, .bytes = st->cut,
		};
	}
	ret_slice->start_ns = s->start_ns;
	ret_slice->end_ns = end_ns;
	ret_slice->n_parts = n;
	ret_slice->parts = s->parts;
	s->delivered = true;
	s->delivered_end_ns = end_ns;
}

/* Epochs without a record make no slice: the open one begins with the epoch of the next. */
static void skip_empty(struct scap__slicer *s, uint64_t complete_ns)
{
	uint64_t first = epoch_start(first_row_ns(s, complete_ns));

	if (first > s->start_ns)
		s->start_ns = first;
}

/*
 * Where to end a slice that would hold more than the budget up to `end`: the writer's memory
 * counts, too. A single moment may be too large all the same.
 */
static uint64_t shrink(struct scap__slicer *s, uint64_t end)
{
	uint64_t lo = s->start_ns;

	while (end - lo > 1) {
		uint64_t mid = lo + (end - lo) / 2;
		size_t n = set_cuts(s, mid);

		if (n > s->budget)
			end = mid;
		else if (n < s->budget / 4)
			lo = mid;
		else
			return mid;
	}
	return end;
}

/* Sets the cuts for a slice that ends at `end` or, if that were too large, at *ret_end before. */
static size_t cut_slice(struct scap__slicer *s, uint64_t end, uint64_t *ret_end)
{
	size_t n = set_cuts(s, end);

	*ret_end = end;
	if (n <= s->budget)
		return n;
	*ret_end = shrink(s, end);
	return set_cuts(s, *ret_end);
}

/* An early cut must be worth it, or a watermark that crawls would make a slice of every step. */
static bool worth_cutting(const struct scap__slicer *s, size_t cut_bytes)
{
	return cut_bytes >= s->budget / 4 || (cut_bytes && s->bytes >= s->hard - s->hard / 8);
}

/* The same for a slice that somebody waits for, which may be of any size. */
static bool cut_wanted(struct scap__slicer *s, uint64_t complete, uint64_t *ret_end)
{
	if (cut_slice(s, complete, ret_end))
		return true;
	s->start_ns = complete;
	return false;
}

int scap__slicer_next(struct scap__slicer *s, struct scap_slice *ret_slice)
{
	uint64_t complete = scap__slicer_complete_ns(s, NULL);
	uint64_t end;

	if (complete < scap__slicer_due_ns(s) && s->bytes <= s->budget)
		return 1;
	skip_empty(s, complete);
	end = epoch_end(s);
	if (complete >= end) {
		cut_slice(s, end, &end);
	} else if (complete >= scap__slicer_due_ns(s)) {
		if (!cut_wanted(s, complete, &end))
			return 1;
	} else if (s->bytes <= s->budget || complete <= s->start_ns ||
		   !worth_cutting(s, cut_slice(s, complete, &end))) {
		return 1;
	}
	deliver(s, end, ret_slice);
	return 0;
}

int scap__slicer_last(struct scap__slicer *s, uint64_t end_ns, struct scap_slice *ret_slice)
{
	uint64_t end;

	if (!s->bytes)
		return 1;
	skip_empty(s, end_ns);
	end = epoch_end(s);
	if (end > end_ns)
		end = end_ns;
	if (end <= s->start_ns || !cut_slice(s, end, &end))
		return 1;
	deliver(s, end, ret_slice);
	return 0;
}

static void remove_cut(struct stream *st)
{
	size_t n = 0;

	memmove(st->base, st->base + st->cut, st->end - st->cut);
	st->end -= st->cut;
	for (size_t i = 0; i < st->n_marks; i++)
		if (st->marks[i] > st->cut)
			st->marks[n++] = st->marks[i] - st->cut;
	st->n_marks = n;
	st->cut = 0;
}

void scap__slicer_done(struct scap__slicer *s)
{
	if (!s->delivered)
		return;
	s->delivered = false;
	s->start_ns = s->delivered_end_ns;
	for (uint32_t i = 0; i < s->n_rings; i++) {
		s->bytes -= s->streams[i].cut;
		if (s->streams[i].cut)
			remove_cut(&s->streams[i]);
	}
}

void scap__slicer_drop_rest(struct scap__slicer *s)
{
	for (uint32_t i = 0; i < s->n_rings; i++) {
		struct stream *st = &s->streams[i];
		struct scap__row_counts counts = count_rest(st);

		s->counts.n_records -= counts.n_records;
		s->counts.n_bookkeeping -= counts.n_bookkeeping;
		s->counts.n_lost -= counts.n_lost;
		st->n_lost -= counts.n_lost;
		st->end = st->cut = 0;
		st->n_marks = 0;
	}
	s->bytes = 0;
	s->delivered = false;
}
