/* SPDX-License-Identifier: MIT */
/* Triggers fire, and captures lie in the directory: from a ring that goes on being filled. */
#define _GNU_SOURCE	/* unshare */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "support_recording.h"
#include "watch/captures.h"

static struct watch_config config;
static struct store *store;
static struct captures *captures;
static struct trigger_config triggers[3];
static bool stopped;
static const struct captures_waiter for_name, for_file = { .sealed = true };

static void setup(void)
{
	char text[256];

	recording_setup();
	memset(&config, 0, sizeof(config));
	memset(triggers, 0, sizeof(triggers));
	triggers[0] = (struct trigger_config){ .name = "hand", .source = TRIGGER_HAND,
		.before_ns = 2 * SCAP_EPOCH_NS, .after_ns = SCAP_EPOCH_NS, .text = "on hand" };
	triggers[1] = (struct trigger_config){ .name = "late", .source = TRIGGER_EVENT,
		.before_ns = SCAP_EPOCH_NS, .after_ns = 0, .cooldown_ns = 3600 * 1000000000ull,
		.text = "late" };
	triggers[2] = (struct trigger_config){ .name = "some", .source = TRIGGER_EVENT,
		.before_ns = 3 * SCAP_EPOCH_NS, .after_ns = 0, .keep = "evt.type=close" };
	config.triggers = triggers;
	config.n_triggers = 3;
	config.dir = strdup(in_dir("captures"));
	seed = 42;
	rec_open(2, SCAP_RING_MIN_BYTES);
	store = store_open(&config, -1, -1, text, sizeof(text));
	cr_assert_not_null(store, "%s", text);
	captures = captures_start(&config, rec.ring, store);
	cr_assert_not_null(captures);
}

static void stop(void)
{
	captures_stop(captures);
	stopped = true;
}

static void teardown(void)
{
	char command[300];

	if (!stopped)
		stop();
	captures_free(captures);
	store_close(store);
	snprintf(command, sizeof(command), "rm -rf '%s'", config.dir);
	cr_assert_eq(system(command), 0);
	free(config.dir);
	recording_teardown();
}

TestSuite(watch_captures, .init = setup, .fini = teardown, .timeout = 120);

/* What the recorder's loop does: so many epochs. */
static void go_on(unsigned n)
{
	while (n--) {
		rec_slice(1);
		if (captures_due_ns(captures) <= rec.now_ns) {
			rec_complete();
			captures_more(captures, rec.now_ns);
		}
	}
}

static struct firing now(uint32_t trigger)
{
	return (struct firing){
		.by = triggers[trigger].source, .name = triggers[trigger].name, .source = "hand",
		.why = "a test", .raw_ns = rec.now_ns - 1,
		.real_ns = rec.now_ns + 7777776, .event = rec.n_events, .before_ns = UINT64_MAX,
		.after_ns = UINT64_MAX,
	};
}

static void wait_idle(void)
{
	struct captures_totals t;

	do {
		usleep(10000);
		captures_totals(captures, &t);
	} while (t.n_capturing);
}

