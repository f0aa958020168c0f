/* SPDX-License-Identifier: MIT */
/* When a recorder takes keyframes, and what becomes of them. */
#include <criterion/criterion.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/event.h"
#include "format/layout.h"
#include "live/keyframe.h"
#include "support_device.h"
#include "support_keyframe.h"

#define SECOND 1000000000ull

static struct fake_device fake;
static struct rows keyframe, file;
static struct scap_live *live;
static struct scap_recorder *recorder;
static unsigned calls_per_wait;

static void wait_and_call(struct fake_device *f, int timeout_ms)
{
	for (unsigned i = 0; i < calls_per_wait; i++)
		fake_call(f, i % f->n_cpus, 30);
	f->now_ns += (uint64_t)timeout_ms * 1000000;
}

static void open_all(void)
{
	struct scap_live_options lo = { .size = sizeof(lo), .ring_bytes = 1 << 20 };
	struct scap_writer_options wo = { .size = sizeof(wo), .n_cpus = 2 };
	struct scap_sink sink = rows_sink(&file);
	struct scap__device dev;
	struct scap_writer *w;

	file.n = 0;
	fake_init(&fake, 2);
	fake.on_wait = wait_and_call;
	fake.keyframe = &keyframe;
	fake.keyframe_chunk = 5;
	dev = fake_device(&fake);
	cr_assert_eq(scap__live_open_device(&dev, &lo, &live, NULL), 0);
	cr_assert_eq(scap_writer_open_sink(&sink, &wo, &w, NULL), 0);
	cr_assert_eq(scap_recorder_new(live, w, NULL, &recorder, NULL), 0);
}

/* One task of our own, whose mounts can be read. */
static void make_keyframe(uint32_t n)
{
	uint32_t seq = 0;
	size_t at;
	char link[64] = "";

	keyframe.n = 0;
	rows_key_tasks(&keyframe, &seq, 1000, 100, n);
	at = keyframe.n;
	rows_key_task(&keyframe, seq++, 1000, (uint32_t)getpid(), 0, "self");
	if (readlink("/proc/self/ns/mnt", link, sizeof(link) - 1) > 0)
		((struct scap_rec_intro *)(keyframe.p + at))->ns_mnt =
			(uint32_t)strtoul(link + 5, NULL, 10);
	rows_key_end(&keyframe, seq, 2000, n + 1);
}

static void close_all(void)
{
	scap_recorder_free(recorder);
	scap_live_close(live);
	fake_fini(&fake);
}

static void run_until(uint64_t ns)
{
	while (fake.now_ns < ns)
		cr_assert_eq(scap_recorder_step(recorder, -1), 0);
}

/* Reads the file back: keyframes begun, KEY_ENDs, texts by kind, events. */
static struct { uint64_t n_begun; unsigned n_ends, n_texts[4], n_calls, n_tasks; } seen;

static void read_back(void)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = SCAP_READER_KEYFRAMES };
	struct scap_keyframe_text text;
	const struct scap_event *ev;
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, file.p, file.n);
	struct scap_reader *r;
	int rc;

	memset(&seen, 0, sizeof(seen));
	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, NULL), 0);
	while ((rc = scap_reader_next(r, &ev)) == 0) {
		seen.n_ends += ev->type == SCAP_REC_KEY_END;
		seen.n_tasks += ev->type == SCAP_REC_KEY_TASK;
		seen.n_calls += ev->type == SCAP_REC_CALL;
		for (unsigned i = 0; scap_reader_keyframe_text(r, i, &text) == 0; i++) {
			if (ev->type != SCAP_REC_KEY_END)
				continue;
			seen.n_texts[text.kind & 3]++;
			if (text.kind == SCAP_KEYFRAME_USERS)
				cr_assert(strstr(text.data, "0 root\n"));
			if (text.kind == SCAP_KEYFRAME_MOUNTS)
				cr_assert(strstr(text.data, " / "));
		}
	}
	cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
	seen.n_begun = scap_reader_info(r)->n_keyframes;
	scap_reader_close(r);
}

