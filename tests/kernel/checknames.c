/* SPDX-License-Identifier: MIT */
/*
 * checknames written CAPTURE DIR: every write below DIR goes to the file that its bytes name;
 *	prints how many of each name.
 * checknames race CAPTURE DIR: every read's bytes, every open's path and every close name the
 *	right file; each file is closed exactly once.
 * Differences are lines that begin with FAIL.
 */
#include "capture.h"

static unsigned n_fails, n_seen[3];
static const char *dir;

static void differ(const struct scap_event *ev, const char *got, const char *want)
{
	if (n_fails++ < 20)
		printf("FAIL event %llu %s of thread %u: name '%s', should be '%s'%s\n",
		       (unsigned long long)ev->num, scap_event_name(ev), ev->tid, got, want,
		       ev->flags & SCAP_CALL_FD_SHARED ? " (flagged as shared)" : "");
}

static bool below_dir(const char *path)
{
	return !strncmp(path, dir, strlen(dir)) && path[strlen(dir)] == '/';
}

/* A blob as text, if it is a name below the directory. */
static bool truth_of(const struct scap_event *ev, unsigned slot, char *buf, size_t cap)
{
	const struct scap__blob *b = blob_of(ev, slot);

	if (!b || b->bytes >= cap)
		return false;
	memcpy(buf, b->data, b->bytes);
	buf[b->bytes] = 0;
	return below_dir(buf);
}

static void check_written(const struct scap_event *ev)
{
	char want[512], got[512];

	if (strcmp(scap_event_name(ev), "pwrite64") || ev->ret <= 0 ||
	    !truth_of(ev, 1, want, sizeof(want)))
		return;
	field_text("fd.name", ev, got, sizeof(got));
	if (strcmp(got, want))
		differ(ev, got, want);
	else
		printf("written %s\n", want);
	n_seen[0]++;
}

/* Closes, by file: "left.12" and "right.7" as one number each. */
static unsigned char closed[1 << 20];

static unsigned index_of(const char *path)
{
	const char *base = path + strlen(dir) + 1;
	unsigned i = (unsigned)atoi(base + strcspn(base, ".") + 1);

	return (*base == 'r' ? 1U << 19 : 0) + (i & 0x7ffff);
}

static void check_race(const struct scap_event *ev, unsigned tgid)
{
	const char *name = scap_event_name(ev);
	char want[512], got[512];

	if (scap_event_tgid(ev) != tgid || ev->ret < 0)
		return;
	field_text("fd.name", ev, got, sizeof(got));
	if (!strcmp(name, "openat") && truth_of(ev, 1, want, sizeof(want))) {
		n_seen[0]++;
		if (strcmp(got, want))
			differ(ev, got, want);
	} else if (!strcmp(name, "read") && truth_of(ev, 1, want, sizeof(want))) {
		n_seen[1]++;
		if (strcmp(got, want))
			differ(ev, got, want);
	} else if (!strcmp(name, "close")) {
		n_seen[2]++;
		if (!below_dir(got))
			differ(ev, got, "one of the files");
		else if (closed[index_of(got)]++)
			differ(ev, got, "a file that was not closed yet");
	}
}

int main(int argc, char **argv)
{
	bool race = argc > 3 && !strcmp(argv[1], "race");
	const struct scap_event *ev;
	struct scap_reader *r;

	if (argc < 4)
		die("usage: checknames written|race CAPTURE DIR [TGID]");
	dir = argv[3];
	r = capture_open(argv[2]);
	while ((ev = capture_next(r)) != NULL) {
		if (!is_call(ev))
			continue;
		if (race)
			check_race(ev, (unsigned)atoi(argv[4]));
		else
			check_written(ev);
	}
	scap_reader_close(r);
	if (race)
		printf("opens %u reads %u closes %u\n", n_seen[0], n_seen[1], n_seen[2]);
	return n_fails != 0;
}
