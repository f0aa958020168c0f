/* SPDX-License-Identifier: MIT */
/* struct scap_recorder: rings -> slices -> writer, in one thread. */
#include "live/recorder.h"

#include "core/error.h"
#include "core/options.h"
#include "live/device.h"

#include <errno.h>
#include <scap/abi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUFFER_BYTES_DEFAULT (6ULL << 20)
#define BUFFER_BYTES_MIN (64ULL << 10)
#define BUFFER_BYTES_MAX (256ULL << 20)
/*
 * When it is due a slice needs a watermark from behind that time, which the kernel gives when
 * it was asked for twice, with a grace period between.
 */
#define DUE_MARGIN_NS 1000000
#define WATERMARK_RETRY_MS 16
#define PIECE_BYTES_MIN 4096

static uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int fail_live(struct scap_recorder *r, int rc)
{
	r->error = *scap_live_error(r->live);
	r->error.code = rc;
	return rc;
}

/* ---- draining ----------------------------------------------------------------------------- */

static int get_ranges(struct scap_recorder *r, size_t *ret_sum, uint32_t *ret_n)
{
	size_t sum = 0, max = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n_rings; i++) {
		size_t bytes;
		int rc = scap__live_range(r->live, i, &r->ranges[i]);

		if (rc < 0)
			return fail_live(r, rc);
		bytes = r->ranges[i].bytes;
		sum += bytes;
		n += bytes > 0;
		if (bytes > max)
			max = bytes;
	}
	r->step_sum_bytes += sum;
	if (max > r->step_max_bytes)
		r->step_max_bytes = max;
	*ret_sum = sum;
	*ret_n = n;
	return 0;
}

static int fail_ring(struct scap_recorder *r, uint32_t ring, int rc, const char *what)
{
	if (rc == -ENOMEM)
		return scap__fail(&r->error, rc, SCAP_NO_OFFSET, "no memory for records");
	return scap__fail(&r->error, rc, SCAP_NO_OFFSET, "a ring of CPU %u is damaged: %s",
			  ring / SCAP_LANES,
			  what);
}

static int take(struct scap_recorder *r, uint32_t ring, size_t limit, bool force, size_t *ret_taken)
{
	struct scap_live_batch *range = &r->ranges[ring];
	int rc = scap__slicer_append(r->slicer, ring, range->rows, range->bytes, limit, force,
				     r->safe_ns, ret_taken);

	if (rc < 0)
		return fail_ring(r, ring, rc, scap__slicer_what(r->slicer));
	if (*ret_taken)
		scap__live_consume(r->live, ring, *ret_taken);
	r->totals.row_bytes += *ret_taken;
	range->rows = (const uint8_t *)range->rows + *ret_taken;
	range->bytes -= *ret_taken;
	return 0;
}

/*
 * More is there than may be kept. The CPU that holds up all others goes first, piece by piece: so
 * the rings are emptied evenly in time, and most of what is taken is complete and can be written.
 * Its next record is taken even where no room is left, for only that makes room.
 */
static int take_least(struct scap_recorder *r, uint32_t n, size_t *ret_all_taken)
{
	size_t piece = scap__slicer_room(r->slicer) / (4 * (size_t)n);
	int rc = 0;

	if (piece < PIECE_BYTES_MIN)
		piece = PIECE_BYTES_MIN;
	while (!rc) {
		size_t taken = 0, room = scap__slicer_room(r->slicer);
		uint32_t ring;

		scap__slicer_complete_ns(r->slicer, &ring);
		if (!r->ranges[ring].bytes || (room < piece && *ret_all_taken))
			break;
		rc = take(r, ring, room < piece ? room : piece, true, &taken);
		*ret_all_taken += taken;
	}
	return rc;
}

static int take_each(struct scap_recorder *r, size_t limit, size_t *ret_all_taken)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < r->n_rings; i++) {
		size_t taken = 0;

		rc = take(r, i, limit, false, &taken);
		*ret_all_taken += taken;
	}
	return rc;
}

/* One look at all rings. The watermark was asked for before: heads are read after it. */
static int take_all(struct scap_recorder *r)
{
	size_t sum, room = scap__slicer_room(r->slicer), taken = 0;
	uint32_t n;
	int rc = get_ranges(r, &sum, &n);

	if (rc < 0)
		return rc;
	if (sum <= room) {
		rc = take_each(r, SIZE_MAX, &taken);
	} else {
		/* Takes nothing, but tells of CPUs that have nothing. */
		rc = take_each(r, 0, &taken);
		if (!rc)
			rc = take_least(r, n, &taken);
		/* Only the watermark holds us up: what room there is, is for all. */
		if (!rc && !taken)
			rc = take_each(r, room / n, &taken);
	}
	r->held = sum && !taken;
	r->more = taken && taken < sum;
	return rc;
}