Test(keyframer, first_at_the_start)
{
	make_keyframe(20);
	open_all();
	calls_per_wait = 10;
	cr_assert_eq(scap_recorder_start(recorder), 0);
	cr_assert_eq(fake.n_keyframes, 1);
	run_until(fake.now_ns + 2 * SECOND);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	cr_assert_eq(scap_recorder_totals(recorder)->n_keyframes, 1);
	read_back();
	cr_assert_eq(seen.n_begun, 1);
	cr_assert_eq(seen.n_ends, 1);
	cr_assert_eq(seen.n_tasks, 21);
	cr_assert_eq(seen.n_calls, fake.n_stored);
	cr_assert_eq(seen.n_texts[SCAP_KEYFRAME_MOUNTS], 1, "of one's own namespace; others are "
		     "not there");
	cr_assert_eq(seen.n_texts[SCAP_KEYFRAME_USERS], 1);
	cr_assert_eq(seen.n_texts[SCAP_KEYFRAME_GROUPS], 1);
	close_all();
}

/* Large ones lie in several parts. */
Test(keyframer, many_parts)
{
	make_keyframe(6000);
	open_all();
	fake.keyframe_chunk = 300;
	calls_per_wait = 1;
	cr_assert_eq(scap_recorder_start(recorder), 0);
	run_until(fake.now_ns + SECOND);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	cr_assert_gt(keyframe.n, 3 << 20);
	read_back();
	cr_assert_eq(seen.n_begun, 1);
	cr_assert_eq(seen.n_tasks, 6001);
	close_all();
}

/* With many events one every 10 s, not more often. */
Test(keyframer, at_most_every_ten_seconds)
{
	uint64_t t0;

	make_keyframe(5);
	open_all();
	calls_per_wait = 300;
	cr_assert_eq(scap_recorder_start(recorder), 0);
	t0 = fake.now_ns;
	run_until(t0 + 95 * SECOND / 10);
	cr_assert_eq(fake.n_keyframes, 1);
	run_until(t0 + 115 * SECOND / 10);
	cr_assert_eq(fake.n_keyframes, 2);
	run_until(t0 + 19 * SECOND);
	cr_assert_eq(fake.n_keyframes, 2);
	run_until(t0 + 45 * SECOND);
	cr_assert_geq(fake.n_keyframes, 4);
	cr_assert_leq(fake.n_keyframes, 5);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	read_back();
	cr_assert_eq(seen.n_begun, fake.n_keyframes);
	cr_assert_eq(seen.n_ends, fake.n_keyframes);
	close_all();
}

/* With few events only every five minutes: they would be most of the file. */
Test(keyframer, at_least_every_five_minutes)
{
	uint64_t t0;

	make_keyframe(200);
	open_all();
	calls_per_wait = 0;
	cr_assert_eq(scap_recorder_start(recorder), 0);
	t0 = fake.now_ns;
	run_until(t0 + 295 * SECOND);
	cr_assert_eq(fake.n_keyframes, 1);
	run_until(t0 + 305 * SECOND);
	cr_assert_eq(fake.n_keyframes, 2);
	run_until(t0 + 590 * SECOND);
	cr_assert_eq(fake.n_keyframes, 2);
	run_until(t0 + 610 * SECOND);
	cr_assert_eq(fake.n_keyframes, 3);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	close_all();
}

/* Before that only if they stay a small share of the file. */
Test(keyframer, under_a_tenth_of_the_events)
{
	uint64_t t0;

	make_keyframe(3000);
	open_all();
	fake.keyframe_chunk = 300;
	calls_per_wait = 1;
	cr_assert_eq(scap_recorder_start(recorder), 0);
	t0 = fake.now_ns;
	run_until(t0 + 60 * SECOND);
	cr_assert_gt(fake.n_stored, 100);
	cr_assert_eq(fake.n_keyframes, 1);
	calls_per_wait = 2000;
	run_until(t0 + 90 * SECOND);
	cr_assert_geq(fake.n_keyframes, 2);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	close_all();
}

/* One that does not come to its end is cut at the recorder's. */
Test(keyframer, endless)
{
	make_keyframe(20);
	open_all();
	fake.keyframe_endless = true;
	calls_per_wait = 10;
	cr_assert_eq(scap_recorder_start(recorder), 0);
	for (int i = 0; i < 5; i++) {
		fake_call(&fake, 0, 0);
		cr_assert_eq(scap_recorder_step(recorder, -1), 0);
	}
	cr_assert_eq(fake.n_waits, 0, "who has work does not sleep");
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	read_back();
	cr_assert_eq(seen.n_begun, 1);
	cr_assert_eq(seen.n_calls, fake.n_stored);
	close_all();
}

