/* SPDX-License-Identifier: MIT */
/* Rings and journals that somebody made to hurt who recovers them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crc32c.h"
#include "ring/layout.h"
#include "format/layout.h"
#include "support_recording.h"

TestSuite(recover_hostile, .init = recording_setup, .fini = recording_teardown, .timeout = 60);

static uint8_t *ring;
static size_t ring_bytes;

static void make_ring(bool flush)
{
	int fd;
	struct stat st;

	seed = 900;
	rec_open(2, SCAP_RING_MIN_BYTES);
	for (unsigned i = 0; i < 6; i++) {
		rec_slice(1);
		if (flush)
			cr_assert_eq(scap_writer_flush(rec.w), 0);
	}
	rec_close(false);
	see_whole();
	fd = open(in_dir("ring"), O_RDONLY);
	cr_assert_eq(fstat(fd, &st), 0);
	ring_bytes = (size_t)st.st_size;
	ring = malloc(ring_bytes);
	cr_assert_eq(pread(fd, ring, ring_bytes, 0), (ssize_t)ring_bytes);
	close(fd);
}

static int recover(struct scap_ring_recovered *ret, struct scap_error *err)
{
	int fd = open(in_dir("out"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	*err = (struct scap_error){ 0 };
	cr_assert_geq(fd, 0);
	return scap_ring_recover(in_dir("ring"), fd, ret, err);
}

static int recover_changed(struct scap_ring_recovered *ret, struct scap_error *err)
{
	int fd = open(in_dir("ring"), O_WRONLY | O_TRUNC);

	cr_assert_eq(write(fd, ring, ring_bytes), (ssize_t)ring_bytes);
	close(fd);
	free(ring);
	return recover(ret, err);
}

/* All that can be read, also behind damage. */
static uint64_t count_events(void)
{
	const struct scap_event *ev;
	struct scap_error err;
	struct scap_reader *r;
	uint64_t n = 0;
	int rc;

	cr_assert_eq(scap_reader_open_path(in_dir("out"), NULL, &r, &err), 0, "%s", err.text);
	while ((rc = scap_reader_next(r, &ev)) == 0 || rc == SCAP_EDAMAGED)
		n += !rc && scap_event_num(ev) != 0;
	scap_reader_close(r);
	return n;
}

static void sign_section(uint8_t *p)
{
	struct scap__section_header h;

	memcpy(&h, p, sizeof(h));
	h.crc = scap__crc32c(0, &h, offsetof(struct scap__section_header, crc));
	memcpy(p, &h, sizeof(h));
}

/* HOST's size, in its own checksummed header, is that of all the room there is, or more. */
Test(recover_hostile, host_is_too_large)
{
	static const uint64_t sizes[] = {
		SCAP__RING_FIXED_BYTES, SCAP__RING_FIXED_BYTES - 40, UINT64_MAX, UINT64_MAX - 40,
		SCAP__RING_FIXED_BYTES - sizeof(struct scap__section_header) - 1,
	};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct scap_ring_recovered got;
		struct scap__section_header h;
		struct scap_error err;
		uint8_t *host;

		make_ring(true);
		host = ring + SCAP__RING_FIXED_OFFSET;
		memcpy(&h, host, sizeof(h));
		h.stored_bytes = sizes[i];
		if (sizes[i] <= SCAP__RING_FIXED_BYTES - sizeof(h))
			h.payload_crc = scap__crc32c(0, host + sizeof(h), sizes[i]);
		memcpy(host, &h, sizeof(h));
		sign_section(host);
		cr_assert_eq(recover_changed(&got, &err), 0, "%s", err.text);
		/* The last one just fits. */
		cr_assert_eq(got.n_damaged, sizes[i] > SCAP__RING_FIXED_BYTES - sizeof(h));
		cr_assert_eq(count_events(), n_whole);
		unlink(in_dir("ring"));
		unlink(in_dir("ring.journal"));
		unlink(in_dir("ring.journal2"));
	}
}