static unsigned n_in_directory(void)
{
	DIR *d = opendir(config.dir);
	unsigned n = 0;

	cr_assert_not_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static uint64_t outcomes(uint32_t trigger, enum capture_outcome outcome)
{
	struct watch_trigger_health h[3];

	cr_assert_eq(captures_health(captures, h, 3), 3);
	return h[trigger].n[outcome];
}

/* The capture at path is what its TRIGGER says, and all of that. */
static void check_capture(const char *path, const char *name)
{
	const struct scap_trigger *t;
	const struct scap_event *ev;
	struct scap_reader *r;
	struct scap_error err;
	struct stat st;
	int rc;

	cr_assert_eq(stat(path, &st), 0, "%s", path);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(scap_reader_open_path(path, NULL, &r, &err), 0, "%s", err.text);
	while ((rc = scap_reader_next(r, &ev)) == 0)
		;
	cr_assert_eq(rc, 1);
	t = scap_reader_trigger(r);
	cr_assert_not_null(t);
	cr_assert_str_eq(t->name, name);
	cr_assert_str_eq(t->why, "a test");
	cr_assert_eq(t->flags & ~SCAP_TRIGGER_CHOSEN, 0);
	cr_assert_leq(t->from_raw_ns, t->raw_ns - t->before_ns);
	cr_assert_geq(t->to_raw_ns, t->raw_ns + t->after_ns);
	if (!(t->flags & SCAP_TRIGGER_CHOSEN))
		compare(path, t->from_raw_ns, t->to_raw_ns);
	scap_reader_close(r);
}

Test(watch_captures, twenty)
{
	struct watch_reply reply[20];

	go_on(12);
	for (unsigned i = 0; i < 20; i++) {
		struct firing f = now(0);

		f.raw_ns -= i * 30000000;
		captures_fire(captures, &f, &reply[i], &for_name);
		cr_assert_eq(reply[i].code, 0, "%s", reply[i].text);
		cr_assert(reply[i].file[0]);
	}
	cr_assert(captures_want_keyframe(captures));
	cr_assert_not(captures_want_keyframe(captures));
	go_on(4);
	wait_idle();
	see_whole();
	for (unsigned i = 0; i < 20; i++) {
		check_capture(reply[i].file, "hand");
		for (unsigned k = 0; k < i; k++)
			cr_assert_str_neq(reply[i].file, reply[k].file);
	}
	cr_assert_eq(outcomes(0, CAPTURE_WRITTEN), 20);
	stop();
	rec_close(true);
}

static void *fire_and_wait(void *arg)
{
	struct firing f = now(0);

	captures_fire(captures, &f, arg, &for_file);
	return NULL;
}

/* Who waits gets the name of a file that is sealed; another one is refused in a cool-down. */
Test(watch_captures, waiting)
{
	struct watch_reply reply = { 0 };
	struct firing f;
	pthread_t thread;

	go_on(6);
	cr_assert_eq(pthread_create(&thread, NULL, fire_and_wait, &reply), 0);
	usleep(200000);
	cr_assert_eq(reply.file[0], 0);
	go_on(4);
	pthread_join(thread, NULL);
	cr_assert_eq(reply.code, 0, "%s", reply.text);
	f = now(1);
	captures_fire(captures, &f, NULL, NULL);
	captures_fire(captures, &f, NULL, NULL);
	go_on(1);
	wait_idle();
	cr_assert_eq(outcomes(1, CAPTURE_WRITTEN), 1);
	cr_assert_eq(outcomes(1, CAPTURE_REFUSED_COOLDOWN), 1);
	/* Counts and cool-downs outlive another configuration. */
	captures_configure(captures, captures_prepare(&config));
	captures_fire(captures, &f, NULL, NULL);
	cr_assert_eq(outcomes(1, CAPTURE_REFUSED_COOLDOWN), 2);
	see_whole();
	check_capture(reply.file, "hand");
	stop();
	rec_close(true);
}

/* `keep`: only what the filter chooses is in the file, with the names that explain it. */
Test(watch_captures, keep)
{
	struct watch_reply reply;
	struct firing f;
	struct scap_reader *r;
	const struct scap_event *ev;
	const struct scap_trigger *t;
	unsigned n = 0;

	rec.gaps = true;
	go_on(8);
	f = now(2);
	captures_fire(captures, &f, &reply, &for_name);
	go_on(2);
	wait_idle();
	cr_assert_eq(outcomes(2, CAPTURE_WRITTEN), 1);
	check_capture(reply.file, "some");
	cr_assert_eq(scap_reader_open_path(reply.file, NULL, &r, NULL), 0);
	while (scap_reader_next(r, &ev) == 0) {
		uint64_t n_lost, first, last;

		if (scap_event_gap(ev, &n_lost, &first, &last) == 0) {
			cr_assert_not(scap_event_gap_unexplained(ev));
			continue;
		}
		cr_assert_str_eq(scap_event_name(ev), "close");
		cr_assert_not_null(scap_event_comm(ev));
		n++;
	}
	t = scap_reader_trigger(r);
	cr_assert_eq(t->flags, SCAP_TRIGGER_CHOSEN);
	cr_assert_gt(t->n_lost, 0);
	cr_assert_gt(n, 10);
	/* Nothing of the whole one is left. */
	cr_assert_eq(n_in_directory(), 1);
	scap_reader_close(r);
	stop();
	see_whole();
	rec_close(true);
}

/* One whose filter takes long holds up no other. */
Test(watch_captures, keep_is_patient)
{
	char keep[64 * 32] = "evt.type=close";
	struct firing f;

	for (unsigned i = 0; i < 60; i++)
		snprintf(keep + strlen(keep), sizeof(keep) - strlen(keep),
			 " or evt.args contains not-%u", i);
	triggers[2].keep = keep;
	captures_configure(captures, captures_prepare(&config));
	go_on(400);
	f = now(2);
	f.before_ns = 4000 * SCAP_EPOCH_NS;
	captures_fire(captures, &f, NULL, NULL);
	f = now(0);
	f.before_ns = f.after_ns = 0;
	captures_fire(captures, &f, NULL, NULL);
	go_on(1);
	while (!outcomes(0, CAPTURE_WRITTEN))
		usleep(500);
	cr_assert_eq(outcomes(2, CAPTURE_WRITTEN), 0);
	wait_idle();
	cr_assert_eq(outcomes(2, CAPTURE_WRITTEN), 1);
	cr_assert_eq(n_in_directory(), 2);
	stop();
	see_whole();
	rec_close(true);
}

/* What can't be chosen from stays whole, where its name was told to be. */
Test(watch_captures, keep_fails)
{
	struct watch_reply reply;
	struct firing f;

	triggers[2].keep = "evt.type=nonsense";
	captures_configure(captures, captures_prepare(&config));
	go_on(8);
	f = now(2);
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, 0, "%s", reply.text);
	go_on(2);
	wait_idle();
	cr_assert_eq(outcomes(2, CAPTURE_CUT), 1);
	cr_assert_eq(n_in_directory(), 1);
	see_whole();
	check_capture(reply.file, "some");
	stop();
	rec_close(true);
}

