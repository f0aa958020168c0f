/* SPDX-License-Identifier: MIT */
#include "filter/scm.h"

#include "core/bytes.h"
#include "filter/value.h"
#include "format/intro.h"

struct scm_head {
	uint32_t flags, n_fds, pid, uid, gid;
};

/* The rest of b are the descriptors; all zeros for a blob that is too short. */
static struct scm_head take_head(struct scap__bytes *b)
{
	struct scm_head h = { .flags = scap__get_u32(b) };

	h.n_fds = scap__get_u32(b);
	h.pid = scap__get_u32(b);
	h.uid = scap__get_u32(b);
	h.gid = scap__get_u32(b);
	scap__get_u32(b);
	return b->bad ? (struct scm_head){ 0 } : h;
}

static struct scm_head head_of(const struct scap__blob *blob)
{
	struct scap__bytes b = { blob->data, blob->bytes, false };

	return take_head(&b);
}

bool scap__scm_has_fds(const struct scap__blob *b)
{
	/* What could not be read may have had some. */
	return head_of(b).n_fds || b->state == SCAP_STATE_UNREADABLE;
}

bool scap__scm_has_creds(const struct scap__blob *b)
{
	return head_of(b).flags & SCAP_SCM_CREDS;
}

/* The file of a record in the blob; false: it is none. */
static bool decode_file(const uint8_t *rec, uint32_t n, struct scap__file *ret)
{
	struct scap_event ev;
	const char *what;

	if (!rec || scap__event_decode(rec, n, &ev, &what) || ev.type != SCAP_REC_FILE)
		return false;
	*ret = ev.u.file_rec;
	return true;
}

/* One descriptor; false: the blob ends, or is not what it should be. */
static bool out_one(struct scap__out *o, const struct scap_event *ev, struct scap__bytes *b)
{
	int32_t fd = (int32_t)scap__get_u32(b);
	uint32_t n = scap__get_u32(b);
	const uint8_t *rec = n ? scap__take(b, n) : NULL;
	struct scap__file f, seen;

	if (b->bad)
		return false;
	if (decode_file(rec, n, &f))
		scap__out_fd(o, fd, scap__file_as_seen(ev->thread, &f, &seen));
	else
		scap__out_fd(o, fd, NULL);
	return true;
}

void scap__out_scm_fds(struct scap__out *o, const struct scap_event *ev,
		       const struct scap__blob *blob)
{
	struct scap__bytes b = { blob->data, blob->bytes, false };
	struct scm_head h = take_head(&b);

	scap__out_char(o, '[');
	for (bool first = true; b.n; first = false) {
		if (!first)
			scap__out_lit(o, ", ");
		if (!out_one(o, ev, &b))
			break;
	}
	scap__out_char(o, ']');
	if (blob->state == SCAP_STATE_UNREADABLE) {
		scap__out_lit(o, "<unreadable>");
	} else if (blob->state != SCAP_STATE_WHOLE || b.bad) {
		scap__out_lit(o, "...(");
		scap__out_uint(o, h.n_fds);
		scap__out_char(o, ')');
	}
}

void scap__out_scm_creds(struct scap__out *o, const struct scap__blob *b)
{
	struct scm_head h = head_of(b);

	scap__out_lit(o, "{pid=");
	scap__out_int(o, (int32_t)h.pid);
	scap__out_lit(o, ", uid=");
	scap__out_uint(o, h.uid);
	scap__out_lit(o, ", gid=");
	scap__out_uint(o, h.gid);
	scap__out_char(o, '}');
}
