/* SPDX-License-Identifier: MIT */
/*
 * oracle words|names|calls CAPTURE STRACE-OUTPUT...: compares what was recorded with what strace
 * saw, thread by thread: the same calls in the same order, none missing, none extra, the same
 * number, name, result and errno. Of the outputs, made with -f -n -o in the same recording,
 *	words	(-e raw=all) also the words of all arguments,
 *	names	(-xx -X verbose) also the names of flags and enumerations,
 *	calls	nothing more.
 * Prints what it counted; every difference is a line that begins with FAIL.
 */
#include "oracle_flags.h"

#define MAX_SHOWN 40

static enum { COMPARE_WORDS, COMPARE_NAMES, COMPARE_CALLS } mode;
static unsigned n_compared, n_words, n_named, n_unnamed;
static bool seen[SCAP_ABIS][1024];

static void differ(const struct call *c, const struct scap_event *ev, const char *what)
{
	if (n_fails++ >= MAX_SHOWN)
		return;
	printf("FAIL event %llu, thread %u: %s: recorded %s(%llx, %llx, %llx, %llx, %llx, %llx) = "
	       "%lld, strace has %s(%.120s) = %lld\n",
	       (unsigned long long)scap_event_num(ev), c->tid, what, scap_event_name(ev),
	       (unsigned long long)ev->args[0], (unsigned long long)ev->args[1],
	       (unsigned long long)ev->args[2], (unsigned long long)ev->args[3],
	       (unsigned long long)ev->args[4], (unsigned long long)ev->args[5],
	       (long long)scap_event_ret(ev), c->name, c->args, c->ret);
}

/* Calls of the 32-bit ABI behind which stand others, whose names strace shows. */
static bool is_multiplexer(const struct scap_event *ev)
{
	return ev->abi == SCAP_ABI_I386 && (ev->nr == 102 || ev->nr == 117);
}

#define WORDS	1	/* the row has another number of arguments */
#define NAME	2	/* another name of the call */
#define FLAGS	4	/* another text of an argument */
#define RESULT	8
#define X86_64	1
#define I386	2

/* Where we differ from strace, and may: call, ABIs, in what. */
static const struct { const char *name; int abis, what; } known[] = {
	/* The second half of the position is in the row; strace leaves it out. */
	{ "preadv", X86_64, WORDS }, { "pwritev", X86_64, WORDS },
	/* What a return probe's call returns is a register of the function that it returns to. */
	{ "uretprobe", X86_64, RESULT },
};

static bool is_known(const struct scap_event *ev, int what)
{
	int abi = ev->abi == SCAP_ABI_I386 ? I386 : X86_64;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].abis & abi && known[i].what & what &&
		    !strcmp(known[i].name, scap_event_name(ev)))
			return true;
	return false;
}

/* strace has no names for what it doesn't know. */
static bool same_call(const struct call *c, const struct scap_event *ev)
{
	return !strcmp(c->name, scap_event_name(ev)) || !strncmp(c->name, "syscall_0x", 10) ||
	       is_multiplexer(ev) || is_known(ev, NAME);
}

static bool same_result(const struct call *c, const struct scap_event *ev)
{
	long long ours = scap_event_ret(ev);

	if (!c->has_ret || !strcmp(c->name, "rt_sigreturn") || !strcmp(c->name, "sigreturn") ||
	    is_known(ev, RESULT))
		return true;	/* a register that the call put back is no result */
	if (!scap_event_has_ret(ev))
		return false;
	return ev->abi == SCAP_ABI_I386 ? (int32_t)ours == (int32_t)c->ret : ours == c->ret;
}

/* ---- words ---- */

static void compare_words(const struct call *c, const struct scap_event *ev)
{
	const char *p = c->args;
	unsigned i = 0;
	char *after;

	/* strace has what these point to */
	if (ev->more & SCAP_MORE_ARGS_LOST ||
	    (is_multiplexer(ev) && strcmp(c->name, scap_event_name(ev))))
		return;
	for (; *p && i < 6; i++, p = after + strspn(after, ", ")) {
		unsigned long long v = strtoull(p, &after, 0);

		if (after == p) {
			differ(c, ev, "not a number");
			return;
		}
		if (i >= ev->nargs)
			break;
		n_words++;
		/* strace shows the upper halves; they are no part of the arguments */
		if (ev->args[i] != (ev->abi == SCAP_ABI_I386 ? (uint32_t)v : v))
			differ(c, ev, "another argument");
	}
	/* a call that the kernel doesn't have takes what one likes */
	if ((i < ev->nargs || *p) && c->ret != -ENOSYS && !is_known(ev, WORDS))
		differ(c, ev, "another number of arguments");
}

/* ---- names ---- */

/* 64-bit values that are passed as two words, and strace shows as one: where they stand there. */
static const struct { const char *name; int abis; unsigned char at[2]; } pairs[] = {
	{ "_llseek", I386, { 1, 9 } }, { "fadvise64", I386, { 1, 9 } },
	{ "fadvise64_64", I386, { 1, 2 } }, { "fallocate", I386, { 2, 3 } },
	{ "fanotify_mark", I386, { 2, 9 } }, { "preadv2", X86_64 | I386, { 3, 9 } },
	{ "pwritev2", X86_64 | I386, { 3, 9 } }, { "sync_file_range", I386, { 1, 2 } },
};

