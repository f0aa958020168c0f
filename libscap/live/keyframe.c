/* SPDX-License-Identifier: MIT */
#include "live/keyframe.h"

#include <errno.h>
#include <scap/abi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PART_BYTES (1u << 20)		/* of rows in a section */
#define ROOM_BYTES (256u << 10)		/* for one call */
#define ROUND_NS 5000000
#define START_NS 50000000
#define FINISH_NS 2000000000

static uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* ---- when ----------------------------------------------------------------------------------- */

static uint64_t event_bytes(const struct scap__keyframer *k, const struct scap_writer *w)
{
	return scap_writer_bytes(w) - k->all_bytes;
}

static bool is_due(const struct scap__keyframer *k, const struct scap_writer *w,
		   uint64_t now_raw_ns)
{
	uint64_t since_ns = now_raw_ns - k->begin_raw_ns;

	if (k->wanted && !k->off && !k->busy)
		return true;
	if (k->off || k->busy || now_raw_ns < k->begin_raw_ns || since_ns < SCAP__KEYFRAME_MIN_NS)
		return false;
	return since_ns >= SCAP__KEYFRAME_MAX_NS ||
	       k->last_bytes < (event_bytes(k, w) - k->mark_bytes) / SCAP__KEYFRAME_SHARE;
}

static void begin(struct scap__keyframer *k, struct scap_live *l, const struct scap_writer *w,
		  uint64_t now_raw_ns)
{
	struct scap_live_clock clock;

	k->begin_raw_ns = now_raw_ns;
	k->buf = malloc(PART_BYTES + ROOM_BYTES);
	if (!k->buf || scap_live_clock(l, &clock) < 0) {
		free(k->buf);
		k->buf = NULL;
		k->off = true;
		return;
	}
	k->part = (struct scap_keyframe_part){
		.begin_ns = clock.raw_ns, .clock_raw_ns = clock.raw_ns, .real_ns = clock.real_ns,
		.boot_ns = clock.boot_ns, .number = ++k->number, .rows = k->buf,
	};
	k->mark_bytes = event_bytes(k, w);
	k->last_bytes = 0;
	k->at = (struct scap_live_keyframe){ { 0, 0 } };
	k->n = 0;
	k->n_ns = 0;
	k->wanted = false;
	k->busy = true;
}

/* ---- what it holds -------------------------------------------------------------------------- */

static void note_ns(struct scap__keyframer *k, uint32_t inum, uint32_t tgid)
{
	struct scap__mount_ns *ns = k->ns;

	while (ns < k->ns + k->n_ns && ns->inum != inum)
		ns++;
	if (ns == k->ns + SCAP__KEYFRAME_NS_MAX)
		return;
	if (ns == k->ns + k->n_ns) {
		k->n_ns++;
		*ns = (struct scap__mount_ns){ .inum = inum };
	}
	if (ns->n_tgids < SCAP__KEYFRAME_WITNESSES && (!ns->n_tgids || ns->tgids[0] != tgid))
		ns->tgids[ns->n_tgids++] = tgid;
}

/* Goes over new records: 0, or -EINVAL when they do not fill their bytes. */
static int visit(struct scap__keyframer *k, const uint8_t *p, size_t left)
{
	while (left) {
		const struct scap_rec_intro *who = (const void *)p;
		size_t n = left < sizeof(who->h) ? 0 : who->h.len8 * 8u;

		if (n < sizeof(who->h) || n > left)
			return -EINVAL;
		if (who->h.type == SCAP_REC_KEY_TASK && n >= sizeof(*who) && who->ns_mnt)
			note_ns(k, who->ns_mnt, who->tgid);
		p += n;
		left -= n;
	}
	return 0;
}

static int write_part(struct scap__keyframer *k, struct scap_writer *w)
{
	uint64_t before = scap_writer_bytes(w);
	int rc;

	k->part.bytes = k->n;
	rc = scap_writer_keyframe(w, &k->part);
	k->last_bytes += scap_writer_bytes(w) - before;
	k->all_bytes += scap_writer_bytes(w) - before;
	k->part.part++;
	k->n = 0;
	return rc;
}

static void close_buf(struct scap__keyframer *k)
{
	free(k->buf);
	k->buf = NULL;
	k->busy = false;
}

static uint32_t get_texts(const struct scap__keyframer *k, struct scap_keyframe_text *texts)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < k->n_ns; i++)
		n += !scap__host_mounts(&k->ns[i], &texts[n]);
	n += !scap__host_names(SCAP_KEYFRAME_USERS, "/etc/passwd", &texts[n]);
	n += !scap__host_names(SCAP_KEYFRAME_GROUPS, "/etc/group", &texts[n]);
	return n;
}

/* The last part, with the texts; incomplete: the module did not tell it to its end. */
static int end(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w,
	       bool incomplete)
{
	struct scap_keyframe_text texts[SCAP__KEYFRAME_NS_MAX + 2];
	struct scap_live_clock clock = { 0 };
	uint32_t n = get_texts(k, texts);
	int rc;

	scap_live_clock(l, &clock);
	k->part.end_ns = clock.raw_ns;
	k->part.flags = SCAP_KEYFRAME_LAST | (incomplete ? SCAP_KEYFRAME_INCOMPLETE : 0);
	k->part.texts = texts;
	k->part.n_texts = n;
	rc = write_part(k, w);
	k->part.texts = NULL;
	while (n--)
		free((void *)texts[n].data);
	close_buf(k);
	return rc;
}

/* ---- taking it ------------------------------------------------------------------------------ */

/* One call to the module. Where it fails, the keyframe ends early: recording goes on. */
static int advance(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w)
{
	size_t bytes = 0;
	int rc = scap_live_keyframe(l, &k->at, k->buf + k->n, ROOM_BYTES, &bytes), write_rc = 0;

	if (rc == -ENOTTY && !k->part.part && !k->n) {
		k->off = true;
		k->number = 0;
		close_buf(k);
		return 0;
	}
	if (rc < 0 || visit(k, k->buf + k->n, bytes) < 0)
		return end(k, l, w, true);
	k->n += bytes;
	if (rc > 0)
		return end(k, l, w, false);
	if (k->n > PART_BYTES)
		write_rc = write_part(k, w);
	return write_rc;
}

static int advance_for(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w,
		       uint64_t ns)
{
	uint64_t until = mono_ns() + ns;
	int rc = 0;

	do {
		if (!k->busy)
			break;
		rc = advance(k, l, w);
	} while (!rc && mono_ns() < until);
	return rc;
}

int scap__keyframer_start(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w,
			  uint64_t now_raw_ns)
{
	begin(k, l, w, now_raw_ns);
	return advance_for(k, l, w, START_NS);
}

int scap__keyframer_round(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w,
			  uint64_t now_raw_ns)
{
	if (is_due(k, w, now_raw_ns))
		begin(k, l, w, now_raw_ns);
	return advance_for(k, l, w, ROUND_NS);
}

int scap__keyframer_finish(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w)
{
	int rc = advance_for(k, l, w, FINISH_NS);

	if (!rc && k->busy)
		rc = end(k, l, w, true);
	return rc;
}

int scap__keyframer_cut(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w)
{
	return k->busy ? end(k, l, w, true) : 0;
}

int scap__keyframer_next(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w,
			 uint64_t now_raw_ns)
{
	if (k->off)
		return 0;
	k->number = 0;
	k->all_bytes = 0;
	begin(k, l, w, now_raw_ns);
	return advance_for(k, l, w, ROUND_NS);
}

void scap__keyframer_fini(struct scap__keyframer *k)
{
	close_buf(k);
}
