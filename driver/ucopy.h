/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every read of user memory. From probes, in atomic context: page faults are disabled, a page
 * that is not there ends the copy. Addresses are those of current->mm.
 */
#ifndef KSCAP_UCOPY_H
#define KSCAP_UCOPY_H

#include <asm/word-at-a-time.h>
#include <linux/mm.h>
#include <linux/types.h>
#include <linux/uaccess.h>

u32 kscap_ucopy_tail(char *dst, u64 src, u32 n);

/* kscap_ucopy() for the hot path. */
static __always_inline u32 kscap_ucopy_inline(void *dst, u64 src, u32 n)
{
	const char __user *from = (const char __user *)(unsigned long)src;
	u32 left = n;
	char *to = dst;

	if (unlikely(!n))
		return 0;
	pagefault_disable();
	if (unlikely(!user_access_begin(from, n))) {
		pagefault_enable();
		return 0;
	}
	for (; left >= 32; left -= 32, to += 32, from += 32) {
		unsafe_get_user(*(u64 *)to, (const u64 __user *)from, out);
		unsafe_get_user(*(u64 *)(to + 8), (const u64 __user *)(from + 8), out);
		unsafe_get_user(*(u64 *)(to + 16), (const u64 __user *)(from + 16), out);
		unsafe_get_user(*(u64 *)(to + 24), (const u64 __user *)(from + 24), out);
	}
	for (; left >= 8; left -= 8, to += 8, from += 8)
		unsafe_get_user(*(u64 *)to, (const u64 __user *)from, out);
	if (left & 4) {
		unsafe_get_user(*(u32 *)to, (const u32 __user *)from, out);
		left -= 4;
		to += 4;
		from += 4;
	}
	for (; left; left--, to++, from++)
		unsafe_get_user(*to, from, out);
out:
	user_access_end();
	if (unlikely(left))
		left -= kscap_ucopy_tail(to, (unsigned long)from, left);
	pagefault_enable();
	return n - left;
}

/* Bytes copied, at most n; fewer: the memory faulted there. */
u32 kscap_ucopy(void *dst, u64 src, u32 n);
/*
 * A string without its NUL, at most max bytes: KSCAP_STR_LEN() and KSCAP_STR_STATE() of the result
 * (TRUNCATED: max reached before the NUL; UNREADABLE: faulted behind the bytes copied). In one
 * word, because a local variable whose address is taken costs the hot path a stack protector.
 */
u64 kscap_ucopy_str(char *dst, u64 src, u32 max);

/*
 * A string that ends within eight bytes, at dst with zeros behind it: its length; dst is left alone
 * where that is 0. Negative:
 * longer, or not to be read so.
 */
static __always_inline int kscap_ucopy_short_str(u64 *dst, u64 src)
{
	const struct word_at_a_time constants = WORD_AT_A_TIME_CONSTANTS;
	const unsigned long __user *from = (const unsigned long __user *)(unsigned long)src;
	unsigned long word, mask;
	int len = -1;

	if (unlikely(offset_in_page(src) > PAGE_SIZE - sizeof(word)))
		return -1;
	pagefault_disable();
	if (unlikely(!user_access_begin(from, sizeof(word))))
		goto denied;
	unsafe_get_user(word, from, out);
	/* Calls on a descriptor's own file have an empty path; its bytes need not be counted. */
	if (!*(char *)&word) {
		len = 0;
	} else if (has_zero(word, &mask, &constants)) {
		mask = create_zero_mask(prep_zero_mask(word, mask, &constants));
		*dst = word & zero_bytemask(mask);
		len = find_zero(mask);
	}
out:
	user_access_end();
denied:
	pagefault_enable();
	return len;
}

#define KSCAP_STR_LEN(r)	((u32)(r))
#define KSCAP_STR_STATE(r)	((unsigned int)((r) >> 32))

#endif
