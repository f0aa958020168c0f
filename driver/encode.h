/* SPDX-License-Identifier: GPL-2.0-only */
/* Parameters of variable length, as the roles of a call's row ask for them. */
#ifndef KSCAP_ENCODE_H
#define KSCAP_ENCODE_H

#include <linux/align.h>
#include <linux/types.h>

#include "capture.h"
#include "consumer.h"
#include "ucopy.h"

/* A call's blobs; s->row, abi, args, ret, io_class are set. */
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
		((u64 *)blob)[end] &= (__force u64)cpu_to_le64(~0ULL >> (64 - bytes % 8 * 8));
	s->bytes += (1 + end) * 8;
}

/*
 * The blobs of the frequent roles, written at `at`, where there is room; they return the place
 * behind. For the fast way, which has neither scratch memory nor a record's length in memory.
 */
#ifdef __LITTLE_ENDIAN
#define KSCAP_BLOB_WORD(meta, orig)	((u64)(orig) << 32 | (u32)(meta))
#else
#define KSCAP_BLOB_WORD(meta, orig)	((u64)(meta) << 32 | (u32)(orig))
#endif

static __always_inline u64 *kscap_put_blob_end(u64 *at, unsigned int slot, unsigned int state,
					       u32 bytes, u32 orig_bytes)
{
	at[0] = KSCAP_BLOB_WORD(SCAP_BLOB_META(slot, state, bytes), orig_bytes);
	at += 1 + bytes / 8;
	if (bytes % 8)
		*at++ &= (__force u64)cpu_to_le64(~0ULL >> (64 - bytes % 8 * 8));
	return at;
}

static __always_inline u64 *kscap_put_str(u64 *at, unsigned int slot, u64 ptr)
{
	int len = kscap_ucopy_short_str(at + 1, ptr);
	unsigned int state;
	u64 got;

	if (len >= 0) {
		at[0] = KSCAP_BLOB_WORD(SCAP_BLOB_META(slot, SCAP_STATE_WHOLE, len), len);
		return at + 1 + !!len;
	}
	got = kscap_ucopy_str((char *)(at + 1), ptr, SCAP_PATH_MAX_BYTES);
	state = KSCAP_STR_STATE(got);
	return kscap_put_blob_end(at, slot, state, KSCAP_STR_LEN(got),
				  likely(state == SCAP_STATE_WHOLE) ? KSCAP_STR_LEN(got) :
				  SCAP_LEN_UNKNOWN);
}

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

/* len: as kscap_buffer_len() says. The last word's zeros come first: they are a store, no mask. */
static __always_inline u64 *kscap_put_buffer(u64 *at, unsigned int slot, u64 ptr, u32 len,
					     u32 snaplen)
{
	u32 want = min(len, snaplen), end = (want + 7) / 8, copied;

	at[end] = 0;
	copied = kscap_ucopy_inline(at + 1, ptr, want);
	if (unlikely(copied < want))
		return kscap_put_blob_end(at, slot, SCAP_STATE_UNREADABLE, copied, len);
	at[0] = KSCAP_BLOB_WORD(SCAP_BLOB_META(slot, want < len ? SCAP_STATE_TRUNCATED :
					       SCAP_STATE_WHOLE, want), len);
	return at + 1 + end;
}

/* How much I/O there is in a buffer of these roles; MSG_TRUNC: the result may be more. */
static __always_inline u32 kscap_buffer_len(u8 role, s64 ret, u64 size)
{
	if (unlikely(ret < 0))
		return kscap_orig_of(size);
	return role == SCAP_ROLE_BUF_IN ? ret : min_t(u64, ret, size);
}

/* A string from user memory, a string of the kernel's, n bytes from user memory. */
void kscap_blob_user_str(struct kscap_scratch *s, unsigned int slot, u64 ptr);
void kscap_blob_str(struct kscap_scratch *s, unsigned int slot, const char *str);
void kscap_blob_user(struct kscap_scratch *s, unsigned int slot, u64 ptr, u64 orig, u32 max);

/* ---- I/O data ---- */

/* len bytes of user memory, as far as the largest snaplen of their class goes. */
void kscap_io_buffer(struct kscap_scratch *s, unsigned int slot, u64 ptr, u64 len);

/* Remembers where I/O data lies, for consumers that want less of it. */
static __always_inline void kscap_io_blob_end(struct kscap_scratch *s, unsigned int slot,
					      u32 copied, u32 wanted, u64 orig)
{
	s->io_at = s->bytes;
	s->io_bytes = copied;
	kscap_blob_end(s, slot, kscap_state_of(copied, wanted, orig), copied, kscap_orig_of(orig));
}

#endif
