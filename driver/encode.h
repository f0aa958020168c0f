/* SPDX-License-Identifier: GPL-2.0-only */
/* Parameters of variable length, as the roles of a call's row ask for them. */
#ifndef KSCAP_ENCODE_H
#define KSCAP_ENCODE_H

#include <linux/align.h>
#include <linux/types.h>

#include "capture.h"
#include "consumer.h"
#include "ucopy.h"

/* The blobs of calls that have several, and of exec; s->row, abi, args, ret are set. */
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

/* All other roles. */
void kscap_encode_rare(struct kscap_scratch *s, unsigned int i, u8 role);

/*
 * The blob of argument i. Under retpolines a switch is a chain of comparisons: the frequent roles
 * come first, and are done without a call.
 */
static __always_inline void kscap_encode_arg(struct kscap_scratch *s, unsigned int i, u8 role)
{
	if (role == SCAP_ROLE_PATH) {
		kscap_user_str_inline(s, i, s->args[i]);
	} else if (role == SCAP_ROLE_BUF_OUT) {
		/* MSG_TRUNC: the result may be more than the buffer holds. */
		if (s->ret > 0)
			kscap_io_buffer(s, i, s->args[i], min_t(u64, s->ret, s->args[i + 1]));
	} else if (role == SCAP_ROLE_BUF_IN) {
		kscap_io_buffer(s, i, s->args[i], s->ret >= 0 ? s->ret : s->args[i + 1]);
	} else {
		kscap_encode_rare(s, i, role);
	}
}

/* All blobs of a call: mostly there is one. */
static __always_inline void kscap_encode_call(struct kscap_scratch *s)
{
	const struct kscap_row *row = s->row;

	if (likely(row->blob_arg >= 0))
		kscap_encode_arg(s, row->blob_arg, row->role[row->blob_arg]);
	else
		kscap_encode_blobs(s);
}

#endif
