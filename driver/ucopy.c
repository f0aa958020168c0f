// SPDX-License-Identifier: GPL-2.0-only
/*
 * copy_from_user_nofault() costs two to nine times as much for the short copies made here (object
 * check, `rep movsb`), so these loops use unsafe_get_user(). Between user_access_begin() and
 * user_access_end() no function may be called.
 */
#include "ucopy.h"

#include <scap/abi.h>

/* Up to the page's end, where a word-wise copy has faulted. */
u32 kscap_ucopy_tail(char *dst, u64 src, u32 n)
{
	const char __user *from = (const char __user *)(unsigned long)src;
	u32 i = 0;

	if (!user_access_begin(from, n))
		return 0;
	for (; i < n; i++)
		unsafe_get_user(dst[i], from + i, out);
out:
	user_access_end();
	return i;
}

u32 kscap_ucopy(void *dst, u64 src, u32 n)
{
	return kscap_ucopy_inline(dst, src, n);
}

/*
 * Eight bytes at a time where they lie within one page, single bytes up to the page's end: a
 * string that ends just before an unmapped page is read whole.
 */
u64 kscap_ucopy_str(char *dst, u64 src, u32 max)
{
	const struct word_at_a_time constants = WORD_AT_A_TIME_CONSTANTS;
	const char __user *from = (const char __user *)(unsigned long)src;
	unsigned int state = SCAP_STATE_UNREADABLE;
	unsigned long word, found;
	u32 i = 0;
	char c;

	pagefault_disable();
	if (!user_access_begin(from, 1))
		goto denied;
	while (i < max && src + i < TASK_SIZE_MAX) {
		if (likely(offset_in_page(src + i) <= PAGE_SIZE - sizeof(word) &&
			   i + sizeof(word) <= max)) {
			unsafe_get_user(word, (const unsigned long __user *)(from + i), out);
			*(unsigned long *)(dst + i) = word;
			if (has_zero(word, &found, &constants)) {
				found = prep_zero_mask(word, found, &constants);
				i += find_zero(create_zero_mask(found));
				goto whole;
			}
			i += sizeof(word);
			continue;
		}
		unsafe_get_user(c, from + i, out);
		if (!c)
			goto whole;
		dst[i++] = c;
	}
	state = i < max ? SCAP_STATE_UNREADABLE : SCAP_STATE_TRUNCATED;
	goto out;
whole:
	state = SCAP_STATE_WHOLE;
out:
	user_access_end();
denied:
	pagefault_enable();
	return (u64)state << 32 | i;
}
