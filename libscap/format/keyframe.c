/* SPDX-License-Identifier: MIT */
/* KEYFRAME sections: what they say is checked when they are read, and then delivered on demand. */
#include <errno.h>

#include "core/error.h"
#include "format/reader.h"

/* A keyframe has no CPUs; introductions are looked up for one. */
#define NO_CPU 0

static int damaged(struct scap_reader *r, const struct scap__section *sec, const char *what)
{
	return scap__fail(&r->error, SCAP_EDAMAGED, sec->offset, "a keyframe is damaged: %s", what);
}

struct header {
	uint64_t row_bytes;
	uint32_t number, part, flags, n_records, first_seq, n_texts;
	struct scap__clock clock;
};

static bool get_header(struct scap__bytes *b, struct header *h)
{
	scap__get_u64(b);
	scap__get_u64(b);
	h->clock.raw_ns = scap__get_u64(b);
	h->clock.real_ns = scap__get_u64(b);
	h->clock.known = h->clock.real_ns != 0;
	scap__get_u64(b);
	h->row_bytes = scap__get_u64(b);
	h->number = scap__get_u32(b);
	h->part = scap__get_u32(b);
	h->flags = scap__get_u32(b);
	h->n_records = scap__get_u32(b);
	h->first_seq = scap__get_u32(b);
	h->n_texts = scap__get_u32(b);
	return !b->bad && h->row_bytes <= b->n && h->row_bytes % SCAP__ALIGN == 0 && h->number;
}

/* Does this part follow the one before it? *ret_skip: that one was damaged, so pass over it. */
static const char *follow(struct scap_reader *r, const struct header *h, bool *ret_skip)
{
	struct scap__keyframe *key = &r->key;

	/* Its first parts lie before the place that was sought. */
	*ret_skip = r->sought && h->part && !key->number;
	if (*ret_skip)
		return NULL;
	if (h->part == 0 && h->first_seq == 0 && h->number > key->number && !key->open)
		return NULL;
	if (key->open && h->number == key->number && h->part == key->next_part &&
	    (!h->n_records || h->first_seq == key->next_seq))
		return NULL;
	if (h->part == 0 && h->first_seq == 0 && h->number > key->number) {
		/* The last part of the one before is missing. */
		if (r->damage_seen)
			return NULL;
		key->open = false;
		return "its last part is missing";
	}
	*ret_skip = r->damage_seen;
	return "its parts do not follow each other";
}

static bool is_keyframe_type(unsigned type)
{
	return type == SCAP_REC_FILE || type >= SCAP_REC_KEY_TASK;
}

static void count(struct scap_reader *r, unsigned type)
{
	struct scap_capture_info *info = &r->info;

	if (info->n_keyframes > 1)
		return;
	info->keyframe_tasks += type == SCAP_REC_KEY_TASK;
	info->keyframe_fds += type == SCAP_REC_KEY_FD;
	info->keyframe_calls += type == SCAP_REC_KEY_CALL;
}

/* Whole records, numbered one by one, as many as the header says. */
static bool check_rows(struct scap__bytes b, const struct header *h)
{
	uint32_t n = 0;

	while (b.n) {
		const uint8_t *rec = b.p;
		size_t bytes;

		if (b.n < sizeof(struct scap_rec))
			return false;
		bytes = (size_t)scap__le16(rec) * 8;
		if (bytes < sizeof(struct scap_rec) || !scap__take(&b, bytes) ||
		    !is_keyframe_type(rec[2]) || scap__le32(rec + 4) != h->first_seq + n)
			return false;
		n++;
	}
	return n == h->n_records;
}

/* One text, which ends before a NUL of its padding; false: they contradict themselves. */
static bool get_text(struct scap__bytes *b, struct scap_keyframe_text *ret)
{
	uint32_t pad;

	ret->kind = scap__get_u16(b);
	ret->state = scap__get_u16(b);
	ret->bytes = scap__get_u32(b);
	ret->key = scap__get_u64(b);
	ret->data = scap__take(b, ret->bytes);
	pad = SCAP__ALIGN - (uint32_t)(ret->bytes % SCAP__ALIGN);
	for (const uint8_t *p = scap__take(b, pad); p && pad; pad--)
		if (*p++)
			return false;
	return !b->bad && ret->state <= SCAP_STATE_REDACTED;
}

