/* SPDX-License-Identifier: MIT */
/* Where captures are created, and what is left when writing fails. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/layout.h"
#include "support_rows.h"

#define T0 (900 * SCAP_EPOCH_NS)

static char dir[] = "/tmp/scap-writer-XXXXXX";
static char path[100], other[100];

static void setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.scapz", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
}

static void teardown(void)
{
	unlink(path);
	unlink(other);
	rmdir(dir);
}

TestSuite(writer, .init = setup, .fini = teardown);

static int open_writer(uint32_t flags, struct scap_writer **ret_w, struct scap_error *err)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .flags = flags, .raw_ns = T0 };

	*err = (struct scap_error){ 0 };
	return scap_writer_open_path(path, &opt, ret_w, err);
}

static int put_slice(struct scap_writer *w, const struct rows *rows, uint32_t i)
{
	struct scap_slice_part part = { .cpu = 0, .rows = rows->p, .bytes = rows->n };
	struct scap_slice s = { .start_ns = T0 + i * SCAP_EPOCH_NS,
				.end_ns = T0 + (i + 1) * SCAP_EPOCH_NS,
				.n_parts = 1, .parts = &part };

	return scap_writer_slice(w, &s);
}

/* n calls of a slice, with arguments that do not compress. */
static void make_rows(struct rows *r, uint32_t slice, uint32_t n)
{
	uint64_t seed = slice;

	r->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct scap_rec_call c = { .tid = 1, .nr = 1, .shape = 6 };
		size_t at = rows_begin(r, SCAP_REC_CALL, 0, slice * n + i,
				       T0 + slice * SCAP_EPOCH_NS + i);

		rows_put(r, (uint8_t *)&c + 16, 16);
		for (int k = 0; k < 6; k++) {
			uint64_t v = rows_random(&seed);

			rows_put(r, &v, sizeof(v));
		}
		rows_end(r, at);
	}
}

/* Events, and how reading ended. */
static uint64_t read_path(int *ret_rc)
{
	struct scap_reader *r = NULL;
	const struct scap_event *ev;
	struct scap_error err = { 0 };
	uint64_t n = 0;
	int rc = scap_reader_open_path(path, NULL, &r, &err);

	cr_assert_eq(rc, 0, "%s", err.text);
	while ((rc = scap_reader_next(r, &ev)) == 0)
		n++;
	scap_reader_close(r);
	*ret_rc = rc;
	return n;
}

static void close_ok(struct scap_writer *w, uint32_t next_seq)
{
	struct scap_ring_end end = { .next_seq = next_seq };
	struct scap_error err = { 0 };

	cr_assert_eq(scap_writer_close(w, T0 + 100 * SCAP_EPOCH_NS, &end, 1, &err), 0, "%s",
		     err.text);
}

Test(writer, creates_0600)
{
	struct scap_writer *w;
	struct scap_error err;
	struct rows rows = { 0 };
	struct stat st;
	int rc;

	umask(0);
	cr_assert_eq(open_writer(0, &w, &err), 0, "%s", err.text);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	cr_assert_eq((uint64_t)st.st_size, scap_writer_bytes(w), "the header is there at once");
	make_rows(&rows, 0, 10);
	cr_assert_eq(put_slice(w, &rows, 0), 0);
	close_ok(w, 10);
	cr_assert_eq(read_path(&rc), 10);
	cr_assert_eq(rc, 1);
	rows_free(&rows);
}

Test(writer, never_over_a_file)
{
	struct scap_writer *w = NULL;
	struct scap_error err;
	struct stat st;
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	cr_assert_eq(write(fd, "precious", 8), 8);
	close(fd);
	cr_assert_eq(open_writer(0, &w, &err), -EEXIST);
	cr_assert_not_null(strstr(err.text, path));
	cr_assert_null(w);
	stat(path, &st);
	cr_assert_eq(st.st_size, 8);
	cr_assert_eq(open_writer(SCAP_WRITER_FORCE, &w, &err), 0, "%s", err.text);
	close_ok(w, 0);
	stat(path, &st);
	cr_assert_eq(st.st_mode & 07777, 0600, "also what was there becomes private");
	cr_assert_gt(st.st_size, 64);
}

