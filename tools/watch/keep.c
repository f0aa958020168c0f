/* SPDX-License-Identifier: MIT */
/* A capture of what a filter chooses out of another one. */
#include <errno.h>
#include <scap/copy.h>
#include <scap/reader.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "watch/captures.h"

static ssize_t fd_read(void *ctx, void *buf, size_t n)
{
	ssize_t got;

	do {
		got = read(*(int *)ctx, buf, n);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static int fd_write(void *ctx, const void *buf, size_t n)
{
	const char *p = buf;

	while (n) {
		ssize_t put = write(*(int *)ctx, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

static struct scap_writer *open_out(int *out, const struct scap_capture_info *info,
				    struct scap_error *err)
{
	struct scap_writer_options o = {
		.size = sizeof(o), .flags = SCAP_WRITER_GROUPS, .hostname = info->hostname,
		.kernel = info->kernel, .machine = info->machine, .boot_id = info->boot_id,
		.recorder = info->recorder, .filter = info->filter, .n_cpus = info->n_cpus,
		.snaplen = info->snaplen, .recorder_tgid = info->recorder_tgid,
		.ring_bytes = info->ring_bytes, .raw_ns = info->start_raw_ns,
		.real_ns = info->start_wall_ns,
	};
	struct scap_sink sink = { .ctx = out, .write = fd_write };
	struct scap_writer *w = NULL;

	return scap_writer_open_sink(&sink, &o, &w, err) < 0 ? NULL : w;
}

/* The second TRIGGER says where the event is now; the first can't know, and need not. */
static int copy(struct scap_reader *r, const struct scap_filter *f, struct scap_writer *w,
		const struct scap_trigger *t, struct scap_error *err)
{
	const struct scap_trigger *had = scap_reader_trigger(r);
	struct scap_trigger front = had ? *had : *t, last = *t;
	int rc;

	front.size = last.size = sizeof(front);
	front.event = 0;
	rc = scap_writer_trigger(w, &front);
	if (!rc)
		rc = scap_copy_chosen(r, f, w, err);
	last.event = scap_copy_trigger_event(w);
	last.flags |= SCAP_TRIGGER_CHOSEN;
	if (!rc)
		rc = scap_writer_trigger(w, &last);
	if (rc && !err->code)
		*err = *scap_writer_error(w);
	return rc;
}

bool keep_chosen(int fd, const char *filter, int out, const struct scap_trigger *t,
		 char *text, size_t cap)
{
	struct scap_reader_options o = {
		.size = sizeof(o), .flags = SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES,
	};
	struct scap_source src = { .ctx = &fd, .read = fd_read };
	struct scap_error err = { 0 }, end = { 0 };
	struct scap_filter *f = NULL;
	struct scap_reader *r = NULL;
	struct scap_writer *w = NULL;
	int rc = scap_filter_compile(filter, &f, &err);

	if (!rc)
		rc = scap_reader_open_source(&src, &o, &r, &err);
	if (!rc) {
		w = open_out(&out, scap_reader_info(r), &err);
		rc = w ? copy(r, f, w, t, &err) : err.code;
	}
	if (w && !rc)
		rc = scap_copy_finish(w, r, &err);
	else if (w)
		scap_writer_close(w, 0, NULL, 0, &end);
	scap_reader_close(r);
	scap_filter_free(f);
	if (rc)
		snprintf(text, cap, "%s", err.text);
	if (!rc && fsync(out) < 0) {
		snprintf(text, cap, "writing the capture failed: %s", strerror(errno));
		rc = -errno;
	}
	return !rc;
}
