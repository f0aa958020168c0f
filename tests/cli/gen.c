/* SPDX-License-Identifier: MIT */
/*
 * Captures for the command-line cases: rows made by hand, with fixed times, through the public
 * writer. gen open FILE [force]: only opens a writer, and says how that went. gen DIRECTORY makes
 *
 *	story.scapz	two CPUs, a shell with a child, a server that fails, and a gap
 *	whole.scapz	the same without the gap
 *	noend.scapz	the same as whole, as a crash leaves it: no end
 *	hole.scapz	sequence numbers missing without a gap
 *	tail.scapz	the same at the end of a CPU
 *	late.scapz	a gap that is told many seconds after what it lost
 *	hostile.scapz	names in the header that would act on a terminal, and a long filter
 *	bytes.scapz	names and data that CSV has to quote, or that are no text
 *	many.scapz	1,000,001 calls
 *	losses.scapz	gaps with calls, forks, and what can't be named
 *	sealed.scapz	groups, with three seals
 *	forged.scapz	the same with a last seal that does not fit
 *	trigger.scapz	as story, and why it was written: a server is refused a connection
 *	killed.scapz	as losses, without an end; its second CPU is silent for the last seconds
 */
#define _GNU_SOURCE
#include <scap/abi.h>
#include <scap/trigger.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/crc32c.h"

#define RAW_START (1000 * SCAP_EPOCH_NS)
#define WALL_START 1700000000000000000ull	/* 2023-11-14 22:13:20 UTC */
#define N_CPUS 2

/* The rows of one CPU. */
struct rows {
	unsigned char *buf;
	size_t used, cap;
	uint32_t seq;
	uint64_t raw_ns;
};

static struct rows cpus[N_CPUS];

