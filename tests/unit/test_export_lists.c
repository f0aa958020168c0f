/* SPDX-License-Identifier: MIT */
/* The lists at a .scap file's beginning: what was there before the capture. */
#include <errno.h>

#include "test_export_file.h"

#define U(x) ((uint64_t)(x))
#define X64 SCAP_ABI_X86_64

static struct scap_event ev;
static struct scap__file file;

static void learn(struct scap_export *x)
{
	cr_assert_eq(scap_export_learn(x, &ev, 0), 0);
}

static void key_task(struct scap_export *x, uint32_t tid, uint32_t tgid)
{
	static const char argv[] = "httpd\0-x";
	struct scap__key_task *k = &ev.u.key_task;

	test_call(&ev, X64, "read", 0, 0);
	memset(&ev.u, 0, sizeof(ev.u));
	ev.type = SCAP_REC_KEY_TASK;
	ev.in_keyframe = true;
	ev.num = 0;
	k->who = (struct scap__thread){ .tid = tid, .tgid = tgid, .ppid = 1, .vtid = 5,
					.vtgid = 5, .uid = 9, .euid = 10, .egid = 20,
					.cgroup_id = 77, .comm = "httpd" };
	k->session = 2;
	k->pgrp = 3;
	k->tty = 4 << 20 | 1;
	k->loginuid = 1000;
	k->cap_effective = 0x22;
	k->cap_permitted = 0x33;
	k->cap_inheritable = 0x11;
	test_file(&file, "/usr/sbin/httpd");
	ev.file = &file;
	test_str(&ev, SCAP_SLOT_CWD, "/srv");
	test_str(&ev, SCAP_SLOT_ROOT, "/");
	test_blob(&ev, SCAP_SLOT_ARGV, SCAP_STATE_WHOLE, argv, sizeof(argv), sizeof(argv));
	learn(x);
}

static void key_fd(struct scap_export *x, uint32_t fd)
{
	test_call(&ev, X64, "read", 0, 0);
	memset(&ev.u, 0, sizeof(ev.u));
	ev.type = SCAP_REC_KEY_FD;
	ev.in_keyframe = true;
	ev.u.key_fd.fd = fd;
	ev.u.key_fd.open_flags = 0x8002;
	ev.file = &file;
	learn(x);
}

/* An entry of a list: the length in front counts itself. */
static struct scap__bytes entry(struct block *b)
{
	uint32_t n;

	cr_assert_geq(b->n, 4);
	n = scap__le32(b->p);
	cr_assert(n >= 4 && n <= b->n);
	b->p += n;
	b->n -= n;
	return (struct scap__bytes){ b->p - n + 4, n - 4, false };
}

static void expect_text(struct scap__bytes *in, const void *want, size_t n)
{
	size_t len = scap__get_u16(in);
	const uint8_t *p = scap__take(in, len);

	cr_expect(p && len == n && !memcmp(p, want, n), "not %.*s but %.*s", (int)n,
		  (const char *)want, (int)len, p);
}

#define expect_words(in, text) expect_text(in, text, strlen(text))

static void expect_task(struct scap__bytes *in, const char *cgroup, size_t n_cgroup)
{
	cr_expect_eq(scap__get_u64(in), 4711);
	cr_expect_eq(scap__get_u64(in), 4711);
	cr_expect_eq(scap__get_u64(in), 1);
	cr_expect_eq(scap__get_u64(in), 2);
	cr_expect_eq(scap__get_u64(in), 3);
	expect_words(in, "httpd");
	expect_words(in, "httpd");
	expect_words(in, "/usr/sbin/httpd");
	expect_text(in, "-x", 3);
	expect_words(in, "/srv");
	cr_expect_eq(scap__get_u64(in), 0);
	cr_expect_eq(scap__get_u32(in), 0);
	cr_expect_eq(scap__get_u32(in), 10);
	cr_expect_eq(scap__get_u32(in), 20);
	scap__take(in, 3 * 4 + 2 * 8);
	expect_words(in, "");
	cr_expect_eq(scap__get_u64(in), 5);
	cr_expect_eq(scap__get_u64(in), 5);
	expect_text(in, cgroup, n_cgroup);
	expect_words(in, "/");
}

