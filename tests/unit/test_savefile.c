/* SPDX-License-Identifier: MIT */
/* .scap files: their blocks, lists, pairs of events, compression, and what is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <scap/print.h>
#include <string.h>

#include "format/event.h"
#include "support_savefile.h"

#define T0 1600000000000000000ull

static const struct sf_process shop = {
	.tid = 100, .pid = 100, .ptid = 1, .comm = "shop", .exe = "shopd",
	.exepath = "/usr/bin/shopd", .args = "-x", .cwd = "/srv", .uid = 33, .gid = 34,
};

struct reading {
	struct rows_reader rr;
	struct scap_reader *r;
	const struct scap_event *ev;
};

static void open_file(struct reading *g, const struct rows *f, uint32_t flags)
{
	struct scap_source src = rows_source(&g->rr, f->p, f->n);
	const struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags };
	struct scap_error err = { 0 };

	cr_assert_eq(scap_reader_open_source(&src, &opt, &g->r, &err), 0, "%s", err.text);
}

static const struct scap_event *next(struct reading *g)
{
	int rc = scap_reader_next(g->r, &g->ev);

	cr_assert_eq(rc, 0, "%d: %s", rc, rc < 0 ? scap_reader_error(g->r)->text : "end");
	return g->ev;
}

static const char *text_of(const struct scap_event *ev)
{
	static char buf[1024];
	char *at;

	scap_print_text(ev, NULL, buf, sizeof(buf));
	at = strchr(buf, ')');	/* behind number, time, CPU, process */
	return at ? at + 2 : buf;
}

static void expect_text(struct reading *g, const char *text)
{
	cr_assert_str_eq(text_of(next(g)), text);
}

static void expect_end(struct reading *g)
{
	cr_assert_eq(scap_reader_next(g->r, &g->ev), 1);
	cr_assert(scap_reader_info(g->r)->complete);
	scap_reader_close(g->r);
}

static int open_error(const struct rows *f, struct scap_error *err)
{
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, f->p, f->n);
	struct scap_reader *r = NULL;
	int rc;

	*err = (struct scap_error){ 0 };
	rc = scap_reader_open_source(&src, NULL, &r, err);
	scap_reader_close(r);
	return rc;
}

/* ---- what is read ---------------------------------------------------------------------------- */

Test(savefile, sample)
{
	struct reading g;
	struct rows f = { 0 };

	sf_sample(&f);
	open_file(&g, &f, 0);
	cr_assert_str_eq(scap_reader_info(g.r)->hostname, "vm1");
	cr_assert(scap_reader_info(g.r)->translated);
	expect_text(&g, "openat 500ns dirfd=AT_FDCWD</srv> name=new resolved=/srv/new "
		    "flags=O_RDONLY|O_CREAT mode=0644 res=4</srv/new>");
	cr_assert_eq(scap_event_wall_ns(g.ev), T0 + 500);
	cr_assert_str_eq(scap_event_comm(g.ev), "shop");
	expect_text(&g, "read 250ns fd=4</srv/new> data=\"hello\" size=10 res=5");
	expect_text(&g, "socket 100ns domain=AF_INET type=SOCK_STREAM proto=IPPROTO_TCP "
		    "res=5<0.0.0.0:0>");
	expect_text(&g, "connect 100ns fd=5<10.0.0.1:40000->10.0.0.2:80> addr=10.0.0.2:80 res=0");
	expect_text(&g, "procfork - child_tid=101 child_pid=101 kind=process flags=0");
	expect_text(&g, "clone 100ns flags=0 res=101");
	expect_text(&g, "execve_enter - filename=/bin/ls res=?");
	expect_text(&g, "procexec - filename=/bin/ls argv=[\"ls\", \"-l\"]");
	cr_assert_str_eq(scap_event_comm(g.ev), "ls");
	expect_text(&g, "execve 500ns filename=/bin/ls argv=[\"ls\", \"-l\"] res=0");
	expect_text(&g, "sched_yield 10ns res=?");
	expect_text(&g, "poll 100ns ufds=[{fd=3, events=POLLIN, revents=POLLIN}] "
		    "timeout_msecs=100 res=1");
	expect_text(&g, "switch - next_tid=7 next_pid=0");
	cr_assert_eq(scap_event_cpu(g.ev), 1);
	expect_text(&g, "signaldeliver - sig=SIGCHLD");
	expect_text(&g, "procexit - status=exited(1) last_thread=true");
	expect_text(&g, "close 100ns fd=5<10.0.0.1:40000->10.0.0.2:80> res=0");
	cr_assert_eq(scap_event_num(g.ev), 15);
	expect_end(&g);
	rows_free(&f);
}

