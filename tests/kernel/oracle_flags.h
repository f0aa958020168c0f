/* SPDX-License-Identifier: MIT */
/*
 * The flags and enumerations of a call, as strace (-X verbose) and we print them. Names are
 * compared as sets, and the number that strace puts in front of them with the argument's word.
 */
#ifndef TESTS_KERNEL_ORACLE_FLAGS_H
#define TESTS_KERNEL_ORACLE_FLAGS_H

#include "traced.h"
#include <ctype.h>
#include <filter/names.h>
#include <filter/value.h>

/*
 * The same bits under two names; * stands for any end. Without a name of ours: the name of no bit
 * at all. That the values are equal is looked at apart from this.
 */
static const struct { const char *strace, *ours; } spelling[] = {
	{ "EPOLL_CLOEXEC", "O_CLOEXEC" },	/* all of these are defined as O_CLOEXEC */
	{ "EFD_CLOEXEC", "O_CLOEXEC" },
	{ "SFD_CLOEXEC", "O_CLOEXEC" },
	{ "TFD_CLOEXEC", "O_CLOEXEC" },
	{ "IN_CLOEXEC", "O_CLOEXEC" },
	{ "EFD_NONBLOCK", "O_NONBLOCK" },	/* and these as O_NONBLOCK */
	{ "SFD_NONBLOCK", "O_NONBLOCK" },
	{ "TFD_NONBLOCK", "O_NONBLOCK" },
	{ "IN_NONBLOCK", "O_NONBLOCK" },
	{ "AT_REMOVEDIR", "AT_EACCESS" },	/* one bit; linkat and fchownat take neither */
	{ "WSTOPPED", "WUNTRACED" },		/* one bit, two names in wait.h */
	{ "SIGRT_32", "SIGRTMAX" },		/* 64, the last of 32 */
	{ "SOL_IP", "IPPROTO_IP" },		/* one number for level and protocol */
	{ "SOL_TCP", "IPPROTO_TCP" },
	{ "SOL_UDP", "IPPROTO_UDP" },
	{ "SOL_IPV6", "IPPROTO_IPV6" },
	{ "IN_*", "IN_ALL_EVENTS" },		/* strace shows which they are */
	{ "MAP_FILE", NULL },
	{ "FAN_CLASS_NOTIF", NULL },
	{ "AT_STATX_SYNC_AS_STAT", NULL },
};

struct names {
	unsigned n;
	char name[40][40];
	unsigned long long rest;	/* bits without a name */
	bool unknown;			/* strace knows the domain, and nothing in it fits */
};

static void add_name(struct names *s, const char *p, size_t n)
{
	while (n && *p == ' ')
		p++, n--;
	while (n && p[n - 1] == ' ')
		n--;
	if (!n)
		return;
	if (memchr(p, '?', n)) {
		s->unknown = true;
	} else if (isdigit(*p)) {
		s->rest |= strtoull(p, NULL, 0);
	} else if (s->n < 40 && n < 40) {
		memcpy(s->name[s->n], p, n);
		s->name[s->n++][n] = 0;
	}
}

static void split_names(struct names *s, const char *p, size_t n)
{
	while (n) {
		const char *bar = memchr(p, '|', n);
		size_t part = bar ? (size_t)(bar - p) : n;

		add_name(s, p, part);
		n -= bar ? part + 1 : part;
		p += part + 1;
	}
}

/*
 * "0x80001 / * O_WRONLY|O_CLOEXEC * /", or several joined with |: names out of the comments, the
 * sum of the numbers in *ret_value. false: not of this form.
 */
static bool strace_names(const char *p, size_t n, struct names *s, unsigned long long *ret_value)
{
	const char *end = p + n, *close;
	char *after;
	bool any = false;

	*ret_value = 0;
	while (p < end && (isdigit(*p) || *p == '-')) {
		unsigned long long v = *p == '-' ? (unsigned long long)strtoll(p, &after, 0)
						 : strtoull(p, &after, 0);

		*ret_value |= v;
		p = after;
		if (end - p > 5 && !memcmp(p, " /* ", 4)) {
			close = memmem(p, (size_t)(end - p), " */", 3);
			/* IOPRIO_PRIO_VALUE(...), QCMD(...): two fields, in strace's own form */
			if (!close || memchr(p, '(', (size_t)(close - p)))
				return false;
			split_names(s, p + 4, (size_t)(close - p) - 4);
			p = close + 3;
			any = true;
		} else {
			s->rest |= v;
		}
		if (p < end && *p == '|')
			p++;
	}
	return any && p == end;
}

static bool is_spelled(const char *name, const char *pattern)
{
	size_t n = strlen(pattern);

	return pattern[n - 1] == '*' ? !strncmp(name, pattern, n - 1) : !strcmp(name, pattern);
}

static bool same_name(const char *strace, const char *ours)
{
	if (!strcmp(strace, ours))
		return true;
	for (size_t i = 0; i < sizeof(spelling) / sizeof(*spelling); i++)
		if (is_spelled(strace, spelling[i].strace) && spelling[i].ours &&
		    !strcmp(ours, spelling[i].ours))
			return true;
	return false;
}

static bool names_no_bit(const char *strace)
{
	for (size_t i = 0; i < sizeof(spelling) / sizeof(*spelling); i++)
		if (!strcmp(strace, spelling[i].strace) && !spelling[i].ours)
			return true;
	return false;
}

/* Every name of a in b; names of strace's are the first of same_name(). */
static bool names_within(const struct names *a, const struct names *b, bool a_is_strace)
{
	for (unsigned i = 0; i < a->n; i++) {
		bool found = a_is_strace && names_no_bit(a->name[i]);

		for (unsigned j = 0; j < b->n && !found; j++)
			found = a_is_strace ? same_name(a->name[i], b->name[j])
					    : same_name(b->name[j], a->name[i]);
		if (!found)
			return false;
	}
	return true;
}

enum same { SAME, LESS, OTHER };

/* LESS: nothing is wrong in ours, but a bit that strace has a name for is in it as a number. */
static enum same same_names(const struct names *strace, const struct names *ours)
{
	if (strace->unknown)
		return ours->n ? OTHER : SAME;
	if (!names_within(ours, strace, false))
		return OTHER;
	if (names_within(strace, ours, true) && strace->rest == ours->rest)
		return SAME;
	return ours->rest & ~strace->rest ? LESS : OTHER;
}

/* What we print for argument i; false: it is no flag and no enumeration, or isn't printed. */
static bool our_names(const struct scap_event *ev, unsigned arg, struct names *s, char *text,
		      size_t cap)
{
	struct scap__param p[SCAP__PARAMS_MAX];
	unsigned n = scap__params(ev, p);
	struct scap__out o;

	for (unsigned i = 0; i < n; i++) {
		enum scap__print_kind kind = scap__role_kind(p[i].role);

		if (p[i].kind != SCAP__PARAM_ARG || p[i].arg != arg)
			continue;
		scap__out_init(&o, text, cap);
		scap__out_param(&o, ev, &p[i], 0);
		scap__out_end(&o);
		if (kind != SCAP__PRINT_FLAGS && kind != SCAP__PRINT_ENUM && !isupper(*text))
			return false;
		if (kind == SCAP__PRINT_FD)
			text[strcspn(text, "<")] = 0;
		split_names(s, text, strlen(text));
		return true;
	}
	return false;
}

#endif