Test(keyframer, module_without_keyframes)
{
	make_keyframe(5);
	open_all();
	fake.keyframe = NULL;
	calls_per_wait = 10;
	cr_assert_eq(scap_recorder_start(recorder), 0);
	run_until(fake.now_ns + 20 * SECOND);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	read_back();
	cr_assert_eq(seen.n_begun, 0);
	cr_assert_eq(scap_recorder_totals(recorder)->n_keyframes, 0);
	cr_assert_eq(seen.n_calls, fake.n_stored);
	close_all();
}

/* A keyframe that fails is incomplete; the recording is not. */
Test(keyframer, failing_module)
{
	make_keyframe(20);
	open_all();
	fake.keyframe_fail_at = 4;
	calls_per_wait = 10;
	cr_assert_eq(scap_recorder_start(recorder), 0);
	run_until(fake.now_ns + 2 * SECOND);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	read_back();
	cr_assert_eq(seen.n_begun, 1);
	cr_assert_eq(seen.n_ends, 0);
	cr_assert_gt(seen.n_tasks, 0);
	cr_assert_eq(seen.n_calls, fake.n_stored);
	close_all();
}

static int full_disk(void *ctx, const void *buf, size_t n)
{
	const struct scap__section_header *h = buf;

	(void)ctx;
	return n > sizeof(*h) && le16toh(h->type) == SCAP__SECTION_KEYFRAME ? -ENOSPC : 0;
}

Test(keyframer, disk_full)
{
	struct scap_writer_options wo = { .size = sizeof(wo), .n_cpus = 2 };
	struct scap_sink sink = { .write = full_disk };
	struct scap_writer *w;
	int rc;

	make_keyframe(300);
	open_all();
	scap_recorder_free(recorder);
	cr_assert_eq(scap_writer_open_sink(&sink, &wo, &w, NULL), 0);
	cr_assert_eq(scap_recorder_new(live, w, NULL, &recorder, NULL), 0);
	rc = scap_recorder_start(recorder);
	for (int i = 0; !rc && i < 10; i++)
		rc = scap_recorder_step(recorder, -1);
	cr_assert_eq(rc, -ENOSPC);
	cr_assert_eq(scap_recorder_finish(recorder), -ENOSPC);
	close_all();
}

/* ---- texts of the host ---------------------------------------------------------------------- */

static void check_names(const char *text, const char *want)
{
	char path[] = "/tmp/namesXXXXXX";
	int fd = mkstemp(path);
	struct scap_keyframe_text t;

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	cr_assert_eq(scap__host_names(SCAP_KEYFRAME_GROUPS, path, &t), 0);
	cr_assert_eq(t.kind, SCAP_KEYFRAME_GROUPS);
	cr_assert_eq(t.bytes, strlen(want), "'%.*s'", (int)t.bytes, (const char *)t.data);
	cr_assert_eq(memcmp(t.data, want, t.bytes), 0);
	free((void *)t.data);
	unlink(path);
}

Test(host, names)
{
	check_names("", "");
	check_names("root:x:0:0:root:/root:/bin/sh\n", "0 root\n");
	check_names("a:x:1:\nb:secret:22:members", "1 a\n22 b\n");
	check_names("no colons\n:::\na:b\na:b:\na:b:c\n\n", "");
	check_names("+::::\nx::7:\ny:x:-1:\nz:x:5a:\n", "7 x\n");
}

Test(host, long_files_are_cut_at_a_line)
{
	char path[] = "/tmp/namesXXXXXX";
	int fd = mkstemp(path);
	struct scap_keyframe_text t;

	for (int i = 0; i < 30000; i++)
		cr_assert_eq(dprintf(fd, "user%05d:x:%05d:\n", i, i), 19);
	close(fd);
	cr_assert_eq(scap__host_names(SCAP_KEYFRAME_USERS, path, &t), 0);
	cr_assert_eq(t.state, SCAP_STATE_TRUNCATED);
	cr_assert_eq(t.bytes % 16, 0);
	cr_assert_eq(t.bytes / 16, (256 << 10) / 19);
	free((void *)t.data);
	cr_assert_eq(scap__host_names(SCAP_KEYFRAME_USERS, "/no/such/file", &t), -ENOENT);
	unlink(path);
}

Test(host, mounts)
{
	struct scap__mount_ns ns = { .inum = 12345, .n_tgids = 1, .tgids = { (uint32_t)getpid() } };
	struct scap_keyframe_text t;

	cr_assert_neq(scap__host_mounts(&ns, &t), 0, "we are in another namespace");
}