static bool check_texts(struct scap__bytes b, const struct header *h)
{
	struct scap_keyframe_text text;

	for (uint32_t i = 0; i < h->n_texts; i++)
		if (!get_text(&b, &text))
			return false;
	return !b.n;
}

static void accept(struct scap_reader *r, const struct scap__section *sec, const struct header *h,
		   struct scap__bytes rows)
{
	struct scap__keyframe *key = &r->key;

	if (!h->part) {
		r->info.n_keyframes++;
		key->next_seq = 0;
		/* Names of the keyframe before do not count. */
		scap__intros_enter_epoch(&key->intros, h->number);
	}
	r->info.keyframe_bytes += sec->stored_bytes + sizeof(struct scap__section_header);
	key->number = h->number;
	key->next_part = h->part + 1;
	if (h->n_records)
		key->next_seq = h->first_seq + h->n_records;
	key->open = !(h->flags & SCAP_KEYFRAME_LAST);
	key->clock = h->clock.known ? h->clock : r->host_clock;
	while (rows.n) {
		count(r, rows.p[2]);
		scap__take(&rows, (size_t)scap__le16(rows.p) * 8);
	}
}

int scap__keyframe_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p)
{
	struct scap__bytes b = { p, (size_t)sec->raw_bytes, false }, rows;
	struct header h;
	const char *what;
	bool skip;

	if (!get_header(&b, &h))
		return damaged(r, sec, "its header does not fit");
	rows = (struct scap__bytes){ b.p, (size_t)h.row_bytes, false };
	scap__take(&b, (size_t)h.row_bytes);
	if (!check_rows(rows, &h))
		return damaged(r, sec, "its records contradict its header");
	if (!check_texts(b, &h))
		return damaged(r, sec, "its texts do not fit");
	what = follow(r, &h, &skip);
	if (skip)
		return 0;
	if (what)
		return damaged(r, sec, what);
	accept(r, sec, &h, rows);
	if (r->flags & SCAP_READER_KEYFRAMES) {
		r->key.rows = rows;
		r->key.texts = b;
		r->key.n_texts = h.n_texts;
	}
	return 0;
}

static uint64_t wall_ns(const struct scap__clock *c, uint64_t raw_ns)
{
	return c->known ? c->real_ns + (raw_ns - c->raw_ns) : raw_ns;
}

static int attach_names(struct scap_reader *r)
{
	struct scap_event *ev = &r->ev;
	int rc = 0;

	if (ev->type == SCAP_REC_FILE)
		return scap__intros_add(&r->key.intros, ev);
	if (ev->type == SCAP_REC_KEY_TASK)
		rc = scap__intros_add(&r->key.intros, ev);
	scap__intros_attach(&r->key.intros, ev);
	return rc;
}

int scap__keyframe_next(struct scap_reader *r)
{
	struct scap__keyframe *key = &r->key;
	const char *what = NULL;

	while (key->rows.n) {
		size_t bytes = (size_t)scap__le16(key->rows.p) * 8;
		int rc = scap__event_decode(scap__take(&key->rows, bytes), bytes, &r->ev, &what);

		if (rc > 0)
			continue;
		if (rc < 0)
			return scap__fail(&r->error, SCAP_EDAMAGED, r->in.input.offset,
					  "a keyframe is damaged: %s", what);
		r->ev.num = 0;
		r->ev.cpu = r->ev.ring = NO_CPU;
		r->ev.in_keyframe = true;
		r->ev.wall_ns = wall_ns(&key->clock, r->ev.raw_ns);
		rc = attach_names(r);
		if (!rc)
			return 0;
		return scap__reader_no_memory(r, rc);
	}
	key->texts.n = 0;
	return 1;
}

int scap_reader_keyframe_text(const struct scap_reader *r, unsigned i,
			      struct scap_keyframe_text *ret_text)
{
	struct scap__bytes b = r->key.texts;
	struct scap_keyframe_text text;

	if (!b.n || r->key.rows.n || i >= r->key.n_texts)
		return 1;
	do
		get_text(&b, &text);
	while (i--);
	*ret_text = text;
	return 0;
}
