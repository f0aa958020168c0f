/* SPDX-License-Identifier: MIT */
/* Groups in files, and the journal that holds what is in none yet. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <scap/scap.h>

#include "support_rows.h"

#define T0 SCAP_EPOCH_NS
#define PER_SLICE 100
#define SEAL_BYTES (48 + 40 + 3 * 40)	/* of HOST, SCHEMA and the first group */

static char dir[] = "/tmp/scap-journal-XXXXXX";
static char path[100], journal[120], journal2[120], copy[120];
static struct rows rows;

static void setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.scapz", dir);
	snprintf(journal, sizeof(journal), "%s.journal", path);
	snprintf(journal2, sizeof(journal2), "%s.journal2", path);
	snprintf(copy, sizeof(copy), "%s/copy", dir);
}

static void teardown(void)
{
	unlink(path);
	unlink(journal);
	unlink(journal2);
	unlink(copy);
	rmdir(dir);
	rows_free(&rows);
}

TestSuite(journal, .init = setup, .fini = teardown);

static struct scap_writer *open_writer(uint32_t flags)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .flags = flags, .raw_ns = T0 };
	struct scap_error err = { 0 };
	struct scap_writer *w = NULL;

	cr_assert_eq(scap_writer_open_path(path, &opt, &w, &err), 0, "%s", err.text);
	return w;
}

/* Calls whose numbers go on from slice to slice. */
static int put_slice(struct scap_writer *w, uint32_t i)
{
	struct scap_slice_part part = { .cpu = 0 };
	struct scap_slice s = { .start_ns = T0 + i * SCAP_EPOCH_NS,
				.end_ns = T0 + (i + 1) * SCAP_EPOCH_NS,
				.n_parts = 1, .parts = &part };

	rows.n = 0;
	for (uint32_t k = 0; k < PER_SLICE; k++)
		rows_call(&rows, i * PER_SLICE + k, s.start_ns + k, 7, 39, (int32_t)k);
	part.rows = rows.p;
	part.bytes = rows.n;
	return scap_writer_slice(w, &s);
}

static void put_slices(struct scap_writer *w, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		cr_assert_eq(put_slice(w, i), 0);
}

static uint64_t count_path(int *ret_rc)
{
	struct scap_reader *r = NULL;
	const struct scap_event *ev;
	uint64_t n = 0;

	cr_assert_eq(scap_reader_open_path(path, NULL, &r, NULL), 0);
	while ((*ret_rc = scap_reader_next(r, &ev)) == 0)
		n++;
	scap_reader_close(r);
	return n;
}

/* Every event must follow the one before it: how many there are. */
static uint64_t read_path(int *ret_rc)
{
	struct scap_reader *r = NULL;
	const struct scap_event *ev;
	struct scap_error err = { 0 };
	uint64_t n = 0;
	int rc = scap_reader_open_path(path, NULL, &r, &err);

	cr_assert_eq(rc, 0, "%s", err.text);
	while ((rc = scap_reader_next(r, &ev)) == 0) {
		cr_assert_eq(scap_event_num(ev), n + 1);
		cr_assert_eq(scap_event_raw_ns(ev),
			     T0 + n / PER_SLICE * SCAP_EPOCH_NS + n % PER_SLICE);
		n++;
	}
	scap_reader_close(r);
	*ret_rc = rc;
	return n;
}

static void close_ok(struct scap_writer *w, uint32_t n_slices)
{
	struct scap_ring_end end = { .next_seq = n_slices * PER_SLICE };
	struct scap_error err = { 0 };

	cr_assert_eq(scap_writer_close(w, T0 + 100 * SCAP_EPOCH_NS, &end, 1, &err), 0, "%s",
		     err.text);
}

static void check(uint32_t n_slices, int want_rc)
{
	int rc;

	cr_assert_eq(read_path(&rc), n_slices * PER_SLICE);
	cr_assert_eq(rc, want_rc);
}

