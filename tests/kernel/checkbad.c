/* SPDX-License-Identifier: MIT */
/*
 * checkbad CAPTURE TRUTH PID: the calls of badptr, in order, with their results, and each bad
 * pointer flagged unreadable. Differences are lines that begin with FAIL.
 */
#include "capture.h"

/*
 * Which slot must say "unreadable" for each kind of call; -1: none, the memory is the kernel's to
 * write.
 */
static const struct {
	const char *what, *call;
	int slot;
} rows[] = {
	{ "openat", "openat", 1 },
	{ "mkdir", "mkdir", 0 },
	{ "write", "write", 1 },
	{ "pwritev", "pwritev", 1 },
	{ "pwritev-iov", "pwritev", 1 },
	{ "bind", "bind", 1 },
	{ "connect", "connect", 1 },
	{ "sendto", "sendto", 1 },
	{ "sendmsg", "sendmsg", 1 },
	{ "execve-path", "execve", SCAP_SLOT_FILENAME },
	{ "execve-argv", "execve", 1 },
	{ "execve-arg", "execve", 1 },
	{ "pread64", "pread64", -1 },
	{ "pipe2", "pipe2", -1 },
	{ "getsockname", "getsockname", -1 },
	{ "recvfrom", "recvfrom", -1 },
	{ "wait4", "wait4", -1 },
};
static unsigned n_fails, n_flagged;

static int row_of(const char *what)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].what, what))
			return (int)i;
	return -1;
}

static void differ(const struct scap_event *ev, const char *line, const char *what)
{
	printf("FAIL event %llu %s = %lld: %s; the program: %s\n", (unsigned long long)ev->num,
	       scap_event_name(ev), (long long)ev->ret, what, line);
	n_fails++;
}

/*
 * The kernel itself could read the first bytes across the page's end: what was transferred is
 * whole, and says so.
 */
static bool transferred_part(const struct scap_event *ev, const char *kind)
{
	return !strcmp(kind, "crossing") && ev->ret > 0;
}

static void check(const struct scap_event *ev, const char *line, const char *what,
		  const char *kind, long long ret)
{
	const struct scap__blob *b;
	int row = row_of(what);

	if (row < 0 || strcmp(rows[row].call, scap_event_name(ev)) || ev->ret != ret) {
		differ(ev, line, "another call or result");
		return;
	}
	if (rows[row].slot < 0)
		return;
	b = blob_of(ev, (unsigned)rows[row].slot);
	if (transferred_part(ev, kind)) {
		if (!b || b->bytes != 5 || memcmp(b->data, "xxxxx", 5))
			differ(ev, line, "the five bytes that were written are missing");
	} else if (!b && !strcmp(kind, "null") && ev->args[1] == 0) {
		n_flagged++;	/* no address at all: the word itself says so */
	} else if (!b) {
		differ(ev, line, "no parameter");
	} else if (b->state != SCAP_STATE_UNREADABLE) {
		differ(ev, line, "not flagged unreadable");
	} else {
		n_flagged++;
	}
}

/* The next call of the program that badptr itself announces; libc's own are not among them. */
static const struct scap_event *next_call(struct scap_reader *r, uint32_t pid, const char *call)
{
	const struct scap_event *ev;

	while ((ev = capture_next(r)) != NULL)
		if (is_call(ev) && ev->tid == pid && !strcmp(scap_event_name(ev), call))
			return ev;
	return NULL;
}

int main(int argc, char **argv)
{
	char line[256], what[64], kind[64];
	const struct scap_event *ev;
	unsigned n = 0;
	FILE *f = argc == 4 ? fopen(argv[2], "r") : NULL;
	struct scap_reader *r;
	long long ret;

	if (!f)
		die("usage: checkbad CAPTURE TRUTH PID");
	r = capture_open(argv[1]);
	/* Its own file and socket come first. */
	next_call(r, (uint32_t)atoi(argv[3]), "munmap");
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "%*d %63s %63s %lld", what, kind, &ret) != 3)
			continue;
		ev = next_call(r, (uint32_t)atoi(argv[3]), rows[row_of(what)].call);
		if (!ev) {
			printf("FAIL not recorded: %s\n", line);
			return 1;
		}
		check(ev, line, what, kind, ret);
		n++;
	}
	printf("%u calls, %u flagged\n", n, n_flagged);
	return n_fails != 0;
}
