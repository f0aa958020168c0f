/* SPDX-License-Identifier: MIT */
/* The blocks of a .scap file: their frames, and who reads what. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "format/layout.h"
#include "savefile/translator.h"

#define HEAD_BYTES	8u
#define FRAME_BYTES	12u	/* type, length, and the length again at the end */
#define SHB		0x0a0d0d0au
#define SHB_MAGIC	0x1a2b3c4du
#define SHB_SWAPPED	0x4d3c2b1au
#define EVENT_MAX_BYTES	(64u << 10)	/* body and trailer of an event's block */
#define LARGE_PEEK_BYTES 64u

enum what { EVENT = 1, EVENT_FLAGS = 2, EVENT_V1 = 4, MACHINE = 8, PROCESSES = 16,
	    DESCRIPTORS = 32, USERS = 64 };

static const struct {
	uint32_t type;
	uint8_t what;
} kinds[] = {
	{ 0x204, EVENT | EVENT_V1 }, { 0x8010abcd, EVENT | EVENT_V1 },
	{ 0x208, EVENT | EVENT_V1 | EVENT_FLAGS },
	{ 0x216, EVENT }, { 0x217, EVENT | EVENT_FLAGS },
	{ 0x221, EVENT }, { 0x222, EVENT | EVENT_FLAGS },
	{ 0x201, MACHINE }, { 0x8002abcd, MACHINE },
	{ 0x202, PROCESSES }, { 0x207, PROCESSES }, { 0x209, PROCESSES }, { 0x210, PROCESSES },
	{ 0x211, PROCESSES }, { 0x212, PROCESSES }, { 0x213, PROCESSES }, { 0x214, PROCESSES },
	{ 0x215, PROCESSES }, { 0x8000abcd, PROCESSES }, { 0x8013abcd, PROCESSES },
	{ 0x8014abcd, PROCESSES },
	{ 0x203, DESCRIPTORS }, { 0x218, DESCRIPTORS }, { 0x8001abcd, DESCRIPTORS },
	{ 0x206, USERS }, { 0x220, USERS }, { 0x8012abcd, USERS },
};

static unsigned what_is(uint32_t type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].type == type)
			return kinds[i].what;
	return 0;	/* of interfaces, and unknown ones: passed over */
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static int input_failed(struct scap__savefile *sf, ssize_t code)
{
	const char *what = sf->in.what;

	return scap__sf_fatal(sf, (int)code, what ? what : strerror(-(int)code));
}

/* Exactly n bytes ahead, n below the window; or an error. */
static int look(struct scap__savefile *sf, size_t n, const uint8_t **ret_p)
{
	ssize_t got = scap__inflow_peek(&sf->in, n, ret_p);

	if (got < 0)
		return input_failed(sf, got);
	if ((size_t)got < n)
		return scap__sf_fatal(sf, SCAP_ETRUNCATED, "it is cut off inside a block");
	return 0;
}

static int pass_over(struct scap__savefile *sf, uint64_t left)
{
	while (left) {
		size_t n = left < SCAP__SF_WINDOW ? (size_t)left : SCAP__SF_WINDOW;
		const uint8_t *p;
		int rc = look(sf, n, &p);

		if (rc)
			return rc;
		scap__inflow_skip(&sf->in, n);
		left -= n;
	}
	return 0;
}

/* The length at the block's end must be that at its beginning. */
static int read_trailer(struct scap__savefile *sf, uint32_t total)
{
	const uint8_t *p;
	int rc = look(sf, 4, &p);

	if (rc)
		return rc;
	if (scap__le32(p) != total)
		scap__sf_damaged(sf, sf->in.offset, "a block's two lengths contradict each other");
	scap__inflow_skip(&sf->in, 4);
	return 0;
}

/* ---- the section's head ---------------------------------------------------------------------- */

static int not_one(struct scap__savefile *sf, int code, const char *what)
{
	if (sf->begun)
		return scap__sf_fatal(sf, SCAP_EDAMAGED, what);
	return scap__sf_fatal(sf, code, what);
}