static void die(const char *what)
{
	fprintf(stderr, "gen: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *put(struct rows *r, const void *data, size_t n)
{
	size_t padded = (n + 7) & ~(size_t)7;

	if (r->used + padded > r->cap) {
		r->cap = (r->used + padded) * 2;
		r->buf = realloc(r->buf, r->cap);
		if (!r->buf)
			die("realloc");
	}
	memset(r->buf + r->used, 0, padded);
	memcpy(r->buf + r->used, data, n);
	r->used += padded;
	return r->buf + r->used - padded;
}

static struct scap_rec head(struct rows *r, unsigned type, unsigned flags)
{
	return (struct scap_rec){ .type = type, .flags = flags, .seq = r->seq++,
				  .time_ns = r->raw_ns };
}

/* A record is put in pieces; its length is known at the end. */
static void finish(struct rows *r, size_t at)
{
	uint16_t len8 = (r->used - at) / 8;

	memcpy(r->buf + at, &len8, sizeof(len8));
}

static void put_blob(struct rows *r, unsigned slot, unsigned state, const void *data, size_t n,
		     uint32_t orig)
{
	struct scap_blob b = { SCAP_BLOB_META(slot, state, n), orig };

	put(r, &b, sizeof(b));
	put(r, data, n);
}

static void intro(struct rows *r, uint32_t tid, uint32_t tgid, uint32_t ppid, const char *comm)
{
	struct scap_rec_intro rec = {
		.h = head(r, SCAP_REC_INTRO, 0), .tid = tid, .tgid = tgid, .ppid = ppid,
		.vtid = tid, .vtgid = tgid, .uid = 1000, .euid = 1000, .gid = 100, .egid = 100,
		.start_ns = 1000 + tid, .cgroup_id = 1,
	};
	size_t at = r->used;

	strncpy(rec.comm, comm, sizeof(rec.comm) - 1);
	put(r, &rec, sizeof(rec));
	finish(r, at);
}

static void file(struct rows *r, uint32_t cookie, const char *path)
{
	struct scap_rec_file rec = {
		.h = head(r, SCAP_REC_FILE, 0), .cookie = cookie, .mode = S_IFREG | 0644,
		.dev = 8 << 20 | 1, .kind = SCAP_KIND_FILE, .ino = 4000 + cookie,
	};
	size_t at = r->used;

	put(r, &rec, sizeof(rec));
	put_blob(r, SCAP_SLOT_PATH, SCAP_STATE_WHOLE, path, strlen(path), strlen(path));
	finish(r, at);
}

struct call {
	uint32_t tid, latency_ns, cookie;
	long nr;
	int32_t ret;
	unsigned nargs, slot, state;
	uint64_t args[6];
	const void *data;	/* of slot; NULL: none */
	uint32_t bytes, orig;
};

static void call(struct rows *r, const struct call *c)
{
	struct scap_rec_call rec = {
		.h = head(r, SCAP_REC_CALL, c->cookie ? SCAP_CALL_COOKIES : 0), .tid = c->tid,
		.latency_ns = c->latency_ns, .ret = c->ret, .nr = c->nr,
		.shape = SCAP_SHAPE(SCAP_ABI_X86_64, c->nargs),
	};
	uint32_t cookies[2] = { c->cookie, 0 };
	size_t at = r->used;

	put(r, &rec, sizeof(rec));
	if (c->cookie)
		put(r, cookies, sizeof(cookies));
	put(r, c->args, c->nargs * sizeof(*c->args));
	if (c->data)
		put_blob(r, c->slot, c->state, c->data, c->bytes, c->orig);
	finish(r, at);
}

static void fork_rec(struct rows *r, uint32_t tid, uint32_t child)
{
	struct scap_rec_fork rec = {
		.h = head(r, SCAP_REC_FORK, 0), .tid = tid, .tgid = tid, .child_tid = child,
		.child_tgid = child, .child_start_ns = 1000 + child, .child_vtid = child,
		.clone_flags = CLONE_CHILD_SETTID, .exit_signal = SIGCHLD, .n_levels = 1,
		.child_ids = { child },
	};
	size_t at = r->used;

	put(r, &rec, sizeof(rec));
	finish(r, at);
}

static void exit_rec(struct rows *r, uint32_t tid, uint32_t status)
{
	struct scap_rec_exit rec = {
		.h = head(r, SCAP_REC_EXIT, 0), .tid = tid, .status = status,
		.start_ns = 1000 + tid, .group_dead = 1, .group_status = status,
		.thread = { .utime_ns = 1500000, .n_minflt = 40 },
		.process = { .utime_ns = 1500000, .n_minflt = 40 }, .max_rss_kib = 2048,
	};
	size_t at = r->used;

	put(r, &rec, sizeof(rec));
	finish(r, at);
}

/* What was lost took its numbers before the gap gets its own. Times: from the start on. */
static void gap_of(struct rows *r, uint64_t first_ns, uint64_t last_ns,
		   const struct scap_tally tally[2])
{
	struct scap_rec_gap rec = {
		.first_ns = RAW_START + first_ns, .last_ns = RAW_START + last_ns,
		.first_seq = r->seq, .n_lost = tally[0].count + tally[1].count, .n_tally = 2,
	};
	size_t at = r->used;

	r->seq += rec.n_lost;
	rec.h = head(r, SCAP_REC_GAP, 0);
	put(r, &rec, sizeof(rec));
	put(r, tally, 2 * sizeof(*tally));
	finish(r, at);
}

#define CALLS(nr) SCAP_TALLY_KEY(SCAP_REC_CALL, SCAP_ABI_X86_64, nr)

static const struct scap_tally lost_reads[2] = { { CALLS(SYS_read), 30 },
						 { CALLS(SYS_write), 12 } };
static const struct scap_tally lost_connects[2] = { { CALLS(SYS_connect), 4 },
						    { CALLS(SYS_close), 1 } };
static const struct scap_tally lost_forks[2] = { { SCAP_TALLY_KEY(SCAP_REC_FORK, 0, 0), 2 },
						 { CALLS(SYS_clone), 2 } };
/* The introduction of a file that is closed, and what found no place in a tally of its own. */
static const struct scap_tally lost_others[2] = { { SCAP_TALLY_KEY(SCAP_REC_FILE, 0, 0), 3 },
						  { CALLS(0xffff), 7 } };

/* ---- the story ------------------------------------------------------------------------------ */

static void open_call(struct rows *r, uint32_t tid, const char *path, int ret, uint32_t cookie)
{
	struct call c = {
		.tid = tid, .latency_ns = 12300, .nr = SYS_openat, .ret = ret, .nargs = 4,
		.args = { (uint64_t)AT_FDCWD, 0x7ffc1000, O_RDONLY | O_CLOEXEC, 0 },
		.cookie = cookie, .slot = 1, .data = path, .bytes = strlen(path),
		.orig = strlen(path),
	};

	if (cookie)
		c.data = NULL;	/* the same as the file's path */
	call(r, &c);
}

static void read_call(struct rows *r, uint32_t tid, uint32_t cookie, const char *data, int ret)
{
	uint32_t n = strlen(data);
	struct call c = {
		.tid = tid, .latency_ns = 2500, .nr = SYS_read, .ret = ret, .nargs = 3,
		.args = { 3, 0x7ffc2000, 4096 }, .cookie = cookie, .slot = 1,
		.state = n < (uint32_t)ret ? SCAP_STATE_TRUNCATED : SCAP_STATE_WHOLE,
		.data = data, .bytes = n, .orig = ret,
	};

	call(r, &c);
}

static void simple_call(struct rows *r, uint32_t tid, long nr, int ret, uint32_t latency_ns)
{
	struct call c = { .tid = tid, .latency_ns = latency_ns, .nr = nr, .ret = ret };

	call(r, &c);
}

static void connect_call(struct rows *r, uint32_t tid, int ret)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(8080) };
	struct call c = {
		.tid = tid, .latency_ns = 45000, .nr = SYS_connect, .ret = ret, .nargs = 3,
		.args = { 4, 0x7ffc3000, sizeof(to) }, .slot = 1, .data = &to,
		.bytes = sizeof(to), .orig = sizeof(to),
	};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	call(r, &c);
}