static unsigned our_index(const struct scap_event *ev, unsigned shown)
{
	int abi = ev->abi == SCAP_ABI_I386 ? I386 : X86_64;
	unsigned at = shown;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (pairs[i].abis & abi && !strcmp(scap_event_name(ev), pairs[i].name))
			at += (shown > pairs[i].at[0]) + (shown > pairs[i].at[1]);
	return at;
}

static void compare_names(const struct call *c, const struct scap_event *ev, unsigned at,
			  const char *p, size_t n)
{
	struct names strace = { 0 }, ours = { 0 };
	unsigned long long v;
	char text[1024] = "", what[1300];
	enum same same;

	if (!strace_names(p, n, &strace, &v))
		return;
	if (is_known(ev, FLAGS))
		return;
	/* strace takes the registers' upper halves for a part of the arguments */
	if (ev->abi == SCAP_ABI_I386 && v >> 32 && strace.unknown)
		return;
	if (ev->abi == SCAP_ABI_I386)
		strace.rest = (uint32_t)strace.rest;
	if (at >= ev->nargs || (uint32_t)v != (uint32_t)ev->args[at]) {
		differ(c, ev, "another value");
		return;
	}
	if (!our_names(ev, at, &ours, text, sizeof(text))) {
		n_unnamed += strace.n != 0;
		if (strace.n && getenv("ORACLE_UNNAMED"))
			printf("unnamed %s %s %.*s\n", scap_event_name(ev),
			       ev->sc ? ev->sc->args[at].name : "?", (int)n, p);
		return;
	}
	same = same_names(&strace, &ours);
	n_named += same == SAME;
	n_unnamed += same == LESS;
	if (same != OTHER)
		return;
	snprintf(what, sizeof(what), "argument %u is %s, for strace %.*s", at, text, (int)n, p);
	differ(c, ev, what);
}

/* The end of the argument at p: a comma that is in nothing. */
static const char *end_of_arg(const char *p)
{
	int depth = 0;

	for (; *p && (depth || *p != ','); p++) {
		if (*p == '"') {
			for (p++; *p && *p != '"'; p++)
				p += *p == '\\' && p[1];
			if (!*p)
				return p;
		} else if (!strncmp(p, "/*", 2)) {
			p = strstr(p, "*/") ?: p;
		}
		depth += strchr("([{", *p) != NULL;
		depth -= strchr(")]}", *p) != NULL;
	}
	return p;
}

static void compare_flags(const struct call *c, const struct scap_event *ev)
{
	bool is_clone = !strcmp(c->name, "clone"), is_futex = !strncmp(c->name, "futex", 5);
	const char *p = c->args, *end;

	/* strace shows what these point to in place of their own arguments */
	if (is_multiplexer(ev) || (ev->abi == SCAP_ABI_I386 && (ev->nr == 90 || ev->nr == 82)))
		return;
	for (unsigned i = 0; *p; i++, p = *end ? end + 1 + strspn(end + 1, " ") : end) {
		end = end_of_arg(p);
		if (is_clone && !strncmp(p, "flags=", 6))
			compare_names(c, ev, 0, p + 6, (size_t)(end - p) - 6);
		else if (!is_clone && !(is_futex && i > 1))	/* strace shows those in use */
			compare_names(c, ev, our_index(ev, i), p, (size_t)(end - p));
	}
}

/* ---- calls ---- */

static void compare(const struct call *c, const struct scap_event *ev)
{
	n_compared++;
	if (ev->abi < SCAP_ABIS && ev->nr >= 0 && ev->nr < 1024)
		seen[ev->abi][ev->nr] = true;
	if ((c->nr != ev->nr && c->nr >= 0) || !same_call(c, ev)) {
		differ(c, ev, "another call");
		return;
	}
	if (!same_result(c, ev))
		differ(c, ev, "another result");
	if (mode == COMPARE_WORDS)
		compare_words(c, ev);
	else if (mode == COMPARE_NAMES)
		compare_flags(c, ev);
}

static unsigned n_seen(unsigned abi)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 1024; i++)
		n += seen[abi][i];
	return n;
}

int main(int argc, char **argv)
{
	const struct scap_event *ev;
	struct scap_reader *r;

	if (argc < 4)
		die("usage: oracle words|names|calls CAPTURE STRACE-OUTPUT...");
	mode = argv[1][0] == 'w' ? COMPARE_WORDS
				 : argv[1][0] == 'n' ? COMPARE_NAMES : COMPARE_CALLS;
	for (int i = 3; i < argc; i++)
		read_strace(argv[i]);
	r = capture_open(argv[2]);
	while (n_fails < 1000 && (ev = capture_next(r)) != NULL) {
		struct call *c = traced_call(ev);

		if (c)
			compare(c, ev);
	}
	not_recorded();
	printf("calls %u\nx86_64 %u\ni386 %u\nwords %u\nnamed %u\nunnamed %u\n", n_compared,
	       n_seen(SCAP_ABI_X86_64), n_seen(SCAP_ABI_I386), n_words, n_named, n_unnamed);
	scap_reader_close(r);
	return n_fails != 0;
}