/* It ends while one is being chosen from: that is finished. */
Test(watch_captures, keep_at_the_end)
{
	struct firing f;

	go_on(100);
	f = now(2);
	f.before_ns = 4000 * SCAP_EPOCH_NS;
	captures_fire(captures, &f, NULL, NULL);
	go_on(1);
	stop();
	cr_assert_eq(outcomes(2, CAPTURE_WRITTEN), 1);
	cr_assert_eq(n_in_directory(), 1);
	rec_close(true);
}

/* The recorder ends before the window does: what there is is written, and said to be cut. */
Test(watch_captures, cut_short)
{
	struct watch_reply reply, late;
	const struct scap_trigger *t;
	const struct scap_event *ev;
	struct scap_reader *r;
	struct firing f;

	go_on(8);
	f = now(0);
	f.after_ns = 1000 * SCAP_EPOCH_NS;
	captures_fire(captures, &f, &reply, &for_name);
	go_on(2);
	rec_complete();
	stop();
	cr_assert_eq(outcomes(0, CAPTURE_CUT), 1);
	/* The next one may take it: it is not refused. */
	captures_fire(captures, &f, &late, NULL);
	cr_assert_eq(late.code, -ESHUTDOWN);
	cr_assert_str_eq(late.text, "the recorder ends");
	cr_assert_eq(outcomes(0, CAPTURE_REFUSED_LIMIT), 0);
	see_whole();
	cr_assert_eq(scap_reader_open_path(reply.file, NULL, &r, NULL), 0);
	while (scap_reader_next(r, &ev) == 0)
		;
	t = scap_reader_trigger(r);
	cr_assert_eq(t->flags, SCAP_TRIGGER_CUT);
	compare(reply.file, t->from_raw_ns, t->to_raw_ns);
	cr_assert_geq(t->to_raw_ns, f.raw_ns + SCAP_EPOCH_NS);
	scap_reader_close(r);
	rec_close(true);
}

/* An alert, or a person, may name any trigger: it is made as that one's captures are. */
Test(watch_captures, by_name)
{
	struct watch_reply reply;
	struct firing f;

	go_on(8);
	f = now(1);
	f.by = TRIGGER_ALERT;
	f.source = "alert";
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, 0, "%s", reply.text);
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, 1, "the cool-down is its, too");
	f.name = "nobody";
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, -ENOENT);
	cr_assert_str_eq(reply.text, "no trigger 'nobody' is configured");
	f.name = NULL;
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, -ENOENT);
	cr_assert_str_eq(reply.text, "no trigger is configured for alert");
	go_on(2);
	wait_idle();
	cr_assert_eq(outcomes(1, CAPTURE_WRITTEN), 1);
	stop();
	rec_close(true);
}

static void count_call(void *ctx, char *buf, size_t cap)
{
	snprintf(buf, cap, "a test");
	++*(unsigned *)ctx;
}

