/* SPDX-License-Identifier: MIT */
/* What is not a capture, what is of another version, limits, options. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crc32c.h"
#include "format/layout.h"
#include "support_rows.h"

static struct rows_reader input;

static int try_open(const void *p, size_t n, const struct scap_reader_options *opt,
		    struct scap_error *err)
{
	struct scap_source src = rows_source(&input, p, n);
	struct scap_reader *r = NULL;
	int rc;

	*err = (struct scap_error){ 0 };
	rc = scap_reader_open_source(&src, opt, &r, err);
	if (rc == 0)
		scap_reader_close(r);
	else
		cr_assert_null(r);
	return rc;
}

static void expect_stranger(const void *p, size_t n, const char *text)
{
	struct scap_error err;

	cr_assert_eq(try_open(p, n, NULL, &err), SCAP_ENOTSCAP);
	cr_assert_eq(err.code, SCAP_ENOTSCAP);
	cr_assert_not_null(strstr(err.text, text), "'%s' lacks '%s'", err.text, text);
}

Test(open, strangers)
{
	expect_stranger("", 0, "empty");
	expect_stranger("Hello, world.\nThis is text.\n", 28, "text file");
	expect_stranger("a", 1, "text file");
	expect_stranger("\x1f\x8b\x08 gzip here", 12, "gzip");
	expect_stranger("\x28\xb5\x2f\xfd zstd here", 12, "zstd");
	expect_stranger("\n\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a", 12, ".scap");
	expect_stranger("\x7f" "ELF\2\1\1\0\0\0", 10, "program");
	expect_stranger("\0\1\2\3\4\5\6\7\10\11", 10, "not a capture's");
	expect_stranger("\xb5SCZ\n\x1a\n\0\0\0", 10, "text mode");
}

Test(open, paths)
{
	struct scap_reader *r = NULL;
	struct scap_error err;

	cr_assert_eq(scap_reader_open_path("/", NULL, &r, &err), -EISDIR);
	cr_assert_not_null(strstr(err.text, "directory"));
	cr_assert_eq(scap_reader_open_path("/nonexistent/x.scapz", NULL, &r, &err), -ENOENT);
	cr_assert_not_null(strstr(err.text, "/nonexistent/x.scapz"));
	cr_assert_eq(scap_reader_open_path("/dev/null", NULL, &r, &err), SCAP_ENOTSCAP);
	cr_assert_not_null(strstr(err.text, "/dev/null"));
	cr_assert_eq(scap_reader_open_path("/dev/null", NULL, &r, NULL), SCAP_ENOTSCAP);
	cr_assert_null(r);
}

static struct capture make(uint32_t n_slices)
{
	struct capture c;

	rows_capture(&c, &(struct capture_spec){ .seed = 1, .n_cpus = 2, .n_slices = n_slices,
						 .per_slice = 20 });
	return c;
}

static void sign_header(struct rows *file)
{
	uint32_t crc = scap__crc32c(0, file->p, sizeof(struct scap__file_header) - 4);

	memcpy(file->p + sizeof(struct scap__file_header) - 4, &crc, 4);
}

Test(open, version_and_features)
{
	struct capture c = make(1);
	struct scap_error err;

	/* Of an unfinished scap; of a later one, which a feature tells if that can't be read. */
	c.file.p[offsetof(struct scap__file_header, version)] = 0;
	cr_assert_eq(try_open(c.file.p, c.file.n, NULL, &err), SCAP_EDAMAGED);
	sign_header(&c.file);
	cr_assert_eq(try_open(c.file.p, c.file.n, NULL, &err), SCAP_EVERSION);
	c.file.p[offsetof(struct scap__file_header, version)] = 2;
	sign_header(&c.file);
	cr_assert_eq(try_open(c.file.p, c.file.n, NULL, &err), 0);
	c.file.p[offsetof(struct scap__file_header, incompat)] = 1;
	sign_header(&c.file);
	cr_assert_eq(try_open(c.file.p, c.file.n, NULL, &err), SCAP_EVERSION);
	c.file.p[offsetof(struct scap__file_header, incompat)] = 0;
	c.file.p[offsetof(struct scap__file_header, compat)] = 1;
	sign_header(&c.file);
	cr_assert_eq(try_open(c.file.p, c.file.n, NULL, &err), 0);
	capture_free(&c);
}

