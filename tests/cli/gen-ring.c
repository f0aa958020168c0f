/* SPDX-License-Identifier: MIT */
/*
 * gen-ring FILE abandoned|told|closed: a flight recorder's ring of 32 MiB, as its recorder leaves
 * it when it is killed, or ends. `told`: it also said where the CPUs stood, and the last two events
 * were lost. It has three groups, and two slices that no group was made of: in a
 * journal, or in a fourth one.
 */
#include <scap/ring.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "support_rows.h"

#define RAW_START (1000 * SCAP_EPOCH_NS)
#define WALL_START 1700000000000000000ull	/* 2023-11-14 22:13:20 UTC */

static struct scap_writer *w;
static struct rows rows;
static struct scap_ring *ring;
static bool tells;
static uint32_t seq;

static void must(int rc, const struct scap_error *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "gen-ring: %s\n", err->text);
	exit(1);
}

static void slice(unsigned epoch)
{
	uint64_t ns = RAW_START + epoch * SCAP_EPOCH_NS, passed = epoch * SCAP_EPOCH_NS;
	struct scap_slice_part part;
	struct scap_slice s = {
		.start_ns = ns, .end_ns = ns + SCAP_EPOCH_NS, .clock_raw_ns = ns, .boot_ns = ns,
		.real_ns = WALL_START + passed, .n_parts = 1, .parts = &part,
	};

	rows.n = 0;
	rows_intro(&rows, seq++, ns, 200, "httpd");
	rows_file(&rows, seq++, ns, 7, "/srv/shop/stock");
	for (unsigned i = 0; i < 3; i++)
		rows_call_file(&rows, seq++, ns + 1000 * (i + 1), 200, 7);
	rows_call(&rows, seq++, ns + 5000, 200, SYS_getppid, 1);
	part = (struct scap_slice_part){ .rows = rows.p, .bytes = rows.n };
	if (tells) {
		seq += epoch == 4 ? 2 : 0;
		scap_ring_ends(ring, s.end_ns, &(struct scap_ring_end){ .next_seq = seq }, 1);
	}
	must(scap_writer_slice(w, &s), scap_writer_error(w));
}

int main(int argc, char **argv)
{
	struct scap_writer_options opt = {
		.size = sizeof(opt), .hostname = "shop1", .kernel = "6.1.0-test",
		.machine = "x86_64", .boot_id = "00000000-1111-2222-3333-444444444444",
		.recorder = "gen-ring", .n_cpus = 1, .snaplen = 80, .recorder_tgid = 99,
		.ring_bytes = 1 << 20, .raw_ns = RAW_START, .real_ns = WALL_START,
		.boot_ns = RAW_START,
	};
	struct scap_ring_end end = { 0 };
	struct scap_error err = { 0 };

	if (argc != 3) {
		fprintf(stderr, "usage: gen-ring FILE abandoned|told|closed\n");
		return 1;
	}
	tells = !strcmp(argv[2], "told");
	must(scap_ring_create(argv[1], SCAP_RING_MIN_BYTES, &ring, &err), &err);
	must(scap_ring_writer(ring, &opt, &w, &err), &err);
	for (unsigned epoch = 0; epoch < 5; epoch++) {
		slice(epoch);
		if (epoch < 3)
			must(scap_writer_flush(w), scap_writer_error(w));
	}
	end.next_seq = seq;
	must(scap_writer_close(w, RAW_START + 5 * SCAP_EPOCH_NS, strcmp(argv[2], "closed") ? NULL :
			       &end, 1, &err), &err);
	scap_ring_close(ring);
	rows_free(&rows);
	return 0;
}
