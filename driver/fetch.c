// SPDX-License-Identifier: GPL-2.0-only
#include "fetch.h"

#include <linux/errno.h>
#include <linux/ioctl.h>
#include <linux/kernel.h>
#include <linux/sort.h>

#include "encode.h"
#include "table.h"

#define ERESTART_RESTARTBLOCK	516
#define COUNT_MAX		S32_MAX	/* a count above is a negative number, or nonsense */

enum when { WHEN_IN, WHEN_OUT, WHEN_INTR };

enum rule {
	RULE_FIXED, RULE_COUNT_NEXT, RULE_COUNT_PREV, RULE_COUNT_ARG1, RULE_COUNT_ARG2,
	RULE_BYTES_NEXT, RULE_BYTES_PREV, RULE_COUNT_RET, RULE_RET_PREV, RULE_BYTES_AT_NEXT,
	RULE_BITS_NEXT, RULE_BITS_ARG1, RULE_FD_SET, RULE_MSG_NEXT, RULE_MSG_ARG2, RULE_MSG_RET,
	RULE_DATA_NEXT, RULE_IOCTL, RULE_CODE,
};

struct fetch {
	u8 when, rule;
	u16 unit[2];		/* of a 64-bit, of a 32-bit program */
	u16 cap;
};

#define SCAP_FETCH(ID, when, rule, n64, n32, cap, layout)			\
	[SCAP_ROLE_##ID - SCAP_FETCH_FIRST] = {					\
		WHEN_##when, RULE_##rule, { n64, n32 },				\
		(cap) ? (cap) : SCAP_FETCH_MAX_BYTES				\
	},
static const struct fetch fetches[] = {
#include <scap/fetch.def>
};

#undef SCAP_FETCH

static_assert(ARRAY_SIZE(fetches) == SCAP_FETCH_END - SCAP_FETCH_FIRST);

/* ---- roles that stand for others ------------------------------------------------------------ */

struct variant {
	u32 value;
	u8 role, becomes;	/* 0: nothing to fetch */
};

