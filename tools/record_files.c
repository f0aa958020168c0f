/* SPDX-License-Identifier: MIT */
/* Where `scap record` writes: into one file, or into one after the other. */
#define _GNU_SOURCE	/* asprintf */
#include "opts.h"
#include "record.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int stdout_write(void *ctx, const void *buf, size_t n)
{
	const char *p = buf;

	(void)ctx;
	while (n) {
		ssize_t got = write(STDOUT_FILENO, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int stdout_close(void *ctx)
{
	(void)ctx;
	return close(STDOUT_FILENO) < 0 ? -errno : 0;
}

/* What was chosen, for the capture's header. */
static void describe(const struct record_options *opt, char *buf, size_t cap)
{
	size_t n = 0;

	buf[0] = 0;
	if (opt->all)
		n += snprintf(buf + n, cap - n, " -a");
	for (uint32_t i = 0; i < opt->n_pids && n < cap; i++)
		n += snprintf(buf + n, cap - n, "%s%" PRIu32, i ? "," : " --pid ", opt->pids[i]);
	for (uint32_t i = 0; i < opt->n_cgroups && n < cap; i++)
		n += snprintf(buf + n, cap - n, " --cgroup %s", opt->cgroups[i]);
	if (opt->calls && n < cap)
		n += snprintf(buf + n, cap - n, " --syscall %s", opt->calls);
	if (opt->classes & SCAP_LIVE_SCHED && n < cap)
		n += snprintf(buf + n, cap - n, " --sched");
	if (opt->classes & SCAP_LIVE_FAULT && n < cap)
		n += snprintf(buf + n, cap - n, " --faults");
	if (opt->argv && n < cap)
		n += snprintf(buf + n, cap - n, " --");
	for (char **arg = opt->argv; arg && *arg && n < cap; arg++)
		n += snprintf(buf + n, cap - n, " %s", *arg);
}

/* ---- opening -------------------------------------------------------------------------------- */

/* Makes *ret_w, on the file that path names; where it lies is noted. */
static int open_writer(struct record *r, const char *path, const struct scap_writer_options *wo,
		       struct scap_writer **ret_w, struct scap_error *err)
{
	struct scap_sink sink = { .write = stdout_write, .close = stdout_close };
	struct stat st;
	bool there;
	int rc;

	if (!strcmp(path, "-"))
		return scap_writer_open_sink(&sink, wo, ret_w, err);
	there = lstat(path, &st) == 0;
	rc = scap_writer_open_path(path, wo, ret_w, err);
	if (rc < 0)
		return rc;
	r->created = !there;
	r->regular = stat(path, &st) == 0 && S_ISREG(st.st_mode);
	r->next = (struct record_file){ .number = r->last_number, .dev = st.st_dev,
					.ino = st.st_ino };
	return 0;
}

static int open_path(struct record *r, const char *path, struct scap_writer **ret_w,
		     struct scap_error *err)
{
	const struct scap_live_info *info = scap_live_info(r->live);
	bool force = r->opt.force && !record_rotates(&r->opt);
	struct scap_live_clock clock;
	char filter[1024] = "";
	struct scap_writer_options wo = {
		.size = sizeof(wo), .flags = (force ? SCAP_WRITER_FORCE : 0) |
					  (r->opt.fsync ? SCAP_WRITER_SYNC : 0),
		.n_cpus = info->n_cpus, .snaplen = info->snaplen,
		.recorder_tgid = (uint32_t)getpid(), .clock_source = info->clock_source,
		.ring_bytes = info->ring_bytes, .filter = filter + 1, .recorder = "scap record",
	};

	if (scap_live_clock(r->live, &clock) < 0) {
		*err = *scap_live_error(r->live);
		return err->code;
	}
	wo.raw_ns = clock.raw_ns;
	wo.real_ns = clock.real_ns;
	wo.boot_ns = clock.boot_ns;
	describe(&r->opt, filter, sizeof(filter));
	return open_writer(r, path, &wo, ret_w, err);
}

/* ---- names ---------------------------------------------------------------------------------- */

/* Files that take turns are called NAME-000001.EXT, NAME-000002.EXT, ... */
#define DIGITS_MIN 6
#define DIGITS_MAX 18
#define TRIES_MAX 100

static const char *base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* Where the number goes: before the last dot of the base, unless that begins with it. */
static const char *extension(const char *name)
{
	const char *base = base_of(name), *dot = strrchr(base, '.');

	return dot && dot != base ? dot : name + strlen(name);
}

static char *numbered(const char *name, uint64_t number)
{
	const char *ext = extension(name);
	char *path;

	if (asprintf(&path, "%.*s-%0*" PRIu64 "%s", (int)(ext - name), name, DIGITS_MIN, number,
		     ext) < 0)
		return NULL;
	return path;
}

/* The number in a file's name, if it is one of these names; otherwise 0. */
static uint64_t number_in(const char *file, const char *name)
{
	const char *base = base_of(name), *ext = extension(name);
	size_t stem = (size_t)(ext - base), n;

	if (strncmp(file, base, stem) || file[stem] != '-')
		return 0;
	file += stem + 1;
	n = strspn(file, "0123456789");
	if (n < DIGITS_MIN || n > DIGITS_MAX || strcmp(file + n, ext))
		return 0;
	return strtoull(file, NULL, 10);
}

/* Of the files that are there already: numbers go on behind them, so that names sort by time. */
static uint64_t highest_number(const char *name)
{
	const char *base = base_of(name);
	char *dir = base == name ? strdup(".") : strndup(name, (size_t)(base - name));
	DIR *d = dir ? opendir(dir) : NULL;
	uint64_t highest = 0;

	free(dir);
	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d));) {
		uint64_t n = number_in(e->d_name, name);

		if (n > highest)
			highest = n;
	}
	closedir(d);
	return highest;
}

