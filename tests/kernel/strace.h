/* SPDX-License-Identifier: MIT */
/*
 * What strace wrote (-f -o, with or without -n), as calls, thread by thread. Pieces of a call that
 * was interrupted in the output are put together again.
 */
#ifndef TESTS_KERNEL_STRACE_H
#define TESTS_KERNEL_STRACE_H

#include "guest.h"
#include <stdbool.h>
#include <stdint.h>

struct call {
	uint32_t tid;
	long nr;		/* -1: the output has no numbers */
	char name[32];
	char *args;		/* between the parentheses */
	bool has_ret;
	long long ret;
	bool done;
	struct call *next;	/* of this thread */
};

struct thread {
	uint32_t tid;
	struct call *first, *last;
	struct call *next;	/* the first that is not done */
	bool is_root;		/* strace's own child: known from its exec on */
	bool begun;
	char *half;		/* the beginning of a call that is not at its end */
	long half_nr;
	struct thread *chain;
};

static struct thread *threads[1024];
static unsigned n_fails;

static inline struct thread *find_thread(uint32_t tid)
{
	struct thread *t = threads[tid % 1024];

	while (t && t->tid != tid)
		t = t->chain;
	return t;
}

static inline struct thread *get_thread(uint32_t tid)
{
	struct thread *t = find_thread(tid);

	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	t->tid = tid;
	t->chain = threads[tid % 1024];
	threads[tid % 1024] = t;
	return t;
}

static inline int errno_of(const char *name, size_t n)
{
	static const struct { const char *name; int value; } others[] = {
		{ "ERESTARTSYS", 512 }, { "ERESTARTNOINTR", 513 }, { "ERESTARTNOHAND", 514 },
		{ "ENOIOCTLCMD", 515 }, { "ERESTART_RESTARTBLOCK", 516 }, { "EAGAIN", EAGAIN },
		{ "EDEADLK", EDEADLK }, { "ENOTSUPP", 524 },
	};
	const char *s;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strlen(others[i].name) == n && !memcmp(name, others[i].name, n))
			return others[i].value;
	for (int e = 1; e < 134; e++) {
		s = strerrorname_np(e);
		if (s && strlen(s) == n && !memcmp(s, name, n))
			return e;
	}
	return 0;
}

/* "= 3", "= -1 ENOENT (...)", "= ? ERESTARTSYS (...)", "= ?", "= 0x7f...", "= 022" */
static inline void parse_result(struct call *c, const char *p)
{
	c->has_ret = true;
	if (!strncmp(p, "-1 E", 4) || !strncmp(p, "? E", 3)) {
		p = strchr(p, 'E');
		c->ret = -errno_of(p, strcspn(p, " "));
	} else if (*p == '?') {
		c->has_ret = false;
	} else if (*p == '-') {
		c->ret = strtoll(p, NULL, 0);
	} else {
		c->ret = (long long)strtoull(p, NULL, 0);
	}
}

/* Where ") = RESULT" begins, with any number of spaces in it. Strings are in \xNN form. */
static inline char *find_result(char *p, char **ret_result)
{
	*ret_result = NULL;
	for (; (p = strchr(p, ')')) != NULL; p++) {
		char *q = p + 1 + strspn(p + 1, " ");

		if (q > p + 1 && q[0] == '=' && q[1] == ' ') {
			*ret_result = q + 2;
			return p;
		}
	}
	return NULL;
}

static inline void parse_call(struct thread *t, long nr, char *text)
{
	char *result, *end = find_result(text, &result);
	size_t n = strcspn(text, "(");
	struct call *c;

	if (!end || n >= sizeof(c->name) || text[n] != '(') {
		printf("FAIL cannot read strace's line: %u %s\n", t->tid, text);
		n_fails++;
		return;
	}
	c = calloc(1, sizeof(*c));
	c->tid = t->tid;
	c->nr = nr;
	memcpy(c->name, text, n);
	*end = 0;
	c->args = strdup(text + n + 1);
	parse_result(c, result);
	if (t->last)
		t->last->next = c;
	else
		t->first = t->next = c;
	t->last = c;
}

/* exit's end, and that of a call in which the thread was killed, may be nothing at all. */
static inline void end_of_thread(struct thread *t)
{
	char *whole;

	if (!t->half)
		return;
	if (asprintf(&whole, "%s) = ?", t->half) < 0)
		abort();
	free(t->half);
	t->half = NULL;
	parse_call(t, t->half_nr, whole);
	free(whole);
}

static inline void parse_line(char *line, bool *ret_is_first)
{
	char *text, *cut, *whole;
	long nr = -1;
	struct thread *t = get_thread((uint32_t)strtoul(line, &text, 10));

	t->is_root |= *ret_is_first;
	*ret_is_first = false;
	text += strspn(text, " ");
	line[strcspn(line, "\n")] = 0;
	if (*text == '[' && (text[1] == ' ' || (text[1] >= '0' && text[1] <= '9'))) {
		nr = strtol(text + 1, &text, 10);
		text += strspn(text, "] ");
	}
	if (!strncmp(text, "+++", 3))
		end_of_thread(t);
	if (!strncmp(text, "---", 3) || !strncmp(text, "+++", 3))
		return;
	if (strncmp(text, "<... ", 5) && (cut = strstr(text, " <unfinished ...>")) != NULL) {
		*cut = 0;
		t->half = strdup(text);
		t->half_nr = nr;
		return;
	}
	if (!strncmp(text, "<... ", 5) && (cut = strstr(text, "resumed>")) != NULL && t->half) {
		if (asprintf(&whole, "%s%s", t->half, cut + 8) < 0)
			abort();
		free(t->half);
		t->half = NULL;
		parse_call(t, nr, whole);
		free(whole);
		return;
	}
	parse_call(t, nr, text);
}

static inline void read_strace(const char *path)
{
	FILE *f = fopen(path, "r");
	bool is_first = true;
	char *line = NULL;
	size_t cap = 0;

	if (!f)
		die("%s", path);
	while (getline(&line, &cap, f) > 0)
		parse_line(line, &is_first);
	free(line);
	fclose(f);
}

#endif
