/* SPDX-License-Identifier: MIT */
/* Reading while something fails. */
#define _GNU_SOURCE
#include "test_fault.h"

/* docs/format-scap.md: names that there is no memory for are left out. */
static bool may_be_nameless(void)
{
	return file != &cap.file && is_memory(failing);
}

static void read_once(long n)
{
	struct scap_error err = { 0 };
	int rc;

	got.n = 0;
	rc = read_file(&got, &err);

	/* Where a section is passed over, some memory can be done without: what is read says so. */
	if (!stop_failing() || failing == SHORT_READ || (rc == 1 && may_be_nameless()) ||
	    (rc == 1 && is_memory(failing) && got.n == sound.n))
		cr_assert_eq(rc, 1, "place %ld: %d, %s", n, rc, err.text);
	else
		check_error(rc, &err, n);
	/* Of a .scap file's lists and open calls, what was read makes a keyframe of its own. */
	if (file != &cap.file && (rc < 0 || may_be_nameless()))
		return;
	cr_assert(rc < 0 ? got.n <= sound.n : got.n == sound.n);
	cr_assert(!got.n || !memcmp(got.p, sound.p, got.n), "place %ld", n);
}

static void read_faults(const struct rows *f, uint32_t reader_flags, const char *filter)
{
	struct scap_error err = { 0 };

	file = f;
	flags = reader_flags;
	filter_text = filter;
	sound.n = 0;
	cr_assert_eq(read_file(&sound, &err), 1, "%s", err.text);
	cr_assert_gt(sound.n, 1000);
	rows_put(&got, sound.p, sound.n);
	cr_assert_gt(at_each(READ, read_once), 5);
	cr_assert_gt(at_each(SHORT_READ, read_once), 5);
	cr_assert_gt(at_each(ALLOCATION, read_once), 10);
	cr_assert_gt(at_each(OWN_ALLOCATION, read_once), 10);
}

TestSuite(fault, .init = make, .fini = drop, .timeout = 200);

#define ALL (SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES | SCAP_READER_SEALS)

Test(fault, read_all)
{
	read_faults(&cap.file, ALL, NULL);
}

Test(fault, read_chosen)
{
	read_faults(&cap.file, SCAP_READER_KEYFRAMES, "evt.type = page_fault");
	read_faults(&cap.file, 0, "syscall.type contains e");
}

Test(fault, read_scap)
{
	struct rows packed = { 0 };

	read_faults(&theirs, ALL, NULL);
	sf_gzip(&packed, theirs.p, theirs.n);
	read_faults(&packed, ALL, NULL);
	packed.n = 0;
	sf_zstd(&packed, theirs.p, theirs.n);
	read_faults(&packed, ALL, NULL);
	rows_free(&packed);
}

/* ---- columns --------------------------------------------------------------------------------- */

/* The rows' texts, one batch after the other. */
static int read_columns(struct rows *ret, struct scap_error *err)
{
	static const char *const fields[] = { "evt.num", "evt.args", "evt.buffer", "proc.name" };
	struct scap_source src = source(file->p, file->n);
	const struct scap_columns_batch *b;
	struct scap_columns *c = NULL;
	struct scap_reader *r = NULL;
	int rc = scap_reader_open_source(&src, NULL, &r, err);

	if (!rc)
		rc = scap_columns_open(r, fields, 4, NULL, &c, err);
	while (!rc) {
		rc = scap_columns_next(c, 50, &b);
		if (rc < 0)
			*err = *scap_reader_error(r);
		for (uint32_t i = 0; !rc && i < b->n_rows; i++) {
			uint32_t from = b->columns[1].offsets[i];

			rows_put(ret, &b->columns[0].u64[i], sizeof(uint64_t));
			rows_put(ret, b->columns[1].bytes + from,
				 b->columns[1].offsets[i + 1] - from);
		}
	}
	scap_columns_close(c);
	scap_reader_close(r);
	return rc;
}

static void columns_once(long n)
{
	struct scap_error err = { 0 };
	int rc;

	got.n = 0;
	rc = read_columns(&got, &err);
	/* A row that finds no room is the first of the next batch, where there is. */
	if (!stop_failing() || failing == SHORT_READ || (rc == 1 && got.n == sound.n))
		cr_assert_eq(rc, 1, "place %ld: %d, %s", n, rc, err.text);
	else
		check_error(rc, &err, n);
	cr_assert(rc < 0 ? got.n <= sound.n : got.n == sound.n);
	cr_assert(!got.n || !memcmp(got.p, sound.p, got.n), "place %ld", n);
}

Test(fault, columns)
{
	struct scap_error err = { 0 };

	file = &cap.file;
	sound.n = 0;
	cr_assert_eq(read_columns(&sound, &err), 1, "%s", err.text);
	cr_assert_gt(sound.n, 1000);
	rows_put(&got, sound.p, sound.n);
	cr_assert_gt(at_each(READ, columns_once), 5);
	cr_assert_gt(at_each(SHORT_READ, columns_once), 5);
	cr_assert_gt(at_each(ALLOCATION, columns_once), 10);
}
