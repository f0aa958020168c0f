/* SPDX-License-Identifier: MIT */
/* The same where a recorder was killed: damage at every place of its file and of each journal. */
#include "test_damage_read.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static char dir[] = "/tmp/scap-damage-XXXXXX";
static char path[64];

/* The slices of a group that was being packed, and those that came meanwhile. */
struct journal {
	char path[80];
	int fd;
	struct rows bytes;
	size_t base;		/* file_bytes where it begins */
};

static struct journal journals[2];

static void put_slice(struct scap_writer *w, uint32_t i, uint64_t *seed)
{
	static uint32_t seq[2];
	struct rows rows[2] = { 0 };
	struct scap_slice_part parts[2] = { 0 };
	struct scap_slice s = { .start_ns = (i + 101) * SCAP_EPOCH_NS, .n_parts = 2,
				.end_ns = (i + 102) * SCAP_EPOCH_NS, .parts = parts };

	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		for (uint64_t k = 0; k < 5; k++)
			rows_any(&rows[cpu], seq[cpu]++, s.start_ns + 10 * k, seed);
		parts[cpu] = (struct scap_slice_part){ .cpu = cpu, .rows = rows[cpu].p,
						       .bytes = rows[cpu].n };
	}
	cr_assert_eq(scap_writer_slice(w, &s), 0);
	rows_free(&rows[0]);
	rows_free(&rows[1]);
}

static void load(const char *name, struct rows *ret)
{
	uint8_t buf[65536];
	int fd = open(name, O_RDONLY);
	ssize_t n = read(fd, buf, sizeof(buf));

	cr_assert(n > 0 && n < (ssize_t)sizeof(buf));
	close(fd);
	ret->n = 0;
	rows_put(ret, buf, (size_t)n);
}

static void store(struct journal *j)
{
	cr_assert_eq(ftruncate(j->fd, (off_t)j->bytes.n), 0);
	cr_assert_eq(pwrite(j->fd, j->bytes.p, j->bytes.n, 0), (ssize_t)j->bytes.n);
}

/* A group in the file; the next one is written in no part yet; some slices came after it. */
static void write_killed(void)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .raw_ns = 100 * SCAP_EPOCH_NS };
	uint64_t seed = 21;
	struct scap_writer *w;
	size_t n = 0;

	cr_assert_eq(scap_writer_open_path(path, &opt, &w, NULL), 0);
	for (uint32_t i = 0; i < 7; i++) {
		if (i == 5) {
			n = scap_writer_bytes(w);
			load(journals[0].path, &journals[0].bytes);
		}
		if (i == 3 || i == 5)
			cr_assert_eq(scap_writer_flush(w), 0);
		put_slice(w, i, &seed);
	}
	load(journals[1].path, &journals[1].bytes);
	scap_writer_close(w, 0, NULL, 0, NULL);
	load(path, &cap.file);
	cap.file.n = n;
	journals[0].base = n;
	journals[1].base = n + journals[0].bytes.n;
}

static void make_killed(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.scapz", dir);
	/* In the order of time: the first group's slices were in the first one. */
	snprintf(journals[0].path, sizeof(journals[0].path), "%s.journal2", path);
	snprintf(journals[1].path, sizeof(journals[1].path), "%s.journal", path);
	write_killed();
	for (unsigned i = 0; i < 2; i++) {
		journals[i].fd = open(journals[i].path, O_RDWR | O_CREAT, 0600);
		store(&journals[i]);
	}
	find_sections();
	journals_of = path;
	for (unsigned i = 0; i < MODES; i++)
		learn(&modes[i], SCAP_ETRUNCATED);
	cr_assert_eq(modes[0].orig.n, 7 * 2 * 5);
}

static void drop_killed(void)
{
	for (unsigned i = 0; i < 2; i++) {
		close(journals[i].fd);
		unlink(journals[i].path);
		rows_free(&journals[i].bytes);
	}
	unlink(path);
	rmdir(dir);
	drop();
}

TestSuite(damage_killed, .init = make_killed, .fini = drop_killed, .timeout = 280);