/* A file may be several ones behind each other: then all begins anew. */
static int read_section(struct scap__savefile *sf, uint32_t total)
{
	const uint8_t *p;
	char text[80];
	int rc;

	if (total < FRAME_BYTES + 16)
		return not_one(sf, SCAP_ENOTSCAP, "its first block is too short");
	rc = look(sf, HEAD_BYTES + 16, &p);
	if (rc)
		return rc;
	p += HEAD_BYTES;
	if (scap__le32(p) == SHB_SWAPPED)
		return not_one(sf, SCAP_EVERSION, "it is from a machine of the other byte order");
	if (scap__le32(p) != SHB_MAGIC)
		return not_one(sf, SCAP_ENOTSCAP, "its first block is damaged");
	if (scap__le16(p + 4) > 1) {
		snprintf(text, sizeof(text), "it has version %u.%u; versions up to 1.x are read",
			 scap__le16(p + 4), scap__le16(p + 6));
		return not_one(sf, SCAP_EVERSION, text);
	}
	sf->minor = scap__le16(p + 6);
	if (sf->in_events) {
		rc = scap__sf_unfinished(sf);
		if (!rc)
			rc = scap__sf_flush(sf);
		scap__sf_state_clear(&sf->state);
		sf->users.n = sf->groups.n = 0;
		scap__sf_forget_names(sf);
	}
	sf->begun = true;
	sf->in_events = false;
	return rc ? rc : pass_over(sf, total - 4);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static size_t read_entry(struct scap__savefile *sf, unsigned what, struct scap__bytes b,
			 uint32_t type, uint64_t tid)
{
	switch (what) {
	case PROCESSES:
		return scap__sf_process(sf, b, type);
	case DESCRIPTORS:
		return scap__sf_descriptor(sf, b, type, tid);
	default:
		return scap__sf_user(sf, b, type);
	}
}

/* Entries until less than a length's bytes are left. Past a damaged one nothing can be found. */
static int read_entries(struct scap__savefile *sf, unsigned what, uint32_t type, uint64_t left,
			uint64_t tid)
{
	while (left >= 4) {
		size_t n = left < SCAP__SF_WINDOW / 2 ? (size_t)left : SCAP__SF_WINDOW / 2;
		uint64_t offset = sf->in.offset;
		const uint8_t *p;
		int rc = look(sf, n, &p);

		if (rc)
			return rc;
		n = read_entry(sf, what, (struct scap__bytes){ p, n, false }, type, tid);
		if (!n) {
			scap__sf_damaged(sf, offset, "an entry of a list does not fit into it");
			break;
		}
		scap__inflow_skip(&sf->in, n);
		left -= n;
	}
	return pass_over(sf, left);
}

static int read_list(struct scap__savefile *sf, unsigned what, uint32_t type, uint32_t total)
{
	uint64_t left = total - FRAME_BYTES, tid = 0;
	const uint8_t *p;
	int rc;

	scap__inflow_skip(&sf->in, HEAD_BYTES);
	if (what == DESCRIPTORS) {
		if (left < 8) {
			scap__sf_damaged(sf, sf->in.offset, "a list of descriptors is too short");
			return pass_over(sf, left);
		}
		rc = look(sf, 8, &p);
		if (rc)
			return rc;
		tid = scap__le64(p);
		scap__inflow_skip(&sf->in, 8);
		left -= 8;
	}
	rc = read_entries(sf, what, type, left, tid);
	return rc ? rc : read_trailer(sf, total);
}

static int read_machine(struct scap__savefile *sf, uint32_t total)
{
	size_t n = total - FRAME_BYTES;
	const uint8_t *p;
	int rc;

	if (n > SCAP__SF_WINDOW / 2)
		n = SCAP__SF_WINDOW / 2;
	rc = look(sf, HEAD_BYTES + n, &p);
	if (rc)
		return rc;
	if (!scap__sf_machine(sf, (struct scap__bytes){ p + HEAD_BYTES, n, false }))
		scap__sf_damaged(sf, sf->in.offset, "the description of the machine is too short");
	rc = pass_over(sf, total - 4);
	return rc ? rc : read_trailer(sf, total);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Lengths that fill the event: those of an old one, which does not say how many there are. */
static bool lengths_fill(const struct scap__bytes *b, unsigned n, unsigned width)
{
	uint64_t sum = (uint64_t)n * width;

	if (sum > b->n)
		return false;
	for (unsigned i = 0; i < n; i++)
		sum += width == 2 ? scap__le16(b->p + 2 * i) : scap__le32(b->p + 4 * i);
	return sum == b->n;
}

static bool count_params(const struct scap__bytes *b, unsigned type, unsigned width,
			 uint32_t *ret_n)
{
	for (unsigned n = scap__sf_type_params(type) + 1; n-- > 0;)
		if (lengths_fill(b, n, width)) {
			*ret_n = n;
			return true;
		}
	return false;
}

/* b: lengths and parameters. */
static bool get_params(struct scap__bytes b, struct scap__sf_event *ev, uint32_t n, unsigned width)
{
	const uint8_t *lengths;

	if (n > b.n / width)
		return false;
	lengths = scap__take(&b, (size_t)n * width);
	ev->n_params = n < SCAP__SF_PARAMS_MAX ? n : SCAP__SF_PARAMS_MAX;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t bytes = width == 2 ? scap__le16(lengths + 2 * i) :
					      scap__le32(lengths + 4 * i);
		const uint8_t *p = scap__take(&b, bytes);

		if (!p)
			return false;
		if (i < SCAP__SF_PARAMS_MAX)
			ev->params[i] = (struct scap__sf_param){ p, bytes };
	}
	return true;
}

static bool get_event(struct scap__bytes b, unsigned what, struct scap__sf_event *ev)
{
	uint32_t len, n = 0;
	unsigned width, head;

	ev->cpu = scap__get_u16(&b);
	ev->hidden = what & EVENT_FLAGS && scap__get_u32(&b) & 1;
	ev->ts = scap__get_u64(&b);
	ev->tid = scap__get_u64(&b);
	len = scap__get_u32(&b);
	ev->type = scap__get_u16(&b);
	head = what & EVENT_V1 ? 22 : 26;
	if (!(what & EVENT_V1))
		n = scap__get_u32(&b);
	if (b.bad || len < head || len - head > b.n || ev->ts >> 63)
		return false;
	b.n = len - head;
	width = scap__sf_type_is_large(ev->type) ? 4 : 2;
	if (!scap__sf_type_params(ev->type)) {
		ev->n_params = 0;	/* nobody will look at them */
		return true;
	}
	if (what & EVENT_V1 && !count_params(&b, ev->type, width, &n))
		return false;
	return get_params(b, ev, n, width);
}

/* The clock of the records never goes back, also where a section is older than that before it. */
static int first_event(struct scap__savefile *sf, struct scap__sf_event *ev)
{
	int rc;

	sf->ahead_ns = sf->rows.end_ns > ev->ts ? sf->rows.end_ns - ev->ts : 0;
	ev->ts += sf->ahead_ns;
	rc = scap__sf_begin(sf, ev->ts);
	sf->in_events = true;
	return rc ? rc : scap__sf_keyframe(sf, ev->ts);
}

/* Large events are none that have a record: only the first of their bytes are looked at. */
static int read_event(struct scap__savefile *sf, unsigned what, uint32_t total)
{
	uint64_t offset = sf->in.offset;
	size_t n = total - FRAME_BYTES;
	struct scap__sf_event ev;
	const uint8_t *p;
	bool large = total - HEAD_BYTES > EVENT_MAX_BYTES;
	int rc;

	if (large)
		n = LARGE_PEEK_BYTES;
	rc = look(sf, HEAD_BYTES + n, &p);
	if (rc)
		return rc;
	if (large) {
		sf->n_untranslated++;
	} else if (!get_event((struct scap__bytes){ p + HEAD_BYTES, n, false }, what, &ev)) {
		rc = scap__sf_damaged(sf, offset, "an event does not fit into its block");
	} else if (!scap__sf_has_record(sf, &ev)) {
		sf->n_untranslated++;
	} else {
		if (!sf->in_events)
			rc = first_event(sf, &ev);
		else
			ev.ts += sf->ahead_ns;
		if (!rc)
			rc = scap__sf_event(sf, &ev);
	}
	if (!rc)
		rc = pass_over(sf, total - 4);
	return rc ? rc : read_trailer(sf, total);
}

/* ---- all ------------------------------------------------------------------------------------- */

static int read_block(struct scap__savefile *sf, uint32_t type, uint32_t total)
{
	unsigned what = what_is(type);
	int rc;

	if (what & EVENT)
		return read_event(sf, what, total);
	if (what == MACHINE)
		return read_machine(sf, total);
	if (what && !sf->in_events)
		return read_list(sf, what, type, total);
	rc = pass_over(sf, total - 4);
	return rc ? rc : read_trailer(sf, total);
}

/* What it is that does not begin with a section's head. */
static const char *describe(const struct scap__savefile *sf, const uint8_t *p, size_t n)
{
	if (!scap__inflow_packed(&sf->in))
		return "it is cut off";
	if (n >= 4 && !memcmp(p, SCAP__FILE_MAGIC, 4))
		return "it is a capture that was compressed as a whole; decompress it first";
	return "what is compressed in it is something else";
}

int scap__sf_next_block(struct scap__savefile *sf)
{
	const uint8_t *p;
	ssize_t got = scap__inflow_peek(&sf->in, HEAD_BYTES, &p);
	uint32_t type, total;
	int rc;

	if (got < 0)
		return input_failed(sf, got);
	if (!got && sf->begun)
		return 1;
	if (!sf->begun && (got < 4 || scap__le32(p) != SHB))
		return scap__sf_fatal(sf, SCAP_ENOTSCAP, describe(sf, p, (size_t)got));
	rc = look(sf, HEAD_BYTES, &p);
	if (rc)
		return rc;
	type = scap__le32(p);
	total = scap__le32(p + 4);
	if (total < FRAME_BYTES || total % 4)
		return not_one(sf, SCAP_ENOTSCAP, "a block's length is wrong");
	if (type == SHB) {
		rc = read_section(sf, total);
		return rc ? rc : read_trailer(sf, total);
	}
	return read_block(sf, type, total);
}