/* Each version of the list of processes, and of events, with nothing else. */
Test(savefile, versions_of_blocks)
{
	static const uint32_t lists[] = { 0x202, 0x207, 0x209, 0x210, 0x211, 0x212, 0x213, 0x214,
					  0x215 };
	static const uint32_t events[] = { 0x204, 0x216, 0x221 };

	for (unsigned i = 0; i < 9; i++)
		for (unsigned k = 0; k < 3; k++) {
			struct rows f = { 0 };
			struct reading g;

			sf_section(&f, 1, (uint16_t)(i % 3));
			sf_processes(&f, lists[i], &shop);
			sf_files(&f, i % 2 ? 0x218 : 0x203, 100, 7, "/srv/seven");
			sf_users(&f, i % 2 ? 0x220 : 0x206);
			sf_event_in(&f, events[k], 3, T0, 100, 4, "d", 7ull);
			sf_event_in(&f, events[k], 3, T0 + 5, 100, 5, "d", 0ull);
			open_file(&g, &f, 0);
			expect_text(&g, "close 5ns fd=7</srv/seven> res=0");
			cr_assert_str_eq(scap_event_comm(g.ev), "shop");
			cr_assert_eq(g.ev->thread->uid, 33);
			cr_assert_eq(scap_event_cpu(g.ev), 3);
			expect_end(&g);
			rows_free(&f);
		}
}

/* What is told of threads, descriptors and users before the events. */
Test(savefile, keyframe)
{
	struct scap_keyframe_text text;
	struct rows f = { 0 };
	struct reading g;

	sf_section(&f, 1, 2);
	sf_processes(&f, 0x215, &shop);
	sf_files(&f, 0x218, 100, 3, "/srv/old");
	sf_users(&f, 0x220);
	sf_event(&f, T0, 100, 5, "d", 0ull);
	open_file(&g, &f, SCAP_READER_KEYFRAMES);
	cr_assert_eq(next(&g)->type, SCAP_REC_FILE);
	cr_assert_eq(next(&g)->type, SCAP_REC_KEY_TASK);
	cr_assert_str_eq(scap_event_comm(g.ev), "shop");
	cr_assert_eq(g.ev->u.key_task.cap_effective, 3);
	cr_assert_eq(g.ev->u.key_task.loginuid, 1000);
	cr_assert_eq(g.ev->u.key_task.session, 1);
	cr_assert_str_eq(g.ev->file->path, "/usr/bin/shopd");
	cr_assert_eq(scap__event_blob(g.ev, SCAP_SLOT_ARGV)->bytes, 9);
	cr_assert_eq(next(&g)->type, SCAP_REC_FILE);
	cr_assert_eq(next(&g)->type, SCAP_REC_KEY_FD);
	cr_assert_eq(g.ev->u.key_fd.fd, 3);
	cr_assert_eq(g.ev->u.key_fd.open_flags, 2);	/* O_RDWR */
	cr_assert_str_eq(g.ev->file->path, "/srv/old");
	cr_assert_eq(g.ev->file->dev, 8 << 20 | 1);
	cr_assert_eq(next(&g)->type, SCAP_REC_KEY_END);
	cr_assert_eq(scap_reader_keyframe_text(g.r, 0, &text), 0);
	cr_assert_eq(text.kind, SCAP_KEYFRAME_USERS);
	cr_assert_str_eq(text.data, "0 root\n");
	cr_assert_eq(scap_reader_keyframe_text(g.r, 1, &text), 0);
	cr_assert_str_eq(text.data, "10 wheel\n");
	expect_text(&g, "close - res=0 [no entry]");
	expect_end(&g);
	rows_free(&f);
}

