/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every read of user memory. From probes, in atomic context: page faults are disabled, a page
 * that is not there ends the copy. Addresses are those of current->mm.
 */
#ifndef KSCAP_UCOPY_H
#define KSCAP_UCOPY_H

#include <linux/types.h>
#include <linux/uaccess.h>

u32 kscap_ucopy_tail(char *dst, u64 src, u32 n);

/* kscap_ucopy() for the hot path. */
static __always_inline u32 kscap_ucopy_inline(void *dst, u64 src, u32 n)
{
	const char __user *from = (const char __user *)(unsigned long)src;
	char *to = dst;
	u32 i = 0;

	if (unlikely(!n))
		return 0;
	pagefault_disable();
	if (unlikely(!user_access_begin(from, n))) {
		pagefault_enable();
		return 0;
	}
	for (; i + 32 <= n; i += 32) {
		unsafe_get_user(*(u64 *)(to + i), (const u64 __user *)(from + i), out);
		unsafe_get_user(*(u64 *)(to + i + 8), (const u64 __user *)(from + i + 8), out);
		unsafe_get_user(*(u64 *)(to + i + 16), (const u64 __user *)(from + i + 16), out);
		unsafe_get_user(*(u64 *)(to + i + 24), (const u64 __user *)(from + i + 24), out);
	}
	for (; i + 8 <= n; i += 8)
		unsafe_get_user(*(u64 *)(to + i), (const u64 __user *)(from + i), out);
	if (n & 4) {
		unsafe_get_user(*(u32 *)(to + i), (const u32 __user *)(from + i), out);
		i += 4;
	}
	for (; i < n; i++)
		unsafe_get_user(to[i], from + i, out);
out:
	user_access_end();
	if (unlikely(i < n))
		i += kscap_ucopy_tail(to + i, src + i, n - i);
	pagefault_enable();
	return i;
}

/* Bytes copied, at most n; fewer: the memory faulted there. */
u32 kscap_ucopy(void *dst, u64 src, u32 n);
/*
 * A string without its NUL, at most max bytes: KSCAP_STR_LEN() and KSCAP_STR_STATE() of the result
 * (TRUNCATED: max reached before the NUL; UNREADABLE: faulted behind the bytes copied). In one
 * word, because a local variable whose address is taken costs the hot path a stack protector.
 */
u64 kscap_ucopy_str(char *dst, u64 src, u32 max);
#define KSCAP_STR_LEN(r)	((u32)(r))
#define KSCAP_STR_STATE(r)	((unsigned int)((r) >> 32))

#endif