bool record_rotates(const struct record_options *opt)
{
	return opt->rotate_bytes || opt->rotate_ns || opt->rotate_events;
}

int record_choose_name(struct record *r)
{
	time_t now = time(NULL);
	struct stat st;
	struct tm tm;

	r->name = r->opt.output;
	if (!r->name) {
		localtime_r(&now, &tm);
		strftime(r->name_buf, sizeof(r->name_buf), "scap-%Y%m%d-%H%M%S.scapz", &tm);
		r->name = r->name_buf;
	} else if (!strcmp(r->name, "none")) {
		r->name = NULL;
	}
	if (!record_rotates(&r->opt))
		return TOOL_OK;
	if (!r->name || !strcmp(r->name, "-") || !*base_of(r->name) ||
	    (stat(r->name, &st) == 0 && !S_ISREG(st.st_mode)))
		return tool_usage("the files of --rotate-... are named after FILE, which cannot be "
				  "'%s'", r->opt.output);
	r->last_number = highest_number(r->name);
	return TOOL_OK;
}

/* ---- one file after the other --------------------------------------------------------------- */

static int no_memory(struct scap_error *err)
{
	snprintf(err->text, sizeof(err->text), "no memory");
	return -ENOMEM;
}

/* Nothing is overwritten: where the name is taken, even by a journal, the next number is. */
static int open_next(void *ctx, struct scap_writer **ret_w, struct scap_error *err)
{
	struct record *r = ctx;
	int rc = -EEXIST;

	for (int i = 0; rc == -EEXIST && i < TRIES_MAX; i++) {
		free(r->next_path);
		r->next_path = numbered(r->name, ++r->last_number);
		if (!r->next_path)
			return no_memory(err);
		rc = open_path(r, r->next_path, ret_w, err);
	}
	if (rc < 0) {
		free(r->next_path);
		r->next_path = NULL;
	}
	return rc;
}

/* What was opened is the file that is being written from here on. */
static bool adopt(struct record *r)
{
	struct record_file *files = realloc(r->files, (r->n_files + 1) * sizeof(*files));

	free(r->path);
	r->path = r->next_path;
	r->next_path = NULL;
	if (!files)
		return false;
	r->files = files;
	r->files[r->n_files++] = r->next;
	r->n_begun++;
	return true;
}

static bool is_ours(const char *path, const struct record_file *f)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_dev == f->dev && st.st_ino == f->ino;
}

