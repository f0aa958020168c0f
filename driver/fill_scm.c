// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a socket message hands over: descriptors (SCM_RIGHTS) and credentials. No tracepoint shows
 * that; the control buffer is walked in user memory, as untrusted as all of it, at the call's exit.
 * A received descriptor is then in the caller's table, a sent one mostly still is. The record
 * carries the FILE of each, so that it can be read by itself.
 */
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/socket.h>

#include "encode.h"
#include "fill.h"
#include "ref.h"
#include "ring.h"
#include "ucopy.h"

#define MAX_MESSAGES	8
#define MAX_FDS		16	/* described; the kernel takes up to 253 */
#define MAX_BYTES	6144	/* less than what a path's blob leaves free in a record */
#define MIN_FILE	(sizeof(struct scap_scm_fd) + sizeof(struct scap_rec_file))

struct scm_cursor {
	u64 at, end;		/* in user memory */
	u8 *to;
	u32 used;
	u32 n_listed;
	unsigned int state;
	struct scap_scm *head;
};

struct cmsg_view {
	u64 len;		/* with its header */
	u32 head;		/* bytes of the header */
	u32 align;
	s32 level, type;
};

static bool read_cmsg(const struct kscap_scratch *s, u64 ptr, struct cmsg_view *v)
{
	if (s->abi == SCAP_ABI_I386) {
		u32 w[3];

		if (kscap_ucopy(w, ptr, sizeof(w)) < sizeof(w))
			return false;
		*v = (struct cmsg_view){ w[0], sizeof(w), sizeof(u32), w[1], w[2] };
	} else {
		u64 w[2];

		if (kscap_ucopy(w, ptr, sizeof(w)) < sizeof(w))
			return false;
		*v = (struct cmsg_view){ w[0], sizeof(w), sizeof(u64), (s32)w[1], w[1] >> 32 };
	}
	return true;
}

/* FILE, without its path where that does not fit. */
static u32 put_file(struct kscap_file_ref *ref, u8 *to, u32 room)
{
	u32 bytes = ref->bytes <= room ? ref->bytes : sizeof(ref->rec);

	memcpy(to, &ref->rec, bytes);
	kscap_rec_head((struct scap_rec *)to, bytes, SCAP_REC_FILE, ref->rec.h.flags, 0, 0);
	return bytes;
}

/* In the place of the second file, which a message does not have. */
static void put_fd(struct kscap_scratch *s, struct scm_cursor *c, s32 fd)
{
	struct scap_scm_fd *to = (struct scap_scm_fd *)(c->to + c->used);
	u32 left = MAX_BYTES - c->used - (MAX_FDS - 1 - c->n_listed) * MIN_FILE;
	u64 cookies = s->cookies;

	to->fd = fd;
	to->file_bytes = 0;
	s->cookies = 0;
	kscap_fd_ref(s, 1, fd);
	if (s->cookies) {
		kscap_file_fill(s, &s->refs[1]);
		to->file_bytes = put_file(&s->refs[1], (u8 *)(to + 1), left - sizeof(*to));
	}
	if (s->put & 2) {
		fput(s->refs[1].file);
		s->put &= ~2;
	}
	s->cookies = cookies;
	c->used += sizeof(*to) + to->file_bytes;
	c->n_listed++;
}

static void put_rights(struct kscap_scratch *s, struct scm_cursor *c, u64 ptr, u64 bytes)
{
	u32 n = bytes / sizeof(s32), i;
	s32 fd;

	c->head->n_fds += n;
	for (i = 0; i < n && c->n_listed < MAX_FDS; i++) {
		if (kscap_ucopy(&fd, ptr + i * sizeof(fd), sizeof(fd)) < sizeof(fd)) {
			c->state = SCAP_STATE_UNREADABLE;
			return;
		}
		put_fd(s, c, fd);
	}
}

static void put_creds(struct scm_cursor *c, u64 ptr, u64 bytes)
{
	u32 cred[3];

	if (bytes < sizeof(cred))
		return;
	if (kscap_ucopy(cred, ptr, sizeof(cred)) < sizeof(cred)) {
		c->state = SCAP_STATE_UNREADABLE;
		return;
	}
	c->head->flags |= SCAP_SCM_CREDS;
	c->head->pid = cred[0];
	c->head->uid = cred[1];
	c->head->gid = cred[2];
}

/* One control message; false: it was the last. */
static bool put_message(struct kscap_scratch *s, struct scm_cursor *c)
{
	struct cmsg_view v;
	u64 left = c->end - c->at;

	if (!read_cmsg(s, c->at, &v)) {
		c->state = SCAP_STATE_UNREADABLE;
		return false;
	}
	if (v.len < v.head || v.len > left)
		return false;
	if (v.level == SOL_SOCKET && v.type == SCM_RIGHTS)
		put_rights(s, c, c->at + v.head, v.len - v.head);
	else if (v.level == SOL_SOCKET && v.type == SCM_CREDENTIALS)
		put_creds(c, c->at + v.head, v.len - v.head);
	if (c->state || ALIGN(v.len, v.align) >= left)
		return false;
	c->at += ALIGN(v.len, v.align);
	return c->end - c->at >= v.head;
}

void kscap_scm_blob(struct kscap_scratch *s, u64 control, u64 bytes)
{
	struct scm_cursor c = { .at = control };
	int i;

	if (bytes < sizeof(u32) * 3 || check_add_overflow(control, bytes, &c.end))
		return;
	c.to = kscap_blob_begin(s, MAX_BYTES);
	if (!c.to)
		return;
	c.head = (struct scap_scm *)c.to;
	memset(c.head, 0, sizeof(*c.head));
	c.used = sizeof(*c.head);
	for (i = 0; i < MAX_MESSAGES && put_message(s, &c); i++)
		;
	if (!c.head->n_fds && !c.head->flags && !c.state)
		return;
	if (!c.state && c.n_listed < c.head->n_fds)
		c.state = SCAP_STATE_TRUNCATED;
	kscap_blob_end(s, SCAP_SLOT_SCM, c.state, c.used,
		       c.state ? SCAP_LEN_UNKNOWN : c.used);
}
