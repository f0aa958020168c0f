/* SPDX-License-Identifier: MIT */
/*
 * stracecmp CAPTURE STRACE-OUTPUT: the same calls in the same order with the same results, errno,
 * paths and data, thread by thread. STRACE-OUTPUT was made with -f -xx -s 80 -o. Prints the number
 * of calls compared; every difference is a line that begins with FAIL.
 */
#include "traced.h"

static unsigned n_compared, n_strings_compared;

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

struct strings {
	unsigned n;
	struct {
		char *data;
		size_t bytes;
		bool cut;
	} s[8];
};

/* The quoted strings of the argument text, which are all in \xNN form. */
static void parse_strings(struct strings *s, const char *p)
{
	while ((p = strchr(p, '"')) != NULL && s->n < 8) {
		char *out = malloc(strlen(p) / 4 + 1);
		size_t n = 0;

		for (p++; *p == '\\' && p[1] == 'x'; p += 4)
			out[n++] = (char)strtoul((char[3]){ p[2], p[3], 0 }, NULL, 16);
		s->s[s->n].data = out;
		s->s[s->n].bytes = n;
		s->s[s->n++].cut = !strncmp(p, "\"...", 4);
		p++;
	}
}

/* ---- comparing ---- */

static void differ(const struct call *c, const struct scap_event *ev, const char *what)
{
	printf("FAIL event %llu, thread %u: %s: recorded %s = %lld, strace has %s = %lld\n",
	       (unsigned long long)scap_event_num(ev), c->tid, what, scap_event_name(ev),
	       (long long)scap_event_ret(ev), c->name, c->ret);
	n_fails++;
}

static void compare_string(struct call *c, const struct scap_event *ev,
			   const struct strings *s, unsigned i, const struct scap__blob *b)
{
	size_t n = s->s[i].bytes;

	n_strings_compared++;
	if (b->state == SCAP_STATE_UNREADABLE)
		differ(c, ev, "flagged unreadable");
	else if (s->s[i].cut ? b->bytes < n : b->bytes != n)
		differ(c, ev, "a string of another length");
	else if (memcmp(b->data, s->s[i].data, n))
		differ(c, ev, "another string");
}

/* Strings of the call in argument order are what the slots hold in that order. */
static void compare_paths(struct call *c, const struct scap_event *ev, const struct strings *s)
{
	bool exec = !strncmp(c->name, "execve", 6);
	unsigned i = 0;

	for (unsigned slot = 0; slot < 6 && !exec; slot++) {
		const struct scap__blob *b = blob_of(ev, slot);

		if (b && i < s->n)
			compare_string(c, ev, s, i++, b);
	}
	if (!exec && i != s->n)
		differ(c, ev, "a path is missing");
	if (exec && !blob_of(ev, SCAP_SLOT_FILENAME))
		differ(c, ev, "the file name is missing");
	else if (exec)
		compare_string(c, ev, s, 0, blob_of(ev, SCAP_SLOT_FILENAME));
}

/* argv: the remaining strings, each with its NUL. */
static void compare_argv(struct call *c, const struct scap_event *ev, const struct strings *s)
{
	const struct scap__blob *b = blob_of(ev, c->name[6] ? 2 : 1);
	size_t at = 0;

	if (!b) {
		differ(c, ev, "argv is missing");
		return;
	}
	for (unsigned i = 1; i < s->n; i++) {
		size_t n = s->s[i].bytes;

		if (at + n + 1 > b->bytes || memcmp(b->data + at, s->s[i].data, n) ||
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

static void compare_data(struct call *c, const struct scap_event *ev, const struct strings *s)
{
	const struct scap__blob *b = blob_of(ev, 1);

	if (!s->n || c->ret < 0)
		return;
	if (!b && s->s[0].bytes)
		differ(c, ev, "the data is missing");
	else if (b)
		compare_string(c, ev, s, 0, b);
}

static void compare(struct call *c, const struct scap_event *ev)
{
	struct strings s = { 0 };

	n_compared++;
	if (strcmp(c->name, scap_event_name(ev))) {
		differ(c, ev, "another call");
		return;
	}
	parse_strings(&s, c->args);
	if (c->has_ret && strcmp(c->name, "rt_sigreturn") &&
	    (!scap_event_has_ret(ev) || scap_event_ret(ev) != c->ret))
		differ(c, ev, "another result");
	if (IN(c->name, path_calls))
		compare_paths(c, ev, &s);
	if (!strncmp(c->name, "execve", 6) && c->ret == 0)
		compare_argv(c, ev, &s);
	if (IN(c->name, data_calls))
		compare_data(c, ev, &s);
	while (s.n)
		free(s.s[--s.n].data);
}

int main(int argc, char **argv)
{
	const struct scap_event *ev;
	struct scap_reader *r;

	if (argc != 3)
		die("usage: stracecmp CAPTURE STRACE-OUTPUT");
	read_strace(argv[2]);
	r = capture_open(argv[1]);
	while (n_fails < 20 && (ev = capture_next(r)) != NULL) {
		struct call *c = traced_call(ev);

		if (c)
			compare(c, ev);
	}
	not_recorded();
	printf("%u calls compared, %u strings\n", n_compared, n_strings_compared);
	scap_reader_close(r);
	return n_fails != 0;
}
