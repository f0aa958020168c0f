/* SPDX-License-Identifier: GPL-2.0-only */
/* Parameters of variable length, as the roles of a call's row ask for them. */
#ifndef KSCAP_ENCODE_H
#define KSCAP_ENCODE_H

#include <linux/types.h>

#include "capture.h"

/* Adds the blobs of all arguments that have one; s->row, abi, args, ret are set. */
void kscap_encode_blobs(struct kscap_scratch *s);

/* ---- for the fill_*.c ---- */

/*
 * Room for a blob of up to `bytes` bytes; NULL: no room left. Write the data, then end it with
 * what was really captured.
 */
void *kscap_blob_begin(struct kscap_scratch *s, u32 bytes);
void kscap_blob_end(struct kscap_scratch *s, unsigned int slot, unsigned int state, u32 bytes,
		    u32 orig_bytes);
/* A string from user memory, a string of the kernel's, n bytes from user memory. */
void kscap_blob_user_str(struct kscap_scratch *s, unsigned int slot, u64 ptr);
void kscap_blob_str(struct kscap_scratch *s, unsigned int slot, const char *str);
void kscap_blob_user(struct kscap_scratch *s, unsigned int slot, u64 ptr, u64 orig, u32 max);

#endif
