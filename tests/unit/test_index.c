/* SPDX-License-Identifier: MIT */
/* The index: what is read from the middle is as in a whole reading. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/crc32c.h"
#include "format/event.h"
#include "format/layout.h"
#include "format/reader.h"
#include "support_rows.h"

#define MANY 20000

static struct rows_reader input;

static struct scap_reader *open_reader(const struct rows *file, uint32_t flags)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags };
	struct scap_source src = rows_source(&input, file->p, file->n);
	struct scap_error err = { 0 };
	struct scap_reader *r = NULL;

	src.seek = rows_seek;
	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, &err), 0, "%s", err.text);
	return r;
}

static size_t read_all(struct scap_reader *r, struct rows_seen *out)
{
	const struct scap_event *ev;
	size_t n = 0;
	int rc;

	while ((rc = scap_reader_next(r, &ev)) == 0) {
		cr_assert_lt(n, MANY);
		out[n++] = rows_see(ev);
	}
	cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
	return n;
}

static struct capture_spec spec_of(uint64_t seed)
{
	return (struct capture_spec){
		.seed = seed, .n_cpus = 1 + seed % 4, .n_slices = 5 + seed % 30,
		.per_slice = 1 + seed % 17, .gaps = seed % 3 == 0, .slices_per_epoch = seed % 5,
		.groups = seed % 2, .keyframes = seed % 4 == 1,
	};
}

/* Where it began in the whole; all that is there from the time on must follow. */
static size_t compare_from(const struct rows_seen *whole, size_t n_whole,
			   const struct rows_seen *part, size_t n_part, uint64_t wall_ns)
{
	size_t skipped = n_whole - n_part;

	cr_assert_leq(n_part, n_whole);
	for (size_t i = 0; i < n_part; i++)
		cr_assert(rows_same(&whole[skipped + i], &part[i]), "event %zu of %zu", i, n_part);
	for (size_t i = 0; i < skipped; i++)
		cr_assert_lt(whole[i].wall_ns, wall_ns);
	return skipped;
}

Test(index, from_the_middle_as_in_the_whole)
{
	static struct rows_seen whole[MANY], part[MANY];
	size_t skipped = 0;

	for (uint64_t seed = 1; seed <= 120; seed++) {
		struct capture_spec spec = spec_of(seed);
		uint32_t flags = spec.keyframes ? SCAP_READER_KEYFRAMES : 0;
		struct scap_reader *r;
		struct capture c;
		size_t n;

		rows_capture(&c, &spec);
		r = open_reader(&c.file, flags);
		n = read_all(r, whole);
		for (unsigned i = 0; i < 8 && n; i++) {
			uint64_t t = whole[rows_random(&spec.seed) % n].wall_ns;

			/* The same reader goes to and fro. */
			cr_assert_eq(scap_reader_seek(r, t, 0), 0);
			skipped += compare_from(whole, n, part, read_all(r, part), t);
		}
		scap_reader_close(r);
		capture_free(&c);
	}
	cr_assert_gt(skipped, 10000);
}

Test(index, not_behind_a_keyframe)
{
	struct capture_spec spec = { .seed = 3, .n_cpus = 2, .n_slices = 40, .per_slice = 5,
				     .keyframes = true, .groups = true };
	struct scap_reader *r;
	const struct scap_event *ev;
	struct capture c;
	uint64_t t;
	unsigned n = 0;

	rows_capture(&c, &spec);
	r = open_reader(&c.file, SCAP_READER_KEYFRAMES);
	t = r->index.entries[r->index.n - 1].start_real_ns;
	input.n_read = 0;
	cr_assert_eq(scap_reader_seek(r, t, SCAP_SEEK_KEYFRAME), 0);
	while (scap_reader_next(r, &ev) == 0 && ev->wall_ns < t)
		n += ev->in_keyframe;
	cr_expect_gt(n, 0);
	cr_expect_lt(input.n_read, input.n);
	cr_expect_eq(scap_reader_seek(r, t, 2), -EINVAL);
	scap_reader_close(r);
	capture_free(&c);
}

Test(index, opening_reads_little)
{
	struct capture_spec spec = { .seed = 4, .n_cpus = 2, .n_slices = 400, .per_slice = 100 };
	struct scap_reader *r;
	struct capture c;

	rows_capture(&c, &spec);
	r = open_reader(&c.file, 0);
	cr_expect_eq(r->index.n, 400);
	/* What the first look takes, and what is behind the last slice. */
	cr_expect_leq(input.n_read, 2 * SCAP__INPUT_BYTES + (input.n - c.slice_ends[399]));
	cr_expect_lt(input.n_read, input.n / 4);
	cr_expect_neq(scap_reader_info(r)->end_raw_ns, 0);
	cr_expect_not(scap_reader_info(r)->complete);
	scap_reader_close(r);
	capture_free(&c);
}

/* What it says, changed by hand, with right checksums. */
static void spoil(struct capture *c, size_t at, uint64_t value)
{
	uint8_t *trailer = c->file.p + c->file.n - sizeof(struct scap__index_trailer), *head;
	uint64_t n;
	uint32_t crc;

	memcpy(&n, trailer, 8);
	head = c->file.p + c->file.n - n;
	memcpy(head + sizeof(struct scap__section_header) + at, &value, 8);
	crc = scap__crc32c(0, head + sizeof(struct scap__section_header),
			   n - sizeof(struct scap__section_header));
	memcpy(head + offsetof(struct scap__section_header, payload_crc), &crc, 4);
	crc = scap__crc32c(0, head, sizeof(struct scap__section_header) - 4);
	memcpy(head + offsetof(struct scap__section_header, crc), &crc, 4);
}

/* Whatever it says, events are what they are; and it is told when it is met. */
Test(index, hostile)
{
	static struct rows_seen whole[MANY];
	struct capture_spec spec = { .seed = 5, .n_cpus = 2, .n_slices = 6, .per_slice = 10 };
	static const uint64_t values[] = { 0, 1, 64, 1ull << 32, UINT64_MAX, UINT64_MAX - 7 };
	unsigned refused = 0, n_tries = 0;

	for (size_t at = 0; at < 32 + 3 * 56; at += 8)
		for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++, n_tries++) {
			const struct scap_event *ev;
			struct scap_reader *r;
			struct capture c;
			size_t n = 0;
			int rc;

			rows_capture(&c, &spec);
			spoil(&c, at, values[v]);
			r = open_reader(&c.file, 0);
			while ((rc = scap_reader_next(r, &ev)) == 0)
				whole[n++] = rows_see(ev);
			refused += rc == SCAP_EDAMAGED;
			if (!scap_reader_seek(r, whole[n / 2].wall_ns, 0))
				while (scap_reader_next(r, &ev) == 0)
					rows_see(ev);
			scap_reader_close(r);
			capture_free(&c);
		}
	cr_expect_gt(refused, n_tries / 4);
}

Test(index, without_it)
{
	struct capture_spec spec = { .seed = 6, .n_cpus = 1, .n_slices = 6, .per_slice = 10 };
	struct scap_reader *r;
	struct capture c;

	rows_capture(&c, &spec);
	c.file.n -= 8;
	r = open_reader(&c.file, 0);
	cr_expect_eq(scap_reader_seek(r, 0, 0), -ENOTSUP);
	scap_reader_close(r);
	capture_free(&c);
}
