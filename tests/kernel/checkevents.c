/* SPDX-License-Identifier: MIT */
/*
 * checkevents exits CAPTURE TRUTH: what manyexits said of its children, within a few ticks.
 * checkevents args CAPTURE TID BYTES SUM BYTES SUM: argv and environment, as manyexecs made them.
 * checkevents sched CAPTURE TRUTH: the CPU time and the involuntary switches of
 * each thread of burn, from the switches alone.
 * Differences are lines that begin with FAIL.
 */
#include "capture.h"

static unsigned n_fails;

static void check(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void check(bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok)
		return;
	n_fails++;
	printf("FAIL ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* ---- exits ----------------------------------------------------------------------------------- */

struct end {
	long pid, status, utime_us, stime_us, minflt, nvcsw, nivcsw, maxrss;
};

static void near(const struct end *e, const char *what, long got, long want, long slack)
{
	check(got <= want && got >= want - slack, "%ld: %s %ld, should be at most %ld below %ld",
	      e->pid, what, got, slack, want);
}

/* Until wait4() looks, the process goes on for a little: longer in a kernel full of checks. */
static long slack_us(void)
{
	return access("/sys/kernel/debug/kmemleak", F_OK) ? 12000 : 80000;
}

/* Ticks are late. */
static void check_end(const struct end *e, const struct scap_event *ev)
{
	const struct scap_usage *u = &ev->u.exit.process;
	long cpu_us = (long)((u->utime_ns + u->stime_ns) / 1000);

	printf("%ld: status %x, %ld us of %ld (user %llu of %ld), %llu faults of %ld, "
	       "rss %llu of %ld\n",
	       e->pid, ev->u.exit.group_status, cpu_us, e->utime_us + e->stime_us,
	       (unsigned long long)u->utime_ns / 1000, e->utime_us,
	       (unsigned long long)u->n_minflt, e->minflt,
	       (unsigned long long)ev->u.exit.max_rss_kib, e->maxrss);
	check(ev->u.exit.group_status == e->status, "%ld: status %x, should be %lx", e->pid,
	      ev->u.exit.group_status, e->status);
	near(e, "CPU time", cpu_us, e->utime_us + e->stime_us, slack_us());
	near(e, "user time", (long)(u->utime_ns / 1000), e->utime_us + 4000, 16000);
	near(e, "faults", (long)u->n_minflt, e->minflt, 0);
	near(e, "voluntary switches", (long)u->n_voluntary, e->nvcsw, 3);
	near(e, "involuntary switches", (long)u->n_involuntary, e->nivcsw, 8);
	near(e, "max RSS", (long)ev->u.exit.max_rss_kib, e->maxrss, 0);
}

static int exits(const char *capture, const char *truth)
{
	FILE *f = fopen(truth, "r");
	struct end e;
	int n = 0;

	while (f && fscanf(f, "%ld %ld %ld %ld %ld %ld %ld %ld", &e.pid, &e.status, &e.utime_us,
			   &e.stime_us, &e.minflt, &e.nvcsw, &e.nivcsw, &e.maxrss) == 8) {
		struct scap_reader *r = capture_open(capture);
		const struct scap_event *ev;
		int n_ends = 0;

		while ((ev = capture_next(r))) {
			if (ev->type != SCAP_REC_EXIT || !ev->u.exit.group_dead ||
			    scap_event_tgid(ev) != (uint32_t)e.pid)
				continue;
			check_end(&e, ev);
			n_ends++;
		}
		check(n_ends == 1, "%ld ended %d times", e.pid, n_ends);
		scap_reader_close(r);
		n++;
	}
	printf("%d processes\n", n);
	return n;
}

/* ---- argv ------------------------------------------------------------------------------------ */

static void check_blob(const struct scap_event *ev, unsigned slot, const char *bytes,
		       const char *want)
{
	const struct scap__blob *b = blob_of(ev, slot);
	unsigned long long h = 0xcbf29ce484222325;

	for (uint32_t i = 0; b && i < b->bytes; i++)
		h = (h ^ b->data[i]) * 0x100000001b3;
	check(b && b->state == SCAP_STATE_WHOLE && b->bytes == strtoul(bytes, NULL, 10) &&
	      h == strtoull(want, NULL, 10), "slot %u: %u bytes of sum %llu, should be %s of %s",
	      slot, b ? b->bytes : 0, h, bytes, want);
}

/* The program runs itself: the last exec is it. */
static int args(char **argv)
{
	struct scap_reader *r = capture_open(argv[0]);
	uint32_t tid = (uint32_t)atoi(argv[1]);
	const struct scap_event *ev;
	int n = 0;

	while ((ev = capture_next(r))) {
		if (ev->type != SCAP_REC_EXEC || ev->tid != tid || ev->u.exec.argc < 100)
			continue;
		check_blob(ev, SCAP_SLOT_ARGV, argv[2], argv[3]);
		check_blob(ev, SCAP_SLOT_ENV, argv[4], argv[5]);
		n++;
	}
	scap_reader_close(r);
	check(n == 1, "%d execs of %u", n, tid);
	return n;
}

/* ---- on the CPU ------------------------------------------------------------------------------ */

static uint64_t ran_ns(const char *capture, uint32_t tid, long *ret_preempted)
{
	struct scap_reader *r = capture_open(capture);
	const struct scap_event *ev;
	uint64_t sum = 0, since = 0;

	*ret_preempted = 0;
	while ((ev = capture_next(r))) {
		if (ev->type != SCAP_REC_SWITCH)
			continue;
		*ret_preempted += ev->tid == tid && (ev->flags & SCAP_SWITCH_PREEMPTED);
		if (ev->u.event.target_tid == tid) {
			since = ev->raw_ns;
		} else if (ev->tid == tid && since) {
			sum += ev->raw_ns - since;
			since = 0;
		}
	}
	scap_reader_close(r);
	return sum;
}

/*
 * The thread's clock leaves interrupts out, which take long on a busy host, and so may its end,
 * after it looked: got may be more, but never less.
 */
#define SLACK_NS 60000000

static int sched(const char *capture, const char *truth)
{
	long preempted, nivcsw;
	long long want;
	FILE *f = fopen(truth, "r");
	unsigned tid;
	int n = 0;

	for (; f && fscanf(f, "%u %lld %ld", &tid, &want, &nivcsw) == 3; n++) {
		long long got = (long long)ran_ns(capture, tid, &preempted), diff = got - want;

		printf("%u: %lld ns of %lld, %+.2f %%; %ld involuntary switches of %ld\n", tid, got,
		       want, 100.0 * diff / want, preempted, nivcsw);
		check(diff > -want / 50 && diff < want / 50 + SLACK_NS,
		      "%u: %lld ns, should be %lld", tid, got, want);
		/* A few more may come between its look and its end. */
		check(preempted >= nivcsw && preempted <= nivcsw + 4,
		      "%u: %ld involuntary switches, should be %ld", tid, preempted, nivcsw);
	}
	return n;
}

int main(int argc, char **argv)
{
	int n = 0;

	if (argc == 4 && !strcmp(argv[1], "exits"))
		n = exits(argv[2], argv[3]);
	else if (argc == 8 && !strcmp(argv[1], "args"))
		n = args(argv + 2);
	else if (argc == 4 && !strcmp(argv[1], "sched"))
		n = sched(argv[2], argv[3]);
	else
		die("usage");
	return n == 0 || n_fails;
}
