/* SPDX-License-Identifier: MIT */
/*
 * Seams: where a recording goes from one file to the next. All that was written so far lies before
 * an epoch's end there, all that is to come behind it, so that introductions are in the file of
 * the events that need them. Each ring's numbers go on: the old file's END and the new one's START
 * say the same of them.
 */
#include "live/recorder.h"

#include <errno.h>
#include <scap/abi.h>

#include "core/error.h"

int scap_recorder_rotate(struct scap_recorder *r, const struct scap_recorder_next *next)
{
	if (!r->started || r->finished || !r->writer)
		return scap__fail(&r->error, -EINVAL, SCAP_NO_OFFSET, "no file is being written");
	/* Who asks again and again puts it off no further. */
	if (!r->next.open)
		r->asked_ns = r->now_ns;
	r->next = *next;
	return 0;
}

const struct scap_recorder_totals *scap_recorder_file(const struct scap_recorder *r)
{
	return &r->file;
}

/* ---- what each file holds ------------------------------------------------------------------- */

static struct scap_recorder_totals difference(const struct scap_recorder_totals *t,
					      const struct scap_recorder_totals *before)
{
	return (struct scap_recorder_totals){
		.n_stored = t->n_stored - before->n_stored,
		.n_lost = t->n_lost - before->n_lost,
		.n_bookkeeping = t->n_bookkeeping - before->n_bookkeeping,
		.row_bytes = t->row_bytes - before->row_bytes,
		.buffered_bytes = t->buffered_bytes,
		.n_slices = t->n_slices - before->n_slices,
		.n_wakeups = t->n_wakeups - before->n_wakeups,
		.file_bytes = t->file_bytes - before->file_bytes,
		.end_raw_ns = t->end_raw_ns,
		.n_keyframes = t->n_keyframes - before->n_keyframes,
	};
}

void scap__recorder_update_file(struct scap_recorder *r)
{
	uint64_t start_ns = r->file.start_raw_ns;

	r->file = difference(&r->totals, &r->before);
	r->file.start_raw_ns = start_ns;
}

/* Of all files so far: what was taken and is in no slice yet belongs to the next one. */
static struct scap_recorder_totals totals_at_seam(struct scap_recorder *r, uint64_t seam_ns)
{
	struct scap_recorder_totals t;
	struct scap__row_counts rest;

	scap__recorder_update_totals(r);
	t = r->totals;
	scap__slicer_rest_counts(r->slicer, &rest);
	t.n_stored -= rest.n_records - rest.n_bookkeeping;
	t.n_bookkeeping -= rest.n_bookkeeping;
	t.n_lost -= rest.n_lost;
	t.row_bytes -= scap__slicer_bytes(r->slicer);
	t.buffered_bytes = 0;
	t.end_raw_ns = seam_ns;
	return t;
}

/* ---- a seam --------------------------------------------------------------------------------- */

/*
 * Numbers that are missing in front of a ring's next record are the new file's, whoever explains
 * them: a GAP that comes later, or nobody.
 */
static void list_rings(struct scap_recorder *r)
{
	for (uint32_t i = 0; i < r->n_rings; i++)
		r->ends[i] = (struct scap_ring_end){
			.cpu = i / SCAP_LANES, .lane = i % SCAP_LANES,
			.next_seq = scap__slicer_next_seq(r->slicer, i),
		};
}

static int open_next(struct scap_recorder *r, uint64_t seam_ns, struct scap_writer **ret_w)
{
	struct scap_error err = { .offset = SCAP_NO_OFFSET };
	struct scap_writer *w = NULL;
	int rc = r->next.open(r->next.ctx, &w, &err);

	if (rc) {
		r->error = err;
		return r->error.code = rc < 0 ? rc : -EINVAL;
	}
	rc = scap_writer_start(w, seam_ns, r->ends, r->n_rings);
	if (rc) {
		r->error = *scap_writer_error(w);
		scap_writer_close(w, 0, NULL, 0, NULL);
		return r->error.code = rc;
	}
	*ret_w = w;
	return 0;
}

/* The new one is there, so that the recording does not end without a place for what is to come. */
static int close_last(struct scap_recorder *r, uint64_t seam_ns)
{
	struct scap_writer *w = r->writer;
	int rc;

	r->writer = NULL;
	rc = scap_writer_close(w, seam_ns, r->ends, r->n_rings, &r->error);
	r->write_failed = rc < 0;
	return rc;
}

static int go_on(struct scap_recorder *r, struct scap_writer *w,
		 const struct scap_recorder_totals *before)
{
	struct scap_recorder_totals closed = difference(before, &r->before);
	int rc;

	closed.start_raw_ns = r->file.start_raw_ns;
	r->writer = w;
	r->before = *before;
	r->key.number = 0;
	r->file.start_raw_ns = before->end_raw_ns;
	scap__recorder_update_totals(r);
	if (r->next.closed)
		r->next.closed(r->next.ctx, &closed);
	r->next.open = NULL;
	rc = scap__keyframer_next(&r->key, r->live, w, r->now_ns);
	return rc < 0 ? scap__recorder_fail_write(r, rc) : 0;
}

/*
 * Not at an earlier epoch's end, even if nothing behind that was written yet: what the file was
 * known to hold when it was found large or old enough stays in it.
 */
static bool at_seam(const struct scap_recorder *r, uint64_t ns)
{
	return r->next.open && !r->finished && r->writer && ns % SCAP_EPOCH_NS == 0 &&
	       ns >= r->asked_ns && ns > r->file.start_raw_ns;
}

int scap__recorder_seam(struct scap_recorder *r)
{
	uint64_t seam_ns = scap__slicer_start_ns(r->slicer);
	struct scap_recorder_totals before;
	struct scap_writer *w = NULL;
	int rc;

	if (!at_seam(r, seam_ns))
		return 0;
	/* What may still fail for want of room fails while nothing was changed. */
	rc = scap__keyframer_cut(&r->key, r->live, r->writer);
	if (!rc)
		rc = scap_writer_flush(r->writer);
	if (rc < 0)
		return scap__recorder_fail_write(r, rc);
	before = totals_at_seam(r, seam_ns);
	list_rings(r);
	rc = open_next(r, seam_ns, &w);
	if (rc < 0)
		return rc;
	rc = close_last(r, seam_ns);
	if (rc < 0) {
		scap_writer_close(w, 0, NULL, 0, NULL);
		return rc;
	}
	return go_on(r, w, &before);
}