/* Many threads with many descriptors: a keyframe of several parts. */
Test(savefile, large_keyframe)
{
	char path[900];
	struct rows f = { 0 };
	struct reading g;
	unsigned n_fds = 0;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	sf_section(&f, 1, 2);
	sf_processes(&f, 0x215, &shop);
	for (int fd = 0; fd < 3000; fd++)
		sf_files(&f, 0x218, 100, fd, path);
	sf_event(&f, T0, 100, 5, "d", 0ull);
	open_file(&g, &f, SCAP_READER_KEYFRAMES);
	while (next(&g)->type != SCAP_REC_KEY_END) {
		n_fds += g.ev->type == SCAP_REC_KEY_FD;
		cr_assert(g.ev->type != SCAP_REC_KEY_FD || g.ev->file);
	}
	cr_assert_eq(n_fds, 3000);
	cr_assert_eq(scap_reader_info(g.r)->n_keyframes, 1);
	next(&g);
	expect_end(&g);
	rows_free(&f);
}

/* ---- entries and exits ----------------------------------------------------------------------- */

Test(savefile, exits_without_entries_and_entries_without_exits)
{
	struct rows f = { 0 };
	struct reading g;

	sf_section(&f, 1, 2);
	sf_processes(&f, 0x215, &shop);
	sf_event(&f, T0, 100, 7, "dbd4", 5ull, (size_t)5, "hello", 9ull, 10u);
	sf_event(&f, T0 + 10, 100, 6, "d4", 8ull, 1u);
	sf_event(&f, T0 + 20, 100, 8, "d4", 9ull, 2u);
	sf_event(&f, T0 + 30, 100, 9, "db", -11ull, (size_t)2, "hi");
	sf_event(&f, T0 + 40, 100, 0, "22", 226u, 231u);
	open_file(&g, &f, 0);
	expect_text(&g, "read - fd=9 data=\"hello\" size=10 res=5 [no entry]");
	cr_assert_eq(scap_event_latency_ns(g.ev), SCAP_LATENCY_NONE);
	expect_text(&g, "read_enter - fd=8 data=<unreadable> size=1 res=?");
	cr_assert_eq(g.ev->raw_ns, T0 + 10);
	expect_text(&g, "write 10ns fd=9 data=\"hi\" size=2 res=EAGAIN(-11)");
	next(&g);
	cr_assert_eq(g.ev->type, SCAP_REC_ENTER);
	expect_end(&g);
	rows_free(&f);
}

/* An argument that the file does not have is not shown, and is no descriptor 0. */
Test(savefile, arguments_that_are_not_known)
{
	struct rows f = { 0 };
	struct reading g;

	sf_section(&f, 1, 2);
	sf_processes(&f, 0x215, &shop);
	sf_files(&f, 0x218, 100, 0, "/dev/null");
	sf_event(&f, T0, 100, 78, "d", 64ull);
	sf_event(&f, T0 + 3, 100, 79, "d", 1ull);
	sf_event(&f, T0 + 4, 100, 0, "22", 71u, 72u);
	sf_event(&f, T0 + 5, 100, 1, "2", 71u);
	open_file(&g, &f, 0);
	expect_text(&g, "epoll_wait 3ns events=<unreadable> maxevents=64 res=1");
	next(&g);
	cr_assert_not(scap_event_has_ret(g.ev));
	expect_end(&g);
	rows_free(&f);
}

/* The new descriptor takes the place of the directory's, which another thread has closed. */
Test(savefile, descriptor_that_replaces_its_argument)
{
	struct rows f = { 0 };
	struct reading g;

	sf_section(&f, 1, 2);
	sf_processes(&f, 0x215, &shop);
	sf_files(&f, 0x218, 100, 5, "/srv/dir");
	sf_event(&f, T0, 100, 307, "dds444", 5ull, 5ull, "new", 1u, 0u, 0u);
	sf_event(&f, T0 + 1, 100, 365, "ddd4", 5ull, 5ull, 5ull, 0u);
	sf_event(&f, T0 + 2, 100, 389, "db1444", 5ull, (size_t)0, "", 0u, 0u, 0u, 0u);
	open_file(&g, &f, 0);
	next(&g);
	cr_assert_str_eq(g.ev->file->path, "/srv/dir/new");
	cr_assert_str_eq(g.ev->file2->path, "/srv/dir");
	next(&g);
	cr_assert_str_eq(g.ev->file->path, "/srv/dir/new");
	next(&g);
	expect_end(&g);
	rows_free(&f);
}

