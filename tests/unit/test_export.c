/* SPDX-License-Identifier: MIT */
/* .scap files as a whole: their blocks, their order, their lists, and what is left of failures. */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "test_export_file.h"

#define U(x) ((uint64_t)(x))
#define X64 SCAP_ABI_X86_64

static struct scap_event ev;

/* A call of a thread, between two times. */
static void call_at(uint32_t tid, uint64_t from_ns, uint64_t to_ns)
{
	test_call(&ev, X64, "getppid", 1, 0);
	ev.thread = NULL;
	ev.tid = tid;
	ev.num = to_ns;
	ev.wall_ns = T0 + to_ns;
	ev.latency_ns = to_ns - from_ns;
}

Test(export, the_bytes_of_a_small_file)
{
	static const uint8_t head[28] = {
		0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 2, 0,
		255, 255, 255, 255, 255, 255, 255, 255, 28, 0, 0, 0,
	};
	/* 2.5 s after 1970, CPU 1, thread 7: close, 0 */
	static const uint8_t exit_event[] = {
		0x16, 2, 0, 0, 60, 0, 0, 0, 1, 0,
		0, 0xf9, 2, 0x95, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0,
		46, 0, 0, 0, 5, 0, 2, 0, 0, 0, 8, 0, 8, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0,
		60, 0, 0, 0,
	};
	struct scap_capture_info info = { .hostname = "shop1", .n_cpus = 4 };
	struct scap_export_options opt = { .size = sizeof(opt), .profile = SCAP_EXPORT_FALCO,
					   .flags = SCAP_EXPORT_PLAIN };
	struct scap_sink sink = rows_sink(&written);
	struct scap_export *x;

	cr_assert_eq(scap_export_open_sink(&sink, &opt, &info, &x, NULL), 0);
	test_call(&ev, X64, "close", 0, 1, U(3));
	ev.tid = 7;
	ev.wall_ns = 2500000000;
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	close_export(x);
	cr_assert_eq(written.n, sizeof(head) + 192 + sizeof(exit_event));
	cr_expect_arr_eq(written.p, head, sizeof(head));
	cr_expect_eq(scap__le32(written.p + 28), 0x201);
	cr_expect_eq(scap__le32(written.p + 32), 192);
	cr_expect_eq(scap__le32(written.p + 36), 4);
	cr_expect_str_eq((const char *)written.p + 56, "shop1");
	cr_expect_arr_eq(written.p + 220, exit_event, sizeof(exit_event));
	cr_expect_eq(counts.bytes, written.n);
	cr_expect_eq(counts.n_written, 1);
}

/* ---- order --------------------------------------------------------------------------------- */

static void expect_order(const uint64_t *ns, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct theirs t = event_nth(i);

		cr_expect_eq(t.ns - T0, ns[i], "event %u is at %llu", i,
			     (unsigned long long)(t.ns - T0));
	}
}

static void put_calls(struct scap_export *x)
{
	call_at(1, 100, 200);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	call_at(2, 50, 300);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	call_at(1, 200, 400);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
}

Test(export, enters_go_where_they_belong)
{
	static const uint64_t want[] = { 50, 100, 200, 200, 300, 400 };
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct theirs t;

	put_calls(x);
	close_export(x);
	expect_order(want, 6);
	/* Of the same time, the exit before the next enter. */
	t = event_nth(2);
	cr_expect_eq(t.type, 1);
	t = event_nth(3);
	cr_expect_eq(t.type, 0);
	cr_expect_eq(counts.n_late_enters, 0);
}

Test(export, the_window_is_bounded)
{
	static const uint64_t want[] = { 100, 200, 200, 300, 300, 400 };
	struct scap_export *x = open_export(SCAP_EXPORT_SYSDIG, SCAP_EXPORT_PLAIN, 1);

	put_calls(x);
	close_export(x);
	expect_order(want, 6);
	cr_expect_eq(counts.n_late_enters, 2);
}

