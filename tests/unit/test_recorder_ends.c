/* SPDX-License-Identifier: MIT */
/* Where the recorder says that the rings stand, before each slice and between them. */
#include <criterion/criterion.h>
#include <scap/scap.h>

#include "support_device.h"
#include "support_rows.h"

static struct fake_device fake;
static struct scap_live *live;
static struct scap_recorder *recorder;
static struct rows file;
static struct scap_ring_end stood;	/* behind the last slice */

static void note_ends(void *ctx, const struct scap_slice *s)
{
	const struct scap_ring_end *ends = scap_recorder_rings(recorder);

	(void)ctx;
	(void)s;
	cr_assert_not_null(ends);
	stood = ends[0];
}

static void begin(void)
{
	struct scap_live_options lo = { .size = sizeof(lo), .ring_bytes = 65536 };
	struct scap_writer_options wo = { .size = sizeof(wo), .n_cpus = 1 };
	struct scap_recorder_options ro = {
		.size = sizeof(ro), .wake_fd = -1, .on_slice = note_ends,
	};
	struct scap_sink sink = rows_sink(&file);
	struct scap__device dev;
	struct scap_writer *w;

	fake_init(&fake, 1);
	fake.lag_ns = 1;
	dev = fake_device(&fake);
	cr_assert_eq(scap__live_open_device(&dev, &lo, &live, NULL), 0);
	cr_assert_eq(scap_writer_open_sink(&sink, &wo, &w, NULL), 0);
	cr_assert_eq(scap_recorder_new(live, w, &ro, &recorder, NULL), 0);
	cr_assert_eq(scap_recorder_start(recorder), 0);
}

static void step_until_slices(uint64_t n)
{
	for (unsigned i = 0; i < 100 && scap_recorder_totals(recorder)->n_slices < n; i++)
		cr_assert_eq(scap_recorder_step(recorder, 50), 0);
	cr_assert_eq(scap_recorder_totals(recorder)->n_slices, n);
}

static uint32_t n_calls(void)
{
	return (uint32_t)fake.n_calls;
}

/*
 * At the first record that is in no slice, or where the numbers that were given out end. A GAP
 * there that tells of what was lost before is not in what was written: its numbers are missing.
 */
Test(recorder_ends, all)
{
	uint32_t behind, given_out;

	begin();
	fake_call(&fake, 0, 0);
	behind = n_calls();
	/* The next one is of the second epoch, which is not over. */
	fake.now_ns += SCAP_EPOCH_NS;
	fake_call(&fake, 0, 0);
	fake.now_ns += 1000;
	step_until_slices(1);
	cr_expect_eq(stood.next_seq, behind);
	cr_expect_eq(scap_recorder_rings(recorder)->next_seq, behind);
	/* Full: calls are lost, and no record tells of it. */
	while (!fake.n_lost)
		fake_call(&fake, 0, 0);
	given_out = n_calls();
	fake.now_ns += SCAP_EPOCH_NS;
	step_until_slices(2);
	cr_expect_eq(stood.next_seq, given_out);
	/* Now one does, behind what is complete. */
	fake_call(&fake, 0, 0);
	cr_expect_eq(scap_recorder_rings(recorder)->next_seq, given_out);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	cr_expect_eq(scap_recorder_totals(recorder)->n_lost, fake.n_lost);
	scap_recorder_free(recorder);
	scap_live_close(live);
	fake_fini(&fake);
	rows_free(&file);
}