/* It only says what has changed: it is no event, and its effect is there. */
Test(savefile, state_only)
{
	struct rows f = { 0 };
	struct reading g;

	sf_section(&f, 1, 2);
	sf_processes(&f, 0x215, &shop);
	sf_event_in(&f, 0x217, 0, T0, 100, 307, "dds444", 4ull, -100ull, "/srv/a", 1u, 0u, 0u);
	sf_event_in(&f, 0x216, 0, T0 + 1, 100, 5, "dd", 0ull, 4ull);
	open_file(&g, &f, 0);
	expect_text(&g, "close - fd=4</srv/a> res=0 [no entry]");
	expect_end(&g);
	rows_free(&f);
}

Test(savefile, what_has_no_counterpart_is_counted)
{
	struct rows f = { 0 };
	struct reading g;

	sf_section(&f, 1, 2);
	sf_event(&f, T0 - 9, UINT64_MAX, 272, "s", "{}");
	sf_event(&f, T0, 100, 148, "4", 2u);
	sf_event(&f, T0, 100, 999, "4", 2u);
	sf_event(&f, T0 + 1, 100, 5, "d", 0ull);
	open_file(&g, &f, 0);
	expect_text(&g, "close - res=0 [no entry]");
	cr_assert_eq(scap_reader_info(g.r)->start_wall_ns, T0 + 1);
	cr_assert_eq(scap_reader_info(g.r)->n_untranslated, 3);
	expect_end(&g);
	rows_free(&f);
}

/* Two files behind each other: the second knows nothing of the first's processes. */
Test(savefile, two_sections)
{
	struct rows f = { 0 };
	struct reading g;

	for (unsigned i = 0; i < 2; i++) {
		sf_section(&f, 1, 2);
		if (!i)
			sf_processes(&f, 0x215, &shop);
		sf_event(&f, T0 + i, 100, 5, "d", 0ull);
	}
	open_file(&g, &f, 0);
	cr_assert_str_eq(scap_event_comm(next(&g)), "shop");
	cr_assert_null(scap_event_comm(next(&g)));
	cr_assert_eq(g.ev->wall_ns, T0 + 1);
	expect_end(&g);
	rows_free(&f);
}

/* The second one is older: it is read behind the first, with its own wall times. */
Test(savefile, older_section)
{
	static const uint64_t hour = 3600 * 1000000000ull;
	uint64_t last_raw_ns = 0;
	struct rows f = { 0 };
	struct reading g;

	for (unsigned i = 0; i < 3; i++) {
		sf_section(&f, 1, 2);
		sf_event(&f, T0 + (2 - i) * hour, 100, 5, "d", 0ull);
		sf_event(&f, T0 + (2 - i) * hour + 500, 100, 5, "d", 0ull);
	}
	open_file(&g, &f, 0);
	for (unsigned i = 0; i < 6; i++) {
		next(&g);
		cr_assert_eq(g.ev->wall_ns, T0 + (2 - i / 2) * hour + i % 2 * 500);
		cr_assert_gt(g.ev->raw_ns, last_raw_ns);
		last_raw_ns = g.ev->raw_ns;
	}
	expect_end(&g);
	rows_free(&f);
}

/* A clock that steps back, and a pause of many epochs. */
Test(savefile, times)
{
	static const int64_t times[] = { 0, 100, 50, 60ll << 30, (60ll << 30) - 7, 61ll << 30 };
	struct rows f = { 0 };
	struct reading g;

	sf_section(&f, 1, 2);
	sf_processes(&f, 0x215, &shop);
	for (unsigned i = 0; i < 6; i++)
		sf_event(&f, T0 + (uint64_t)times[i], 100, 5, "d", (uint64_t)i);
	open_file(&g, &f, 0);
	for (unsigned i = 0; i < 6; i++) {
		cr_assert_eq(next(&g)->ret, i);
		cr_assert_eq(g.ev->wall_ns, T0 + (uint64_t)times[i]);
		cr_assert_str_eq(scap_event_comm(g.ev), "shop");
	}
	expect_end(&g);
	rows_free(&f);
}