Test(writer, never_through_a_link)
{
	struct scap_writer *w = NULL;
	struct scap_error err;
	struct stat st;

	cr_assert_eq(symlink(other, path), 0);
	cr_assert_eq(open_writer(0, &w, &err), -ELOOP);
	cr_assert_eq(open_writer(SCAP_WRITER_FORCE, &w, &err), -ELOOP);
	cr_assert_not_null(strstr(err.text, "link"));
	cr_assert_eq(stat(other, &st), -1, "nothing came to be behind the link");
	close(open(other, O_CREAT | O_WRONLY, 0644));
	cr_assert_eq(open_writer(SCAP_WRITER_FORCE, &w, &err), -ELOOP);
	cr_assert_null(w);
}

Test(writer, directory_and_unwritable)
{
	struct scap_writer *w = NULL;
	struct scap_error err = { 0 };

	cr_assert_eq(scap_writer_open_path("/tmp", NULL, &w, &err), -EISDIR);
	cr_assert_eq(scap_writer_open_path("/nonexistent/x", NULL, &w, &err), -ENOENT);
	cr_assert_not_null(strstr(err.text, "/nonexistent/x"));
	cr_assert_null(w);
}

Test(writer, device)
{
	struct scap_writer *w;
	struct rows rows = { 0 };

	cr_assert_eq(scap_writer_open_path("/dev/null", NULL, &w, NULL), 0);
	make_rows(&rows, 0, 10);
	cr_assert_eq(put_slice(w, &rows, 0), 0);
	cr_assert_gt(scap_writer_bytes(w), 700);
	close_ok(w, 10);
	cr_assert_eq(scap_writer_open_path("/dev/full", NULL, &w, NULL), -ENOSPC);
	rows_free(&rows);
}

static void *read_fifo(void *ret_n)
{
	int rc;

	*(uint64_t *)ret_n = read_path(&rc);
	cr_assert_eq(rc, 1);
	return NULL;
}

Test(writer, pipe)
{
	struct rows rows = { 0 };
	struct scap_writer *w;
	struct scap_error err;
	uint64_t n = 0;
	pthread_t t;

	cr_assert_eq(mkfifo(path, 0600), 0);
	pthread_create(&t, NULL, read_fifo, &n);
	cr_assert_eq(open_writer(0, &w, &err), 0, "%s", err.text);
	for (uint32_t i = 0; i < 20; i++) {
		make_rows(&rows, i, 500);
		cr_assert_eq(put_slice(w, &rows, i), 0);
	}
	close_ok(w, 20 * 500);
	pthread_join(t, NULL);
	cr_assert_eq(n, 20 * 500);
	rows_free(&rows);
}

/* ---- failing ------------------------------------------------------------------------------- */

/* Writes slices of 100 calls until the limit on file size stops it; returns how many went in. */
static uint32_t write_until_full(struct scap_writer *w, struct rows *rows)
{
	for (uint32_t i = 0;; i++) {
		int rc;

		cr_assert_lt(i, 1000);
		make_rows(rows, i, 100);
		rc = put_slice(w, rows, i);
		if (!rc)
			continue;
		cr_assert_eq(rc, -EFBIG);
		cr_assert_eq(put_slice(w, rows, i + 1), -EFBIG, "it stays so");
		return i;
	}
}

static void run_with_file_limit(rlim_t bytes, bool end_fits)
{
	struct rlimit lim = { bytes, RLIM_INFINITY };
	struct scap_ring_end end = { 0 };
	struct scap_error err;
	struct rows rows = { 0 };
	struct scap_writer *w;
	struct stat st;
	uint32_t n;
	int rc;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &lim);
	cr_assert_eq(open_writer(SCAP_WRITER_ROWS, &w, &err), 0);
	n = write_until_full(w, &rows);
	cr_assert_not_null(strstr(scap_writer_error(w)->text, "File too large"));
	stat(path, &st);
	cr_assert_eq((uint64_t)st.st_size, scap_writer_bytes(w), "cut back to whole sections");
	end.next_seq = (n + 1) * 100;
	cr_assert_eq(scap_writer_close(w, T0, &end, 1, &err), -EFBIG);
	cr_assert_not_null(strstr(err.text, "File too large"));
	/* What did not fit is told, where the end that counts it fits. */
	cr_assert_eq(read_path(&rc), n * 100 + end_fits, "what was written before is readable");
	cr_assert_eq(rc, end_fits ? 1 : SCAP_ETRUNCATED);
	rows_free(&rows);
	unlink(path);
}