Test(export_lists, a_task_for_sysdig)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct scap__bytes in;
	struct block b;

	key_task(x, 4711, 4711);
	close_export(x);
	cr_assert(find_block(BLOCK_PROCESSES, 0, &b));
	in = entry(&b);
	expect_task(&in, "", 0);
	cr_expect_eq(in.n, 29);
	cr_expect_eq(scap__get_u32(&in), 1000);
	cr_expect_eq(scap__get_u8(&in), 0);
	cr_expect_eq(scap__get_u64(&in), 0x11);
	cr_expect_eq(scap__get_u64(&in), 0x33);
	cr_expect_eq(scap__get_u64(&in), 0x22);
	cr_expect_lt(b.n, 4);
	cr_expect_eq(counts.n_tasks, 1);
}

Test(export_lists, a_task_for_falco_with_the_name_of_its_cgroup)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_FALCO);
	struct scap__bytes in;
	struct block b;

	key_task(x, 4711, 4711);
	test_call(&ev, X64, "read", 0, 0);
	ev.type = SCAP_REC_CGROUP;
	ev.thread = NULL;
	memset(&ev.u, 0, sizeof(ev.u));
	ev.u.event.cgroup_id = 77;
	test_str(&ev, SCAP_SLOT_CGROUP, "/shop");
	learn(x);
	close_export(x);
	cr_assert(find_block(BLOCK_PROCESSES, 0, &b));
	in = entry(&b);
	expect_task(&in, "memory=/shop", 13);
	cr_expect_eq(in.n, 76);
	cr_expect_eq(scap__get_u64(&in), 0);
	cr_expect_eq(scap__get_u32(&in), 0x401);
	cr_expect_eq(scap__get_u32(&in), 1000);
}

/* A thread's texts are those of its process, which stands before it. */
Test(export_lists, threads)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct scap__bytes in;
	struct block b;

	key_task(x, 4711, 4711);
	test_call(&ev, X64, "getppid", 1, 0);
	ev.thread = &(struct scap__thread){ .tid = 4000, .tgid = 4711, .comm = "worker" };
	ev.tid = 4000;
	learn(x);
	close_export(x);
	cr_assert(find_block(BLOCK_PROCESSES, 0, &b));
	in = entry(&b);
	cr_expect_eq(scap__get_u64(&in), 4711);
	in = entry(&b);
	cr_expect_eq(scap__get_u64(&in), 4000);
	cr_expect_eq(scap__get_u64(&in), 4711);
	scap__take(&in, 24);
	expect_words(&in, "worker");
	expect_words(&in, "httpd");
	expect_words(&in, "/usr/sbin/httpd");
	expect_text(&in, "-x", 3);
	expect_words(&in, "/srv");
	scap__take(&in, 8);
	cr_expect_eq(scap__get_u32(&in), 0x2001);
}

/* Without a keyframe: from who shows himself. A process of which only a thread does has a head. */
Test(export_lists, tasks_of_events)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct scap__bytes in;
	struct block b;

	test_call(&ev, X64, "getppid", 1, 0);
	learn(x);
	close_export(x);
	cr_assert(find_block(BLOCK_PROCESSES, 0, &b));
	in = entry(&b);
	cr_expect_eq(scap__get_u64(&in), 4700);
	in = entry(&b);
	cr_expect_eq(scap__get_u64(&in), 4711);
	cr_expect_eq(scap__get_u64(&in), 4700);
	cr_expect_eq(counts.n_tasks, 2);
}