/* Text is only made for a capture. */
Test(watch_captures, described)
{
	unsigned n = 0;
	struct firing f;

	go_on(6);
	f = now(1);
	f.why = NULL;
	f.describe = count_call;
	f.ctx = &n;
	for (unsigned i = 0; i < 10; i++)
		captures_fire(captures, &f, NULL, NULL);
	cr_assert_eq(n, 1);
	go_on(1);
	wait_idle();
	cr_assert_eq(outcomes(1, CAPTURE_WRITTEN), 1);
	cr_assert_eq(outcomes(1, CAPTURE_REFUSED_COOLDOWN), 9);
	stop();
	rec_close(true);
}

/* A reload while a capture is on its way: what comes of it is counted for the trigger it was of. */
Test(watch_captures, reload)
{
	struct trigger_config other[3] = { triggers[2], triggers[0], triggers[1] };
	struct watch_config next = config;
	struct watch_reply reply, none;
	struct firing f;

	go_on(6);
	f = now(0);
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, 0, "%s", reply.text);
	next.triggers = other;
	captures_configure(captures, captures_prepare(&next));
	go_on(3);
	wait_idle();
	cr_assert_eq(outcomes(0, CAPTURE_WRITTEN), 0);
	cr_assert_eq(outcomes(1, CAPTURE_WRITTEN), 1);
	/* Names say which one, wherever it stands now; and one that is gone is not another. */
	f = now(0);
	captures_fire(captures, &f, &reply, &for_name);
	next.n_triggers = 1;
	captures_configure(captures, captures_prepare(&next));
	captures_fire(captures, &f, &none, &for_name);
	cr_assert_eq(none.code, -ENOENT);
	cr_assert_str_eq(none.text, "no trigger 'hand' is configured");
	go_on(3);
	wait_idle();
	see_whole();
	check_capture(reply.file, "hand");
	stop();
	rec_close(true);
}

/* Once the ring is complete for a window, nothing more is flushed for it, but for a while. */
Test(watch_captures, due)
{
	struct firing f;

	go_on(6);
	f = now(0);
	/* Its thread can't begin: the window is ahead, and nothing comes. */
	f.raw_ns += 10 * SCAP_EPOCH_NS;
	captures_fire(captures, &f, NULL, NULL);
	cr_assert(captures_due_ns(captures) < UINT64_MAX);
	cr_assert_gt(captures_due_ns(captures), rec.now_ns);
	cr_assert_gt(captures_due_ns(captures), f.raw_ns + SCAP_EPOCH_NS - 1);
	cr_assert_leq(captures_due_ns(captures), f.raw_ns + SCAP_EPOCH_NS);
	captures_more(captures, f.raw_ns + SCAP_EPOCH_NS);
	cr_assert_gt(captures_due_ns(captures), f.raw_ns + SCAP_EPOCH_NS);
	cr_assert_gt(captures_due_ns(captures), f.raw_ns + SCAP_EPOCH_NS + 999999999);
	cr_assert_leq(captures_due_ns(captures), f.raw_ns + SCAP_EPOCH_NS + 1000000000);
	stop();
	rec_close(true);
}

static bool leaves(void *ctx)
{
	return ++*(unsigned *)ctx == 2;
}

/* The recorder ends while somebody waits: who does is told of the file at once. */
Test(watch_captures, ends_meanwhile)
{
	struct watch_reply reply = { 0 };
	pthread_t thread;

	go_on(6);
	cr_assert_eq(pthread_create(&thread, NULL, fire_and_wait, &reply), 0);
	usleep(200000);
	rec_complete();
	stop();
	pthread_join(thread, NULL);
	cr_assert_eq(reply.code, 0, "%s", reply.text);
	cr_assert(reply.file[0]);
	cr_assert_eq(access(reply.file, F_OK), 0);
	rec_close(true);
}

/* A window that never ends: no time wraps, and who waits goes when nobody wants to know. */
Test(watch_captures, endless)
{
	unsigned asked = 0;
	struct captures_waiter waiter = { .sealed = true, .gone = leaves, .gone_ctx = &asked };
	struct watch_reply reply;
	struct firing f;

	go_on(6);
	f = now(0);
	f.after_ns = UINT64_MAX - 1;
	captures_fire(captures, &f, &reply, &waiter);
	cr_assert_eq(asked, 2);
	cr_assert_eq(reply.code, -ETIMEDOUT);
	cr_assert(reply.file[0]);
	cr_assert_gt(captures_due_ns(captures), UINT64_MAX - 1);
	go_on(2);
	rec_complete();
	stop();
	cr_assert_eq(outcomes(0, CAPTURE_CUT), 1);
	rec_close(true);
}