/* All but what lies in [from, to), in the count of file_bytes, was delivered. */
static void check_all_but(const struct outcome *o, const struct mode *m, size_t from, size_t to)
{
	for (size_t i = 0; i < m->orig.n; i++) {
		const struct seen *s = &m->orig.seen[i];

		cr_assert(o->delivered[s->whole] || (s->section_end > from && s->section_end <= to),
			  "event %zu is missing, of what ends at %zu, hit at %zu", i,
			  s->section_end, from);
	}
	cr_assert_eq(o->last_rc, SCAP_ETRUNCATED);
}

static void file_truncated(const struct mode *m)
{
	for (size_t n = 0; n < cap.file.n; n++) {
		struct outcome o = read_damaged(m, cap.file.p, n);

		cr_assert_eq(o.n_told, 1);
		if (n < at_section[1]) {
			cr_assert_eq(o.open_rc, n ? SCAP_ETRUNCATED : SCAP_ENOTSCAP);
			continue;
		}
		cr_assert_geq(o.n_prefix, events_before(m, n));
		check_all_but(&o, m, n, cap.file.n);
	}
}

static void file_flipped(const struct mode *m)
{
	for (size_t at = 0; at < cap.file.n; at++) {
		struct outcome o;

		cap.file.p[at] ^= 1u << at % 8;
		o = read_damaged(m, cap.file.p, cap.file.n);
		cap.file.p[at] ^= 1u << at % 8;
		if (at < sizeof(struct scap__file_header)) {
			cr_assert_neq(o.open_rc, 0);
			continue;
		}
		cr_assert_eq(o.first_rc, SCAP_EDAMAGED);
		cr_assert_geq(o.n_told, 2, "byte %zu: told %u times", at, o.n_told);
		cr_assert_eq(o.n_prefix, events_before(m, at));
		check_all_but(&o, m, at, at_section[section_of(at) + 1]);
	}
}

static void journal_truncated(const struct mode *m, struct journal *j)
{
	size_t n = j->bytes.n;

	for (j->bytes.n = 0; j->bytes.n < n; j->bytes.n++) {
		struct outcome o;

		store(j);
		o = read_damaged(m, cap.file.p, cap.file.n);
		cr_assert_eq(o.n_told, 1);
		check_all_but(&o, m, j->base + j->bytes.n, j->base + n);
	}
	store(j);
}

/* Where the section of a journal ends in which the byte lies; of its header, all of it. */
static size_t journal_section_end(const struct journal *j, size_t at)
{
	size_t end = sizeof(struct scap__file_header);

	if (at < end)
		return j->bytes.n;
	while (end <= at) {
		struct scap__section_header h;

		memcpy(&h, j->bytes.p + end, sizeof(h));
		end += HEAD + (h.stored_bytes + 7) / 8 * 8;
	}
	return end;
}

/* It is told, and no more than what was hit is lost; of its header, it is all there is. */
static void journal_flipped(const struct mode *m, struct journal *j)
{
	for (size_t at = 0; at < j->bytes.n; at++) {
		struct outcome o;

		j->bytes.p[at] ^= 1u << at % 8;
		store(j);
		o = read_damaged(m, cap.file.p, cap.file.n);
		j->bytes.p[at] ^= 1u << at % 8;
		cr_assert_eq(o.n_told, 2, "%s, byte %zu: told %u times", j->path, at, o.n_told);
		cr_assert_eq(o.first_rc, SCAP_EDAMAGED);
		check_all_but(&o, m, j->base + at, j->base + journal_section_end(j, at));
	}
	store(j);
}

#define KILLED_IN_MODE(nr, name) \
	Test(damage_killed, name##_file_truncated) { file_truncated(&modes[nr]); } \
	Test(damage_killed, name##_file_flipped) { file_flipped(&modes[nr]); } \
	Test(damage_killed, name##_first_truncated) \
		{ journal_truncated(&modes[nr], &journals[0]); } \
	Test(damage_killed, name##_second_truncated) \
		{ journal_truncated(&modes[nr], &journals[1]); } \
	Test(damage_killed, name##_first_flipped) { journal_flipped(&modes[nr], &journals[0]); } \
	Test(damage_killed, name##_second_flipped) { journal_flipped(&modes[nr], &journals[1]); }

KILLED_IN_MODE(0, all)
KILLED_IN_MODE(3, chosen_sealed)