Test(export_lists, who_was_born_is_not_listed)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct block b;

	test_call(&ev, X64, "read", 0, 0);
	ev.type = SCAP_REC_FORK;
	ev.thread = NULL;
	memset(&ev.u, 0, sizeof(ev.u));
	ev.u.fork.child_tid = ev.u.fork.child_tgid = 4711;
	learn(x);
	key_task(x, 4711, 4711);
	close_export(x);
	cr_expect_not(find_block(BLOCK_PROCESSES, 0, &b));
}

/* ---- descriptors --------------------------------------------------------------------------- */

Test(export_lists, descriptors)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct scap__bytes in;
	struct block b;

	test_file(&file, "/srv/x");
	file.dev = 8 << 20 | 1;
	key_fd(x, 4);
	test_sock(&file, 80, 0);
	key_fd(x, 3);
	test_sock(&file, 80, 40000);
	key_fd(x, 5);
	memset(&file, 0, sizeof(file));
	file.kind = SCAP_KIND_UNIX;
	file.ino = 6;
	file.sock.peer_ino = 7;
	file.sun_local = (const uint8_t *)"\0abc";
	file.sock.local_len = 4;
	key_fd(x, 6);
	test_call(&ev, X64, "getppid", 1, 0);
	learn(x);
	close_export(x);
	cr_expect_eq(counts.n_fds, 4);
	cr_assert(find_block(BLOCK_FDS, 0, &b));
	cr_expect_eq(scap__le64(b.p), 4700);
	b.p += 8;
	b.n -= 8;
	in = entry(&b);	/* one that listens */
	cr_expect_eq(scap__get_u64(&in), 3);
	cr_expect_eq(scap__get_u64(&in), 99);
	cr_expect_eq(scap__get_u8(&in), 5);
	cr_assert_eq(in.n, 7);
	cr_expect(!memcmp(in.p, "\x7f\0\0\1\x50\0\2", 7));
	in = entry(&b);	/* a file */
	cr_expect_eq(scap__get_u64(&in), 4);
	scap__get_u64(&in);
	cr_expect_eq(scap__get_u8(&in), 16);
	cr_expect_eq(scap__get_u32(&in), 0x803);
	expect_words(&in, "/srv/x");
	cr_expect_eq(scap__get_u32(&in), 0x801);
	cr_expect_eq(in.n, 0);
	in = entry(&b);	/* a connection */
	scap__take(&in, 16);
	cr_expect_eq(scap__get_u8(&in), 3);
	cr_assert_eq(in.n, 13);
	cr_expect(!memcmp(in.p, "\x7f\0\0\1\x7f\0\0\2\x50\0\x40\x9c\2", 13));
	in = entry(&b);	/* an abstract name */
	scap__take(&in, 16);
	cr_expect_eq(scap__get_u8(&in), 8);
	cr_expect_eq(scap__get_u64(&in), 6);
	cr_expect_eq(scap__get_u64(&in), 7);
	expect_words(&in, "abc");
}

/* sysdig 0.29 refuses a file with a type that it does not know. */
Test(export_lists, types_by_profile)
{
	static const struct { uint16_t kind; uint8_t sysdig, falco; } rows[] = {
		{ SCAP_KIND_MEMFD, 16, 20 }, { SCAP_KIND_ANON, 10, 10 }, { SCAP_KIND_DIR, 2, 2 },
		{ SCAP_KIND_FIFO, 7, 7 }, { SCAP_KIND_EVENTPOLL, 12, 12 },
		{ SCAP_KIND_VSOCK, 10, 10 }, { SCAP_KIND_NETLINK, 15, 15 },
	};

	for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct scap_export *x = open_plain(i % 2);
		struct scap__bytes in;
		struct block b;

		test_file(&file, "x");
		file.kind = rows[i / 2].kind;
		key_fd(x, 3);
		test_call(&ev, X64, "getppid", 1, 0);
		learn(x);
		close_export(x);
		cr_assert(find_block(BLOCK_FDS, 0, &b));
		b.p += 8;
		b.n -= 8;
		in = entry(&b);
		scap__take(&in, 16);
		cr_expect_eq(scap__get_u8(&in), i % 2 ? rows[i / 2].falco : rows[i / 2].sysdig);
	}
}

