/* SPDX-License-Identifier: MIT */
/*
 * stracecmp CAPTURE STRACE-OUTPUT: the same calls in the same order with the same results, errno,
 * paths and data, thread by thread. STRACE-OUTPUT was made with -f -xx -s 80 -o. Prints the number
 * of calls compared; every difference is a line that begins with FAIL.
 */
#include "capture.h"

struct call {
	uint32_t tid;
	char name[32];
	bool has_ret;
	long long ret;
	unsigned n_strings;
	struct {
		char *data;
		size_t bytes;
		bool cut;
	} strings[8];
	bool done;
};

static struct call *calls;
static size_t n_calls;
static unsigned n_fails, n_compared, n_strings_compared;

static const char *const path_calls[] = {
	"open", "openat", "creat", "stat", "lstat", "newfstatat", "access", "faccessat2", "unlink",
	"unlinkat", "rename", "renameat2", "mkdir", "mkdirat", "chmod", "fchmodat", "chdir",
	"execve", "execveat", "symlink",
};
static const char *const data_calls[] = {
	"read", "write", "pread64", "pwrite64", "sendto", "recvfrom",
};

static bool in_list(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}
#define IN(name, list) in_list(name, list, sizeof(list) / sizeof(*list))

/* ---- strace's side ---- */

static int errno_of(const char *name, size_t n)
{
	static const struct { const char *name; int value; } restart[] = {
		{ "ERESTARTSYS", 512 }, { "ERESTARTNOINTR", 513 }, { "ERESTARTNOHAND", 514 },
		{ "ERESTART_RESTARTBLOCK", 516 }, { "EAGAIN", EAGAIN }, { "ENOTSUPP", 524 },
	};
	const char *s;

	for (size_t i = 0; i < sizeof(restart) / sizeof(*restart); i++)
		if (strlen(restart[i].name) == n && !memcmp(name, restart[i].name, n))
			return restart[i].value;
	for (int e = 1; e < 134; e++) {
		s = strerrorname_np(e);
		if (s && strlen(s) == n && !memcmp(s, name, n))
			return e;
	}
	return 0;
}

/* "= 3", "= -1 ENOENT (...)", "= ? ERESTARTSYS (...)", "= ?", "= 0x7f..." */
static void parse_result(struct call *c, const char *p)
{
	size_t n;

	c->has_ret = true;
	if (!strncmp(p, "-1 E", 4) || !strncmp(p, "? E", 3)) {
		p = strchr(p, 'E');
		n = strcspn(p, " ");
		c->ret = -errno_of(p, n);
	} else if (*p == '?') {
		c->has_ret = false;
	} else {
		c->ret = strtoll(p, NULL, 0);
		if (!strncmp(p, "0x", 2))
			c->ret = (long long)strtoull(p, NULL, 16);
	}
}

/* The quoted strings of the argument text, which are all in \xNN form. */
static void parse_strings(struct call *c, const char *p, const char *end)
{
	while ((p = memchr(p, '"', (size_t)(end - p))) != NULL && c->n_strings < 8) {
		char *out = malloc((size_t)(end - p) / 4 + 1);
		size_t n = 0;

		for (p++; *p == '\\' && p[1] == 'x'; p += 4)
			out[n++] = (char)strtoul((char[3]){ p[2], p[3], 0 }, NULL, 16);
		c->strings[c->n_strings].data = out;
		c->strings[c->n_strings].bytes = n;
		c->strings[c->n_strings++].cut = !strncmp(p, "\"...", 4);
		p++;
	}
}

/* Where ") = RESULT" begins, with any number of spaces in it. */
static const char *find_result(const char *p, const char **ret_result)
{
	for (; (p = strchr(p, ')')) != NULL; p++) {
		const char *q = p + 1 + strspn(p + 1, " ");

		if (q > p + 1 && q[0] == '=' && q[1] == ' ') {
			*ret_result = q + 2;
			return p;
		}
	}
	return NULL;
}

static void parse_call(uint32_t tid, const char *text)
{
	struct call *c;
	const char *result, *end = find_result(text, &result);
	size_t n = strcspn(text, "(");

	if (!end || n >= sizeof(c->name)) {
		printf("FAIL cannot read strace's line: %s\n", text);
		n_fails++;
		return;
	}
	calls = realloc(calls, (n_calls + 1) * sizeof(*calls));
	c = &calls[n_calls++];
	memset(c, 0, sizeof(*c));
	c->tid = tid;
	memcpy(c->name, text, n);
	parse_strings(c, text + n, end);
	parse_result(c, result);
}

#define MAX_PENDING 64
static struct {
	uint32_t tid;
	char *text;
} pending[MAX_PENDING];

static char **pending_of(uint32_t tid)
{
	for (int i = 0; i < MAX_PENDING; i++) {
		if (pending[i].tid == tid || !pending[i].tid) {
			pending[i].tid = tid;
			return &pending[i].text;
		}
	}
	abort();
}

static void parse_line(char *line)
{
	char *text, *cut, **half, *whole;
	uint32_t tid = (uint32_t)strtoul(line, &text, 10);

	text += strspn(text, " ");
	line[strcspn(line, "\n")] = 0;
	if (!strncmp(text, "---", 3) || !strncmp(text, "+++", 3))
		return;
	half = pending_of(tid);
	if ((cut = strstr(text, " <unfinished ...>")) != NULL && !strstr(text, "resumed>")) {
		*cut = 0;
		*half = strdup(text);
		/* exit has no end: strace resumes it with "= ?", or with nothing after a kill */
		return;
	}
	if (!strncmp(text, "<... ", 5) && (cut = strstr(text, "resumed>")) != NULL && *half) {
		if (asprintf(&whole, "%s%s", *half, cut + 8) < 0)
			abort();
		free(*half);
		*half = NULL;
		parse_call(tid, whole);
		free(whole);
		return;
	}
	parse_call(tid, text);
}