Test(export, long_calls_that_were_learned_need_no_window)
{
	static const uint64_t want[] = { 50, 100, 200, 30000000 };
	struct scap_export *x = open_export(SCAP_EXPORT_SYSDIG, SCAP_EXPORT_PLAIN, 1);
	struct theirs t;

	call_at(1, 100, 200);
	cr_assert_eq(scap_export_learn(x, &ev, 0), 0);
	call_at(2, 50, 30000000);
	cr_assert_eq(scap_export_learn(x, &ev, 0), 0);
	call_at(1, 100, 200);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	call_at(2, 50, 30000000);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	close_export(x);
	expect_order(want, 4);
	t = event_nth(0);
	cr_expect_eq(t.tid, 2);
	cr_expect_eq(counts.n_written, 4);
	cr_expect_eq(counts.n_late_enters, 0);
}

Test(export, a_clock_that_steps_back)
{
	static const uint64_t want[] = { 100, 100 };
	struct scap_export *x = open_plain(SCAP_EXPORT_FALCO);

	call_at(1, 50, 100);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	call_at(1, 50, 90);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	close_export(x);
	expect_order(want, 2);
	cr_expect_eq(counts.n_late_enters, 0);
}

/* Many calls of random lengths: always in order, none missing. */
Test(export, order_of_many)
{
	struct scap_export *x = open_export(SCAP_EXPORT_SYSDIG, SCAP_EXPORT_PLAIN, 4096);
	uint64_t seed = 7, ns = 1000000;
	struct block b = { 0 };
	uint64_t last = 0;
	size_t at = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < 2000; i++) {
		ns += rows_random(&seed) % 100;
		call_at(1 + i % 7, ns - rows_random(&seed) % 20000, ns);
		cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	}
	close_export(x);
	for (; at < written.n; at += scap__le32(written.p + at + 4)) {
		b = (struct block){ scap__le32(written.p + at), written.p + at + 8,
				    scap__le32(written.p + at + 4) - 12 };
		if (b.type == BLOCK_EVENT) {
			cr_assert_geq(event_in(&b).ns, last);
			last = event_in(&b).ns;
			n++;
		}
	}
	cr_expect_eq(n, 4000);
	cr_expect_gt(counts.n_late_enters, 0);
}

/* ---- calls that have no pair --------------------------------------------------------------- */

Test(export, entries_that_were_not_seen)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct theirs t;

	test_call(&ev, X64, "close", 0, 1, U(3));
	ev.flags = SCAP_CALL_NO_ENTRY;
	ev.latency_ns = SCAP_LATENCY_NONE;
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	close_export(x);
	t = event_nth(0);
	cr_expect_eq(t.type, 4);
	cr_expect_eq(t.ns, T0);
	cr_expect_eq(counts.n_no_entry, 1);
}

Test(export, calls_that_were_not_made)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct block b;

	test_call(&ev, X64, "close", 3, 1, U(3));
	ev.flags = SCAP_CALL_TRAPPED;
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	close_export(x);
	cr_expect_eq(event_nth(0).type, 4);
	cr_expect_not(find_block(BLOCK_EVENT, 1, &b));
	cr_expect_eq(counts.n_trapped, 1);
	cr_expect_eq(counts.n_left_out, 1);
}

Test(export, what_there_is_nothing_for)
{
	static const uint8_t types[] = { SCAP_REC_SIGNAL, SCAP_REC_OOM, SCAP_REC_MODULE,
					 SCAP_REC_WAKE };
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct block b;

	for (unsigned i = 0; i < sizeof(types); i++) {
		test_call(&ev, X64, "read", 0, 0);
		ev.type = types[i];
		cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	}
	test_call(&ev, X64, "read", 0, 0);
	ev.type = SCAP_REC_GAP;
	ev.u.gap.n_lost = 42;
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	close_export(x);
	cr_expect_not(find_block(BLOCK_EVENT, 0, &b));
	cr_expect_eq(counts.n_left_out, sizeof(types));
	cr_expect_eq(counts.n_lost, 42);
}