/* ---- compression, damage --------------------------------------------------------------------- */

static void expect_15(const struct rows *f)
{
	struct reading g;

	open_file(&g, f, 0);
	for (unsigned i = 0; i < 15; i++)
		next(&g);
	expect_end(&g);
}

Test(savefile, compressed)
{
	struct rows f = { 0 }, gz = { 0 }, zst = { 0 };

	sf_sample(&f);
	sf_gzip(&gz, f.p, f.n);
	expect_15(&gz);
	sf_zstd(&zst, f.p, f.n);
	expect_15(&zst);
	/* Members, and a frame, that end anywhere. */
	gz.n = zst.n = 0;
	sf_gzip(&gz, f.p, 333);
	sf_gzip(&gz, f.p + 333, f.n - 333);
	expect_15(&gz);
	sf_zstd(&zst, f.p, 777);
	sf_zstd(&zst, f.p + 777, f.n - 777);
	expect_15(&zst);
	rows_put(&gz, "garbage", 7);
	expect_15(&gz);
	rows_free(&f);
	rows_free(&gz);
	rows_free(&zst);
}

/* However short it is, what is whole is delivered, and then it says so. */
Test(savefile, truncated)
{
	struct rows f = { 0 }, part = { 0 };
	unsigned last = 0;

	sf_sample(&f);
	for (size_t n = 28; n < f.n; n += 3) {
		struct reading g;
		unsigned n_events = 0;
		int rc;

		part.n = 0;
		rows_put(&part, f.p, n);
		open_file(&g, &part, 0);
		while ((rc = scap_reader_next(g.r, &g.ev)) == 0)
			n_events++;
		if (rc < 0) {
			cr_assert_eq(rc, SCAP_ETRUNCATED);
			cr_assert_not_null(strstr(scap_reader_error(g.r)->text, ".scap file"));
			cr_assert_leq(scap_reader_error(g.r)->offset, n);
			cr_assert_eq(scap_reader_next(g.r, &g.ev), SCAP_ETRUNCATED);
			cr_assert_not(scap_reader_info(g.r)->complete);
		}
		cr_assert_geq(n_events, last);
		last = n_events;
		scap_reader_close(g.r);
	}
	rows_free(&f);
	rows_free(&part);
}

/* What was compressed before the damage is delivered. */
Test(savefile, damaged_compression)
{
	struct rows f = { 0 }, gz = { 0 };
	unsigned n_events = 0;
	struct reading g;
	int rc;

	sf_section(&f, 1, 2);
	for (uint64_t i = 0, seed = 1; i < 4000; i++)
		sf_event(&f, T0 + i, 1 + rows_random(&seed) % 1000000, 5, "d", i);
	sf_gzip(&gz, f.p, f.n);
	memset(gz.p + gz.n / 2, 0xff, 16);
	open_file(&g, &gz, 0);
	while ((rc = scap_reader_next(g.r, &g.ev)) == 0 || rc == SCAP_EDAMAGED)
		n_events += !rc;
	cr_assert_eq(rc, SCAP_ETRUNCATED);
	cr_assert_gt(n_events, 1000, "%u", n_events);
	scap_reader_close(g.r);
	rows_free(&f);
	rows_free(&gz);
}

static void damage_event(uint32_t block, size_t at, uint8_t value)
{
	struct rows f = { 0 };
	struct reading g;
	size_t event;

	sf_section(&f, 1, 2);
	sf_processes(&f, 0x215, &shop);
	sf_event(&f, T0, 100, 5, "d", 1ull);
	event = f.n;
	sf_event_in(&f, block, 0, T0 + 1, 100, 5, "d", 2ull);
	f.p[event + at] = value;
	sf_event(&f, T0 + 2, 100, 5, "d", 3ull);
	open_file(&g, &f, 0);
	cr_assert_eq(next(&g)->ret, 1);
	cr_assert_eq(scap_reader_next(g.r, &g.ev), SCAP_EDAMAGED);
	cr_assert_eq(scap_reader_error(g.r)->offset, event);
	cr_assert_not_null(strstr(scap_reader_error(g.r)->text, "event"));
	cr_assert_eq(next(&g)->ret, 3);
	expect_end(&g);
	rows_free(&f);
}

