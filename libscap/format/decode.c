/* SPDX-License-Identifier: MIT */
#include "format/event.h"

#include <string.h>

#include "format/decode.h"

#define HEAD_BYTES sizeof(struct scap_rec)

static int bad(const char **ret_what, const char *text)
{
	*ret_what = text;
	return SCAP_EDAMAGED;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

static int decode_blob(struct scap__bytes *b, struct scap__blob *blob, const char **ret_what)
{
	uint32_t meta = scap__get_u32(b), pad;

	blob->orig_bytes = scap__get_u32(b);
	blob->slot = SCAP_BLOB_SLOT(meta);
	blob->state = SCAP_BLOB_STATE(meta);
	blob->bytes = SCAP_BLOB_BYTES(meta);
	pad = -blob->bytes & 7;
	blob->data = scap__take(b, (size_t)blob->bytes + pad);
	if (!blob->data)
		return bad(ret_what, "a parameter reaches beyond its record");
	if (!all_zero(blob->data + blob->bytes, pad))
		return bad(ret_what, "a parameter's padding is not zero");
	if (blob->slot >= SCAP_SLOTS)
		return bad(ret_what, "a parameter's slot is out of range");
	if (blob->state > SCAP_STATE_REDACTED)
		return bad(ret_what, "a parameter's state is unknown");
	if (blob->orig_bytes < blob->bytes)
		return bad(ret_what, "a parameter is longer than its original");
	return 0;
}

/* Blobs up to the record's end. */
int scap__decode_blobs(struct scap__bytes *b, struct scap_event *ev, const char **ret_what)
{
	if (b->bad)
		return bad(ret_what, "a record is shorter than its fields");
	while (b->n) {
		struct scap__blob *blob = &ev->blobs[ev->n_blobs];
		int rc;

		if (ev->n_blobs == SCAP_SLOTS)
			return bad(ret_what, "a record has too many parameters");
		rc = decode_blob(b, blob, ret_what);
		if (rc)
			return rc;
		if (ev->n_blobs && blob->slot <= blob[-1].slot)
			return bad(ret_what, "a record's parameters are out of order");
		ev->n_blobs++;
	}
	return 0;
}

static int decode_args(struct scap__bytes *b, struct scap_event *ev, uint8_t shape,
		       const char **ret_what)
{
	unsigned nargs = SCAP_SHAPE_NARGS(shape);

	if (shape >> 6 || nargs > 6)
		return bad(ret_what, "a call has more than six arguments");
	ev->abi = SCAP_SHAPE_ABI(shape);
	for (unsigned i = 0; i < nargs; i++)
		ev->args[i] = scap__get_u64(b);
	ev->nargs = nargs;
	return scap__decode_blobs(b, ev, ret_what);
}

/* Made-up names are made here; all others are found in the tables when asked for. */
static void name_call(struct scap_event *ev)
{
	const char *name;

	ev->sc = scap__syscall_lookup(ev->abi, ev->nr);
	if (ev->sc && ev->type == SCAP_REC_CALL)
		return;
	name = scap__event_type_name(ev->type, ev->abi, ev->nr, ev->name_buf,
				     sizeof(ev->name_buf));
	if (name != ev->name_buf)
		strcpy(ev->name_buf, name);
}

static int decode_call(struct scap__bytes *b, struct scap_event *ev, const char **ret_what)
{
	uint32_t latency;
	uint8_t shape;

	ev->tid = scap__get_u32(b);
	latency = scap__get_u32(b);
	ev->ret = (int32_t)scap__get_u32(b);
	ev->nr = scap__get_u16(b);
	shape = scap__get_u8(b);
	ev->more = scap__get_u8(b);
	if (ev->flags & SCAP_CALL_NR64)
		ev->nr = (int64_t)scap__get_u64(b);
	if (ev->flags & SCAP_CALL_RET64)
		ev->ret = (int64_t)scap__get_u64(b);
	if (ev->flags & SCAP_CALL_LAT64)
		ev->latency_ns = scap__get_u64(b);
	else if (latency != SCAP_LATENCY_UNKNOWN)
		ev->latency_ns = latency;
	if (ev->flags & SCAP_CALL_COOKIES) {
		ev->cookie = scap__get_u32(b);
		ev->cookie2 = scap__get_u32(b);
	}
	return decode_args(b, ev, shape, ret_what);
}

static int decode_enter(struct scap__bytes *b, struct scap_event *ev, const char **ret_what)
{
	uint8_t shape;

	ev->tid = scap__get_u32(b);
	ev->nr = scap__get_u16(b);
	shape = scap__get_u8(b);
	ev->more = scap__get_u8(b);
	return decode_args(b, ev, shape, ret_what);
}

static int decode_root(struct scap_event *ev, const char **ret_what)
{
	struct scap__thread *t = &ev->u.intro;
	const struct scap__blob *blob = &ev->blobs[0];

	if (!ev->n_blobs)
		return 0;
	if (ev->n_blobs > 1 || blob->slot != SCAP_SLOT_PATH)
		return bad(ret_what, "a thread has more than a root directory");
	t->root = (const char *)blob->data;
	t->root_bytes = blob->bytes;
	t->root_state = blob->state;
	return 0;
}

/* The fields of INTRO, with which KEY_TASK begins, too. */
static void decode_thread(struct scap__bytes *b, struct scap_event *ev)
{
	struct scap__thread *t = &ev->u.intro;
	const uint8_t *comm;

	memset(t, 0, sizeof(*t));	/* padding, too: introductions are compared whole */
	t->tid = ev->tid = scap__get_u32(b);
	t->tgid = scap__get_u32(b);
	t->ppid = scap__get_u32(b);
	t->vtid = scap__get_u32(b);
	t->vtgid = scap__get_u32(b);
	t->uid = scap__get_u32(b);
	t->euid = scap__get_u32(b);
	t->gid = scap__get_u32(b);
	t->egid = scap__get_u32(b);
	t->thread_flags = scap__get_u32(b);
	t->start_ns = scap__get_u64(b);
	t->cgroup_id = scap__get_u64(b);
	comm = scap__take(b, 16);
	if (comm)
		memcpy(t->comm, comm, 16);
	t->ns_pid = scap__get_u32(b);
	t->ns_mnt = scap__get_u32(b);
	t->ns_net = scap__get_u32(b);
	t->ns_user = scap__get_u32(b);
	t->ns_uts = scap__get_u32(b);
	t->ns_ipc = scap__get_u32(b);
	t->ns_cgroup = scap__get_u32(b);
	t->ns_time = scap__get_u32(b);
}

static int decode_intro(struct scap__bytes *b, struct scap_event *ev, const char **ret_what)
{
	int rc;

	decode_thread(b, ev);
	rc = scap__decode_blobs(b, ev, ret_what);
	return rc ? rc : decode_root(ev, ret_what);
}

static int decode_sock(const struct scap__blob *blob, struct scap__file *f, const char **ret_what)
{
	struct scap__bytes b = { blob->data, blob->bytes, false };
	const uint8_t *p = scap__take(&b, sizeof(f->sock));

	if (!p)
		return bad(ret_what, "a socket's description is too short");
	memcpy(&f->sock, p, sizeof(f->sock));
	f->sock.family = le16toh(f->sock.family);
	f->sock.type = le16toh(f->sock.type);
	f->sock.protocol = le16toh(f->sock.protocol);
	f->sock.local_port = le16toh(f->sock.local_port);
	f->sock.remote_port = le16toh(f->sock.remote_port);
	f->sock.peer_pid = le32toh(f->sock.peer_pid);
	f->sock.local_len = le16toh(f->sock.local_len);
	f->sock.remote_len = le16toh(f->sock.remote_len);
	f->sock.peer_ino = le32toh(f->sock.peer_ino);
	f->sun_local = scap__take(&b, f->sock.local_len);
	f->sun_remote = scap__take(&b, f->sock.remote_len);
	if (b.bad)
		return bad(ret_what, "a socket's address reaches beyond its record");
	return 0;
}

static int decode_file(struct scap__bytes *b, struct scap_event *ev, const char **ret_what)
{
	struct scap__file *f = &ev->u.file_rec;
	const struct scap__blob *blob;
	int rc;

	memset(f, 0, sizeof(*f));
	f->flags = ev->flags;
	f->cookie = ev->cookie = scap__get_u32(b);
	f->mode = scap__get_u32(b);
	f->dev = scap__get_u32(b);
	f->kind = scap__get_u16(b);
	scap__get_u16(b);
	f->ino = scap__get_u64(b);
	f->mnt_id = scap__get_u32(b);
	f->ns_mnt = scap__get_u32(b);
	rc = scap__decode_blobs(b, ev, ret_what);
	if (rc || !ev->n_blobs)
		return rc;
	blob = &ev->blobs[0];
	if (ev->n_blobs > 1)
		return bad(ret_what, "a file has two descriptions");
	if (blob->slot == SCAP_SLOT_SOCK)
		return decode_sock(blob, f, ret_what);
	if (blob->slot == SCAP_SLOT_PATH) {
		f->path = (const char *)blob->data;
		f->path_bytes = blob->bytes;
		f->path_state = blob->state;
	}
	return 0;
}

static int decode_gap(struct scap__bytes *b, struct scap_event *ev, const char **ret_what)
{
	uint64_t sum = 0;

	ev->u.gap.unexplained = ev->u.gap.at_end = false;
	ev->u.gap.first_ns = scap__get_u64(b);
	ev->u.gap.last_ns = scap__get_u64(b);
	ev->u.gap.first_seq = scap__get_u32(b);
	ev->u.gap.n_lost = scap__get_u32(b);
	ev->u.gap.n_tally = scap__get_u32(b);
	scap__get_u32(b);
	if (b->n != (uint64_t)ev->u.gap.n_tally * sizeof(struct scap_tally))
		return bad(ret_what, "a gap's tally does not fill its record");
	ev->u.gap.tally = scap__take(b, b->n);
	for (uint32_t i = 0; !b->bad && i < ev->u.gap.n_tally; i++)
		sum += scap__le32(ev->u.gap.tally + i * sizeof(struct scap_tally) + 4);
	if (!b->bad && sum != ev->u.gap.n_lost)
		return bad(ret_what, "a gap's tally does not sum up");
	return 0;
}

/* ---- keyframes ----------------------------------------------------------------------------- */

static int decode_key_task(struct scap__bytes *b, struct scap_event *ev, const char **ret_what)
{
	struct scap__key_task *t = &ev->u.key_task;

	decode_thread(b, ev);
	t->suid = scap__get_u32(b);
	t->sgid = scap__get_u32(b);
	t->fsuid = scap__get_u32(b);
	t->fsgid = scap__get_u32(b);
	t->cap_effective = scap__get_u64(b);
	t->cap_permitted = scap__get_u64(b);
	t->cap_inheritable = scap__get_u64(b);
	t->cap_bounding = scap__get_u64(b);
	t->cap_ambient = scap__get_u64(b);
	t->loginuid = scap__get_u32(b);
	t->audit_session = scap__get_u32(b);
	t->session = scap__get_u32(b);
	t->pgrp = scap__get_u32(b);
	t->tty = scap__get_u32(b);
	t->exit_code = scap__get_u32(b);
	t->n_threads = scap__get_u32(b);
	t->exe_cookie = ev->cookie = scap__get_u32(b);
	t->table = scap__get_u64(b);
	t->state = (char)scap__get_u8(b);
	t->cwd_flags = scap__get_u8(b);
	t->root_flags = scap__get_u8(b);
	scap__take(b, 5);
	if (!b->bad && (t->state < '!' || t->state > '~'))
		return bad(ret_what, "a task's state is no letter");
	return scap__decode_blobs(b, ev, ret_what);
}

static int decode_key_fd(struct scap__bytes *b, struct scap_event *ev)
{
	ev->tid = scap__get_u32(b);
	ev->u.key_fd.fd = scap__get_u32(b);
	ev->u.key_fd.start_ns = scap__get_u64(b);
	ev->u.key_fd.table = scap__get_u64(b);
	ev->u.key_fd.pos = scap__get_u64(b);
	ev->cookie = scap__get_u32(b);
	ev->u.key_fd.open_flags = scap__get_u32(b);
	return 0;
}

/* Its latency is how long it has been under way. */
static int decode_key_call(struct scap__bytes *b, struct scap_event *ev)
{
	uint64_t enter;

	ev->tid = scap__get_u32(b);
	ev->nr = (int32_t)scap__get_u32(b);
	ev->u.key_call.start_ns = scap__get_u64(b);
	ev->u.key_call.enter_ns = enter = scap__get_u64(b);
	for (unsigned i = 0; i < 6; i++)
		ev->args[i] = scap__get_u64(b);
	ev->nargs = 6;
	ev->abi = scap__get_u8(b);
	scap__take(b, 7);
	if (enter)
		ev->latency_ns = enter < ev->raw_ns ? ev->raw_ns - enter : 0;
	ev->sc = scap__syscall_lookup(ev->abi, ev->nr);
	strcpy(ev->name_buf, scap__rec_type_name(ev->type));
	return 0;
}

static int decode_key_end(struct scap__bytes *b, struct scap_event *ev)
{
	ev->u.key_end.n_tasks = scap__get_u32(b);
	ev->u.key_end.n_fds = scap__get_u32(b);
	ev->u.key_end.n_files = scap__get_u32(b);
	ev->u.key_end.n_calls = scap__get_u32(b);
	ev->u.key_end.n_gone = scap__get_u32(b);
	ev->u.key_end.n_changed = scap__get_u32(b);
	ev->u.key_end.begin_ns = scap__get_u64(b);
	ev->u.key_end.busy_ns = scap__get_u64(b);
	ev->u.key_end.lock_max_ns = scap__get_u64(b);
	return 0;
}

/* What the type does not have. The union, and arrays behind their counts, stay as they are. */
static void clear(struct scap_event *ev)
{
	ev->more = ev->abi = ev->nargs = ev->n_blobs = 0;
	ev->in_keyframe = false;
	ev->tid = 0;
	ev->nr = INT64_MIN;
	ev->sc = NULL;
	ev->ret = 0;
	ev->latency_ns = SCAP_LATENCY_NONE;
	ev->cookie = ev->cookie2 = 0;
	ev->name_buf[0] = 0;
}

static int decode_body(struct scap__bytes *b, struct scap_event *ev, const char **ret_what)
{
	switch (ev->type) {
	case SCAP_REC_CALL:
		return decode_call(b, ev, ret_what);
	case SCAP_REC_ENTER:
		return decode_enter(b, ev, ret_what);
	case SCAP_REC_INTRO:
		return decode_intro(b, ev, ret_what);
	case SCAP_REC_FILE:
		return decode_file(b, ev, ret_what);
	case SCAP_REC_GAP:
		return decode_gap(b, ev, ret_what);
	case SCAP_REC_KEY_TASK:
		return decode_key_task(b, ev, ret_what);
	case SCAP_REC_KEY_FD:
		return decode_key_fd(b, ev);
	case SCAP_REC_KEY_CALL:
		return decode_key_call(b, ev);
	case SCAP_REC_KEY_END:
		return decode_key_end(b, ev);
	}
	return scap__decode_event(b, ev, ret_what);
}

void scap__event_of_kind(struct scap_event *ev, unsigned type, unsigned abi, int64_t nr)
{
	*ev = (struct scap_event){ 0 };
	clear(ev);
	ev->type = (uint8_t)type;
	ev->abi = (uint8_t)abi;
	ev->nr = nr;
	if (type == SCAP_REC_CALL || type == SCAP_REC_ENTER)
		name_call(ev);
}

int scap__event_decode(const uint8_t *rec, size_t n, struct scap_event *ev, const char **ret_what)
{
	struct scap__bytes b = { rec, n, false };
	int rc;

	if (n < HEAD_BYTES || (size_t)scap__get_u16(&b) * 8 != n)
		return bad(ret_what, "a record's length is wrong");
	clear(ev);
	ev->type = scap__get_u8(&b);
	ev->flags = scap__get_u8(&b);
	ev->seq = scap__get_u32(&b);
	ev->raw_ns = scap__get_u64(&b);
	ev->rec = rec;
	ev->rec_bytes = n;
	if (!ev->type || ev->type >= SCAP_REC_TYPES)
		return bad(ret_what, "a record's type is out of range");
	rc = decode_body(&b, ev, ret_what);
	if (rc)
		return rc;
	if (b.bad)
		return bad(ret_what, "a record is shorter than its fields");
	if (b.n)
		return bad(ret_what, "a record is longer than its fields");
	if (ev->type == SCAP_REC_CALL || ev->type == SCAP_REC_ENTER)
		name_call(ev);
	return 0;
}