static void at(uint64_t ns)
{
	for (unsigned i = 0; i < N_CPUS; i++)
		cpus[i].raw_ns = RAW_START + ns;
}

/* First second: a shell reads a file and starts a child; a server is refused its data. */
static void first_slice(void)
{
	struct rows *a = &cpus[0], *b = &cpus[1];

	at(1000);
	intro(a, 100, 100, 1, "sh");
	file(a, 7, "/etc/passwd");
	open_call(a, 100, "/etc/passwd", 3, 7);
	at(20000);
	read_call(a, 100, 7, "root:x:0:0:root:/root:/bin/bash\n", 32);
	at(30000);
	fork_rec(a, 100, 101);
	simple_call(a, 100, SYS_vfork, 101, 90000);
	at(40000);
	intro(b, 101, 101, 100, "child");
	simple_call(b, 101, SYS_getuid, 1000, 150);
	at(50000);
	intro(b, 200, 200, 1, "httpd");
	simple_call(b, 200, SYS_getpid, 200, 100);
	at(60000);
	open_call(b, 200, "/srv/shop/\033[31mstock", -EACCES, 0);
	at(70000);
	connect_call(b, 200, -ECONNREFUSED);
	at(80000);
	simple_call(b, 200, SYS_getpid, 200, 100);
	at(90000);
	simple_call(b, 200, SYS_getppid, 1, 100);
	at(100000);
	exit_rec(b, 101, 1 << 8);
}

/* Second: two threads take turns. */
static void second_slice(unsigned epoch, int with_gap)
{
	struct rows *a = &cpus[0], *b = &cpus[1];
	uint64_t start = epoch * SCAP_EPOCH_NS;

	at(start + 1000);
	intro(a, 200, 200, 1, "httpd");
	intro(b, 201, 200, 1, "worker \"2\"");
	if (with_gap)
		gap_of(b, 200000, 300000, lost_reads);
	for (unsigned i = 0; i < 5; i++) {
		at(start + 2000 + i * 2000);
		simple_call(a, 200, SYS_getppid, 1, 100 + i);
		at(start + 3000 + i * 2000);
		simple_call(b, 201, SYS_getpid, 200, 100 + i);
	}
	at(start + 20000);
	open_call(b, 201, "/srv/shop/b", -ENOENT, 0);
	at(start + 21000);
	simple_call(b, 201, SYS_getpid, 200, 7);
	at(start + 22000);
	simple_call(b, 201, SYS_getuid, 1000, 8);
}

/* A slice in which only the first CPU had something to do. */
static void one_call(unsigned epoch)
{
	at(epoch * SCAP_EPOCH_NS + 1000);
	intro(&cpus[0], 200, 200, 1, "httpd");
	simple_call(&cpus[0], 200, SYS_getppid, 1, 100);
}

/* ---- files ------------------------------------------------------------------------------ */

static const char *hostname = "shop1", *filter = "";

static uint32_t form = SCAP_WRITER_ROWS;	/* 0: groups, with seals */