/* Block head 8, CPU 2, then: time, tid, length, type, number of parameters, their lengths. */
Test(savefile, damaged_event)
{
	damage_event(0x216, 8 + 2 + 16, 0xff);		/* its length */
	damage_event(0x216, 8 + 2 + 16, 3);
	damage_event(0x216, 8 + 2 + 22, 200);		/* how many parameters */
	damage_event(0x216, 8 + 2 + 26, 99);		/* a parameter's length */
	damage_event(0x204, 8 + 2 + 22, 99);
	damage_event(0x216, 8 + 2 + 7, 0xff);		/* beyond any time */
}

Test(savefile, damaged_lists)
{
	struct rows f = { 0 };
	struct reading g;
	size_t at;

	sf_section(&f, 1, 2);
	at = sf_block(&f, 0x215);
	sf_u32(&f, 4000);
	sf_block_end(&f, at);
	sf_processes(&f, 0x215, &shop);
	sf_event(&f, T0, 100, 5, "d", 1ull);
	open_file(&g, &f, 0);
	cr_assert_str_eq(scap_event_comm(next(&g)), "shop");
	cr_assert_eq(scap_reader_next(g.r, &g.ev), SCAP_EDAMAGED);
	cr_assert_eq(scap_reader_error(g.r)->offset, at + 8);
	expect_end(&g);
	rows_free(&f);
}

static void expect_refused(uint16_t major, int code, const char *text)
{
	struct rows f = { 0 };
	struct scap_error err;

	sf_section(&f, major, 0);
	cr_assert_eq(open_error(&f, &err), code);
	cr_assert_not_null(strstr(err.text, text), "'%s'", err.text);
	rows_free(&f);
}

Test(savefile, refused)
{
	struct rows f = { 0 }, gz = { 0 };
	struct scap_error err;

	expect_refused(2, SCAP_EVERSION, "version 2.0");
	sf_gzip(&gz, "some text\n", 10);
	cr_assert_eq(open_error(&gz, &err), SCAP_ENOTSCAP);
	cr_assert_not_null(strstr(err.text, "not a .scap file: what is compressed"), "%s",
			   err.text);
	gz.n = 0;
	sf_gzip(&gz, "\xb5SCZ\r\n\x1a\n", 8);
	cr_assert_eq(open_error(&gz, &err), SCAP_ENOTSCAP);
	cr_assert_not_null(strstr(err.text, "decompress it"));
	sf_section(&f, 1, 2);
	for (unsigned i = 0; i < 4; i++)
		f.p[8 + i] = (uint8_t)(0x4d3c2b1a >> (8 * i));
	cr_assert_eq(open_error(&f, &err), SCAP_EVERSION);
	cr_assert_not_null(strstr(err.text, "byte order"));
	rows_free(&f);
	rows_free(&gz);
}

/* Nothing but a head: a capture of no events. */
Test(savefile, empty)
{
	struct rows f = { 0 };
	struct reading g;

	sf_section(&f, 1, 2);
	open_file(&g, &f, 0);
	expect_end(&g);
	rows_free(&f);
}

/* Whatever the limit is: it is kept to, and said. */
Test(savefile, memory_limits)
{
	struct rows f = { 0 }, zst = { 0 };
	unsigned n_whole = 0;

	sf_sample(&f);
	sf_zstd(&zst, f.p, f.n);
	for (uint64_t limit = 1 << 10; limit <= 8 << 20; limit += limit / 4)
		for (unsigned packed = 0; packed < 2; packed++) {
			const struct rows *in = packed ? &zst : &f;
			const struct scap_reader_options opt = { .size = sizeof(opt),
								 .memory_limit = limit };
			struct rows_reader rr;
			struct scap_source src = rows_source(&rr, in->p, in->n);
			const struct scap_event *ev;
			struct scap_reader *r = NULL;
			int rc = scap_reader_open_source(&src, &opt, &r, NULL);

			while (!rc && !(rc = scap_reader_next(r, &ev)))
				n_whole += scap_event_num(ev) == 15;
			cr_assert(rc == 1 || rc == SCAP_ELIMIT || rc == -ENOMEM, "%d", rc);
			scap_reader_close(r);
		}
	cr_assert_gt(n_whole, 20);
	rows_free(&f);
	rows_free(&zst);
}