Test(writer, no_space_left)
{
	run_with_file_limit(100000, true);
}

/* At each of many limits, whether the end still fits or not. */
Test(writer, no_space_at_any_place)
{
	uint64_t whole;
	struct rows rows = { 0 };
	struct scap_writer *w;
	struct scap_error err;

	cr_assert_eq(open_writer(SCAP_WRITER_ROWS, &w, &err), 0);
	make_rows(&rows, 0, 100);
	cr_assert_eq(put_slice(w, &rows, 0), 0);
	whole = scap_writer_bytes(w);
	scap_writer_close(w, 0, NULL, 0, NULL);
	unlink(path);
	rows_free(&rows);
	run_with_file_limit(whole, false);
	run_with_file_limit(whole + 8, false);
	run_with_file_limit(whole + 48, false);
	run_with_file_limit(whole + 96, true);	/* 48 + 40 + 8: the end, at most */
	run_with_file_limit(whole + 5000, true);
}

/* A header that could not be written leaves no file behind. */
Test(writer, no_space_for_the_header)
{
	struct rlimit lim = { 70, RLIM_INFINITY };
	struct scap_writer *w = NULL;
	struct scap_error err;
	struct stat st;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &lim);
	cr_assert_eq(open_writer(0, &w, &err), -EFBIG);
	cr_assert_neq(err.code, 0);
	cr_assert_null(w);
	cr_assert_eq(stat(path, &st), -1);
}

struct failing_sink {
	struct rows rows;
	int calls_left, n_closed;
};

static int failing_write(void *ctx, const void *buf, size_t n)
{
	struct failing_sink *s = ctx;

	if (!s->calls_left--)
		return -ENOSPC;
	rows_put(&s->rows, buf, n);
	return 0;
}

static int failing_close(void *ctx)
{
	((struct failing_sink *)ctx)->n_closed++;
	return 0;
}

/* Each write in turn fails; header and host are the first two. */
Test(writer, nth_write_fails)
{
	struct rows rows = { 0 };

	for (int n = 0; n < 8; n++) {
		struct failing_sink s = { .calls_left = n };
		struct scap_sink sink = { &s, failing_write, failing_close };
		struct scap_ring_end end = { .next_seq = 20 };
		struct scap_writer *w = NULL;
		struct scap_error err = { 0 };
		int rc = scap_writer_open_sink(&sink, NULL, &w, &err);

		cr_assert_eq(rc, n < 2 ? -ENOSPC : 0);
		for (uint32_t i = 0; !rc && i < 2; i++) {
			make_rows(&rows, i, 10);
			cr_assert_eq(put_slice(w, &rows, i), n < 4 + (int)i ? -ENOSPC : 0);
		}
		if (!rc)
			cr_assert_eq(scap_writer_close(w, T0, &end, 1, &err), n < 7 ? -ENOSPC : 0);
		cr_assert_eq(err.code, n < 7 ? -ENOSPC : 0);
		cr_assert_eq(s.n_closed, 1);
		rows_free(&s.rows);
	}
	rows_free(&rows);
}

static int close_fails(void *ctx)
{
	(void)ctx;
	return -EIO;
}

Test(writer, close_fails)
{
	struct rows file = { 0 };
	struct scap_sink sink = rows_sink(&file);
	struct scap_ring_end end = { 0 };
	struct scap_error err = { 0 };
	struct scap_writer *w;

	sink.close = close_fails;
	cr_assert_eq(scap_writer_open_sink(&sink, NULL, &w, NULL), 0);
	cr_assert_eq(scap_writer_close(w, T0, &end, 1, &err), -EIO);
	cr_assert_eq(err.code, -EIO);
	rows_free(&file);
}

/* ---- what a caller must not do ------------------------------------------------------------- */

