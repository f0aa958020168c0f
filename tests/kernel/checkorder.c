/* SPDX-License-Identifier: MIT */
/*
 * checkorder CAPTURE ROUNDS BOUND: `handover`'s calls, each of which ended before the next began.
 * By how much, at most, do the recorded times say otherwise: between two ends, and between an end
 * and the next beginning? More than BOUND ns is a failure.
 */
#include "capture.h"

#define FIRST 0x10000000

struct call {
	uint64_t begin_ns, end_ns;
	uint32_t cpu;
	bool there;
};

static struct call *calls;
static long rounds;

static long read_calls(const char *path)
{
	struct scap_reader *r = capture_open(path);
	const struct scap_event *ev;
	long n_seen = 0;

	while ((ev = capture_next(r)) != NULL) {
		long n = (long)ev->args[0] - FIRST;

		if (!is_call(ev) || strcmp(scap_event_name(ev), "getpgid") || n < 0 || n >= rounds)
			continue;
		if (calls[n].there || ev->latency_ns == SCAP_LATENCY_NONE) {
			printf("FAIL call %ld is there twice, or has no latency\n", n);
			exit(1);
		}
		calls[n] = (struct call){ ev->raw_ns - ev->latency_ns, ev->raw_ns, ev->cpu, true };
		n_seen++;
	}
	scap_reader_close(r);
	return n_seen;
}

static int64_t max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int main(int argc, char **argv)
{
	int64_t ends = INT64_MIN, begins = INT64_MIN, bound;
	long n_seen, n_moves = 0, n_back = 0;

	if (argc != 4)
		die("usage: checkorder CAPTURE ROUNDS BOUND");
	rounds = atol(argv[2]);
	bound = atoll(argv[3]);
	calls = calloc(rounds, sizeof(*calls));
	if (!calls)
		die("calloc");
	n_seen = read_calls(argv[1]);
	for (long n = 1; n < rounds && n_seen == rounds; n++) {
		int64_t begin = (int64_t)(calls[n - 1].end_ns - calls[n].begin_ns);

		ends = max(ends, (int64_t)(calls[n - 1].end_ns - calls[n].end_ns));
		begins = max(begins, begin);
		n_back += begin > 0;
		n_moves += calls[n].cpu != calls[n - 1].cpu;
	}
	printf("calls %ld\nmoves %ld\nback %ld\nends %lld\nbegins %lld\n", n_seen, n_moves, n_back,
	       (long long)ends, (long long)begins);
	if (n_seen != rounds || n_moves < rounds / 2 || max(ends, begins) > bound) {
		printf("FAIL should be %ld calls, most on another CPU than the one before, and at "
		       "most %lld ns back\n", rounds, (long long)bound);
		return 1;
	}
	return 0;
}