static int ask_watermark(struct scap_recorder *r)
{
	struct scap_live_watermark w;
	int rc = scap_live_watermark(r->live, &w);

	if (rc < 0)
		return fail_live(r, rc);
	r->now_ns = w.now_ns;
	/* After the stop no probe writes any more. */
	r->safe_ns = r->finished ? w.now_ns : w.safe_ns;
	return 0;
}

/* The drain-only form. */
static int visit_all(struct scap_recorder *r)
{
	uint64_t n_lost;
	size_t sum;
	uint32_t n;
	int rc = get_ranges(r, &sum, &n);

	for (uint32_t i = 0; !rc && i < r->n_rings; i++) {
		struct scap_live_batch *range = &r->ranges[i];

		if (!range->bytes)
			continue;
		n_lost = r->visited.n_lost;
		if (scap__rows_visit(range->rows, range->bytes, &r->visited) < 0)
			return fail_ring(r, i, SCAP_EDAMAGED, "a record of impossible length");
		scap__live_consume(r->live, i, range->bytes);
		r->lost[i] += r->visited.n_lost - n_lost;
	}
	r->totals.row_bytes += sum;
	return rc;
}

void scap__recorder_update_totals(struct scap_recorder *r)
{
	const struct scap__row_counts *c = &r->visited;

	if (r->slicer) {
		c = scap__slicer_counts(r->slicer);
		r->totals.buffered_bytes = scap__slicer_bytes(r->slicer);
		r->totals.complete_raw_ns = scap__slicer_start_ns(r->slicer);
	}
	r->totals.n_stored = c->n_records - c->n_bookkeeping;
	r->totals.n_bookkeeping = c->n_bookkeeping;
	r->totals.n_lost = c->n_lost;
	r->totals.n_keyframes = r->before.n_keyframes + r->key.number;
	if (r->writer) {
		r->totals.file_bytes = r->before.file_bytes + scap_writer_bytes(r->writer);
		r->totals.buffered_bytes += scap_writer_pending(r->writer);
	}
	scap__recorder_update_file(r);
}

/* ---- writing ------------------------------------------------------------------------------ */

int scap__recorder_fail_write(struct scap_recorder *r, int rc)
{
	r->write_failed = true;
	if (!r->error.code)
		r->error = *scap_writer_error(r->writer);
	return r->error.code = rc;
}

static int write_slice(struct scap_recorder *r, struct scap_slice *slice)
{
	struct scap_live_clock clock;
	int rc = scap_live_clock(r->live, &clock);

	if (rc < 0)
		return fail_live(r, rc);
	slice->clock_raw_ns = clock.raw_ns;
	slice->real_ns = clock.real_ns;
	slice->boot_ns = clock.boot_ns;
	if (r->on_slice) {
		r->slice_end_ns = slice->end_ns;
		r->on_slice(r->on_slice_ctx, slice);
		r->slice_end_ns = 0;
	}
	rc = scap_writer_slice(r->writer, slice);
	/* Captures can begin with a group only that begins an epoch: there is one again. */
	if (rc >= 0 && r->flushed_early && !(slice->end_ns % SCAP_EPOCH_NS)) {
		rc = scap_writer_flush(r->writer);
		r->flushed_early = false;
	}
	if (rc < 0)
		return scap__recorder_fail_write(r, rc);
	scap__slicer_done(r->slicer);
	r->totals.n_slices++;
	return 0;
}

static int write_due(struct scap_recorder *r)
{
	struct scap_slice slice = { 0 };
	int rc = 0, none = 0;

	while (!rc && !none) {
		none = scap__slicer_next(r->slicer, &slice);
		rc = scap__recorder_seam(r);
		if (!rc && !none)
			rc = write_slice(r, &slice);
	}
	return rc;
}

static int write_last(struct scap_recorder *r, uint64_t end_ns)
{
	struct scap_slice slice = { 0 };
	int rc = 0;

	while (!rc && scap__slicer_last(r->slicer, end_ns, &slice) == 0)
		rc = write_slice(r, &slice);
	return rc;
}

/* ---- a recorder ---------------------------------------------------------------------------- */