Test(open, info)
{
	struct capture c = make(2);
	struct scap_source src = rows_source(&input, c.file.p, c.file.n);
	const struct scap_capture_info *info;
	const struct scap_event *ev;
	struct scap_reader *r;

	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, NULL), 0);
	info = scap_reader_info(r);
	cr_assert_str_eq(info->hostname, "host");
	cr_assert_str_eq(info->kernel, "6.1");
	cr_assert_str_eq(info->machine, "x86_64");
	cr_assert_str_eq(info->boot_id, "boot");
	cr_assert_str_eq(info->recorder, "test");
	cr_assert_str_eq(info->filter, "-a");
	cr_assert_eq(info->n_cpus, 2);
	cr_assert_eq(info->snaplen, 80);
	cr_assert_eq(info->recorder_tgid, 42);
	cr_assert_eq(info->ring_bytes, 65536);
	cr_assert_eq(info->start_wall_ns - info->start_raw_ns, 7777777);
	cr_assert_not(info->complete);
	while (scap_reader_next(r, &ev) == 0)
		;
	cr_assert(info->complete);
	cr_assert_eq(info->n_slices, 2);
	cr_assert_eq(info->file_bytes, c.file.n);
	cr_assert_eq(info->end_wall_ns - info->end_raw_ns, 7777777);
	scap_reader_close(r);
	capture_free(&c);
}

Test(open, options)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = 0x80 };
	struct capture c = make(1);
	struct scap_error err;

	cr_assert_eq(try_open(c.file.p, c.file.n, &opt, &err), -EINVAL);
	opt.flags = 0;
	opt.size = 1;
	cr_assert_eq(try_open(c.file.p, c.file.n, &opt, &err), -EINVAL);
	capture_free(&c);
}

static int read_with_limit(const struct rows *file, uint64_t limit, struct scap_error *err)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .memory_limit = limit };
	struct scap_source src = rows_source(&input, file->p, file->n);
	const struct scap_event *ev;
	struct scap_reader *r;
	int rc = scap_reader_open_source(&src, &opt, &r, err);

	if (rc)
		return rc;
	while ((rc = scap_reader_next(r, &ev)) == 0)
		;
	if (rc < 0) {
		*err = *scap_reader_error(r);
		cr_assert_eq(scap_reader_next(r, &ev), rc, "it stays so");
	}
	scap_reader_close(r);
	return rc;
}

Test(open, memory_limit)
{
	struct capture c;
	struct scap_error err;

	rows_capture(&c, &(struct capture_spec){ .seed = 1, .n_cpus = 2, .n_slices = 2,
						 .per_slice = 2000 });
	cr_assert_eq(read_with_limit(&c.file, 16 << 20, &err), 1);
	for (uint64_t limit = 1000; limit < 3 << 20; limit = limit * 3 / 2) {
		int rc = read_with_limit(&c.file, limit, &err);

		cr_assert(rc == SCAP_ELIMIT || rc == 1, "limit %lu: %d", (unsigned long)limit, rc);
		if (limit < 500000)
			cr_assert_eq(rc, SCAP_ELIMIT);
	}
	capture_free(&c);
}

static ssize_t failing_read(void *ctx, void *buf, size_t n)
{
	struct rows_reader *rr = ctx;

	if (rr->at >= rr->n / 2)
		return -EIO;
	if (n > 100)
		n = 100;
	memcpy(buf, rr->p + rr->at, n);
	rr->at += n;
	return (ssize_t)n;
}

Test(open, read_error)
{
	struct capture c = make(3);
	struct scap_source src = rows_source(&input, c.file.p, c.file.n);
	const struct scap_event *ev;
	struct scap_reader *r;
	int rc;

	src.read = failing_read;
	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, NULL), 0);
	while ((rc = scap_reader_next(r, &ev)) == 0)
		;
	cr_assert_eq(rc, -EIO);
	cr_assert_not_null(strstr(scap_reader_error(r)->text, "Input/output error"));
	cr_assert_eq(scap_reader_next(r, &ev), -EIO);
	scap_reader_close(r);
	capture_free(&c);
}

static void count_close(void *ctx)
{
	++*(int *)ctx;
}

static ssize_t no_bytes(void *ctx, void *buf, size_t n)
{
	(void)ctx;
	(void)buf;
	(void)n;
	return 0;
}

/* The source is the reader's, also when it fails. */
Test(open, source_is_closed_once)
{
	struct scap_reader_options bad = { .size = 1 };
	struct scap_reader *r;
	int n_closed = 0;
	struct scap_source src = { .ctx = &n_closed, .read = no_bytes, .close = count_close };

	scap_reader_open_source(&src, &bad, &r, NULL);
	cr_assert_eq(n_closed, 1);
	scap_reader_open_source(&src, NULL, &r, NULL);
	cr_assert_eq(n_closed, 2);
}
