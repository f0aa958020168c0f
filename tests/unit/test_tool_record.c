/* SPDX-License-Identifier: MIT */
/* scap record from its command line to its report, on a device and a clock made of memory. */
#define _GNU_SOURCE	/* memfd_create, pipe2, cfmakeraw */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pty.h>
#include <scap/scap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "support_device.h"
#include "support_rows.h"

static struct fake_device fake;
static uint64_t seed = 1;

static int open_fake_device(const struct scap_live_options *opt, struct scap_live **ret_l,
			    struct scap_error *err)
{
	struct scap__device dev = fake_device(&fake);

	return scap__live_open_device(&dev, opt, ret_l, err);
}

static int fake_clock(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	ts->tv_sec = (time_t)(fake.now_ns / 1000000000);
	ts->tv_nsec = (long)(fake.now_ns % 1000000000);
	return 0;
}

#define scap_live_open open_fake_device
#define clock_gettime fake_clock
#include "tools/opts.c"
#include "tools/output.c"
#include "tools/times.c"
#include "tools/command.c"
#include "tools/record_opts.c"
#include "tools/record_report.c"
#include "tools/record_files.c"
#include "tools/cmd_record.c"
#undef clock_gettime
#undef scap_live_open

TestSuite(tool_record, .timeout = 60);

/* ---- running it ----------------------------------------------------------------------------- */

static char dir[] = "/tmp/scap-record-XXXXXX";
static char out_text[8192], err_text[65536];

static void set_up_test(uint32_t n_cpus, void (*on_wait)(struct fake_device *f, int timeout_ms))
{
	cr_assert(mkdtemp(dir) && chdir(dir) == 0);
	fake_init(&fake, n_cpus);
	fake.on_wait = on_wait;
}

static unsigned n_files(void)
{
	unsigned n = 0;
	DIR *d = opendir(".");

	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void tear_down_test(void)
{
	unlink("x.scapz");
	cr_expect_eq(n_files(), 0, "a file nobody asked for");
	cr_assert(chdir("/") == 0 && rmdir(dir) == 0);
	cr_expect(fake.closed && !fake.n_maps);
	fake_fini(&fake);
}

static void slurp(int fd, char *buf, size_t cap)
{
	ssize_t n, used = 0;

	while ((n = read(fd, buf + used, cap - 1 - (size_t)used)) > 0)
		used += n;
	buf[used] = 0;
}

/* Standard error goes to err_fd. The exit code. */
static int run_with(int err_fd, char **argv)
{
	int saved[2] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) };
	int out = memfd_create("out", MFD_CLOEXEC), argc = 0, rc;

	while (argv[argc])
		argc++;
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	rc = record_run(argc, argv);
	fflush(stdout);
	dup2(saved[0], STDOUT_FILENO);
	dup2(saved[1], STDERR_FILENO);
	close(saved[0]);
	close(saved[1]);
	lseek(out, 0, SEEK_SET);
	slurp(out, out_text, sizeof(out_text));
	close(out);
	return rc;
}

static int run(char **argv)
{
	int err = memfd_create("err", MFD_CLOEXEC), rc;

	rc = run_with(err, argv);
	lseek(err, 0, SEEK_SET);
	slurp(err, err_text, sizeof(err_text));
	close(err);
	return rc;
}

#define RUN(...) run((char *[]){ "record", __VA_ARGS__, NULL })

/* The calls in a capture, which must be whole. */
static uint64_t n_calls(const char *path)
{
	const struct scap_event *ev;
	struct scap_error err;
	struct scap_reader *r;
	uint64_t n = 0;
	int rc;

	cr_assert_eq(scap_reader_open_path(path, NULL, &r, &err), 0, "%s", err.text);
	while ((rc = scap_reader_next(r, &ev)) == 0)
		n += scap_event_type(ev) == SCAP_REC_CALL;
	cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
	cr_assert(scap_reader_info(r)->complete);
	scap_reader_close(r);
	return n;
}

static uint64_t json_u64(const char *name)
{
	char key[64], *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(out_text, key);
	cr_assert(at, "no %s in %s", name, out_text);
	return strtoull(at + strlen(key), NULL, 10);
}

/* ---- what happens meanwhile ----------------------------------------------------------------- */

#define PER_WAIT 200

/* A steady load that fits. */
static void steady(struct fake_device *f, int timeout_ms)
{
	for (unsigned i = 0; i < PER_WAIT; i++)
		fake_call(f, i % f->n_cpus, rows_random(&seed) % 12);
	f->now_ns += (uint64_t)(timeout_ms > 0 ? timeout_ms : 1) * 1000000;
}