Test(writer, order_of_slices_and_parts)
{
	struct rows file = { 0 }, rows = { 0 };
	struct scap_sink sink = rows_sink(&file);
	struct scap_writer *w;
	struct scap_slice_part parts[2] = { { .cpu = 1 }, { .cpu = 1 } };
	struct scap_slice s = { .start_ns = 5, .end_ns = 9, .n_parts = 2, .parts = parts };

	cr_assert_eq(scap_writer_open_sink(&sink, NULL, &w, NULL), 0);
	cr_assert_eq(scap_writer_slice(w, &s), -EINVAL, "one CPU twice");
	parts[0].cpu = 0;
	cr_assert_eq(scap_writer_slice(w, &s), 0, "a bad slice does not end it all");
	cr_assert_eq(scap_writer_slice(w, &s), -EINVAL, "the same time again");
	s.start_ns = 9;
	cr_assert_eq(scap_writer_slice(w, &s), -EINVAL, "no time at all");
	s.end_ns = 10;
	rows_call(&rows, 0, 9, 1, 39, 0);
	parts[0].rows = rows.p;
	parts[0].bytes = rows.n - 8;
	cr_assert_eq(scap_writer_slice(w, &s), -EINVAL, "half a record");
	scap_writer_close(w, 0, NULL, 0, NULL);
	rows_free(&file);
	rows_free(&rows);
}

Test(writer, options)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .flags = 0x40 };
	struct scap_writer *w = NULL;
	struct scap_error err = { 0 };

	cr_assert_eq(scap_writer_open_path(path, &opt, &w, &err), -EINVAL);
	opt.flags = 0;
	opt.size = 2;
	cr_assert_eq(scap_writer_open_path(path, &opt, &w, &err), -EINVAL);
	cr_assert_null(w);
}

/* ---- slices larger than a section ---------------------------------------------------------- */

static void check_sections_small(const struct rows *file, uint64_t max_bytes, unsigned min_slices)
{
	size_t at = sizeof(struct scap__file_header);
	unsigned n = 0;

	while (at < file->n) {
		struct scap__section_header h;

		memcpy(&h, file->p + at, sizeof(h));
		cr_assert_leq(h.raw_bytes, max_bytes);
		n += h.type == SCAP__SECTION_SLICE;
		at += sizeof(h) + ((h.stored_bytes + 7) & ~7ull);
	}
	cr_assert_geq(n, min_slices);
}

/*
 * 25 MB of two CPUs whose records, step_ns apart, fall on nearly the same times: cuts must be by
 * time, not by CPU.
 */
static void split_and_read(uint32_t step_ns, uint64_t max_bytes, unsigned min_slices)
{
	struct rows file = { 0 }, cpu[2] = { { 0 }, { 0 } };
	struct scap_sink sink = rows_sink(&file);
	struct scap_ring_end ends[2] = { { .next_seq = 400000 }, { .cpu = 1, .next_seq = 400000 } };
	struct scap_slice_part parts[2];
	struct scap_slice s = { .start_ns = T0, .end_ns = T0 + SCAP_EPOCH_NS, .n_parts = 2,
				.parts = parts };
	const struct scap_event *ev;
	struct scap_source src;
	struct rows_reader input;
	struct scap_reader *r;
	struct scap_writer *w;
	uint64_t n = 0, last = 0;

	for (uint32_t c = 0; c < 2; c++) {
		rows_intro(&cpu[c], 0, T0, 1, "early");
		for (uint32_t i = 1; i < 400000; i++)
			rows_call(&cpu[c], i, T0 + (uint64_t)i * step_ns + c, 1, 39, 0);
		parts[c] = (struct scap_slice_part){ .cpu = c, .rows = cpu[c].p,
						     .bytes = cpu[c].n };
	}
	cr_assert_eq(scap_writer_open_sink(&sink, NULL, &w, NULL), 0);
	cr_assert_eq(scap_writer_slice(w, &s), 0);
	cr_assert_eq(scap_writer_close(w, T0 + SCAP_EPOCH_NS, ends, 2, NULL), 0);
	check_sections_small(&file, max_bytes, min_slices);
	src = rows_source(&input, file.p, file.n);
	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, NULL), 0);
	while (scap_reader_next(r, &ev) == 0) {
		cr_assert_gt(scap_event_raw_ns(ev), last);
		cr_assert_not_null(scap_event_comm(ev), "introductions reach over the cut");
		last = scap_event_raw_ns(ev);
		n++;
	}
	cr_assert_eq(n, 2 * 399999);
	cr_assert(scap_reader_info(r)->complete);
	scap_reader_close(r);
	rows_free(&file);
	rows_free(&cpu[0]);
	rows_free(&cpu[1]);
}

Test(writer, large_slice_is_split_by_time)
{
	split_and_read(2000, 1 << 20, 25);
}

/* As many in two milliseconds: larger sections, but bounded. */
Test(writer, crowded_slice_is_split_by_time)
{
	split_and_read(5, 16 << 20, 2);
}