Test(export, state_without_being_shown)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct block b;
	struct theirs t;

	test_call(&ev, X64, "getppid", 1, 0);
	cr_assert_eq(scap_export_event(x, &ev, SCAP_EXPORT_STATE), 0);
	test_call(&ev, X64, "openat", 4, 4, U(-100), U(0), U(0), U(0));
	test_str(&ev, 1, "x");
	cr_assert_eq(scap_export_event(x, &ev, SCAP_EXPORT_STATE), 0);
	close_export(x);
	cr_expect_not(find_block(BLOCK_EVENT, 0, &b));
	cr_assert(find_block(BLOCK_EVENT_FLAGS, 1, &b));
	t = event_in(&b);
	cr_expect_eq(t.flags, 1);
	cr_expect_eq(t.type, 307);
	cr_expect_not(find_block(BLOCK_EVENT_FLAGS, 2, &b));
	cr_expect_eq(counts.n_events, 0);
}

/* ---- processes ----------------------------------------------------------------------------- */

static void exec_record(const char *argv, size_t n)
{
	test_call(&ev, X64, "read", 0, 0);
	ev.type = SCAP_REC_EXEC;
	ev.flags = SCAP_EXEC_WRITABLE | SCAP_EXEC_MEMFD;
	ev.tid = 4700;
	ev.nr = INT64_MIN;
	ev.sc = NULL;
	memset(&ev.u, 0, sizeof(ev.u));
	ev.u.exec.pgid = 4690;
	ev.u.exec.tty = 4 << 20 | 1;
	ev.u.exec.loginuid = 1000;
	test_blob(&ev, SCAP_SLOT_ARGV, SCAP_STATE_WHOLE, argv, n, n);
	test_str(&ev, SCAP_SLOT_CGROUP, "/shop");
}

static void exec_event(unsigned type, int64_t ret)
{
	test_call(&ev, X64, "execve", ret, 3, U(0x1000), U(0x2000), U(0x3000));
	ev.type = (uint8_t)type;
	ev.tid = 4700;
	test_str(&ev, SCAP_SLOT_FILENAME, "/bin/x");
}

Test(export, exec)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct block b;
	struct theirs t;

	exec_event(SCAP_REC_ENTER, 0);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	exec_record("x\0-a\0b\0", 7);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	exec_event(SCAP_REC_CALL, 0);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	close_export(x);
	t = event_nth(0);
	cr_expect_eq(t.type, 292);
	expect_string(&t, 0, "/bin/x");
	t = event_nth(1);
	cr_expect_eq(t.type, 293);
	cr_expect_eq(t.n, 20);
	expect_string(&t, 1, "x");
	expect_bytes(&t, 2, "-a\0b\0", 5);
	expect_number(&t, 3, 8, 4700);
	expect_number(&t, 4, 8, 4700);
	expect_string(&t, 6, "");
	expect_string(&t, 13, "httpd");
	expect_string(&t, 14, "memory=/shop");
	expect_number(&t, 16, 4, 0x401);
	expect_number(&t, 17, 8, 4690);
	expect_number(&t, 18, 4, 1000);
	expect_number(&t, 19, 4, 1 | 4);
	cr_expect_not(find_block(BLOCK_EVENT, 2, &b));
	cr_expect_eq(counts.n_folded, 1);
}

Test(export, an_exec_that_failed)
{
	struct theirs t;

	exec_event(SCAP_REC_CALL, -2);
	test_blob(&ev, 1, SCAP_STATE_WHOLE, "y\0-z", 5, 5);
	t = export_one(&ev, SCAP_EXPORT_FALCO, 0);
	cr_expect_eq(t.type, 293);
	cr_expect_eq(t.n, 30);
	expect_number(&t, 0, 8, -2);
	expect_string(&t, 1, "y");
	expect_bytes(&t, 2, "-z", 3);
}