static int get_options(const struct scap_recorder_options *in, struct scap_recorder *r,
		       struct scap_error *err)
{
	struct scap_recorder_options opt;
	int rc = scap__options_copy(&opt, sizeof(opt), in);

	if (rc < 0)
		return scap__fail(err, rc, SCAP_NO_OFFSET, "options that are not known here");
	if (!scap__options_has(in, wake_fd))
		opt.wake_fd = -1;
	if (!opt.buffer_bytes)
		opt.buffer_bytes = BUFFER_BYTES_DEFAULT;
	if (opt.buffer_bytes < BUFFER_BYTES_MIN || opt.buffer_bytes > BUFFER_BYTES_MAX)
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET,
				  "a buffer of 64 KiB to 256 MiB is possible");
	r->wake_fd = opt.wake_fd;
	r->on_slice = opt.on_slice;
	r->on_slice_ctx = opt.ctx;
	r->buffer_bytes = opt.buffer_bytes;
	return 0;
}

int scap_recorder_new(struct scap_live *l, struct scap_writer *w,
		      const struct scap_recorder_options *opt, struct scap_recorder **ret_r,
		      struct scap_error *err)
{
	const struct scap_live_info *info = scap_live_info(l);
	struct scap_recorder *r = calloc(1, sizeof(*r));
	int rc = -ENOMEM;

	if (!r) {
		if (w)
			scap_writer_close(w, 0, NULL, 0, NULL);
		return scap__fail(err, rc, SCAP_NO_OFFSET, "no memory");
	}
	r->live = l;
	r->writer = w;
	r->n_rings = info->n_rings;
	r->ranges = calloc(r->n_rings, sizeof(*r->ranges));
	r->ends = calloc(r->n_rings, sizeof(*r->ends));
	r->lost = calloc(r->n_rings, sizeof(*r->lost));
	if (!r->ranges || !r->ends || !r->lost)
		scap__fail(err, rc, SCAP_NO_OFFSET, "no memory");
	else
		rc = get_options(opt, r, err);
	if (rc < 0) {
		scap_recorder_free(r);
		return rc;
	}
	scap__pace_init(&r->pace, info->ring_bytes, w ? r->buffer_bytes / 2 : UINT64_MAX);
	*ret_r = r;
	return 0;
}

void scap_recorder_free(struct scap_recorder *r)
{
	if (!r)
		return;
	if (r->writer)
		scap_writer_close(r->writer, 0, NULL, 0, NULL);
	scap__slicer_free(r->slicer);
	free(r->ranges);
	free(r->ends);
	free(r->lost);
	scap__keyframer_fini(&r->key);
	free(r);
}

int scap_recorder_start(struct scap_recorder *r)
{
	struct scap_live_clock clock;
	int rc;

	if (r->started)
		return scap__fail(&r->error, -EBUSY, SCAP_NO_OFFSET, "started already");
	rc = scap_live_clock(r->live, &clock);
	if (rc < 0)
		return fail_live(r, rc);
	if (r->writer) {
		rc = scap__slicer_new(r->n_rings, r->buffer_bytes, 2 * r->buffer_bytes,
				      clock.raw_ns, &r->slicer);
		if (rc < 0)
			return scap__fail(&r->error, rc, SCAP_NO_OFFSET, "no memory for slices");
	}
	r->drained_mono_ns = mono_ns();
	rc = scap_live_start(r->live);
	if (rc < 0)
		return fail_live(r, rc);
	r->started = true;
	r->totals.start_raw_ns = r->file.start_raw_ns = clock.raw_ns;
	if (!r->writer)
		return 0;
	rc = scap__keyframer_start(&r->key, r->live, r->writer, clock.raw_ns);
	return rc < 0 ? scap__recorder_fail_write(r, rc) : 0;
}

/* ---- running ------------------------------------------------------------------------------ */

/* The open slice is not to wait for the next wake-up when it is due. */
static int wait_for_slice(const struct scap_recorder *r, int wait_ms)
{
	uint64_t end = scap__slicer_due_ns(r->slicer) + DUE_MARGIN_NS;
	uint64_t left_ms = end > r->now_ns ? (end - r->now_ns) / 1000000 + 1 : WATERMARK_RETRY_MS;

	return left_ms < (uint64_t)wait_ms ? (int)left_ms : wait_ms;
}

static int choose_wait(const struct scap_recorder *r, int max_wait_ms)
{
	int wait_ms = r->pace.wait_ms;

	if (r->more || r->key.busy)
		return 0;
	if (r->held && wait_ms > WATERMARK_RETRY_MS)
		wait_ms = WATERMARK_RETRY_MS;
	if (r->slicer && scap__slicer_bytes(r->slicer))
		wait_ms = wait_for_slice(r, wait_ms);
	return max_wait_ms >= 0 && max_wait_ms < wait_ms ? max_wait_ms : wait_ms;
}

