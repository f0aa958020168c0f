/* SPDX-License-Identifier: MIT */
/*
 * ticks run FILE N: makes N numbered calls each millisecond, and notes in FILE, which is mapped,
 * how many it had made when.
 * ticks kill FILE MS PID...: SIGKILL for each PID; prints how many calls there were by now, and
 * MS ms before. Without PID nothing is killed.
 * ticks check CAPTURE FROM TO: all calls from FROM to the last one there are in the capture, each
 * once, and the last one is not before TO; a line that begins with FAIL says what is not so. Prints
 * the first, the last and how many there are.
 */
#include "capture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#define FIRST 0x10000000	/* no process has such a number */
#define N_NOTES 65536
#define MOST_CALLS (1 << 24)

struct notes {
	volatile unsigned long n;	/* that were written */
	struct {
		uint64_t ns;
		unsigned long calls;
	} notes[N_NOTES];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct notes *map_notes(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644);
	struct notes *n;

	if (fd < 0 || ftruncate(fd, sizeof(*n)) < 0)
		die("%s", path);
	n = mmap(NULL, sizeof(*n), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (n == MAP_FAILED)
		die("mmap");
	return n;
}

static void run(struct notes *notes, int per_ms)
{
	for (unsigned long calls = 0;;) {
		for (int i = 0; i < per_ms; i++)
			raw(SYS_getpgid, FIRST + (long)calls++, 0, 0, 0, 0, 0);
		notes->notes[notes->n % N_NOTES].calls = calls;
		notes->notes[notes->n % N_NOTES].ns = now_ns();
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		notes->n++;
		usleep(1000);
	}
}

/* How many calls had been made at ns; 0 where nothing is known of that time any more. */
static unsigned long calls_at(const struct notes *notes, uint64_t ns)
{
	unsigned long n = notes->n, first = n > N_NOTES / 2 ? n - N_NOTES / 2 : 0;

	while (n > first && notes->notes[(n - 1) % N_NOTES].ns > ns)
		n--;
	return n > first ? notes->notes[(n - 1) % N_NOTES].calls : 0;
}

static void kill_all(const struct notes *notes, uint64_t ago_ns, char **pids)
{
	uint64_t now = now_ns();

	for (; *pids; pids++)
		if (kill(atoi(*pids), SIGKILL) < 0)
			die("kill %s", *pids);
	printf("%lu %lu\n", calls_at(notes, now), calls_at(notes, now - ago_ns));
}

/* The next event, also of a capture without an end; NULL: no more, or damage, which is told. */
static const struct scap_event *next(struct scap_reader *r)
{
	const struct scap_event *ev;
	int rc = scap_reader_next(r, &ev);

	if (rc < 0 && rc != SCAP_ETRUNCATED)
		printf("FAIL the capture: %s\n", scap_reader_error(r)->text);
	return rc == 0 ? ev : NULL;
}

static void check(const char *path, unsigned long from, unsigned long to)
{
	static uint8_t seen[MOST_CALLS];
	unsigned long n_calls = 0, first = 0, last = 0, twice = 0, missing = 0;
	struct scap_reader *r = capture_open(path);
	const struct scap_event *ev;

	while ((ev = next(r)) != NULL) {
		unsigned long k = (unsigned long)ev->args[0] - FIRST;

		if (!is_call(ev) || k >= MOST_CALLS || strcmp(scap_event_name(ev), "getpgid"))
			continue;
		first = n_calls++ ? first : k;
		last = k;
		twice += seen[k];
		seen[k] = 1;
	}
	scap_reader_close(r);
	for (unsigned long k = from; k < last; k++)
		missing += !seen[k];
	if (twice || missing)
		printf("FAIL %lu calls are missing, %lu are there twice\n", missing, twice);
	if (last + 1 < to)
		printf("FAIL the last call there is %lu, there should be all up to %lu\n", last,
		       to);
	printf("%lu %lu %lu\n", first, last, n_calls);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "run"))
		run(map_notes(argv[2]), atoi(argv[3]));
	else if (argc >= 4 && !strcmp(argv[1], "kill"))
		kill_all(map_notes(argv[2]), (uint64_t)atoi(argv[3]) * 1000000, argv + 4);
	else if (argc == 5 && !strcmp(argv[1], "check"))
		check(argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
	else
		die("usage: ticks run FILE N | kill FILE MS PID... | check CAPTURE FROM TO");
	return 0;
}
