/* SPDX-License-Identifier: MIT */
/* Captures one behind the other in a file: each is read as if it were alone; sums over all. */
#include "core/error.h"
#include "format/reader.h"

void scap__segment_init(struct scap_reader *r)
{
	r->info = (struct scap_capture_info){
		.n_segments = r->before.n_segments + 1,
		.offset = r->before_journal + r->in.input.offset,
	};
#define X(nr, member) r->info.member = "";
	SCAP__HOST_STRINGS(X)
#undef X
	scap__reader_begin_anew(r);
}

void scap__reader_begin_anew(struct scap_reader *r)
{
	scap__intros_enter_epoch(&r->intros, UINT64_MAX);
	r->key.number = 0;
	r->key.open = false;
	r->chosen = NULL;
	r->slice_end_ns = 0;
	r->tail_ring = UINT32_MAX;
	r->tail_end = 0;
	r->end_seen = r->index_seen = r->sought = r->unsynced = false;
}

/* ---- sums ---------------------------------------------------------------------------------- */

static void add_keyframes(struct scap_capture_info *t, const struct scap_capture_info *b,
			  const struct scap_capture_info *i)
{
	const struct scap_capture_info *first = b->n_keyframes ? b : i;

	t->n_keyframes = b->n_keyframes + i->n_keyframes;
	t->keyframe_bytes = b->keyframe_bytes + i->keyframe_bytes;
	t->keyframe_tasks = first->keyframe_tasks;
	t->keyframe_fds = first->keyframe_fds;
	t->keyframe_calls = first->keyframe_calls;
}

void scap__segment_sum(struct scap_reader *r)
{
	const struct scap_capture_info *b = &r->before, *i = &r->info;
	struct scap_capture_info *t = &r->total;

	r->changed = false;
	if (!b->n_segments) {
		*t = *i;
	} else {
		t->n_segments = i->n_segments;
		t->complete = b->complete && i->complete;
		t->end_raw_ns = i->end_raw_ns;
		t->end_wall_ns = i->end_wall_ns;
		t->n_slices = b->n_slices + i->n_slices;
		t->raw_bytes = b->raw_bytes + i->raw_bytes;
		t->n_unknown = b->n_unknown + i->n_unknown;
		add_keyframes(t, b, i);
	}
	t->file_bytes = i->offset + i->file_bytes;
	t->is_last = i->is_last;
	t->n_cut = b->n_cut + r->cut_told;
	t->complete &= !r->unread;
	t->offset = 0;
	t->goes_on = false;
}

/* ---- the next one -------------------------------------------------------------------------- */

/* FNV-1a; 0: the host does not say which boot of it this is. */
static uint64_t hash_of_host(const struct scap_capture_info *info)
{
	uint64_t h = 0xcbf29ce484222325ull;
	const char *p;

	if (!*info->boot_id)
		return 0;
	for (p = info->hostname; *p; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3ull;
	h *= 0x100000001b3ull;
	for (p = info->boot_id; *p; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3ull;
	return h | 1;
}

/* Nothing that the segment before said holds any more. */
static void reset(struct scap_reader *r)
{
	scap__segment_sum(r);
	r->before = r->total;
	scap__segment_init(r);
	scap__arena_reset(&r->segment_strings);
	scap__intros_enter_epoch(&r->key.intros, UINT64_MAX);
	scap__seals_begin(r);
	r->host_clock = r->clock = (struct scap__clock){ 0 };
	r->cut_told = r->boundary_told = r->damage_seen = false;
}

/* It is passed over; the search is for one that follows it. */
static void pass_over(struct scap_reader *r)
{
	if (r->in.input.offset == r->info.offset)
		scap__input_skip(&r->in.input, 1);
	r->in.lost = r->in.between = true;
	r->unread = r->end_seen = true;
}

static int begin(struct scap_reader *r)
{
	uint64_t host = hash_of_host(&r->info), end_ns = r->slice_end_ns;
	int rc;

	reset(r);
	rc = scap__reader_start(r);
	if (rc == SCAP_EVERSION)
		pass_over(r);
	else if (rc)
		r->over = rc;
	r->info.goes_on = host && host == hash_of_host(&r->info) && r->info.start_raw_ns >= end_ns;
	if (!rc) {
		rc = r->pending;
		r->pending = 0;
	}
	return rc;
}

int scap__segment_next(struct scap_reader *r)
{
	if (!r->end_seen && !r->cut_told) {
		r->cut_told = true;
		return scap__fail(&r->error, SCAP_EDAMAGED, r->in.input.offset,
				  "a capture has no end, its recorder was killed; another follows");
	}
	if (r->flags & SCAP_READER_SEGMENTS && !r->boundary_told) {
		r->boundary_told = true;
		return SCAP__NEXT_SEGMENT;
	}
	return begin(r);
}