/* ---- comparing ---- */

static struct call *next_of(uint32_t tid)
{
	for (size_t i = 0; i < n_calls; i++)
		if (calls[i].tid == tid && !calls[i].done)
			return &calls[i];
	return NULL;
}

static bool knows(uint32_t tid)
{
	for (size_t i = 0; i < n_calls; i++)
		if (calls[i].tid == tid)
			return true;
	return false;
}

static void differ(const struct call *c, const struct scap_event *ev, const char *what)
{
	printf("FAIL event %llu, thread %u: %s: recorded %s = %lld, strace has %s = %lld\n",
	       (unsigned long long)scap_event_num(ev), c->tid, what, scap_event_name(ev),
	       (long long)scap_event_ret(ev), c->name, c->ret);
	n_fails++;
}

static void compare_string(struct call *c, const struct scap_event *ev, unsigned i,
			   const struct scap__blob *b)
{
	size_t n = c->strings[i].bytes;

	n_strings_compared++;
	if (b->state == SCAP_STATE_UNREADABLE)
		differ(c, ev, "flagged unreadable");
	else if (c->strings[i].cut ? b->bytes < n : b->bytes != n)
		differ(c, ev, "a string of another length");
	else if (memcmp(b->data, c->strings[i].data, n))
		differ(c, ev, "another string");
}

/* Strings of the call in argument order are what the slots hold in that order. */
static void compare_paths(struct call *c, const struct scap_event *ev)
{
	bool exec = !strncmp(c->name, "execve", 6);
	unsigned i = 0;

	for (unsigned slot = 0; slot < 6 && !exec; slot++) {
		const struct scap__blob *b = blob_of(ev, slot);

		if (b && i < c->n_strings)
			compare_string(c, ev, i++, b);
	}
	if (!exec && i != c->n_strings)
		differ(c, ev, "a path is missing");
	if (exec && !blob_of(ev, SCAP_SLOT_FILENAME))
		differ(c, ev, "the file name is missing");
	else if (exec)
		compare_string(c, ev, 0, blob_of(ev, SCAP_SLOT_FILENAME));
}

/* argv: the remaining strings, each with its NUL. */
static void compare_argv(struct call *c, const struct scap_event *ev)
{
	const struct scap__blob *b = blob_of(ev, c->name[6] ? 2 : 1);
	size_t at = 0;

	if (!b) {
		differ(c, ev, "argv is missing");
		return;
	}
	for (unsigned i = 1; i < c->n_strings; i++) {
		size_t n = c->strings[i].bytes;

		if (at + n + 1 > b->bytes || memcmp(b->data + at, c->strings[i].data, n) ||
		    b->data[at + n]) {
			differ(c, ev, "another argv");
			return;
		}
		at += n + 1;
	}
	n_strings_compared++;
	if (at != b->bytes)
		differ(c, ev, "argv has more than strace shows");
}

static void compare_data(struct call *c, const struct scap_event *ev)
{
	const struct scap__blob *b = blob_of(ev, 1);

	if (!c->n_strings || c->ret < 0)
		return;
	if (!b && c->strings[0].bytes)
		differ(c, ev, "the data is missing");
	else if (b)
		compare_string(c, ev, 0, b);
}

static void compare(struct call *c, const struct scap_event *ev)
{
	c->done = true;
	n_compared++;
	if (strcmp(c->name, scap_event_name(ev))) {
		differ(c, ev, "another call");
		return;
	}
	if (c->has_ret && strcmp(c->name, "rt_sigreturn") &&
	    (!scap_event_has_ret(ev) || scap_event_ret(ev) != c->ret))
		differ(c, ev, "another result");
	if (IN(c->name, path_calls))
		compare_paths(c, ev);
	if (!strncmp(c->name, "execve", 6) && c->ret == 0)
		compare_argv(c, ev);
	if (IN(c->name, data_calls))
		compare_data(c, ev);
}

int main(int argc, char **argv)
{
	const struct scap_event *ev;
	struct scap_reader *r;
	char *line = NULL;
	size_t cap = 0;
	bool begun = false;
	FILE *f = argc == 3 ? fopen(argv[2], "r") : NULL;

	if (!f)
		die("usage: stracecmp CAPTURE STRACE-OUTPUT");
	while (getline(&line, &cap, f) > 0)
		parse_line(line);
	r = capture_open(argv[1]);
	while (n_fails < 20 && (ev = capture_next(r)) != NULL) {
		struct call *c;

		if (!is_made_call(ev) || (ev->flags & SCAP_CALL_CHILD && is_call(ev)) ||
		    !knows(ev->tid))
			continue;
		/* What strace's child does before its exec, strace itself doesn't show. */
		begun = begun || !strcmp(scap_event_name(ev), "execve");
		if (!begun)
			continue;
		c = next_of(ev->tid);
		if (c) {
			compare(c, ev);
		} else {
			printf("FAIL thread %u: %s is not in strace's output\n", ev->tid,
			       scap_event_name(ev));
			n_fails++;
		}
	}
	for (size_t i = 0; i < n_calls && n_fails < 20; i++) {
		if (!calls[i].done) {
			printf("FAIL thread %u: %s = %lld was not recorded\n", calls[i].tid,
			       calls[i].name, calls[i].ret);
			n_fails++;
		}
	}
	printf("%u calls compared, %u strings\n", n_compared, n_strings_compared);
	scap_reader_close(r);
	return n_fails != 0;
}