/* While nothing can be taken the device would be readable all the time: only sleep then. */
static int wait_for_work(struct scap_recorder *r, int max_wait_ms)
{
	int wait_ms = choose_wait(r, max_wait_ms);
	int rc;

	if (!wait_ms)
		return 0;
	rc = scap__live_wait(r->live, !r->held, r->wake_fd, wait_ms);
	return rc < 0 ? fail_live(r, rc) : 0;
}

static int drain_round(struct scap_recorder *r)
{
	int rc;

	if (!r->slicer)
		return visit_all(r);
	rc = ask_watermark(r);
	if (!rc)
		rc = take_all(r);
	if (!rc)
		rc = write_due(r);
	return rc;
}

static int keyframe_round(struct scap_recorder *r)
{
	int rc = r->writer ? scap__keyframer_round(&r->key, r->live, r->writer, r->now_ns) : 0;

	return rc < 0 ? scap__recorder_fail_write(r, rc) : 0;
}

int scap_recorder_flush(struct scap_recorder *r)
{
	int rc = r->writer ? scap_writer_flush(r->writer) : 0;

	scap__recorder_update_totals(r);
	r->flushed_early = r->totals.complete_raw_ns % SCAP_EPOCH_NS;
	return rc < 0 ? scap__recorder_fail_write(r, rc) : 0;
}

int scap_recorder_step(struct scap_recorder *r, int max_wait_ms)
{
	uint64_t now;
	int rc;

	if (!r->started || r->finished)
		return scap__fail(&r->error, -EINVAL, SCAP_NO_OFFSET, "not started, or finished");
	if (r->error.code < 0)
		return r->error.code;
	rc = wait_for_work(r, max_wait_ms);
	if (rc < 0)
		return rc;
	now = mono_ns();
	r->step_max_bytes = r->step_sum_bytes = 0;
	rc = drain_round(r);
	if (!rc)
		rc = keyframe_round(r);
	scap__pace_update(&r->pace, r->step_max_bytes, r->step_sum_bytes, now - r->drained_mono_ns);
	r->drained_mono_ns = now;
	r->totals.n_wakeups++;
	scap__recorder_update_totals(r);
	return rc;
}

int scap_recorder_run(struct scap_recorder *r)
{
	int rc = 0;

	while (!rc && !__atomic_load_n(&r->stop_requested, __ATOMIC_RELAXED))
		rc = scap_recorder_step(r, -1);
	return rc;
}

void scap_recorder_request_stop(struct scap_recorder *r)
{
	__atomic_store_n(&r->stop_requested, 1, __ATOMIC_RELAXED);
}

/* ---- the end ------------------------------------------------------------------------------- */

/*
 * Everything that is in the stopped rings. Each round takes something or makes room, or there is
 * nothing left; safe_ns is now, for no probe writes any more.
 */
static int drain_rest(struct scap_recorder *r)
{
	int rc;

	do {
		r->more = false;
		rc = drain_round(r);
	} while (!rc && (r->more || r->held));
	return rc;
}

/* GAPs that found no room in full rings find it after the first drain. */
static int drain_stopped(struct scap_recorder *r)
{
	int rc = drain_rest(r);

	if (!rc) {
		rc = scap_live_flush(r->live);
		if (rc < 0)
			return fail_live(r, rc);
		rc = drain_rest(r);
	}
	return rc;
}

/*
 * Where each ring stands: at the first record that is not in the capture. What was lost before
 * told_ns, and only that record tells of, is missing as well.
 */
static int set_ends(struct scap_recorder *r, uint64_t told_ns)
{
	for (uint32_t i = 0; i < r->n_rings; i++) {
		struct scap_live_batch range;
		const void *rest;
		size_t bytes;
		int rc = scap__live_range(r->live, i, &range);

		if (rc < 0)
			return fail_live(r, rc);
		rest = r->slice_end_ns ? scap__slicer_behind(r->slicer, i, &bytes) :
		       scap__slicer_rest(r->slicer, i, &bytes);
		r->ends[i].cpu = i / SCAP_LANES;
		r->ends[i].lane = i % SCAP_LANES;
		if (!bytes && range.bytes) {
			rest = range.rows;
			bytes = range.bytes;
		}
		r->ends[i].next_seq = bytes ? scap__rows_untold_seq(rest, told_ns) : range.next_seq;
	}
	return 0;
}