Test(export, execveat_by_profile)
{
	struct theirs t;

	test_call(&ev, X64, "execveat", 0, 5, U(-100), U(0x1000), U(0x2000), U(0), U(0x1000));
	test_str(&ev, SCAP_SLOT_FILENAME, "x");
	t = export_one(&ev, SCAP_EXPORT_SYSDIG, 0);
	cr_expect_eq(t.type, 330);
	expect_number(&t, 2, 4, 1);
	cr_expect_eq(event_nth(1).type, 331);
	cr_expect_eq(export_one(&ev, SCAP_EXPORT_FALCO, 0).type, 293);
	ev.ret = -13;
	cr_expect_eq(export_one(&ev, SCAP_EXPORT_FALCO, 0).type, 331);
}

static void fork_record(uint32_t child)
{
	test_call(&ev, X64, "read", 0, 0);
	ev.type = SCAP_REC_FORK;
	ev.sc = NULL;
	memset(&ev.u, 0, sizeof(ev.u));
	ev.u.fork.tgid = 4700;
	ev.u.fork.child_tid = ev.u.fork.child_tgid = child;
	ev.u.fork.clone_flags = 0x100 | 0x4000;	/* CLONE_VM | CLONE_VFORK */
}

Test(export, both_sides_of_a_clone)
{
	struct scap__thread child = { .tid = 900, .tgid = 900, .ppid = 4700, .vtid = 3,
				      .vtgid = 3, .comm = "kid" };
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct theirs t;

	fork_record(900);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	test_call(&ev, X64, "vfork", 0, 0);
	ev.flags = SCAP_CALL_CHILD | SCAP_CALL_NO_ENTRY;
	ev.latency_ns = SCAP_LATENCY_NONE;
	ev.tid = 900;
	ev.thread = &child;
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	test_call(&ev, X64, "vfork", 900, 0);
	ev.wall_ns += 10;
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	close_export(x);
	cr_expect_eq(event_nth(0).type, 226);
	t = event_nth(1);	/* the child: it made no call */
	cr_expect_eq(t.type, 227);
	cr_expect_eq(t.tid, 900);
	cr_expect_eq(t.n, 20);
	expect_number(&t, 0, 8, 0);
	expect_number(&t, 5, 8, 4700);
	expect_string(&t, 13, "kid");
	expect_number(&t, 15, 4, 0x8000 | 0x8000000 | 0x20000000);
	expect_number(&t, 18, 8, 3);
	t = event_nth(2);
	expect_number(&t, 0, 8, 900);
	expect_number(&t, 15, 4, 0x8000 | 0x8000000);
	cr_expect_eq(counts.n_no_entry, 0);
}

Test(export, who_sent_a_signal)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct theirs t;

	test_call(&ev, X64, "read", 0, 0);
	ev.type = SCAP_REC_SIGNAL;
	memset(&ev.u, 0, sizeof(ev.u));
	ev.tid = 55;
	ev.thread = NULL;
	ev.u.event.target_tgid = 4700;
	ev.u.event.signo = 15;
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	test_call(&ev, X64, "read", 0, 0);
	ev.type = SCAP_REC_SIGDELIVER;
	memset(&ev.u, 0, sizeof(ev.u));
	ev.u.event.signo = 15;
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	close_export(x);
	t = event_nth(0);
	cr_expect_eq(t.type, 232);
	expect_number(&t, 0, 8, 55);
	expect_number(&t, 1, 8, 4700);
	expect_number(&t, 2, 1, 15);
}

/* ---- compression, limits, failures --------------------------------------------------------- */

/* All members, one behind the other. */
static struct rows inflated(unsigned *ret_members)
{
	static uint8_t out[1 << 16];
	struct rows all = { 0 };
	z_stream z = { .next_in = written.p, .avail_in = (uInt)written.n };

