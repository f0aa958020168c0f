/* SPDX-License-Identifier: MIT */
/* What an abandoned ring holds becomes a capture, whatever happened to the file. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_recording.h"

TestSuite(recover, .init = recording_setup, .fini = recording_teardown, .timeout = 300);

static uint64_t got_flags, got_lost;	/* in the trigger */

static int recover(struct scap_ring_recovered *ret, struct scap_error *err)
{
	int fd = open(in_dir("out"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	*err = (struct scap_error){ 0 };
	cr_assert_geq(fd, 0);
	return scap_ring_recover(in_dir("ring"), fd, ret, err);
}

/* Reads all that was recovered; damage is an error. What it says of losses that are not told. */
static uint64_t see_recovered(void)
{
	const struct scap_event *ev;
	struct scap_error err = { 0 };
	struct scap_reader *r;
	uint64_t told;
	int rc;

	cr_assert_eq(scap_reader_open_path(in_dir("out"), NULL, &r, &err), 0, "%s", err.text);
	free(cut_seen);
	cut_seen = malloc(MAX_EVENTS * sizeof(*cut_seen));
	n_cut = cut_lost = cut_unexplained = 0;
	while ((rc = scap_reader_next(r, &ev)) == 0) {
		uint64_t n_lost, first, last;

		if (scap_event_gap(ev, &n_lost, &first, &last) == 0)
			*(scap_event_gap_unexplained(ev) ? &cut_unexplained : &cut_lost) += n_lost;
		else
			cut_seen[n_cut++] = rows_see(ev);
	}
	cr_assert_eq(rc, 1, "%d %s", rc, scap_reader_error(r)->text);
	told = scap_reader_told_wall_ns(r);
	got_flags = scap_reader_trigger(r)->flags;
	got_lost = scap_reader_trigger(r)->n_lost;
	scap_reader_close(r);
	return told;
}

/* All that was taken before the recorder was killed, to the last slice. */
Test(recover, all)
{
	for (unsigned round = 0; round < 24; round++) {
		struct scap_ring_recovered got;
		struct scap_error err;
		size_t first;

		seed = 200 + round;
		rec_open(1 + round % 3, SCAP_RING_MIN_BYTES);
		rec.gaps = round & 1;
		rec.payload = round % 8 == 7 ? 50000 : 0;
		for (unsigned i = 0; i < (round % 8 == 7 ? 50 : round % 5 * 7 + 1); i++) {
			rec_slice(round & 2 ? 3 : 1);
			if (rows_random(&seed) % 9 == 0)
				rec_keyframe(2);
		}
		cr_assert_eq(scap_ring_state(in_dir("ring")), SCAP_RING_IN_USE);
		cr_assert_eq(recover(&got, &err), -EBUSY);
		rec_close(false);
		cr_assert_eq(scap_ring_state(in_dir("ring")), SCAP_RING_ABANDONED);
		cr_assert_eq(recover(&got, &err), 0, "%s", err.text);
		cr_assert_eq(got.n_damaged, 0);
		see_whole();
		see_recovered();
		first = n_whole - n_cut;
		for (size_t i = 0; i < n_cut; i++) {
			struct rows_seen want = whole_seen[first + i];

			want.num -= first;
			cr_assert(rows_same(&cut_seen[i], &want), "event %zu", i);
		}
		cr_assert_eq(cut_unexplained, 0);
		cr_assert(round % 8 == 7 ? first > 0 : first == 0);
		cr_assert_eq(got.n_events, n_cut);
		unlink(in_dir("ring.journal"));
		unlink(in_dir("ring.journal2"));
	}
}

/* What was lost at the end of a ring that was closed is in no record: its end tells of it. */
Test(recover, loss_at_the_end)
{
	for (uint32_t n_lost = 0; n_lost < 2; n_lost++) {
		struct scap_ring_recovered got;
		struct scap_error err;

		rec_open(2, SCAP_RING_MIN_BYTES);
		rec_slice(1);
		rec.seq[1] += n_lost;
		rec_close(true);
		see_whole();
		cr_assert_eq(scap_ring_state(in_dir("ring")), SCAP_RING_CLOSED);
		cr_assert_eq(recover(&got, &err), 0, "%s", err.text);
		cr_assert_eq(see_recovered(), UINT64_MAX);
		cr_assert_eq(cut_unexplained, n_lost);
		cr_assert_eq(got_flags, 0);
		cr_assert_eq(got_lost, n_lost);
	}
}

/* ---- killed: what is known of losses that no record tells of --------------------------------- */

#define LOST 5
#define TOLD_SLICES 7		/* so few are in the journal */

/* What the recorder, or somebody else, did to a ring of so many slices. */
enum then {
	NOTHING_MORE,
	SPOIL_LAST, SPOIL_BOTH,		/* of the two moments that are told */
	TELL_NEXT,			/* of a slice that was not written any more */
	TELL_WINDOW,			/* a window is over */
	TELL_LESS,			/* than was recorded */
	TELL_ONE_RING, TELL_TWICE, TELL_NO_LANE,
};

static void tell(enum then then)
{
	struct scap_ring_end ends[MAX_CPUS];
	uint32_t n = rec.n_cpus;

	rec_ends(ends);
	switch (then) {
	case TELL_NEXT:
		ends[0].next_seq += 100;
		scap_ring_ends(rec.ring, rec.now_ns + SCAP_EPOCH_NS, ends, n);
		return;
	case TELL_LESS:
		ends[0].next_seq -= LOST + 1;
		break;
	case TELL_ONE_RING:
		n = 1;
		break;
	case TELL_TWICE:
		ends[n++] = (struct scap_ring_end){ .cpu = 1, .next_seq = rec.seq[1] };
		break;
	case TELL_NO_LANE:
		ends[n++] = (struct scap_ring_end){ .cpu = 9, .lane = SCAP_LANES };
		break;
	case TELL_WINDOW:
		rec.now_ns += 12345;
		rec_complete();
		return;
	default:
		return;
	}
	/* Both, so that no other is chosen. */
	scap_ring_ends(rec.ring, rec.now_ns, ends, n);
	scap_ring_ends(rec.ring, rec.now_ns, ends, n);
}

/* Of the ring_id, the time, how many, the checksum, a number. */
static const off_t spoilt[] = { 3, 8, 16, 20, 28 };

/* The last n of those in the file, which docs/format-ring.md tells of. */
static void spoil(unsigned n, off_t at)
{
	int fd = open(in_dir("ring"), O_RDWR);

	for (unsigned i = 1; i <= n; i++) {
		off_t offset = (2 << 20) - (256 << 10) + (TOLD_SLICES - i) % 2 * (128 << 10) + at;
		uint8_t c;

		cr_assert_eq(pread(fd, &c, 1, offset), 1);
		c ^= 1;
		cr_assert_eq(pwrite(fd, &c, 1, offset), 1);
	}
	close(fd);
}

/* What is left of a recording, the last events of which were lost; at: what is spoiled. */
static void check_last(enum then then, bool tells, off_t at, bool known, uint64_t n_unexplained)
{
	struct scap_ring_recovered got;
	struct scap_error err;
	uint64_t told;

	seed = 500;
	rec_open(2, SCAP_RING_MIN_BYTES);
	for (unsigned k = 0; k < TOLD_SLICES; k++) {
		rec.tells = tells;
		rec.lose_next = k == TOLD_SLICES - 1 ? LOST : 0;
		rec_slice(1);
	}
	tell(then);
	rec_close(false);
	see_whole();
	spoil(then == SPOIL_LAST ? 1 : then == SPOIL_BOTH ? 2 : 0, at);
	cr_assert_eq(recover(&got, &err), 0, "%s", err.text);
	told = see_recovered();
	cr_expect_eq(n_cut, n_whole, "%u", then);
	cr_expect_eq(told == UINT64_MAX, known, "%u, %ld", then, at);
	cr_expect_eq(got_flags, known ? 0 : SCAP_TRIGGER_KILLED, "%u", then);
	cr_expect_eq(cut_unexplained, n_unexplained, "%u: %lu", then, cut_unexplained);
	cr_expect_eq(got_lost, n_unexplained, "%u", then);
}

Test(recover, what_was_lost_last)
{
	static const struct {
		enum then then;
		bool tells;		/* before each slice */
		bool known;
		uint64_t n_unexplained;
	} all[] = {
		{ NOTHING_MORE, true, true, LOST }, { NOTHING_MORE, false, false, 0 },
		{ SPOIL_LAST, true, false, 0 }, { SPOIL_BOTH, true, false, 0 },
		{ TELL_NEXT, true, true, LOST }, { TELL_NEXT, false, true, LOST + 100 },
		{ TELL_WINDOW, true, true, LOST }, { TELL_WINDOW, false, true, LOST },
		{ TELL_LESS, true, false, 0 }, { TELL_ONE_RING, true, false, 0 },
		{ TELL_TWICE, true, false, 0 }, { TELL_NO_LANE, true, false, 0 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (size_t k = 0; k < sizeof(spoilt) / sizeof(spoilt[0]); k++)
			check_last(all[i].then, all[i].tells, spoilt[k], all[i].known,
				   all[i].n_unexplained);
}

/* Of slices that lay in a journal that is gone it is known how many records they had. */
Test(recover, without_its_journal)
{
	struct scap_ring_recovered got;
	struct scap_error err;

	rec_open(2, SCAP_RING_MIN_BYTES);
	rec.tells = true;
	for (unsigned i = 0; i < 3; i++) {
		rec_slice(1);
		if (!i)
			cr_assert_eq(scap_writer_flush(rec.w), 0);
	}
	rec_close(false);
	see_whole();
	unlink(in_dir("ring.journal"));
	unlink(in_dir("ring.journal2"));
	cr_assert_eq(recover(&got, &err), 0, "%s", err.text);
	cr_assert_eq(see_recovered(), UINT64_MAX);
	cr_assert_eq(n_cut, n_whole / 3);
	cr_assert_eq(cut_unexplained, 2 * rec.per_slice);
	/* The older one of what is told is of the second slice. */
	cr_assert_eq(got.end_raw_ns, E0 + 2 * SCAP_EPOCH_NS);
}

/* The wall clock was set after the recorder began: the capture begins when it did. */
Test(recover, clock_set_since)
{
	struct scap_slice s = { .start_ns = E0 + SCAP_EPOCH_NS, .end_ns = E0 + 2 * SCAP_EPOCH_NS,
				.clock_raw_ns = E0 + SCAP_EPOCH_NS, .real_ns = 3600000000000 };
	struct scap_ring_recovered got;
	struct scap_error err;
	struct scap_reader *r;

	rec_open(1, SCAP_RING_MIN_BYTES);
	cr_assert_eq(scap_writer_slice(rec.w, &s), 0);
	cr_assert_eq(scap_writer_flush(rec.w), 0);
	rec.now_ns = s.end_ns;
	rec_close(false);
	see_whole();
	cr_assert_eq(recover(&got, &err), 0, "%s", err.text);
	cr_assert_eq(scap_reader_open_path(in_dir("out"), NULL, &r, &err), 0);
	cr_assert_eq(scap_reader_info(r)->start_wall_ns, s.real_ns);
	scap_reader_close(r);
}

static void make_abandoned(void)
{
	seed = 300;
	rec_open(2, SCAP_RING_MIN_BYTES);
	rec.payload = 20000;
	/* Groups end where they are told to, not where the thread that packs happens to be. */
	for (unsigned i = 0; i < 60; i++) {
		rec_slice(1);
		if (i % 5 == 3)
			cr_assert_eq(scap_writer_flush(rec.w), 0);
	}
	rec_close(false);
	see_whole();
}

/* Whatever was written over the file: what is read is of the recording, and nothing fails badly. */
Test(recover, scribbled)
{
	struct scap_ring_recovered got;
	struct scap_error err;
	unsigned n_damaged = 0;
	struct stat st;
	uint8_t *ring;
	int fd;

	make_abandoned();
	fd = open(in_dir("ring"), O_RDWR);
	cr_assert_eq(fstat(fd, &st), 0);
	ring = malloc((size_t)st.st_size);
	cr_assert_eq(pread(fd, ring, (size_t)st.st_size, 0), st.st_size);
	for (unsigned round = 0; round < 40; round++) {
		uint64_t noise[64];
		size_t at = 0;

		cr_assert_eq(pwrite(fd, ring, (size_t)st.st_size, 0), st.st_size);
		/* The first rounds: header, state, fixed sections; then anywhere. */
		for (unsigned i = 0; i < 64; i++)
			noise[i] = rows_random(&seed);
		cr_assert_eq(pwrite(fd, noise, sizeof(noise), round == 0 ? 0 : round == 1 ? 4096 :
				    round == 2 ? 8192 :
				    (off_t)(rows_random(&seed) % (uint64_t)st.st_size)),
			     sizeof(noise));
		if (round % 10 == 9)
			cr_assert_eq(ftruncate(fd, st.st_size - round * 500000), 0);
		cr_assert_eq(recover(&got, &err), 0, "round %u: %s", round, err.text);
		see_recovered();
		cr_assert_gt(n_cut, 0);
		/* What hits room that nothing lies in changes nothing. */
		n_damaged += got.n_damaged > 0;
		for (size_t i = 0; i < n_cut; i++) {
			while (at < n_whole && (whole_seen[at].raw_ns != cut_seen[i].raw_ns ||
						whole_seen[at].cpu != cut_seen[i].cpu))
				at++;
			cr_assert_lt(at, n_whole, "event %zu is not of the recording", i);
			cr_assert_eq(whole_seen[at].sum, cut_seen[i].sum);
		}
	}
	cr_assert_gt(n_damaged, 20);
	close(fd);
	free(ring);
}

Test(recover, nothing)
{
	struct scap_ring_recovered got;
	struct scap_error err;
	int fd;

	cr_assert_eq(recover(&got, &err), -ENOENT);
	fd = open(in_dir("ring"), O_RDWR | O_CREAT, 0600);
	cr_assert_eq(scap_ring_state(in_dir("ring")), SCAP_RING_NONE);
	cr_assert_eq(recover(&got, &err), SCAP_EDAMAGED);
	cr_assert_eq(ftruncate(fd, 40 << 20), 0);
	cr_assert_eq(recover(&got, &err), SCAP_EDAMAGED);
	close(fd);
	cr_assert_eq(scap_ring_state(in_dir("ring")), SCAP_RING_FOREIGN);
	cr_assert_eq(scap_ring_create(in_dir("ring"), SCAP_RING_MIN_BYTES, &rec.ring, &err),
		     -EEXIST);
	unlink(in_dir("ring"));
	rec_open(1, SCAP_RING_MIN_BYTES);
	cr_assert_eq(scap_ring_create(in_dir("ring"), SCAP_RING_MIN_BYTES, &rec.ring, &err),
		     -EBUSY);
	cr_assert_eq(scap_ring_create(in_dir("out"), SCAP_RING_MIN_BYTES - 1, &rec.ring, &err),
		     -EINVAL);
	cr_assert_eq(scap_writer_close(rec.w, 0, NULL, 0, NULL), 0);
}

/* Killed while it makes the ring: it is made anew. */
Test(recover, killed_at_the_start)
{
	/* Nothing is written yet, the header is, and all is reserved. */
	static const off_t sizes[] = { 0, 40, 8192, 32 << 20 };
	struct scap_ring_recovered got;
	struct scap_error err;

	for (unsigned i = 0; i < 4; i++) {
		rec_open(1, SCAP_RING_MIN_BYTES);
		rec_close(false);
		see_whole();
		cr_assert_eq(truncate(in_dir("ring"), sizes[i] ? 40 : 0), 0);
		cr_assert_eq(truncate(in_dir("ring"), sizes[i]), 0);
		unlink(in_dir("ring.journal"));
		unlink(in_dir("ring.journal2"));
		cr_assert_eq(scap_ring_state(in_dir("ring")),
			     i ? SCAP_RING_ABANDONED : SCAP_RING_NONE);
		cr_assert_eq(recover(&got, &err), SCAP_EDAMAGED, "%u: %s", i, err.text);
		rec_open(1, SCAP_RING_MIN_BYTES);
		rec_close(true);
		see_whole();
	}
}

/* An empty file that another recorder has just made, and locked. */
Test(recover, made_by_another)
{
	int fd = open(in_dir("ring"), O_RDWR | O_CREAT, 0600);
	struct scap_error err;

	cr_assert_eq(flock(fd, LOCK_EX), 0);
	cr_assert_eq(scap_ring_state(in_dir("ring")), SCAP_RING_IN_USE);
	cr_assert_eq(scap_ring_create(in_dir("ring"), SCAP_RING_MIN_BYTES, &rec.ring, &err),
		     -EBUSY);
	close(fd);
}

#define N_KILLS 100
#define N_SLICES 1500

static void load(unsigned i, unsigned n)
{
	for (; i < n; i++) {
		rec_slice(1 + i % 3);
		if (i % 50 == 9)
			rec_keyframe(2);
	}
}

/* Killed at any moment: what was taken before is there, but for what one slice may hold. */
Test(recover, killed)
{
	unsigned n_some = 0, n_all = 0;
	uint64_t span_us = 200000;

	seed = 400;
	rec_open(2, SCAP_RING_MIN_BYTES);
	load(0, N_SLICES);
	rec_close(true);
	see_whole();
	for (unsigned round = 0; round < N_KILLS; round++) {
		struct scap_ring_recovered got;
		struct scap_error err;
		int status, rc, ready[2];
		pid_t pid;
		char c;

		cr_assert_eq(pipe(ready), 0);
		pid = fork();
		cr_assert_geq(pid, 0);
		if (!pid) {
			seed = 400;
			rec_open(2, SCAP_RING_MIN_BYTES);
			rec.tells = true;
			close(ready[0]);
			load(0, 1);
			close(ready[1]);
			load(1, N_SLICES);
			pause();
		}
		/* Some while the ring is made, which a slow disk takes its time for; most later. */
		close(ready[1]);
		if (round % 5 && read(ready[0], &c, 1) < 0)
			cr_assert_fail();
		close(ready[0]);
		usleep((useconds_t)(rows_random(&seed) % span_us));
		kill(pid, SIGKILL);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		rc = recover(&got, &err);
		if (rc == -ENODATA || rc == SCAP_EDAMAGED || rc == -ENOENT) {
			/* Before anything was written. */
			cr_assert_eq(round % 5, 0);
			continue;
		}
		cr_assert_eq(rc, 0, "%s", err.text);
		cr_assert_eq(got.n_damaged, 0);
		cr_assert_eq(see_recovered(), UINT64_MAX);
		cr_assert_eq(cut_unexplained + cut_lost, 0);
		cr_assert_leq(n_cut, n_whole);
		for (size_t i = 0; i < n_cut; i++)
			cr_assert(rows_same(&cut_seen[i], &whole_seen[i]), "event %zu", i);
		n_some += n_cut > 0;
		n_all += n_cut == n_whole;
		if (n_cut == n_whole && span_us > 20000)
			span_us -= span_us / 8;
	}
	cr_assert_geq(n_some, N_KILLS * 4 / 5);
	cr_assert_lt(n_all, n_some);
}