/* Each 8 bytes a header's first word; each 168 bytes a sound header whose payload is not. */
Test(recover_hostile, nothing_but_beginnings)
{
	struct scap__ring_entry e = { .magic = SCAP__RING_ENTRY_MAGIC, .type = SCAP__SECTION_SLICE,
				      .bytes = 16 << 20 };
	struct scap__section_header h = {
		.magic = SCAP__SECTION_MAGIC, .header_bytes = sizeof(h),
		.type = SCAP__SECTION_SLICE, .raw_bytes = 9,
		.stored_bytes = (16 << 20) - sizeof(e) - sizeof(h),
	};
	struct scap_ring_recovered got;
	struct scap_error err;

	make_ring(true);
	for (size_t at = SCAP__RING_AREA_OFFSET + (8 << 20); at < ring_bytes; at += 8)
		memcpy(ring + at, &e.magic, 4);
	memcpy(&e.ring_id, ring + offsetof(struct scap__ring_header, ring_id), 8);
	e.crc = scap__crc32c(0, &e, offsetof(struct scap__ring_entry, crc));
	for (size_t at = SCAP__RING_AREA_OFFSET + (8 << 20); at < ring_bytes - (20 << 20);
	     at += sizeof(e) + sizeof(h) + 8) {
		memcpy(ring + at, &e, sizeof(e));
		memcpy(ring + at + sizeof(e), &h, sizeof(h));
		sign_section(ring + at + sizeof(e));
	}
	cr_assert_eq(recover_changed(&got, &err), 0, "%s", err.text);
	cr_assert_gt(got.n_damaged, 0);
	cr_assert_eq(count_events(), n_whole);
}

/* What is damaged is not counted as if it were there. */
Test(recover_hostile, events_are_those_of_the_file)
{
	struct scap_ring_recovered got;
	struct scap__ring_entry e;
	struct scap_error err;

	make_ring(true);
	memcpy(&e, ring + SCAP__RING_AREA_OFFSET, sizeof(e));
	ring[SCAP__RING_AREA_OFFSET + e.bytes + 300] ^= 1;
	cr_assert_eq(recover_changed(&got, &err), 0, "%s", err.text);
	cr_assert_eq(got.n_damaged, 1);
	cr_assert_lt(got.n_events, n_whole);
	cr_assert_eq(count_events(), got.n_events);
}

/* An entry that says more events of itself than it has records is none. */
Test(recover_hostile, entry_that_lies)
{
	struct scap_ring_recovered got;
	struct scap__ring_entry e;
	struct scap_error err;
	uint8_t *p;
	uint32_t crc;

	make_ring(true);
	p = ring + SCAP__RING_AREA_OFFSET;
	memcpy(&e, p, sizeof(e));
	e.n_after = UINT64_MAX;
	crc = scap__crc32c(0, &e, offsetof(struct scap__ring_entry, crc));
	e.crc = scap__crc32c(crc, p + sizeof(e), 8 * ((size_t)e.n_rings + e.n_ends));
	memcpy(p, &e, sizeof(e));
	cr_assert_eq(recover_changed(&got, &err), 0, "%s", err.text);
	cr_assert_lt(got.n_events, n_whole);
	cr_assert_eq(count_events(), got.n_events);
}

/* A fixed section that is damaged, or is none of those that belong there, is left out. */
Test(recover_hostile, fixed_sections)
{
	for (unsigned round = 0; round < 2; round++) {
		struct scap_ring_recovered got;
		struct scap__section_header h;
		const struct scap_event *ev;
		struct scap_error err;
		struct scap_reader *r;
		uint8_t *p;
		int rc;

		make_ring(true);
		p = ring + SCAP__RING_FIXED_OFFSET;
		memcpy(&h, p, sizeof(h));
		p += sizeof(h) + (h.stored_bytes + 7) / 8 * 8;
		memcpy(&h, p, sizeof(h));
		cr_assert_eq(h.type, SCAP__SECTION_SCHEMA);
		if (round) {
			h.type = SCAP__SECTION_SEAL;
			memcpy(p, &h, sizeof(h));
			sign_section(p);
		} else {
			p[sizeof(h) + 20] ^= 1;
		}
		cr_assert_eq(recover_changed(&got, &err), 0, "%s", err.text);
		cr_assert_eq(scap_reader_open_path(in_dir("out"), &(struct scap_reader_options){
			     .size = sizeof(struct scap_reader_options),
			     .flags = SCAP_READER_SEALS }, &r, &err), 0, "%s", err.text);
		while ((rc = scap_reader_next(r, &ev)) == 0)
			;
		cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
		scap_reader_close(r);
		unlink(in_dir("ring"));
	}
}