#define SCAP_SELECTOR(ID, arg, mask, otherwise)
#define SCAP_VARIANT(ID, value, ROLE) \
	{ value, KSCAP_ROLE(SCAP_ROLE_##ID), KSCAP_ROLE(SCAP_ROLE_##ROLE) },
static struct variant variants[] __ro_after_init = {
#include <scap/variants.def>
};

#undef SCAP_VARIANT
#undef SCAP_SELECTOR

struct selector {
	u32 mask;
	u8 arg, otherwise;
	u16 first, n;		/* its rows among variants */
};

#define N_SELECTORS	(SCAP_FETCH_FIRST - SCAP_VARIANT_FIRST)

/* Roles that are only printed have selectors, too: those are not among the kernel's. */
#define SCAP_SELECTOR(ID, arg, mask, otherwise) \
	{ SCAP_ROLE_##ID, { mask, arg, KSCAP_ROLE(SCAP_ROLE_##otherwise), 0, 0 } },
#define SCAP_VARIANT(ID, value, ROLE)
struct selector_row {
	u16 role;
	struct selector selector;
};

static const struct selector_row selector_rows[] __initconst = {
#include <scap/variants.def>
};

#undef SCAP_VARIANT
#undef SCAP_SELECTOR

static struct selector selectors[N_SELECTORS] __ro_after_init;

static void __init init_selector(unsigned int i, const struct selector *row)
{
	struct selector *sel = &selectors[i];
	unsigned int k;

	*sel = *row;
	for (k = 0; k < ARRAY_SIZE(variants); k++) {
		if (variants[k].role != SCAP_VARIANT_FIRST + i)
			continue;
		if (!sel->n++)
			sel->first = k;
	}
}

static int __init compare_variants(const void *a, const void *b)
{
	const struct variant *x = a, *y = b;

	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

/* Sorted, so that a frequent call's many variants cost few comparisons. */
void __init kscap_fetch_init(void)
{
	unsigned int i;

	sort(variants, ARRAY_SIZE(variants), sizeof(variants[0]), compare_variants, NULL);
	for (i = 0; i < ARRAY_SIZE(selector_rows); i++)
		if (selector_rows[i].role >= SCAP_VARIANT_FIRST &&
		    selector_rows[i].role < SCAP_FETCH_FIRST)
			init_selector(selector_rows[i].role - SCAP_VARIANT_FIRST,
				      &selector_rows[i].selector);
}

u8 kscap_variant(const struct kscap_scratch *s, u8 role)
{
	const struct selector *sel = &selectors[role - SCAP_VARIANT_FIRST];
	u32 value = s->args[sel->arg] & sel->mask;
	const struct variant *v = &variants[sel->first];
	u32 n, half;

	for (n = sel->n; n > 1; n -= half) {
		half = n / 2;
		if (v[half].value <= value)
			v += half;
	}
	return n && v->value == value ? v->becomes : sel->otherwise;
}

/* ---- lengths -------------------------------------------------------------------------------- */

static u32 arg_or_0(const struct kscap_scratch *s, int i)
{
	return i >= 0 && i < s->row->nargs ? s->args[i] : 0;
}

static u32 ret_within(const struct kscap_scratch *s, u32 bound)
{
	return min_t(u64, s->ret, bound);
}

/* Words of `unit` bytes that hold so many bits. */
static u64 bit_words(u32 bits, u32 unit)
{
	return DIV_ROUND_UP_ULL(bits, unit * 8);
}

static u32 at_next(const struct kscap_scratch *s, u32 ptr_arg)
{
	u64 ptr = ptr_arg < s->row->nargs ? s->args[ptr_arg] : 0;
	u32 n;

	return ptr && kscap_ucopy(&n, ptr, sizeof(n)) == sizeof(n) ? n : 0;
}

/* How many units; a product with a unit does not overflow. */
static u64 n_units(const struct kscap_scratch *s, int i, const struct fetch *f, u32 unit)
{
	switch (f->rule) {
	case RULE_COUNT_NEXT:
	case RULE_BYTES_NEXT:
	case RULE_DATA_NEXT:
		return arg_or_0(s, i + 1);
	case RULE_COUNT_PREV:
	case RULE_BYTES_PREV:
		return arg_or_0(s, i - 1);
	case RULE_COUNT_ARG1:
		return arg_or_0(s, 1);
	case RULE_COUNT_ARG2:
		return arg_or_0(s, 2);
	case RULE_COUNT_RET:
		return ret_within(s, arg_or_0(s, i + 1));
	case RULE_RET_PREV:
		return ret_within(s, arg_or_0(s, i - 1));
	case RULE_BYTES_AT_NEXT:
		return at_next(s, i + 1);
	case RULE_BITS_NEXT:
		return bit_words(arg_or_0(s, i + 1), unit);
	case RULE_BITS_ARG1:
		return bit_words(arg_or_0(s, 1), unit);
	case RULE_FD_SET:
		return bit_words(arg_or_0(s, 0), unit);
	default:
		return 1;
	}
}

/*
 * The request of an ioctl mostly says how many bytes its argument leads to. What is only written by
 * a call that failed is none of its data.
 */
static u32 ioctl_bytes(const struct kscap_scratch *s)
{
	u32 request = s->args[1];

	if (_IOC_DIR(request) == _IOC_READ && s->ret < 0)
		return 0;
	return _IOC_DIR(request) == _IOC_NONE ? 0 : _IOC_SIZE(request);
}

/* I/O data behind a header: the length of the data alone. */
static u64 message_bytes(const struct kscap_scratch *s, int i, u8 rule)
{
	if (rule == RULE_MSG_RET)
		return s->ret;
	return arg_or_0(s, rule == RULE_MSG_ARG2 ? 2 : i + 1);
}

static bool is_due(const struct kscap_scratch *s, const struct fetch *f)
{
	if (f->when == WHEN_IN)
		return true;
	if (f->when == WHEN_OUT)
		return s->ret >= 0;
	return s->ret == -EINTR || s->ret == -ERESTART_RESTARTBLOCK;
}

void kscap_fetch(struct kscap_scratch *s, unsigned int i, u8 role)
{
	const struct fetch *f = &fetches[role - SCAP_FETCH_FIRST];
	u32 unit = f->unit[s->abi == SCAP_ABI_I386];
	u64 ptr = s->args[i], n;

	if (!ptr || !unit || !is_due(s, f))
		return;
	if (likely(f->rule == RULE_FIXED)) {
		kscap_blob_user(s, i, ptr, unit, unit);
		return;
	}
	switch (f->rule) {
	case RULE_MSG_NEXT:
	case RULE_MSG_ARG2:
	case RULE_MSG_RET:
		kscap_io_buffer(s, i, ptr, unit + message_bytes(s, i, f->rule));
		return;
	case RULE_IOCTL:
		n = ioctl_bytes(s);
		if (!n)
			return;
		break;
	default:
		n = n_units(s, i, f, unit);
	}
	if (n > COUNT_MAX)
		return;
	if (f->rule == RULE_DATA_NEXT)
		kscap_io_buffer(s, i, ptr, n);
	else
		kscap_blob_user(s, i, ptr, n * unit, f->cap);
}
