/* SPDX-License-Identifier: MIT */
/*
 * checkflip CAPTURE TRUTH: each open that `flip` made is recorded with the file that it got:
 * device, inode, path. Prints how many there were, and in how many the path that was asked for, as
 * it was found in the program's memory, is another: without any the race did not take place.
 */
#include "capture.h"

#define MAX_OPENS 1000000

static struct file {
	unsigned dev;
	unsigned long ino;
	char path[256];
} files[2];

static unsigned long *opened;
static unsigned n_files, n_opened, n_seen, n_other, n_fails;
static unsigned thread;

static void read_truth(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[512];

	opened = calloc(MAX_OPENS, sizeof(*opened));
	if (!f || !opened)
		die("%s", path);
	while (fgets(line, sizeof(line), f)) {
		struct file *t = &files[n_files < 2 ? n_files : 0];

		if (sscanf(line, "opened %lu", &opened[n_opened]) == 1)
			n_opened += n_opened < MAX_OPENS - 1;
		else if (n_files < 2 &&
			 sscanf(line, "file %u %lu %255s", &t->dev, &t->ino, t->path) == 3)
			n_files++;
		else
			sscanf(line, "thread %u", &thread);
	}
	fclose(f);
}

/* One of flip's opens, of a path below its directory; not those of its making. */
static bool is_round(const struct scap_event *ev, char *asked, size_t cap)
{
	const struct scap__blob *b = blob_of(ev, 1);
	size_t n = strlen(files[0].path) - strlen("/one/aaa");

	if (!is_call(ev) || ev->tid != thread || strcmp(scap_event_name(ev), "openat") || !b ||
	    b->bytes >= cap || ev->args[2] != 0)
		return false;
	memcpy(asked, b->data, b->bytes);
	asked[b->bytes] = 0;
	return !strncmp(asked, files[0].path, n);
}

static void check(const struct scap_event *ev, const char *asked)
{
	unsigned long ino = n_seen < n_opened ? opened[n_seen] : 0;
	const struct file *want = &files[ino == files[1].ino];
	const struct scap__file *got = ev->file;
	bool ok = got && got->ino == ino && got->dev == want->dev && got->path &&
		  !strcmp(got->path, want->path) && !(got->flags & SCAP_FILE_DELETED);

	n_seen++;
	n_other += strcmp(asked, want->path) != 0;
	if (!ok && n_fails++ < 20)
		printf("FAIL open %u: inode %llu %s, should be %lu %s; asked for %s\n", n_seen,
		       got ? (unsigned long long)got->ino : 0, got && got->path ? got->path : "-",
		       ino, want->path, asked);
}

int main(int argc, char **argv)
{
	const struct scap_event *ev;
	struct scap_reader *r;
	char asked[512];

	if (argc != 3)
		die("usage: checkflip CAPTURE TRUTH");
	read_truth(argv[2]);
	r = capture_open(argv[1]);
	while ((ev = capture_next(r)) != NULL)
		if (is_round(ev, asked, sizeof(asked)))
			check(ev, asked);
	scap_reader_close(r);
	printf("opens %u of %u\nother %u\n", n_seen, n_opened, n_other);
	return n_fails != 0 || n_seen != n_opened;
}