static struct scap_writer *open_capture(const char *path)
{
	struct scap_writer_options opt = {
		.size = sizeof(opt), .flags = SCAP_WRITER_FORCE | form,
		.hostname = hostname,
		.kernel = "6.1.0-test", .machine = "x86_64",
		.boot_id = "00000000-1111-2222-3333-444444444444", .recorder = "gen",
		.filter = filter, .n_cpus = N_CPUS, .snaplen = 80, .recorder_tgid = 99,
		.ring_bytes = 1 << 20, .raw_ns = RAW_START, .real_ns = WALL_START,
		.boot_ns = RAW_START,
	};
	struct scap_error err;
	struct scap_writer *w;

	if (scap_writer_open_path(path, &opt, &w, &err) < 0) {
		fprintf(stderr, "gen: %s: %s\n", path, err.text);
		exit(1);
	}
	for (unsigned i = 0; i < N_CPUS; i++) {
		cpus[i].used = 0;
		cpus[i].seq = 0;
	}
	return w;
}

static void write_slice(struct scap_writer *w, unsigned epoch)
{
	struct scap_slice_part parts[N_CPUS];
	struct scap_slice slice = {
		.start_ns = RAW_START + epoch * SCAP_EPOCH_NS,
		.end_ns = RAW_START + (epoch + 1) * SCAP_EPOCH_NS,
		.real_ns = WALL_START + epoch * SCAP_EPOCH_NS,
		.boot_ns = RAW_START + epoch * SCAP_EPOCH_NS,
		.clock_raw_ns = RAW_START + epoch * SCAP_EPOCH_NS,
		.parts = parts,
	};

	for (unsigned i = 0; i < N_CPUS; i++)
		if (cpus[i].used)
			parts[slice.n_parts++] = (struct scap_slice_part){
				.cpu = i, .rows = cpus[i].buf, .bytes = cpus[i].used };
	if (scap_writer_slice(w, &slice) < 0) {
		fprintf(stderr, "gen: %s\n", scap_writer_error(w)->text);
		exit(1);
	}
	for (unsigned i = 0; i < N_CPUS; i++)
		cpus[i].used = 0;
}

static void close_capture(struct scap_writer *w, unsigned epochs, int with_end)
{
	struct scap_ring_end rings[N_CPUS];
	struct scap_error err;

	for (unsigned i = 0; i < N_CPUS; i++)
		rings[i] = (struct scap_ring_end){ .cpu = i, .next_seq = cpus[i].seq };
	if (scap_writer_close(w, RAW_START + epochs * SCAP_EPOCH_NS, with_end ? rings : NULL,
			      N_CPUS, &err) < 0) {
		fprintf(stderr, "gen: %s\n", err.text);
		exit(1);
	}
}

/* A task with a descriptor, in a call; in the ring of no CPU. */
static void keyframe(struct scap_writer *w)
{
	static struct rows key;
	static const char users[] = "0 root\n1000 shop\n";
	struct scap_keyframe_text text = { .kind = SCAP_KEYFRAME_USERS, .data = users,
					   .bytes = sizeof(users) - 1 };
	struct scap_rec_key_task task = {
		.who = { .tid = 100, .tgid = 100, .ppid = 1, .vtid = 100, .vtgid = 100,
			 .uid = 1000, .start_ns = 1100, .comm = "sh" },
		.session = 90, .table = 5, .n_threads = 1, .state = 'S',
	};
	struct scap_rec_key_call call = { .tid = 100, .nr = SYS_wait4, .start_ns = 1100,
					  .enter_ns = RAW_START - 2000000 };
	struct scap_rec_key_fd fd = { .tid = 100, .fd = 3, .start_ns = 1100, .table = 5,
				      .pos = 32, .cookie = 7 };
	struct scap_rec_key_end end = { .n_tasks = 1, .n_fds = 1, .n_files = 1, .n_calls = 1,
					.busy_ns = 9000, .lock_max_ns = 300 };
	struct scap_keyframe_part part = {
		.begin_ns = RAW_START, .clock_raw_ns = RAW_START, .real_ns = WALL_START,
		.boot_ns = RAW_START, .end_ns = RAW_START + 9000, .number = 1,
		.flags = SCAP_KEYFRAME_LAST, .texts = &text, .n_texts = 1,
	};
	size_t start = key.used;

	key.raw_ns = RAW_START + 100;
	task.who.h = head(&key, SCAP_REC_KEY_TASK, SCAP_KEY_TASK_TABLE);
	put(&key, &task, sizeof(task));
	put_blob(&key, SCAP_SLOT_CWD, SCAP_STATE_WHOLE, "/home/shop", 10, 10);
	put_blob(&key, SCAP_SLOT_ROOT, SCAP_STATE_WHOLE, "/", 1, 1);
	put_blob(&key, SCAP_SLOT_ARGV, SCAP_STATE_WHOLE, "sh\0-i", 6, 6);
	finish(&key, start);
	call.h = head(&key, SCAP_REC_KEY_CALL, 0);
	start = key.used;
	put(&key, &call, sizeof(call));
	finish(&key, start);
	file(&key, 7, "/etc/passwd");
	fd.h = head(&key, SCAP_REC_KEY_FD, 0);
	start = key.used;
	put(&key, &fd, sizeof(fd));
	finish(&key, start);
	end.h = head(&key, SCAP_REC_KEY_END, 0);
	start = key.used;
	put(&key, &end, sizeof(end));
	finish(&key, start);
	part.rows = key.buf;
	part.bytes = key.used;
	if (scap_writer_keyframe(w, &part) < 0)
		die(scap_writer_error(w)->text);
}