/* All CPUs but the first get more than a small ring holds. */
static void too_much(struct fake_device *f, int timeout_ms)
{
	for (uint32_t cpu = 0; cpu < f->n_cpus; cpu++)
		for (unsigned i = 0; i < (cpu ? 2000 * cpu : 100); i++)
			fake_call(f, cpu, 4);
	f->now_ns += (uint64_t)(timeout_ms > 0 ? timeout_ms : 1) * 1000000;
}

static void interrupted(struct fake_device *f, int timeout_ms)
{
	steady(f, timeout_ms);
	if (f->n_waits == 20)
		raise(SIGTERM);
}

/* ---- limits --------------------------------------------------------------------------------- */

Test(tool_record, stops_after_n_events)
{
	uint64_t n;

	set_up_test(2, steady);
	cr_assert_eq(RUN("-a", "-n", "5000", "-j", "-o", "x.scapz"), TOOL_OK, "%s", err_text);
	n = n_calls("x.scapz");
	cr_expect(n >= 5000 && n <= 5000 + PER_WAIT, "%" PRIu64, n);
	cr_expect_eq(n, fake.n_stored);
	cr_expect_eq(json_u64("stored"), n);
	cr_expect(strstr(out_text, "\"ended_by\":\"events\""), "%s", out_text);
	tear_down_test();
}

Test(tool_record, stops_at_a_size)
{
	struct stat st;

	set_up_test(2, steady);
	cr_assert_eq(RUN("-a", "--max-size", "2M", "-d", "600s", "-j", "-o", "x.scapz"), TOOL_OK);
	cr_expect(strstr(out_text, "\"ended_by\":\"size\""), "%s", out_text);
	cr_assert_eq(stat("x.scapz", &st), 0);
	/* How much what is still being packed will take can only be guessed from what was. */
	cr_expect(st.st_size >= 1 << 20 && st.st_size <= 2200 << 10, "%ld", (long)st.st_size);
	cr_expect_eq(json_u64("bytes"), (uint64_t)st.st_size);
	cr_expect_eq(n_calls("x.scapz"), fake.n_stored);
	tear_down_test();
}

Test(tool_record, stops_in_time)
{
	uint64_t start;

	set_up_test(2, steady);
	start = fake.now_ns;
	cr_assert_eq(RUN("-a", "-d", "2.5s", "-j", "-o", "x.scapz"), TOOL_OK);
	cr_expect(strstr(out_text, "\"ended_by\":\"duration\""), "%s", out_text);
	cr_expect_geq(fake.now_ns - start, 2500000000);
	cr_expect_lt(fake.now_ns - start, 2510000000);
	tear_down_test();
}

Test(tool_record, stops_at_a_signal)
{
	set_up_test(2, interrupted);
	cr_assert_eq(RUN("-a", "-d", "10s", "-j", "-o", "x.scapz"), TOOL_OK);
	cr_expect(strstr(out_text, "\"ended_by\":\"signal\""), "%s", out_text);
	cr_expect_eq(fake.n_waits, 20);
	cr_expect_eq(n_calls("x.scapz"), fake.n_stored);
	tear_down_test();
}

/* ---- choices -------------------------------------------------------------------------------- */

Test(tool_record, none_counts_and_keeps_nothing)
{
	set_up_test(2, steady);
	cr_assert_eq(RUN("-a", "-n", "5000", "-j", "-o", "none"), TOOL_OK, "%s", err_text);
	cr_expect(strstr(out_text, "\"file\":null"), "%s", out_text);
	cr_expect_geq(fake.n_stored, 5000);
	cr_expect_eq(json_u64("stored"), fake.n_stored);
	cr_expect_eq(json_u64("bytes"), 0);
	cr_expect_eq(n_files(), 0);
	tear_down_test();
}

Test(tool_record, all_processes_are_passed_on)
{
	static const uint32_t want[] = { 7, 123, 4194304, 9 };

	set_up_test(1, steady);
	cr_assert_eq(RUN("--pid", "7,123,4194304", "--pid=9", "-n", "1", "-q", "-o", "none"), 0);
	cr_expect_eq(fake.spec.flags, SCAP_FILTER_TREE);
	cr_expect_eq(fake.n_tree, 4);
	cr_expect_arr_eq(fake.tree, want, sizeof(want));
	tear_down_test();
}

Test(tool_record, the_whole_machine_is_no_tree)
{
	set_up_test(1, steady);
	cr_assert_eq(RUN("-a", "-n", "1", "-q", "-o", "none"), 0);
	cr_expect(!fake.spec.flags && !fake.n_tree);
	tear_down_test();
}