/* Only what this recording made goes, however it is called by now. */
static void delete_oldest(struct record *r)
{
	char *path = numbered(r->name, r->files[0].number);

	if (path && is_ours(path, &r->files[0])) {
		if (unlink(path) == 0)
			r->n_deleted++;
		else
			tool_error("cannot delete %s: %s", path, strerror(errno));
	}
	free(path);
	r->n_files--;
	memmove(r->files, r->files + 1, r->n_files * sizeof(*r->files));
}

static uint64_t size_of(const struct record *r, uint64_t unless)
{
	struct stat st;

	return r->regular && stat(r->path, &st) == 0 ? (uint64_t)st.st_size : unless;
}

static void closed(void *ctx, const struct scap_recorder_totals *file)
{
	struct record *r = ctx;
	uint64_t bytes = size_of(r, file->file_bytes);

	r->file_bytes += bytes;
	record_say_file(r, file, bytes, r->rotating);
	r->rotating = NULL;
	if (!adopt(r)) {
		tool_error("no memory to remember %s: it will not be deleted", r->path);
		return;
	}
	while (r->opt.keep && r->n_files > r->opt.keep)
		delete_oldest(r);
}

bool record_open(struct record *r)
{
	struct scap_error err = { 0 };
	int rc;

	if (!r->name)
		return true;
	if (record_rotates(&r->opt)) {
		rc = open_next(r, &r->writer, &err);
		if (rc == 0 && adopt(r))
			return true;
		if (!rc)
			no_memory(&err);
	} else {
		r->path = strdup(strcmp(r->name, "-") ? r->name : "standard output");
		rc = r->path ? open_path(r, r->name, &r->writer, &err) : no_memory(&err);
		if (!rc)
			return true;
	}
	tool_error("%s%s", err.text, rc == -EEXIST ? " (--force)" : "");
	return false;
}

/* ---- when ----------------------------------------------------------------------------------- */

/* What t's files will be when what is kept in memory is written, as far as one can tell. */
static uint64_t expected_bytes(const struct record *r, const struct scap_recorder_totals *t)
{
	const struct scap_recorder_totals *all = scap_recorder_totals(r->recorder);
	uint64_t written = all->row_bytes - all->buffered_bytes;
	double ratio = written ? (double)all->file_bytes / (double)written : 0.2;

	return t->file_bytes + (uint64_t)((double)t->buffered_bytes * (ratio < 1 ? ratio : 1));
}

bool record_reaches(struct record *r, const struct scap_recorder_totals *t, uint64_t bytes)
{
	if (expected_bytes(r, t) < bytes)
		return false;
	return scap_recorder_flush(r->recorder) < 0 || expected_bytes(r, t) >= bytes;
}

static bool is_old(const struct record *r, const struct scap_recorder_totals *file)
{
	struct scap_live_clock clock;

	return r->opt.rotate_ns && scap_live_clock(r->live, &clock) == 0 &&
	       clock.raw_ns - file->start_raw_ns >= r->opt.rotate_ns;
}

/* Why the file is to be followed by another one; NULL: it is not. */
static const char *reason(struct record *r)
{
	const struct scap_recorder_totals *file = scap_recorder_file(r->recorder);

	if (is_old(r, file))
		return "rotate-time";
	if (r->opt.rotate_events && file->n_stored >= r->opt.rotate_events)
		return "rotate-events";
	if (r->opt.rotate_bytes && record_reaches(r, file, r->opt.rotate_bytes))
		return "rotate-size";
	return NULL;
}

int record_rotate(struct record *r)
{
	struct scap_recorder_next next = { .ctx = r, .open = open_next, .closed = closed };

	if (!record_rotates(&r->opt) || r->rotating)
		return 0;
	r->rotating = reason(r);
	return r->rotating ? scap_recorder_rotate(r->recorder, &next) : 0;
}

/* ---- the end -------------------------------------------------------------------------------- */

void record_drop_next(struct record *r)
{
	if (r->next_path && is_ours(r->next_path, &r->next))
		unlink(r->next_path);
}

void record_file_ended(struct record *r)
{
	const struct scap_recorder_totals *file = scap_recorder_file(r->recorder);
	uint64_t bytes = size_of(r, file->file_bytes);

	r->file_bytes += bytes;
	if (record_rotates(&r->opt))
		record_say_file(r, file, bytes, NULL);
}

void record_close(struct record *r)
{
	free(r->files);
	free(r->next_path);
	free(r->path);
}
