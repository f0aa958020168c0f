/* SPDX-License-Identifier: MIT */
#include "input.h"

#include "opts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_AFTER_NS 2000000000ull
#define PROGRESS_EVERY_NS 250000000ull

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

void input_clear_progress(struct input *in)
{
	if (in->shown)
		fputs("\r\033[K", stderr);
	in->shown = false;
}

static void show_progress(struct input *in)
{
	uint64_t now = now_ns();

	if (now - in->start_ns < PROGRESS_AFTER_NS || now - in->shown_ns < PROGRESS_EVERY_NS)
		return;
	in->shown_ns = now;
	in->shown = true;
	if (in->total_bytes)
		fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " MiB read (%u%%)\033[K",
			in->done_bytes >> 20, in->total_bytes >> 20,
			(unsigned)(in->done_bytes * 100.0 / in->total_bytes));
	else
		fprintf(stderr, "\r%" PRIu64 " MiB read\033[K", in->done_bytes >> 20);
}

static ssize_t input_read(void *ctx, void *buf, size_t n)
{
	struct input *in = ctx;
	ssize_t got;

	if (in->waits && in->out)
		output_flush(in->out);
	do
		got = read(in->fd, buf, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	in->done_bytes += got;
	if (in->progress)
		show_progress(in);
	return got;
}

static int64_t input_seek(void *ctx, int64_t offset, int whence)
{
	struct input *in = ctx;
	off_t got = lseek(in->fd, (off_t)offset, whence);

	if (got < 0)
		return -errno;
	in->done_bytes = (uint64_t)got;
	return (int64_t)got;
}

static bool open_fd(struct input *in, const char *path)
{
	struct stat st;

	in->fd = STDIN_FILENO;
	if (strcmp(path, "-"))
		in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in->fd < 0 || fstat(in->fd, &st) < 0) {
		tool_error("cannot open %s: %s", in->path, strerror(errno));
		return false;
	}
	if (S_ISDIR(st.st_mode)) {
		tool_error("%s is a directory, not a capture", in->path);
		return false;
	}
	if (in->fd == STDIN_FILENO && isatty(in->fd)) {
		tool_error("standard input is a terminal: pipe a capture into it");
		return false;
	}
	in->waits = !S_ISREG(st.st_mode);
	in->total_bytes = S_ISREG(st.st_mode) ? st.st_size : 0;
	return true;
}

bool input_open(struct input *in, const char *path, uint32_t flags, struct output *out,
		int *ret_exit)
{
	struct scap_reader_options opt = {
		.size = sizeof(opt), .flags = flags, .path = strcmp(path, "-") ? path : NULL,
	};
	struct scap_source src = { .ctx = in, .read = input_read };
	struct scap_error err = { .offset = SCAP_NO_OFFSET };
	int rc;

	*in = (struct input){ .path = strcmp(path, "-") ? path : "standard input", .fd = -1 };
	in->out = out;
	in->start_ns = now_ns();
	in->progress = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
	*ret_exit = TOOL_FAILED;
	if (!open_fd(in, path)) {
		input_close(in);
		return false;
	}
	if (!in->waits && in->fd != STDIN_FILENO)
		src.seek = input_seek;
	rc = scap_reader_open_source(&src, &opt, &in->reader, &err);
	if (rc < 0) {
		*ret_exit = input_failed(in, rc, &err);
		input_close(in);
		return false;
	}
	return true;
}

void input_close(struct input *in)
{
	input_clear_progress(in);
	scap_reader_close(in->reader);
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	in->reader = NULL;
	in->fd = -1;
}

int input_failed(struct input *in, int rc, const struct scap_error *err)
{
	const char *text = err->text[0] ? err->text : strerror(-rc);

	input_clear_progress(in);
	if (in->out)
		output_flush(in->out);
	if (err->offset != SCAP_NO_OFFSET && (rc == SCAP_EDAMAGED || rc == SCAP_ETRUNCATED))
		tool_error("%s: %s (at byte %" PRIu64 ")", in->path, text, err->offset);
	else
		tool_error("%s: %s", in->path, text);
	return rc == SCAP_EDAMAGED || rc == SCAP_ETRUNCATED ? TOOL_DAMAGED : TOOL_FAILED;
}

bool input_args(const struct verb *verb, int argc, char **argv, int json_id,
		const char **ret_path, bool *ret_json)
{
	struct opt_parser p;
	const char *path = NULL;
	int id;

	*ret_json = false;
	opt_init(&p, verb, argc, argv);
	while ((id = opt_next(&p)) > 0) {
		if (id == json_id) {
			*ret_json = true;
		} else if (path) {
			tool_usage("one FILE at a time: '%s' is too much", p.arg);
			return false;
		} else {
			path = p.arg;
		}
	}
	if (id < 0)
		return false;
	if (!path && p.n_rest == 1)
		path = p.rest[0];
	if (!path)
		tool_usage("which capture? Name a FILE, or - for standard input");
	*ret_path = path;
	return path;
}