enum { GAP = 1, NO_END = 2, HOLE = 4, TAIL = 8, LATE = 16, KEYFRAME = 32 };

static void story(const char *path, unsigned what)
{
	struct scap_writer *w = open_capture(path);
	unsigned epoch = 1;

	if (what & KEYFRAME)
		keyframe(w);
	first_slice();
	write_slice(w, 0);
	for (; what & LATE && epoch < 8; epoch++) {
		one_call(epoch);
		write_slice(w, epoch);
	}
	if (what & HOLE)
		cpus[1].seq += 5;
	second_slice(epoch, what & GAP);
	write_slice(w, epoch);
	if (what & TAIL)
		cpus[1].seq += 3;
	close_capture(w, epoch + 1, !(what & NO_END));
}

/*
 * Gaps of several kinds, each told a while later. Of an unfinished capture the second CPU is silent
 * at the end.
 */
static void losses(const char *path, int with_end)
{
	static const struct { unsigned cpu, epoch; uint64_t first_ns, last_ns;
			      const struct scap_tally *tally; } gaps[] = {
		{ 1, 1, 500000000, 900000000, lost_reads },
		{ 0, 2, 1500000000, 1900000000, lost_connects },
		{ 1, 4, 3300000000, 3400000000, lost_forks },
		{ 0, 6, 5500000000, 5600000000, lost_others },
	};
	struct scap_writer *w = open_capture(path);
	unsigned epoch = 1, next = 0;

	first_slice();
	write_slice(w, 0);
	for (; epoch < 8; epoch++) {
		for (; next < 4 && gaps[next].epoch == epoch; next++) {
			at(epoch * SCAP_EPOCH_NS + 500);
			gap_of(&cpus[gaps[next].cpu], gaps[next].first_ns, gaps[next].last_ns,
			       gaps[next].tally);
		}
		one_call(epoch);
		if (epoch < 6)
			simple_call(&cpus[1], 200, SYS_getpid, 200, 100);
		write_slice(w, epoch);
	}
	close_capture(w, epoch, with_end);
}

/* 32 s, a group for each; seals come after 10 s, after 20 s, and at the end. */
static void sealed(const char *path)
{
	struct scap_writer *w;
	unsigned epoch = 0;

	form = 0;
	w = open_capture(path);
	form = SCAP_WRITER_ROWS;
	for (; epoch < 30; epoch++) {
		one_call(epoch);
		write_slice(w, epoch);
		if (scap_writer_flush(w) < 0)
			die(scap_writer_error(w)->text);
	}
	close_capture(w, epoch, 1);
}

static uint32_t get_u32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* A copy whose last section, a seal, vouches for something else; its checksums are right. */
static void forge(const char *from, const char *to)
{
	static unsigned char buf[1 << 20];
	FILE *f = fopen(from, "rb");
	size_t n = f ? fread(buf, 1, sizeof(buf), f) : 0, at = n - 48, stored;
	uint32_t crc;

	if (!n || n == sizeof(buf))
		die(from);
	fclose(f);
	while (at && (get_u32(buf + at) != 0xb5c75ec5 || buf[at + 6] != 6))
		at--;
	stored = get_u32(buf + at + 24);
	buf[at + 48 + stored - 1] ^= 1;
	crc = scap__crc32c(0, buf + at + 48, stored);
	memcpy(buf + at + 40, &crc, sizeof(crc));
	crc = scap__crc32c(0, buf + at, 44);
	memcpy(buf + at + 44, &crc, sizeof(crc));
	f = fopen(to, "wb");
	if (!f || fwrite(buf, 1, n, f) != n || fclose(f))
		die(to);
}

