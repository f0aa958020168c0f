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
	cr_assert_eq(RUN("-a", "--max-size", "2M", "-d", "60s", "-j", "-o", "x.scapz"), TOOL_OK);
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

/* ---- failures ------------------------------------------------------------------------------- */

/* Nothing that was made stays behind: neither a file nor its journals. */
Test(tool_record, a_start_that_fails_leaves_nothing)
{
	set_up_test(2, steady);
	fake.fail[5] = -EIO;
	cr_assert_eq(RUN("-a", "-o", "x.scapz"), TOOL_FAILED);
	cr_expect_eq(n_files(), 0);
	tear_down_test();
}