	*ret_members = 0;
	cr_assert_eq(inflateInit2(&z, 31), Z_OK);
	while (z.avail_in) {
		int rc;

		z.next_out = out;
		z.avail_out = sizeof(out);
		rc = inflate(&z, Z_NO_FLUSH);
		cr_assert(rc == Z_OK || rc == Z_STREAM_END);
		rows_put(&all, out, sizeof(out) - z.avail_out);
		if (rc == Z_STREAM_END) {
			++*ret_members;
			inflateReset(&z);
		}
	}
	inflateEnd(&z);
	return all;
}

static void put_writes(struct scap_export *x, unsigned n)
{
	static char data[20000];

	for (unsigned i = 0; i < n; i++) {
		test_call(&ev, X64, "write", sizeof(data), 3, U(3), U(0), U(sizeof(data)));
		test_blob(&ev, 1, SCAP_STATE_WHOLE, data, sizeof(data), sizeof(data));
		ev.wall_ns += i * 100000;
		if (scap_export_event(x, &ev, 0))
			return;
	}
}

Test(export, gzip_members)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct rows plain, packed;
	unsigned members;

	put_writes(x, 500);
	close_export(x);
	plain = written;
	written = (struct rows){ 0 };
	x = open_export(SCAP_EXPORT_SYSDIG, 0, 0);
	put_writes(x, 500);
	close_export(x);
	packed = inflated(&members);
	cr_expect_eq(members, 3);
	cr_assert_eq(packed.n, plain.n);
	cr_expect(!memcmp(packed.p, plain.p, plain.n));
	cr_expect_eq(counts.bytes, written.n);
	rows_free(&packed);
	rows_free(&plain);
}

Test(export, options)
{
	struct scap_export_options opt = { .size = sizeof(opt), .profile = 2 };
	struct scap_sink sink = rows_sink(&written);
	struct scap_export *x = (void *)&opt;
	struct scap_error err;

	cr_expect_eq(scap_export_open_sink(&sink, &opt, NULL, &x, &err), -EINVAL);
	opt.profile = 0;
	opt.flags = 0x80;
	cr_expect_eq(scap_export_open_sink(&sink, &opt, NULL, &x, &err), -EINVAL);
	cr_expect_eq(x, (void *)&opt);
}

struct failing {
	unsigned left, closed;
};

static int failing_write(void *ctx, const void *buf, size_t n)
{
	struct failing *f = ctx;

	(void)buf, (void)n;
	return f->left ? (void)f->left--, 0 : -ENOSPC;
}

static int failing_close(void *ctx)
{
	((struct failing *)ctx)->closed++;
	return 0;
}

/* Whichever write fails: it is told, it stays so, and nothing leaks. How many writes there are. */
static unsigned fail_each(uint32_t flags)
{
	unsigned n = 0;

	for (bool failed = true; failed; n++) {
		struct scap_export_options opt = { .size = sizeof(opt), .window_bytes = 50000,
						   .flags = flags };
		struct failing f = { .left = n };
		struct scap_sink sink = { &f, failing_write, failing_close };
		struct scap_error err = { 0 };
		struct scap_export *x;

		cr_assert_eq(scap_export_open_sink(&sink, &opt, NULL, &x, &err), 0);
		put_writes(x, 10);
		if (scap_export_error(x)->code)
			cr_expect_eq(scap_export_event(x, &ev, 0), -ENOSPC);
		failed = scap_export_close(x, &counts, &err) != 0;
		cr_expect(!failed || err.code == -ENOSPC);
		cr_expect_eq(f.closed, 1);
		cr_assert_lt(n, 200);
	}
	return n - 1;
}

Test(export, the_nth_write_fails)
{
	cr_expect_gt(fail_each(SCAP_EXPORT_PLAIN), 20);
	cr_expect_gt(fail_each(0), 0);
}