/* ---- what it says --------------------------------------------------------------------------- */

Test(tool_record, report)
{
	char want[96];

	set_up_test(2, steady);
	cr_assert_eq(RUN("-a", "-n", "5000", "-o", "x.scapz"), TOOL_OK);
	snprintf(want, sizeof(want), "recording to x.scapz; Ctrl-C ends it\nrecorded %" PRIu64
		 " events in ", fake.n_stored);
	cr_expect(strstr(err_text, want) == err_text, "%s", err_text);
	cr_expect(strstr(err_text, " to x.scapz\nlost nothing\n"), "%s", err_text);
	cr_expect(strstr(err_text, " bytes per call\n"), "%s", err_text);
	cr_expect_str_empty(out_text);
	tear_down_test();
}

Test(tool_record, quiet)
{
	set_up_test(3, too_much);
	cr_assert_eq(RUN("-a", "-d", "5s", "--ring", "64K", "-q", "-o", "x.scapz"), TOOL_OK);
	cr_expect_str_empty(err_text);
	cr_expect_str_empty(out_text);
	tear_down_test();
}

Test(tool_record, losses_by_cpu)
{
	unsigned long long total, one, two;

	set_up_test(3, too_much);
	cr_assert_eq(RUN("-a", "-d", "5s", "--ring", "64K", "-o", "x.scapz"), TOOL_OK);
	cr_assert(strstr(err_text, "\nlost "), "%s", err_text);
	cr_assert_eq(sscanf(strstr(err_text, "\nlost "),
			    "\nlost %llu events (cpu 1: %llu, cpu 2: %llu)", &total, &one, &two), 3,
		     "%s", err_text);
	cr_expect_eq(total, fake.n_lost);
	cr_expect_eq(one + two, total);
	cr_expect(one > 1000 && two > 2 * one, "%s", err_text);
	cr_expect_eq(n_calls("x.scapz"), fake.n_stored);
	tear_down_test();
}

Test(tool_record, losses_by_cpu_as_json)
{
	set_up_test(3, too_much);
	cr_assert_eq(RUN("-a", "-d", "5s", "--ring", "64K", "-j", "-o", "none"), TOOL_OK);
	cr_expect_eq(json_u64("lost"), fake.n_lost);
	cr_expect_eq(json_u64("1") + json_u64("2"), fake.n_lost);
	cr_expect(json_u64("1") && !strstr(out_text, "\"0\":"), "%s", out_text);
	tear_down_test();
}

/* ---- the live line -------------------------------------------------------------------------- */

