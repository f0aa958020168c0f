/* SPDX-License-Identifier: MIT */
/*
 * A capture from records that this program makes itself: each line of standard input becomes a
 * write(2) of process 1000. The capture goes through a sink by callback: here to standard output.
 *
 *	cc -o write_rows write_rows.c $(pkg-config --cflags --libs scap)
 *	printf 'one\ntwo\n' | ./write_rows > made.scapz
 */
#include <scap/abi.h>
#include <scap/writer.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define START_NS (1000 * SCAP_EPOCH_NS)		/* raw clock; on the wall: */
#define WALL_NS 1700000000000000000ull

/* The records of one CPU, in the order of their times and numbers. */
static struct rows {
	_Alignas(8) unsigned char p[1 << 20];
	size_t n;
	uint32_t seq;
	uint64_t ns;
} rows = { .ns = START_NS };

/* All is padded with zeros to multiples of 8. */
static void put(const void *data, size_t n)
{
	memcpy(rows.p + rows.n, data, n);
	rows.n += (n + 7) & ~(size_t)7;
}

/* The record that began at `at` ends here: now its length is known. */
static void end_record(size_t at)
{
	uint16_t len8 = (uint16_t)((rows.n - at) / 8);

	memcpy(rows.p + at, &len8, sizeof(len8));
	rows.ns += 1000;
}

/* Who thread 1000 is; it holds within an epoch. */
static void put_intro(void)
{
	struct scap_rec_intro rec = {
		.h = { .type = SCAP_REC_INTRO, .seq = rows.seq++, .time_ns = rows.ns },
		.tid = 1000, .tgid = 1000, .ppid = 1, .comm = "lines",
	};
	size_t at = rows.n;

	put(&rec, sizeof(rec));
	end_record(at);
}

static void put_write(const char *line, uint32_t n)
{
	struct scap_rec_call rec = {
		.h = { .type = SCAP_REC_CALL, .seq = rows.seq++, .time_ns = rows.ns },
		.tid = 1000, .latency_ns = 700, .ret = (int32_t)n, .nr = SYS_write,
		.shape = SCAP_SHAPE(SCAP_ABI_X86_64, 3),
	};
	uint64_t args[3] = { 1, 0x7000, n };
	struct scap_blob blob = { SCAP_BLOB_META(1, SCAP_STATE_WHOLE, n), n };	/* of argument 1 */
	size_t at = rows.n;

	put(&rec, sizeof(rec));
	put(args, sizeof(args));
	put(&blob, sizeof(blob));
	put(line, n);
	end_record(at);
}

static int sink_write(void *ctx, const void *buf, size_t n)
{
	return fwrite(buf, 1, n, ctx) == n ? 0 : -EIO;
}

static int write_capture(struct scap_writer *w, struct scap_error *err)
{
	struct scap_slice_part part = { .rows = rows.p, .bytes = rows.n };
	struct scap_slice slice = {
		.start_ns = START_NS, .end_ns = START_NS + SCAP_EPOCH_NS, .clock_raw_ns = START_NS,
		.real_ns = WALL_NS, .boot_ns = START_NS, .n_parts = 1, .parts = &part,
	};
	/* What the next attempt would get: from it readers know that nothing is missing. */
	struct scap_ring_end end = { .next_seq = rows.seq };
	int rc = scap_writer_slice(w, &slice);

	if (rc)
		*err = *scap_writer_error(w);
	return scap_writer_close(w, slice.end_ns, rc ? NULL : &end, 1, rc ? NULL : err);
}

int main(void)
{
	struct scap_writer_options opt = {
		.size = sizeof(opt), .recorder = "write_rows", .n_cpus = 1,
		.raw_ns = START_NS, .real_ns = WALL_NS, .boot_ns = START_NS,
	};
	struct scap_sink sink = { .ctx = stdout, .write = sink_write };
	struct scap_error err = { 0 };
	struct scap_writer *w;
	char line[1024];

	put_intro();
	while (rows.n < sizeof(rows.p) - 2048 && fgets(line, sizeof(line), stdin))
		put_write(line, (uint32_t)strlen(line));
	if (!scap_writer_open_sink(&sink, &opt, &w, &err))
		write_capture(w, &err);
	if (err.code)
		fprintf(stderr, "%s\n", err.text);
	return err.code || fflush(stdout) ? 2 : 0;
}