const struct scap_ring_end *scap_recorder_rings(struct scap_recorder *r)
{
	uint64_t told_ns;

	if (!r->slicer) {
		scap__fail(&r->error, -EINVAL, SCAP_NO_OFFSET, "no file is being written");
		return NULL;
	}
	told_ns = r->slice_end_ns ? r->slice_end_ns : scap__slicer_start_ns(r->slicer);
	return set_ends(r, told_ns) < 0 ? NULL : r->ends;
}

void scap_recorder_want(struct scap_recorder *r, uint64_t raw_ns)
{
	if (r->slicer)
		scap__slicer_want(r->slicer, raw_ns);
}

void scap_recorder_keyframe(struct scap_recorder *r)
{
	r->key.wanted = true;
}

static int close_writer(struct scap_recorder *r, int rc)
{
	struct scap_writer *w = r->writer;
	struct scap_error err = { 0 };
	int close_rc, ends_rc = w ? set_ends(r, 0) : 0;

	scap__slicer_drop_rest(r->slicer);
	scap__recorder_update_totals(r);
	r->writer = NULL;
	if (!w)
		return rc;
	close_rc = scap_writer_close(w, r->totals.end_raw_ns, ends_rc < 0 ? NULL : r->ends,
				     r->n_rings, &err);
	if (!rc && close_rc < 0)
		r->error = err;
	return rc ? rc : ends_rc ? ends_rc : close_rc;
}

/* Up to where the capture is whole if all that can be written is written. */
static int find_end(struct scap_recorder *r, uint64_t *ret_end_ns)
{
	struct scap_live_clock clock;
	int rc = scap_live_clock(r->live, &clock);

	if (rc < 0)
		return fail_live(r, rc);
	*ret_end_ns = scap__slicer_last_ns(r->slicer) + 1;
	if (clock.raw_ns > *ret_end_ns)
		*ret_end_ns = clock.raw_ns;
	return 0;
}

static int finish_writer(struct scap_recorder *r, bool short_end)
{
	int write_rc, rc = r->error.code;
	uint64_t end_ns = 0;

	if (!rc && !short_end)
		rc = drain_stopped(r);
	if (!rc && !short_end)
		rc = find_end(r, &end_ns);
	if (!short_end && !r->write_failed) {
		/* Something else went wrong: what is complete is written all the same. */
		if (rc < 0)
			end_ns = scap__slicer_complete_ns(r->slicer, NULL);
		write_rc = write_last(r, end_ns);
		rc = rc ? rc : write_rc;
	}
	if (rc < 0 || short_end)
		end_ns = scap__slicer_start_ns(r->slicer);
	r->totals.end_raw_ns = end_ns;
	return close_writer(r, rc);
}

static int finish(struct scap_recorder *r, bool short_end)
{
	int rc, stop_rc;

	if (!r->started || r->finished)
		return scap__fail(&r->error, -EINVAL, SCAP_NO_OFFSET, "not started, or finished");
	if (r->writer && !short_end && !r->error.code) {
		stop_rc = scap__keyframer_finish(&r->key, r->live, r->writer);
		if (stop_rc < 0)
			scap__recorder_fail_write(r, stop_rc);
	}
	r->finished = true;
	stop_rc = scap_live_stop(r->live);
	if (!stop_rc)
		stop_rc = scap_live_flush(r->live);
	if (stop_rc < 0 && !r->error.code)
		fail_live(r, stop_rc);
	if (r->slicer)
		return finish_writer(r, short_end);
	rc = r->error.code ? r->error.code : drain_stopped(r);
	scap__recorder_update_totals(r);
	return rc;
}

int scap_recorder_finish(struct scap_recorder *r)
{
	return finish(r, false);
}

int scap_recorder_finish_short(struct scap_recorder *r)
{
	return finish(r, true);
}

const struct scap_recorder_totals *scap_recorder_totals(const struct scap_recorder *r)
{
	return &r->totals;
}

uint64_t scap_recorder_lost(const struct scap_recorder *r, uint32_t cpu)
{
	uint64_t n = 0;

	for (uint32_t i = cpu * SCAP_LANES; i / SCAP_LANES == cpu && i < r->n_rings; i++)
		n += r->slicer ? scap__slicer_lost(r->slicer, i) : r->lost[i];
	return n;
}

const struct scap_error *scap_recorder_error(const struct scap_recorder *r)
{
	return &r->error;
}
