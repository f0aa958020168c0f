/* SPDX-License-Identifier: GPL-2.0-only */
/* Parameters of variable length, as the roles of a call's row ask for them. */
#ifndef KSCAP_ENCODE_H
#define KSCAP_ENCODE_H

#include <linux/align.h>
#include <linux/types.h>

#include "capture.h"
#include "consumer.h"
#include "ucopy.h"

/* Adds the blobs of all arguments that have one; s->row, abi, args, ret are set. */
void kscap_encode_blobs(struct kscap_scratch *s);

/* ---- for the fill_*.c ---- */

/*
 * Room for a blob of up to `bytes` bytes; NULL: no room left. Write the data, then end it with
 * what was really captured.
 */
static __always_inline void *kscap_blob_begin(struct kscap_scratch *s, u32 bytes)
{
	if (unlikely(s->bytes + sizeof(struct scap_blob) + ALIGN(bytes, 8) > s->room))
		return NULL;
	return (u8 *)s->rec + s->bytes + sizeof(struct scap_blob);
}

/* The last word's unused bytes are cleared at once. */
static __always_inline void kscap_blob_end(struct kscap_scratch *s, unsigned int slot,
					   unsigned int state, u32 bytes, u32 orig_bytes)
{
	struct scap_blob *blob = (struct scap_blob *)((u8 *)s->rec + s->bytes);
	u32 end = (bytes + 7) / 8;

	blob->meta = SCAP_BLOB_META(slot, state, bytes);
	blob->orig_bytes = orig_bytes;
	if (bytes % 8)
		((u64 *)blob)[end] &= cpu_to_le64(~0ULL >> (64 - bytes % 8 * 8));
	s->bytes += (1 + end) * 8;
}

static __always_inline void kscap_user_str_inline(struct kscap_scratch *s, unsigned int slot,
						  u64 ptr)
{
	char *to = kscap_blob_begin(s, SCAP_PATH_MAX_BYTES);
	unsigned int state;
	u64 got;

	if (!to)
		return;
	got = kscap_ucopy_str(to, ptr, SCAP_PATH_MAX_BYTES);
	state = KSCAP_STR_STATE(got);
	kscap_blob_end(s, slot, state, KSCAP_STR_LEN(got),
		       state == SCAP_STATE_WHOLE ? KSCAP_STR_LEN(got) : SCAP_LEN_UNKNOWN);
}

/* A string from user memory, a string of the kernel's, n bytes from user memory. */
void kscap_blob_user_str(struct kscap_scratch *s, unsigned int slot, u64 ptr);
void kscap_blob_str(struct kscap_scratch *s, unsigned int slot, const char *str);
void kscap_blob_user(struct kscap_scratch *s, unsigned int slot, u64 ptr, u64 orig, u32 max);

/* ---- I/O data ---- */

static __always_inline unsigned int kscap_state_of(u32 copied, u32 wanted, u64 orig)
{
	if (copied < wanted)
		return SCAP_STATE_UNREADABLE;
	return wanted < orig ? SCAP_STATE_TRUNCATED : SCAP_STATE_WHOLE;
}

static __always_inline u32 kscap_orig_of(u64 n)
{
	return min_t(u64, n, SCAP_LEN_UNKNOWN);
}

/* Remembers where I/O data lies, for consumers that want less of it. */
static __always_inline void kscap_io_blob_end(struct kscap_scratch *s, unsigned int slot,
					      u32 copied, u32 wanted, u64 orig)
{
	s->io_at = s->bytes;
	s->io_bytes = copied;
	kscap_blob_end(s, slot, kscap_state_of(copied, wanted, orig), copied, kscap_orig_of(orig));
}

static __always_inline void kscap_io_buffer(struct kscap_scratch *s, unsigned int slot, u64 ptr,
					    u64 len)
{
	u32 want = min_t(u64, len, READ_ONCE(kscap_max_snaplen));
	void *to = kscap_blob_begin(s, want);

	if (to)
		kscap_io_blob_end(s, slot, kscap_ucopy_inline(to, ptr, want), want, len);
}

/* Blobs of the calls that are made most, without a call; all others in encode.c. */
static __always_inline void kscap_encode_call(struct kscap_scratch *s)
{
	const struct kscap_row *row = s->row;
	int i = row->blob_arg;
	u8 role;

	if (unlikely(i < 0)) {
		kscap_encode_blobs(s);
		return;
	}
	role = row->role[i];
	if (role == SCAP_ROLE_PATH)
		kscap_user_str_inline(s, i, s->args[i]);
	else if (role == SCAP_ROLE_BUF_OUT && s->ret <= 0)
		return;
	else if (role == SCAP_ROLE_BUF_OUT)
		kscap_io_buffer(s, i, s->args[i], min_t(u64, s->ret, s->args[i + 1]));
	else if (role == SCAP_ROLE_BUF_IN && s->ret >= 0)
		kscap_io_buffer(s, i, s->args[i], s->ret);
	else
		kscap_encode_blobs(s);
}

#endif