/* A server was refused its data; of what was asked for, the ring had less. */
static void triggered(const char *path)
{
	static const struct scap_label labels[] = {
		{ "severity", "page" }, { "instance", "shop1:9100\033[31m" },
	};
	struct scap_trigger t = {
		.size = sizeof(t), .name = "refused", .source = "event",
		.why = "connect to 127.0.0.1:8080: ECONNREFUSED", .labels = labels, .n_labels = 2,
		.config = "filter: evt.type=connect and evt.res=ECONNREFUSED",
		.raw_ns = RAW_START + 70000, .real_ns = WALL_START + 70000,
		.before_ns = 30000000000, .after_ns = 2000000000, .event = 8,
	};
	struct scap_writer *w = open_capture(path);

	if (scap_writer_trigger(w, &t) < 0)
		die(scap_writer_error(w)->text);
	first_slice();
	write_slice(w, 0);
	second_slice(1, 1);
	write_slice(w, 1);
	t.labels = NULL;
	t.n_labels = 0;
	t.from_raw_ns = RAW_START;
	t.to_raw_ns = RAW_START + 2 * SCAP_EPOCH_NS;
	t.n_lost = 42;
	t.flags = SCAP_TRIGGER_SHORT;
	if (scap_writer_trigger(w, &t) < 0)
		die(scap_writer_error(w)->text);
	close_capture(w, 2, 1);
}

static void hostile(const char *path)
{
	static char words[1501];

	memset(words, 'x', sizeof(words) - 1);
	hostname = "shop\033]0;mine\a\r\xc2\x9b" "2J";
	filter = words;
	story(path, 0);
	hostname = "shop1";
	filter = "";
}

static void bytes(const char *path)
{
	struct scap_writer *w = open_capture(path);
	struct rows *a = &cpus[0];

	at(1000);
	intro(a, 100, 100, 1, "a,\"b\"");
	file(a, 7, "/srv/\xff\"x\",y");
	open_call(a, 100, "", 3, 7);
	at(2000);
	read_call(a, 100, 7, "\xff\xfe,\"\r\n", 6);
	at(3000);
	read_call(a, 100, 7, "plain, \"text\"\r\n", 15);
	write_slice(w, 0);
	close_capture(w, 1, 1);
}

#define MANY 1000001u
#define MANY_PER_SLICE 500000u

static void many(const char *path)
{
	struct scap_writer *w = open_capture(path);
	unsigned done = 0, epoch = 0;

	for (; done < MANY; epoch++) {
		at(epoch * SCAP_EPOCH_NS);
		intro(&cpus[0], 300, 300, 1, "many");
		for (unsigned i = 0; i < MANY_PER_SLICE && done < MANY; i++, done++) {
			at(epoch * SCAP_EPOCH_NS + i * 2000ull);
			simple_call(&cpus[0], 300, SYS_getpid, (int)done, 100);
		}
		write_slice(w, epoch);
	}
	close_capture(w, epoch, 1);
}

static int open_only(const char *path, int force)
{
	struct scap_writer_options opt = {
		.size = sizeof(opt), .flags = force ? SCAP_WRITER_FORCE : 0, .n_cpus = N_CPUS,
	};
	struct scap_error err;
	struct scap_writer *w;

	if (scap_writer_open_path(path, &opt, &w, &err) < 0) {
		printf("%s\n", err.text);
		return 2;
	}
	scap_writer_close(w, 1, NULL, 0, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "open"))
		return open_only(argv[2], argc > 3);
	if (argc != 2 || chdir(argv[1]) < 0)
		die("usage: gen DIRECTORY");
	story("story.scapz", GAP);
	story("whole.scapz", 0);
	story("noend.scapz", NO_END);
	story("hole.scapz", HOLE);
	hostile("hostile.scapz");
	story("tail.scapz", TAIL);
	story("late.scapz", GAP | LATE);
	story("key.scapz", KEYFRAME);
	triggered("trigger.scapz");
	bytes("bytes.scapz");
	many("many.scapz");
	losses("losses.scapz", 1);
	losses("killed.scapz", 0);
	sealed("sealed.scapz");
	forge("sealed.scapz", "forged.scapz");
	return 0;
}