/* A request that failed may come again: there was no capture that it would repeat. */
Test(watch_captures, again)
{
	const rlim_t hour = 3600;
	struct rlimit before, few;
	struct watch_reply reply;
	struct firing f;

	triggers[0].cooldown_ns = triggers[1].cooldown_ns = hour * 1000000000ull;
	triggers[0].per_hour = 1;
	captures_configure(captures, captures_prepare(&config));
	go_on(6);
	f = now(0);
	f.fingerprint = "this alert";
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 3;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, -EIO, "%s", reply.text);
	cr_assert(strstr(reply.text, "Too many open files"), "%s", reply.text);
	/* An event comes a thousand times a second: it does not try each time. */
	f = now(1);
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, -EIO);
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, 1);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	f = now(0);
	f.fingerprint = "this alert";
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, 0, "%s", reply.text);
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, 1);
	go_on(4);
	wait_idle();
	cr_assert_eq(outcomes(0, CAPTURE_FAILED), 1);
	cr_assert_eq(outcomes(0, CAPTURE_WRITTEN), 1);
	stop();
	rec_close(true);
}

/* Captures go to a file system of their own, of 20 MiB. */
static void on_small_disk(void)
{
	char text[256];

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", config.dir, "tmpfs", 0, "size=20m,mode=700"))
		cr_skip_test("cannot mount here");
	captures_stop(captures);
	captures_free(captures);
	store_close(store);
	store = store_open(&config, -1, -1, text, sizeof(text));
	cr_assert_not_null(store, "%s", text);
	captures = captures_start(&config, rec.ring, store);
	cr_assert_not_null(captures);
}

/* All of the past comes at once, and is more than fits: what is to stay free stays free. */
static void fill_small_disk(uint32_t trigger)
{
	struct watch_reply reply;
	struct captures_totals t;
	struct statvfs fs;
	struct firing f;

	on_small_disk();
	rec.payload = 2000;
	go_on(700);
	f = now(trigger);
	f.before_ns = 4000 * SCAP_EPOCH_NS;
	captures_fire(captures, &f, &reply, &for_name);
	cr_assert_eq(reply.code, 0, "%s", reply.text);
	go_on(2);
	wait_idle();
	cr_assert_eq(outcomes(trigger, CAPTURE_CUT), 1);
	cr_assert_eq(n_in_directory(), 1);
	cr_assert_eq(access(reply.file, F_OK), 0);
	captures_totals(captures, &t);
	cr_assert_eq(t.n_write_errors, 1);
	cr_assert_eq(statvfs(config.dir, &fs), 0);
	/* 2 % are 102 blocks: the end of a file may take some of them. */
	cr_assert_geq(fs.f_bavail, 95);
	stop();
	captures_free(captures);
	store_close(store);
	cr_assert_eq(umount(config.dir), 0);
	captures = NULL;
	store = NULL;
	rec_close(true);
}

Test(watch_captures, small_disk)
{
	fill_small_disk(0);
}

Test(watch_captures, small_disk_keep)
{
	triggers[2].keep = "evt.num>0";
	fill_small_disk(2);
}

/* All places are taken: the next one is refused at once, and all that began come to an end. */
Test(watch_captures, most)
{
	struct watch_reply reply;
	struct firing f;

	go_on(6);
	for (unsigned i = 0; i < CAPTURES_MOST; i++) {
		f = now(0);
		captures_fire(captures, &f, &reply, NULL);
		cr_assert_eq(reply.code, 0, "%u: %s", i, reply.text);
	}
	captures_fire(captures, &f, &reply, &for_file);
	cr_assert_eq(reply.code, WATCH_BUSY);
	cr_assert_str_eq(reply.text, "too many captures are being written: ask again later");
	go_on(4);
	wait_idle();
	cr_assert_eq(outcomes(0, CAPTURE_WRITTEN), CAPTURES_MOST);
	cr_assert_eq(outcomes(0, CAPTURE_REFUSED_LIMIT), 1);
	cr_assert_eq(n_in_directory(), CAPTURES_MOST);
	stop();
	rec_close(true);
}
