/* SPDX-License-Identifier: MIT */
/*
 * Recovering a ring that holds any bytes, and reading the capture that comes of it. An input is
 *
 *	u8	1: the checksums of entries and sections are put right first
 *		2: there is a sound header
 *	u8	how many times 16 bytes of the rest are the fixed sections; the others are the area
 */
#define _GNU_SOURCE	/* memfd_create */
#include <fcntl.h>
#include <scap/ring.h>
#include <scap/scap.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/crc32c.h"
#include "format/layout.h"
#include "ring/layout.h"

#define RING_ID 0x5ca9
#define ENTRY sizeof(struct scap__ring_entry)
#define HEAD sizeof(struct scap__section_header)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

/* ---- putting checksums right ----------------------------------------------------------------- */

/* The section at p, if it fits: its bytes, or 0. */
static size_t repair_section(uint8_t *p, size_t n)
{
	struct scap__section_header h;

	if (n < sizeof(h))
		return 0;
	memcpy(&h, p, sizeof(h));
	if (h.magic != SCAP__SECTION_MAGIC || h.stored_bytes > n - sizeof(h))
		return 0;
	h.payload_crc = scap__crc32c(0, p + sizeof(h), h.stored_bytes);
	h.crc = scap__crc32c(0, &h, offsetof(struct scap__section_header, crc));
	memcpy(p, &h, sizeof(h));
	return sizeof(h) + ((h.stored_bytes + 7) & ~7ull);
}

/* The entry at p, and the section in it. */
static void repair_entry(uint8_t *p, size_t n)
{
	struct scap__ring_entry e;
	size_t lists;

	memcpy(&e, p, sizeof(e));
	lists = ((size_t)e.n_rings + e.n_ends) * sizeof(struct scap__ring_seq);
	e.ring_id = RING_ID;
	if (lists <= n - sizeof(e)) {
		size_t bytes = repair_section(p + sizeof(e) + lists, n - sizeof(e) - lists);

		if (bytes)
			e.bytes = sizeof(e) + lists + bytes;
	} else {
		lists = 0;
	}
	e.crc = scap__crc32c(0, &e, offsetof(struct scap__ring_entry, crc));
	e.crc = scap__crc32c(e.crc, p + sizeof(e), lists);
	memcpy(p, &e, sizeof(e));
}

static void repair(uint8_t *fixed, size_t n_fixed, uint8_t *area, size_t n_area)
{
	for (size_t step = 1; n_fixed && step; fixed += step, n_fixed -= step) {
		step = repair_section(fixed, n_fixed);
		step = step < n_fixed ? step : 0;
	}
	for (size_t at = 0; at + ENTRY <= n_area; at += 8)
		if (get32(area + at) == SCAP__RING_ENTRY_MAGIC)
			repair_entry(area + at, n_area - at);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void put_at(int fd, const void *p, size_t n, uint64_t at)
{
	if (n && pwrite(fd, p, n, (off_t)at) != (ssize_t)n)
		abort();
}

static char path[64];
static int ring_fd;

/* By name, for a ring is not opened through a link, as all of /proc/self/fd are. */
static void open_file(void)
{
	snprintf(path, sizeof(path), "/dev/shm/scap-fuzz-ring-%d", getpid());
	ring_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (ring_fd < 0)
		abort();
}

static void remove_file(void)
{
	unlink(path);
}

/* What is not written is a hole: 2 MiB of zeros cost nothing. */
static void make_file(uint8_t how, uint8_t *p, size_t n, size_t n_fixed)
{
	struct scap__ring_header h = { .header_bytes = sizeof(h), .version = SCAP__RING_VERSION,
				       .ring_id = RING_ID };
	int fd = ring_fd;

	if (ftruncate(fd, 0) < 0)
		abort();
	if (how & 1)
		repair(p, n_fixed, p + n_fixed, n - n_fixed);
	memcpy(h.magic, SCAP__RING_MAGIC, sizeof(h.magic));
	h.area_bytes = n - n_fixed;
	h.crc = scap__crc32c(0, &h, offsetof(struct scap__ring_header, crc));
	if (how & 2)
		put_at(fd, &h, sizeof(h), 0);
	put_at(fd, p, n_fixed, SCAP__RING_FIXED_OFFSET);
	put_at(fd, p + n_fixed, n - n_fixed, SCAP__RING_AREA_OFFSET);
}

/* ---- what comes of it ------------------------------------------------------------------------ */

static volatile uint64_t sink_of_sums;

/* What was recovered is read without its journals. */
static void read_all(int fd)
{
	char name[40];
	const struct scap_event *ev;
	struct scap_reader *r;
	unsigned n_errors = 0;
	int rc = 0;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (scap_reader_open_path(name, NULL, &r, NULL))
		return;
	while (n_errors < 10000 && ((rc = scap_reader_next(r, &ev)) == 0 || rc == SCAP_EDAMAGED)) {
		n_errors += rc < 0;
		if (!rc)
			sink_of_sums += scap_event_num(ev) + strlen(scap_event_name(ev));
	}
	if (n_errors == 10000)
		abort();
	scap_reader_close(r);
}

static void recover(void)
{
	int out = memfd_create("out", MFD_CLOEXEC), keep = dup(out);
	struct scap_ring_recovered got;
	struct scap_error err = { 0 };
	int rc;

	if (out < 0 || keep < 0 || scap_ring_state(path) == SCAP_RING_IN_USE)
		abort();
	rc = scap_ring_recover(path, out, &got, &err);
	if (rc > 0 || (rc && !err.text[0]) || (!rc && !got.n_sections && !got.n_slices))
		abort();
	if (!rc)
		read_all(keep);
	close(keep);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n, n_fixed;
	uint8_t *copy;

	if (size < 2)
		return 0;
	if (!*path) {
		open_file();
		atexit(remove_file);
	}
	n = size - 2;
	n_fixed = (size_t)data[1] * 16 < n ? (size_t)data[1] * 16 : n;
	copy = malloc(n + 1);
	memcpy(copy, data + 2, n);
	make_file(data[0], copy, n, n_fixed);
	free(copy);
	recover();
	return 0;
}
