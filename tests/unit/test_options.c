/* SPDX-License-Identifier: MIT */
/*
 * Structures of options of programs that were built for another version: of a shorter one, and of a
 * longer one whose additional members are 0, or not.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <scap/scap.h>
#include <stdlib.h>
#include <string.h>

#include "support_device.h"

static struct capture c;
static struct fake_device fake;

/* Opens with these options, and closes again: what opening returned. */
typedef int try_fn(const void *opt);

static int try_reader(const void *opt)
{
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, c.file.p, c.file.n);
	struct scap_reader *r;
	int rc = scap_reader_open_source(&src, opt, &r, NULL);

	if (!rc)
		scap_reader_close(r);
	return rc;
}

static int try_path(const void *opt)
{
	struct scap_reader *r;
	int rc = scap_reader_open_path("/nonexistent", opt, &r, NULL);

	cr_assert_lt(rc, 0);
	return rc == -ENOENT ? 0 : rc;
}

static int try_writer(const void *opt)
{
	struct rows to = { 0 };
	struct scap_sink sink = rows_sink(&to);
	struct scap_writer *w;
	int rc = scap_writer_open_sink(&sink, opt, &w, NULL);

	if (!rc)
		scap_writer_close(w, 0, NULL, 0, NULL);
	rows_free(&to);
	return rc;
}

static int try_writer_path(const void *opt)
{
	struct scap_writer *w;
	int rc = scap_writer_open_path("/nonexistent/x", opt, &w, NULL);

	cr_assert_lt(rc, 0);
	return rc == -ENOENT ? 0 : rc;
}

static int try_export(const void *opt)
{
	struct rows to = { 0 };
	struct scap_sink sink = rows_sink(&to);
	struct scap_export *x;
	int rc = scap_export_open_sink(&sink, opt, NULL, &x, NULL);

	if (!rc)
		scap_export_close(x, NULL, NULL);
	rows_free(&to);
	return rc;
}

static int try_live(const void *opt)
{
	struct scap_live *l;
	struct scap__device dev;
	int rc;

	fake_init(&fake, 1);
	dev = fake_device(&fake);
	rc = scap__live_open_device(&dev, opt, &l, NULL);
	if (!rc)
		scap_live_close(l);
	fake_fini(&fake);
	return rc;
}

static int try_recorder(const void *opt)
{
	struct scap_recorder *r;
	struct scap_live *l;
	struct scap__device dev;
	int rc;

	fake_init(&fake, 1);
	dev = fake_device(&fake);
	cr_assert_eq(scap__live_open_device(&dev, NULL, &l, NULL), 0);
	rc = scap_recorder_new(l, NULL, opt, &r, NULL);
	if (!rc)
		scap_recorder_free(r);
	scap_live_close(l);
	fake_fini(&fake);
	return rc;
}

static int try_filter(const void *opt)
{
	return scap_live_filter_check(opt, NULL);
}

static const struct kind {
	const char *name;
	size_t bytes;
	size_t least;	/* the size of its first version */
	try_fn *try;
} kinds[] = {
	{ "reader", sizeof(struct scap_reader_options), sizeof(size_t), try_reader },
	{ "reader, path", sizeof(struct scap_reader_options), sizeof(size_t), try_path },
	{ "writer", sizeof(struct scap_writer_options), sizeof(size_t), try_writer },
	{ "writer, path", sizeof(struct scap_writer_options), sizeof(size_t), try_writer_path },
	{ "export", sizeof(struct scap_export_options), sizeof(size_t), try_export },
	{ "live", sizeof(struct scap_live_options), sizeof(size_t), try_live },
	{ "recorder", sizeof(struct scap_recorder_options), sizeof(size_t), try_recorder },
	{ "filter", sizeof(struct scap_live_filter), offsetof(struct scap_live_filter, classes),
	  try_filter },
};

static void setup(void)
{
	rows_capture(&c, &(struct capture_spec){ .seed = 1, .n_cpus = 1, .n_slices = 1,
		     .per_slice = 3 });
}

static void teardown(void)
{
	capture_free(&c);
}

TestSuite(options, .init = setup, .fini = teardown);

/* In memory that ends where it says, so that a byte read behind it is found. */
static int try_size(const struct kind *k, size_t size, size_t at)
{
	unsigned char *opt = calloc(1, size > sizeof(size) ? size : sizeof(size));
	int rc;

	memcpy(opt, &size, sizeof(size));
	if (at)
		opt[at] = 1;
	rc = k->try(opt);
	free(opt);
	return rc;
}

Test(options, sizes)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];

		for (size_t size = 0; size <= k->bytes + 64; size++)
			cr_assert_eq(try_size(k, size, 0), size < k->least ? -EINVAL : 0,
				     "%s: %zu bytes", k->name, size);
		for (size_t at = k->bytes; at < k->bytes + 64; at++)
			cr_assert_eq(try_size(k, k->bytes + 64, at), -E2BIG, "%s: byte %zu is set",
				     k->name, at);
		cr_assert_eq(try_size(k, 1 << 20, 0), -EINVAL, "%s: of no version", k->name);
	}
}

/* These return lengths: what they do not know is left out. */
Test(options, print)
{
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, c.file.p, c.file.n);
	const struct scap_event *ev;
	struct scap_reader *r;
	char want[4096], got[4096];

	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, NULL), 0);
	cr_assert_eq(scap_reader_next(r, &ev), 0);
	scap_print_text(ev, NULL, want, sizeof(want));
	for (size_t size = sizeof(size); size < sizeof(struct scap_print_options) + 64; size++) {
		unsigned char *opt = calloc(1, size);

		memcpy(opt, &size, sizeof(size));
		memset(opt + (size < sizeof(struct scap_print_options) ? size :
			      sizeof(struct scap_print_options)), 0xff,
		       size < sizeof(struct scap_print_options) ? 0 :
		       size - sizeof(struct scap_print_options));
		scap_print_text(ev, (void *)opt, got, sizeof(got));
		cr_assert_str_eq(got, want, "%zu bytes", size);
		free(opt);
	}
	scap_reader_close(r);
}

static int waited_for = 7;

static int note_wait(void *ctx, bool device, int wake_fd, int timeout_ms)
{
	(void)ctx, (void)device, (void)timeout_ms;
	waited_for = wake_fd;
	return 0;
}

/* What is not given is the default, also where that is not 0. */
Test(options, defaults)
{
	struct scap_live_options old = { .size = offsetof(struct scap_live_options, snaplen) };
	struct scap_recorder_options ro = {
		.size = offsetof(struct scap_recorder_options, wake_fd)
	};
	struct scap__device dev;
	struct scap_recorder *r;
	struct scap_live *l;

	fake_init(&fake, 1);
	dev = fake_device(&fake);
	dev.wait = note_wait;
	cr_assert_eq(scap__live_open_device(&dev, &old, &l, NULL), 0);
	cr_expect_eq(scap_live_info(l)->snaplen, 80);
	cr_assert_eq(scap_recorder_new(l, NULL, &ro, &r, NULL), 0);
	cr_assert_eq(scap_recorder_start(r), 0);
	cr_assert_eq(scap_recorder_step(r, 1), 0);
	cr_expect_eq(waited_for, -1, "not standard input");
	scap_recorder_free(r);
	scap_live_close(l);
	fake_fini(&fake);
}