static void use_fd(struct scap_export *x, const char *call, uint64_t fd, int64_t ret)
{
	test_call(&ev, X64, call, ret, 3, fd, U(0), U(0));
	test_file(&file, "/srv/x");
	ev.file = &file;
	learn(x);
}

Test(export_lists, descriptors_that_are_used_before_they_are_opened)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct block b;

	use_fd(x, "read", 3, 0);
	use_fd(x, "socket", 2, 4);
	use_fd(x, "read", 4, 0);
	use_fd(x, "read", 3, 0);
	close_export(x);
	cr_expect_eq(counts.n_fds, 1);
	cr_assert(find_block(BLOCK_FDS, 0, &b));
	b.p += 8;
	b.n -= 8;
	entry(&b);
	cr_expect_lt(b.n, 4);
}

/* ---- users, limits ------------------------------------------------------------------------- */

Test(export_lists, users)
{
	static const char users[] = "0 root\nx\n1000 shop\n99999999999 far\n5";
	struct scap_keyframe_text text = { .kind = SCAP_KEYFRAME_USERS, .data = users,
					   .bytes = sizeof(users) - 1 };
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);
	struct scap__bytes in;
	struct block b;

	cr_expect_eq(scap_export_learn_text(x, &text), 0);
	text = (struct scap_keyframe_text){ .kind = SCAP_KEYFRAME_GROUPS, .data = "20 staff\n",
					    .bytes = 9 };
	cr_expect_eq(scap_export_learn_text(x, &text), 0);
	close_export(x);
	cr_assert(find_block(BLOCK_USERS, 0, &b));
	entry(&b);
	in = entry(&b);
	cr_expect_eq(scap__get_u8(&in), 0);
	cr_expect_eq(scap__get_u32(&in), 1000);
	scap__get_u32(&in);
	expect_words(&in, "shop");
	expect_words(&in, "");
	expect_words(&in, "");
	cr_expect_eq(in.n, 0);
	in = entry(&b);
	cr_expect_eq(scap__get_u8(&in), 1);
	cr_expect_eq(scap__get_u32(&in), 20);
	expect_words(&in, "staff");
	cr_expect_eq(in.n, 0);
	cr_expect_lt(b.n, 4);
}

Test(export_lists, too_late_to_learn)
{
	struct scap_export *x = open_plain(SCAP_EXPORT_SYSDIG);

	test_call(&ev, X64, "getppid", 1, 0);
	cr_assert_eq(scap_export_event(x, &ev, 0), 0);
	cr_expect_eq(scap_export_learn(x, &ev, 0), -EINVAL);
	cr_expect_eq(scap_export_event(x, &ev, 0), 0);
	close_export(x);
}

Test(export_lists, memory_is_limited)
{
	struct scap_export_options opt = { .size = sizeof(opt), .flags = SCAP_EXPORT_PLAIN,
					   .memory_limit = 200000 };
	struct scap_sink sink = rows_sink(&written);
	struct scap_export *x;

	cr_assert_eq(scap_export_open_sink(&sink, &opt, NULL, &x, NULL), 0);
	for (uint32_t i = 0; i < 10000; i++) {
		struct scap__thread t = { .tid = 5000 + i, .tgid = 5000 + i, .comm = "many" };

		test_call(&ev, X64, "getppid", 1, 0);
		ev.thread = &t;
		ev.tid = t.tid;
		learn(x);
	}
	test_call(&ev, X64, "getppid", 1, 0);
	cr_expect_eq(scap_export_event(x, &ev, 0), 0);
	close_export(x);
	cr_expect_gt(counts.n_tasks, 50);
	cr_expect_gt(counts.n_unlisted, 0);
	cr_expect_eq(counts.n_tasks + counts.n_unlisted, 10000);
}