/* The files of newer recorders: exits alone, which say all. */
Test(savefile, exits_that_say_all)
{
	const uint8_t addr[] = { 2, 10, 0, 0, 2, 80, 0 };
	const uint8_t tuple[] = { 2, 10, 0, 0, 1, 0x40, 0x9c, 10, 0, 0, 2, 80, 0 };
	struct rows f = { 0 };
	struct reading g;

	sf_section(&f, 1, 2);
	sf_processes(&f, 0x215, &shop);
	sf_event(&f, T0, 100, 393, "ddd84", 0ull, 3ull, 4ull, 99ull, 0x1000u);
	sf_event(&f, T0 + 1, 100, 363, "ddd", 9ull, 3ull, 9ull);
	sf_event(&f, T0 + 2, 100, 19, "d4444", 5ull, 2u, 1u, 6u, 0x1040u);
	sf_event(&f, T0 + 3, 100, 23, "dbdb", -115ull, sizeof(tuple), tuple, 5ull, sizeof(addr),
		 addr);
	sf_event(&f, T0 + 4, 100, 31, "dbd4b", 2ull, (size_t)2, "hi", 5ull, 4u, sizeof(tuple),
		 tuple);
	sf_event(&f, T0 + 5, 100, 389, "db1444", 6ull, sizeof(tuple), tuple, 0u, 0u, 0u, 0u);
	sf_event(&f, T0 + 6, 100, 327, "dds44448", 7ull, -100ull, "a/../b", 0x2403u, 0600u, 8u,
		 0u, 0ull);
	sf_event(&f, T0 + 7, 100, 95, "ds", 0ull, "/tmp");
	sf_event(&f, T0 + 8, 100, 401, "d4sd", 0ull, 15u, "renamed", 0ull);
	sf_event(&f, T0 + 9, 100, 451, "d444", 0ull, 0u, 100u, 0u);
	sf_event(&f, T0 + 10, 100, 5, "dd", 0ull, 9ull);
	open_file(&g, &f, 0);
	expect_text(&g, "pipe2 - fds=[3<pipe:[99]>, 4<pipe:[99]>] flags=O_CLOEXEC res=0 "
		    "[no entry]");
	expect_text(&g, "dup2 - oldfd=3<pipe:[99]> newfd=9<pipe:[99]> res=9<pipe:[99]> "
		    "[no entry]");
	expect_text(&g, "socket - domain=AF_INET type=SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC "
		    "proto=IPPROTO_TCP res=5<0.0.0.0:0> [no entry]");
	expect_text(&g, "connect - fd=5<10.0.0.1:40000->10.0.0.2:80> addr=10.0.0.2:80 "
		    "res=EINPROGRESS(-115) [no entry]");
	expect_text(&g, "sendto - fd=5<10.0.0.1:40000->10.0.0.2:80> data=\"hi\"...(4) size=4 "
		    "res=2 [no entry]");
	expect_text(&g, "accept4 - res=6<10.0.0.2:80->10.0.0.1:40000> [no entry]");
	expect_text(&g, "openat2 - dirfd=AT_FDCWD</srv> name=a/../b resolved=/srv/b "
		    "how={flags=O_RDWR|O_TMPFILE, mode=0600, resolve=RESOLVE_NO_SYMLINKS} "
		    "res=7</srv/b> [no entry]");
	expect_text(&g, "chdir - filename=/tmp res=0 [no entry]");
	expect_text(&g, "prctl - option=PR_SET_NAME arg2=renamed res=0 [no entry]");
	expect_text(&g, "close_range - fd=0 max_fd=100 flags=0 res=0 [no entry]");
	cr_assert_str_eq(scap_event_comm(g.ev), "renamed");
	expect_text(&g, "close - fd=9 res=0 [no entry]");
	expect_end(&g);
	rows_free(&f);
}