Test(recover_hostile, later_version)
{
	struct scap_ring_recovered got;
	struct scap__ring_header h;
	struct scap_error err;

	make_ring(true);
	memcpy(&h, ring, sizeof(h));
	h.version++;
	h.crc = scap__crc32c(0, &h, offsetof(struct scap__ring_header, crc));
	memcpy(ring, &h, sizeof(h));
	cr_assert_eq(recover_changed(&got, &err), SCAP_EVERSION);
	cr_assert_not_null(strstr(err.text, "version 2"));
}

/* ---- journals -------------------------------------------------------------------------------- */

/* A pipe that nobody writes to must not keep us waiting, nor may a link lead elsewhere. */
Test(recover_hostile, journal_is_no_file)
{
	struct scap_ring_recovered got;
	struct scap_error err;

	make_ring(true);
	unlink(in_dir("ring.journal"));
	cr_assert_eq(mkfifo(in_dir("ring.journal"), 0600), 0);
	unlink(in_dir("ring.journal2"));
	cr_assert_eq(symlink("/dev/zero", in_dir("ring.journal2")), 0);
	cr_assert_eq(recover_changed(&got, &err), 0, "%s", err.text);
	cr_assert_eq(got.n_damaged, 2);
	cr_assert_eq(count_events(), n_whole);
}

/* Appends a SLICE section to the journal: one part, of which n bytes at p are the rows. */
static void append_slice(const char *path, const uint8_t *p, size_t n, uint64_t start_ns)
{
	struct scap__slice_header s = { .start_ns = start_ns, .end_ns = start_ns + SCAP_EPOCH_NS,
					.n_parts = 1 };
	struct scap__slice_part part = { .bytes = n };
	struct scap__section_header h = { .magic = SCAP__SECTION_MAGIC, .header_bytes = sizeof(h),
					  .type = SCAP__SECTION_SLICE, .index = 1 };
	struct scap__file_header file;
	struct rows payload = { 0 };
	int fd = open(path, O_RDWR);
	struct scap__section_header host;

	cr_assert_eq(pread(fd, &file, sizeof(file), 0), sizeof(file));
	cr_assert_eq(pread(fd, &host, sizeof(host), sizeof(file)), sizeof(host));
	rows_put(&payload, &s, sizeof(s));
	rows_put(&payload, &part, sizeof(part));
	rows_put(&payload, p, n);
	h.file_id = file.file_id;
	h.stored_bytes = h.raw_bytes = payload.n;
	h.payload_crc = scap__crc32c(0, payload.p, payload.n);
	sign_section((uint8_t *)&h);
	cr_assert_eq(pwrite(fd, &h, sizeof(h), (off_t)(sizeof(file) + sizeof(host) +
		     (host.stored_bytes + 7) / 8 * 8)), sizeof(h));
	lseek(fd, (off_t)(sizeof(file) + 2 * sizeof(host) + (host.stored_bytes + 7) / 8 * 8),
	      SEEK_SET);
	cr_assert_eq(write(fd, payload.p, payload.n), (ssize_t)payload.n);
	rows_free(&payload);
	close(fd);
}

/* A large slice whose last record is longer than what is left: its sections are cut where it is. */
Test(recover_hostile, journal_with_a_long_record)
{
	size_t n = (2 << 20) + 16;
	uint8_t *rows = calloc(1, n);
	const char *journal;
	struct scap_ring_recovered got;
	struct scap_error err;
	uint64_t start_ns;

	make_ring(false);
	start_ns = rec.now_ns;
	journal = access(in_dir("ring.journal"), F_OK) ? in_dir("ring.journal2") :
		  in_dir("ring.journal");
	for (size_t at = 0; at < n; at += 16) {
		uint16_t len = at + 16 < n ? 2 : 0xffff;
		uint64_t ns = start_ns + at;

		memcpy(rows + at, &len, sizeof(len));
		memcpy(rows + at + 8, &ns, sizeof(ns));
	}
	append_slice(journal, rows, n, start_ns);
	free(rows);
	cr_assert(recover_changed(&got, &err) != 0 || got.n_damaged);
}