/* A terminal that takes what is written as it is; *ret_fd is its other end. */
static int terminal(int *ret_fd)
{
	struct termios raw;
	int fd;

	if (openpty(ret_fd, &fd, NULL, NULL, NULL) < 0)
		cr_skip_test("no pseudo terminals here");
	tcgetattr(fd, &raw);
	cfmakeraw(&raw);
	tcsetattr(fd, TCSANOW, &raw);
	fcntl(*ret_fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void on_terminal(const char *quiet)
{
	int other, fd = terminal(&other);

	cr_assert_eq(run_with(fd, (char *[]){ "record", "-a", "-d", "5s", "-o", "x.scapz",
					      (char *)quiet, NULL }), TOOL_OK);
	slurp(other, err_text, sizeof(err_text));
	close(fd);
	close(other);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

Test(tool_record, live_line_on_a_terminal)
{
	char *last;

	set_up_test(2, steady);
	on_terminal(NULL);
	/* About once a second, over and over in the same place, and gone at the end. */
	cr_expect(count(err_text, " events/s, ") >= 3 && count(err_text, " events/s, ") <= 5, "%s",
		  err_text);
	cr_expect(strstr(err_text, " stored, 0 lost, "), "%s", err_text);
	cr_expect_eq(count(err_text, "\r\033[K"), count(err_text, " events/s, ") + 2);
	last = strrchr(err_text, '\r');
	cr_assert(last);
	cr_expect(strstr(last, "\r\033[Krecorded ") == last, "%s", last);
	tear_down_test();
}

Test(tool_record, no_live_line_when_quiet)
{
	set_up_test(2, steady);
	on_terminal("-q");
	cr_expect_str_empty(err_text);
	tear_down_test();
}

Test(tool_record, no_live_line_elsewhere)
{
	set_up_test(2, steady);
	cr_assert_eq(RUN("-a", "-d", "5s", "-o", "x.scapz"), TOOL_OK);
	cr_expect_not(strpbrk(err_text, "\r\033"), "%s", err_text);
	cr_expect_not(strstr(err_text, "events/s"), "%s", err_text);
	tear_down_test();
}

/* ---- one file after the other --------------------------------------------------------------- */

static char *numbered_name(uint64_t n)
{
	static char name[64];

	snprintf(name, sizeof(name), "x-%06" PRIu64 ".scapz", n);
	return name;
}

static bool is_there(uint64_t n)
{
	return access(numbered_name(n), F_OK) == 0;
}

/* Calls in the files from..to, which then go. */
static uint64_t take_files(uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	for (uint64_t i = from; i <= to; i++) {
		n += n_calls(numbered_name(i));
		unlink(numbered_name(i));
	}
	return n;
}

static void put_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static bool holds(const char *name, const char *text)
{
	char buf[64] = "";
	FILE *f = fopen(name, "r");

	cr_assert(f && fgets(buf, sizeof(buf), f));
	fclose(f);
	return !strcmp(buf, text);
}

Test(tool_record, rotates_by_time)
{
	unsigned n;

	set_up_test(2, steady);
	cr_assert_eq(RUN("-a", "--rotate-time", "2s", "-d", "20s", "-j", "-o", "x.scapz"), 0, "%s",
		     err_text);
	n = n_files();
	/* Two epochs each. */
	cr_expect(n >= 9 && n <= 11, "%u %s", n, out_text);
	cr_expect_eq(count(out_text, "\"ended_by\":\"rotate-time\""), n - 1, "%s", out_text);
	cr_expect_eq(count(out_text, "\"ended_by\":\"duration\""), 2);
	cr_expect_eq(count(out_text, "\n"), n + 1, "an object a line");
	cr_expect_eq(json_u64("files"), n);
	cr_expect_eq(json_u64("deleted"), 0);
	cr_expect_eq(take_files(1, n), fake.n_stored);
	tear_down_test();
}

Test(tool_record, rotates_by_events)
{
	unsigned n;

	set_up_test(2, steady);
	cr_assert_eq(RUN("-a", "--rotate-events", "150000", "-n", "600000", "-o", "x.scapz"), 0);
	n = n_files();
	cr_expect(n >= 3 && n <= 4, "%u", n);
	cr_expect(strstr(err_text, "recording to x-000001.scapz and further files; Ctrl-C ends it\n"
			 "x-000001.scapz: ") == err_text, "%s", err_text);
	cr_expect_eq(count(err_text, ", lost nothing\n"), n);
	cr_expect(strstr(err_text, " files, the last one x-"), "%s", err_text);
	cr_expect_eq(take_files(1, n), fake.n_stored);
	tear_down_test();
}

Test(tool_record, rotates_by_size)
{
	uint64_t sum = 0;
	struct stat st;
	unsigned n;

	set_up_test(2, steady);
	cr_assert_eq(RUN("-a", "--rotate-size", "100K", "--max-size", "1M", "-j", "-o", "x.scapz"),
		     0);
	n = n_files();
	cr_expect(n >= 3 && n <= 14, "%u", n);
	for (unsigned i = 1; i <= n; i++) {
		cr_assert_eq(stat(numbered_name(i), &st), 0);
		sum += (uint64_t)st.st_size;
		cr_expect(i == 1 || i == n || st.st_size >= 90 << 10, "%ld", (long)st.st_size);
	}
	cr_expect(sum >= 900 << 10 && sum <= 1200 << 10, "%" PRIu64, sum);
	cr_assert(strstr(out_text, "{\"files\":"));
	memmove(out_text, strstr(out_text, "{\"files\":"),
		strlen(strstr(out_text, "{\"files\":")) + 1);
	cr_expect_eq(json_u64("bytes"), sum, "of all of them");
	cr_expect_eq(take_files(1, n), fake.n_stored);
	tear_down_test();
}

/* While there are calls, in an interrupted recording: see keeps_the_last. */
static unsigned most_files;

static void steady_watched(struct fake_device *f, int timeout_ms)
{
	unsigned n = 0;

	for (uint64_t i = 1; i < 100; i++)
		n += is_there(i);
	if (n > most_files)
		most_files = n;
	/* The one before is there as long as the new one is not. */
	cr_assert_geq(n, 1);
	steady(f, timeout_ms);
}

static void keeps(char *keep, unsigned n_keep)
{
	unsigned n;

	set_up_test(2, steady_watched);
	/* Neither ours nor in our way: not a number, another base, another end. */
	put_file("x-1.scapz", "a");
	put_file("y-000001.scapz", "b");
	put_file("x-000002.scapz.txt", "c");
	cr_assert_eq(RUN("-a", "--rotate-time", "1s", "-d", "12s", "--keep", keep, "-j", "-o",
			 "x.scapz"), 0);
	n = count(out_text, "\n") - 1;
	cr_assert_gt(n, 6);
	cr_expect_eq(json_u64("files"), n);
	cr_expect_eq(json_u64("deleted"), n - n_keep);
	cr_expect_eq(n_files(), n_keep + 3);
	cr_expect_eq(most_files, n_keep);
	cr_expect(!is_there(n - n_keep));
	cr_expect_gt(take_files(n - n_keep + 1, n), 0);
	cr_expect(holds("x-1.scapz", "a") && holds("y-000001.scapz", "b") &&
		  holds("x-000002.scapz.txt", "c"));
	unlink("x-1.scapz");
	unlink("y-000001.scapz");
	unlink("x-000002.scapz.txt");
	tear_down_test();
}

Test(tool_record, keeps_the_last)
{
	keeps("3", 3);
}

Test(tool_record, keeps_one)
{
	keeps("1", 1);
}

/* Somebody moves files of ours away, and puts others in their places. */
static void steady_replaced(struct fake_device *f, int timeout_ms)
{
	if (is_there(2) && access("moved", F_OK)) {
		cr_assert_eq(rename(numbered_name(1), "moved"), 0);
		put_file(numbered_name(1), "theirs");
	}
	steady(f, timeout_ms);
}

Test(tool_record, deletes_nothing_of_others)
{
	unsigned n;

	set_up_test(2, steady_replaced);
	cr_assert_eq(RUN("-a", "--rotate-time", "1s", "-d", "8s", "--keep", "2", "-j", "-o",
			 "x.scapz"), 0);
	n = (unsigned)json_u64("files");
	cr_expect_eq(json_u64("deleted"), n - 3);
	cr_expect(holds("x-000001.scapz", "theirs"));
	cr_expect_gt(n_calls("moved"), 0);
	unlink("x-000001.scapz");
	unlink("moved");
	take_files(n - 1, n);
	tear_down_test();
}

/* Numbers go on behind those that are there; where one is taken meanwhile, the next one is. */
static void steady_taken(struct fake_device *f, int timeout_ms)
{
	if (is_there(42) && !is_there(43)) {
		put_file(numbered_name(43), "theirs");
		put_file("x-000044.scapz.journal", "a tail");
	}
	steady(f, timeout_ms);
}

Test(tool_record, overwrites_nothing)
{
	set_up_test(2, steady_taken);
	put_file("x-000041.scapz", "old");
	cr_assert_eq(RUN("-a", "--rotate-time", "2s", "-d", "4s", "-j", "--force", "-o",
			 "x.scapz"), 0, "%s", err_text);
	cr_expect(holds("x-000041.scapz", "old") && holds("x-000043.scapz", "theirs"));
	cr_expect(holds("x-000044.scapz.journal", "a tail") && !is_there(44));
	cr_expect_eq(n_calls("x-000042.scapz") + n_calls("x-000045.scapz"), fake.n_stored);
	for (uint64_t i = 41; i < 46; i++)
		unlink(numbered_name(i));
	unlink("x-000044.scapz.journal");
	tear_down_test();
}

Test(tool_record, names_of_files)
{
	static const struct { const char *name, *want; } cases[] = {
		{ "x.scapz", "x-000007.scapz" }, { "x", "x-000007" }, { ".x", ".x-000007" },
		{ "a.b/x", "a.b/x-000007" }, { "a.b/.x.y.z", "a.b/.x.y-000007.z" },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *got = numbered(cases[i].name, 7);

		cr_expect_str_eq(got, cases[i].want);
		cr_expect_eq(number_in(base_of(got), cases[i].name), 7);
		free(got);
	}
	cr_expect_eq(number_in("x-00007.scapz", "x.scapz"), 0, "too short");
	cr_expect_eq(number_in("x-0000000000000000007.scapz", "x.scapz"), 0, "too long");
	cr_expect_eq(number_in("x-000007.scapz.journal", "x.scapz"), 0);
	cr_expect_eq(number_in("x-1000000.scapz", "x.scapz"), 1000000);
}

/* Nothing that was made stays behind: neither a file nor its journals. */
Test(tool_record, a_start_that_fails_leaves_nothing)
{
	set_up_test(2, steady);
	fake.fail[5] = -EIO;
	cr_assert_eq(RUN("-a", "-o", "x.scapz"), TOOL_FAILED);
	cr_expect_eq(n_files(), 0);
	tear_down_test();
}