Test(journal, a_clean_end_leaves_none)
{
	struct scap_writer *w = open_writer(0);
	struct stat st;

	cr_assert_eq(stat(journal, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	put_slices(w, 0, 33);
	close_ok(w, 33);
	cr_assert_lt(stat(journal, &st), 0);
	cr_assert_lt(stat(journal2, &st), 0);
	check(33, 1);
}

Test(journal, waiting_for_the_disk)
{
	struct scap_writer *w = open_writer(SCAP_WRITER_SYNC);

	put_slices(w, 0, 12);
	close_ok(w, 12);
	check(12, 1);
}

/* After each slice: whatever was taken is read. */
Test(journal, a_killed_writer_loses_nothing_it_took)
{
	for (uint32_t n = 0; n < 24; n++) {
		struct scap_writer *w = open_writer(SCAP_WRITER_FORCE);

		put_slices(w, 0, n);
		check(n, SCAP_ETRUNCATED);
		scap_writer_close(w, 0, NULL, 0, NULL);
		check(n, SCAP_ETRUNCATED);
	}
}

/* Ten seconds make a group: the journal is cut then. */
Test(journal, groups_empty_it)
{
	struct scap_writer *w = open_writer(0);
	uint64_t before = scap_writer_bytes(w);
	struct stat empty, st;
	uint32_t n;

	stat(journal, &empty);
	put_slices(w, 0, 5);
	cr_assert_eq(scap_writer_bytes(w), before);
	stat(journal, &st);
	cr_assert_gt(st.st_size, empty.st_size);
	put_slices(w, 5, 10);
	/* Packed by a thread, written by us. */
	for (n = 10; scap_writer_bytes(w) == before && n < 19; n++) {
		usleep(200000);
		put_slices(w, n, n + 1);
	}
	cr_assert_gt(scap_writer_bytes(w), before);
	stat(journal, &st);
	cr_assert_eq(st.st_size, empty.st_size);
	stat(journal2, &st);
	cr_assert_gt(st.st_size, empty.st_size);
	close_ok(w, n);
	check(n, 1);
}

/* Slices 0 to 9 as a group in the file and in the first journal, 10 and 11 in the second. */
static uint64_t make_both(uint64_t *ret_before)
{
	struct scap_writer *w = open_writer(0);
	char command[300];
	uint64_t after;

	*ret_before = scap_writer_bytes(w);
	put_slices(w, 0, 9);
	snprintf(command, sizeof(command), "cp %s %s", journal, copy);
	cr_assert_eq(system(command), 0);
	put_slices(w, 9, 11);
	/* Empty slices, until the group was packed and written. */
	for (uint64_t i = 0; scap_writer_bytes(w) == *ret_before; i++) {
		struct scap_slice s = { .start_ns = T0 + 11 * SCAP_EPOCH_NS + i };

		s.end_ns = s.start_ns + 1;
		usleep(1000);
		cr_assert_eq(scap_writer_slice(w, &s), 0);
	}
	after = scap_writer_bytes(w);
	scap_writer_close(w, 0, NULL, 0, NULL);
	cr_assert_eq(rename(copy, journal), 0);
	return after;
}

/* Killed between the group and the cut: what is in both counts once. */
Test(journal, in_both)
{
	uint64_t before;

	make_both(&before);
	check(11, SCAP_ETRUNCATED);
}

/* Killed inside the group's write: its slices are still in the journal. */
Test(journal, half_a_group)
{
	uint64_t before, after = make_both(&before) - SEAL_BYTES;

	/* Slice 9 is missing in the copy of the first journal: a hole, and the rest is there. */
	for (uint64_t cut = after - 1; cut > before; cut -= (cut - before) / 9 + 1) {
		int rc;

		cr_assert_eq(truncate(path, (off_t)cut), 0);
		cr_assert_eq(count_path(&rc), 9 * PER_SLICE + 1 + PER_SLICE);
		cr_assert_eq(rc, SCAP_ETRUNCATED);
	}
}

Test(journal, of_another_file_is_not_read)
{
	struct scap_writer *w = open_writer(0);

	put_slices(w, 0, 2);
	scap_writer_close(w, 0, NULL, 0, NULL);
	cr_assert_eq(rename(journal, copy), 0);
	w = open_writer(SCAP_WRITER_FORCE);
	put_slices(w, 0, 1);
	scap_writer_close(w, 0, NULL, 0, NULL);
	cr_assert_eq(rename(copy, journal), 0);
	check(0, SCAP_ETRUNCATED);
}

Test(journal, never_over_a_file)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .raw_ns = T0 };
	int fd = open(journal, O_CREAT | O_WRONLY, 0644);
	struct scap_writer *w = NULL;
	struct scap_error err;
	struct stat st;

	cr_assert_eq(write(fd, "precious", 8), 8);
	close(fd);
	cr_assert_eq(scap_writer_open_path(path, &opt, &w, &err), -EEXIST);
	cr_assert_not_null(strstr(err.text, journal));
	cr_assert_lt(stat(path, &st), 0, "nothing is left behind");
	stat(journal, &st);
	cr_assert_eq(st.st_size, 8);
}

/* The disk is full when the group is due: its slices stay in the journal, the file has no end. */
Test(journal, no_space_for_a_group)
{
	struct scap_ring_end end = { .next_seq = 12 * PER_SLICE };
	struct rlimit lim = { 0, RLIM_INFINITY };
	struct scap_error err;
	struct scap_writer *w;
	struct stat st;
	uint32_t n = 0;

	signal(SIGXFSZ, SIG_IGN);
	w = open_writer(0);
	put_slices(w, 0, 9);
	/* A limit that the journal has just not met yet; the group meets it at once. */
	lim.rlim_cur = scap_writer_bytes(w) + 16;
	setrlimit(RLIMIT_FSIZE, &lim);
	while (!scap_writer_error(w)->code)
		put_slice(w, 9 + n++);
	cr_assert_eq(scap_writer_close(w, T0 + 100 * SCAP_EPOCH_NS, &end, 1, &err), -EFBIG);
	cr_assert_eq(stat(journal, &st), 0);
	check(9, SCAP_ETRUNCATED);
}
