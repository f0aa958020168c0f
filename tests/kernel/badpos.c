/* SPDX-License-Identifier: MIT */
/*
 * badpos SECONDS: a consumer whose positions lie while the machine makes calls.
 *	1. Only lies: the ring takes what fits, and then nothing, for nothing was read.
 *	2. Random values everywhere in the page, some of which the kernel must believe.
 *	3. The reader comes to its senses: whole records in sequence, and GAPs for the rest.
 */
#include "device.h"
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define MAX_RINGS 64
#define RING (1UL << 16)
#define SIZE8 ((uint32_t)(RING / 8))

static uint32_t n_cpus, n_rings;
static int fd;
static const volatile struct scap_ring_ctl *ctl;
static volatile struct scap_ring_pos *pos;
static const uint8_t *data[MAX_RINGS];
static uint64_t seed = 0x2545f4914f6cdd1dULL;

static void *must_map(uint64_t offset, size_t bytes, int prot)
{
	void *p = mmap(NULL, bytes, prot, MAP_SHARED, fd, (off_t)offset);

	if (p == MAP_FAILED)
		die("mmap of %#llx", (unsigned long long)offset);
	return p;
}

static void attach(void)
{
	fd = device_open();
	n_cpus = device_info(fd).n_cpus;
	n_rings = device_n_rings(fd);
	if (n_rings > MAX_RINGS || device_setup(fd, RING) < 0)
		die("SCAP_IOC_SETUP");
	ctl = must_map(SCAP_MMAP_CTL, whole_pages(n_rings * sizeof(*ctl)), PROT_READ);
	pos = must_map(SCAP_MMAP_POS, whole_pages(n_rings * sizeof(*pos)), PROT_READ | PROT_WRITE);
	for (uint32_t i = 0; i < n_rings; i++)
		data[i] = must_map(SCAP_MMAP_DATA(i), 2 * RING, PROT_READ);
	if (ioctl(fd, SCAP_IOC_START) < 0)
		die("SCAP_IOC_START");
}

static uint64_t head_of(uint32_t ring)
{
	return __atomic_load_n(&ctl[ring].head, __ATOMIC_ACQUIRE);
}

/* ---- lies ----------------------------------------------------------------------------------- */

/*
 * While the head is in the ring's first round, these are all further than one ring behind it, or
 * before it.
 */
static void lie(uint32_t ring)
{
	uint32_t lies[] = { SIZE8 + 1, 0U - SIZE8 - 1, 1U << 31, 0x55555555, 2 * SIZE8,
			    SIZE8 + 1 + (uint32_t)(rnd(&seed) % (UINT32_MAX - 3 * SIZE8)) };

	pos[ring].tail = PICK(&seed, lies);
}

/* More records than the ring could ever hold, in each ring. */
static bool overrun(const uint32_t *first_seq)
{
	for (uint32_t i = 0; i < n_rings; i++)
		if ((uint32_t)(head_of(i) >> 32) - first_seq[i] <= SIZE8 / 4)
			return false;
	return true;
}

/* For so long at least; on a slow machine until all rings have overrun, or plainly never will. */
static void only_lies(long seconds)
{
	time_t begin = time(NULL);
	uint32_t first_seq[MAX_RINGS], max = 0;

	for (uint32_t i = 0; i < n_rings; i++)
		first_seq[i] = head_of(i) >> 32;
	while (time(NULL) < begin + seconds ||
	       (!overrun(first_seq) && time(NULL) < begin + 60)) {
		for (int k = 0; k < 1000; k++)
			lie((uint32_t)k % n_rings);
		for (uint32_t i = 0; i < n_rings; i++) {
			uint32_t at = (uint32_t)head_of(i);

			want(at <= SIZE8, "ring %u: the head is at %u of %u, and nothing was read",
			     i, at, SIZE8);
			if (at > max)
				max = at;
		}
	}
	want(overrun(first_seq), "the rings were not overrun");
	printf("lies: the fullest ring has %u of %u\n", max, SIZE8);
}

static void only_garbage(time_t end)
{
	volatile uint32_t *word = (volatile uint32_t *)pos;
	uint64_t n = 0;

	while (time(NULL) < end) {
		for (int k = 0; k < 1000; k++, n++) {
			uint32_t ring = below(&seed, n_rings), head = (uint32_t)head_of(ring);
			uint32_t near[] = { head, head - 1, head - SIZE8, head - SIZE8 - 1,
					    head + 1, head - below(&seed, SIZE8),
					    (uint32_t)rnd(&seed) };

			word[below(&seed, PAGE / 4)] = (uint32_t)rnd(&seed);
			pos[ring].tail = PICK(&seed, near);
		}
	}
	printf("garbage: %llu values\n", (unsigned long long)n);
}

/* ---- sense ---------------------------------------------------------------------------------- */

struct ring_reader {
	uint32_t tail;
	uint32_t seq;		/* expected next */
	bool begun;
	uint64_t n_records, n_lost;
	uint64_t last_ns;
};

/* Several numbers are missing only where a GAP says so. */
static bool check_record(uint32_t ring, struct ring_reader *r, const struct scap_rec *rec,
			 uint32_t left8)
{
	const struct scap_rec_gap *gap = (const void *)rec;
	uint32_t expected = r->seq;

	if (!r->begun)
		expected = rec->type == SCAP_REC_GAP ? gap->first_seq : rec->seq;
	r->begun = true;
	if (rec->type == SCAP_REC_GAP) {
		r->n_lost += gap->n_lost;
		if (!want(gap->first_seq == expected && gap->first_seq + gap->n_lost == rec->seq,
			  "ring %u: a gap of %u from %u before %u, should be from %u", ring,
			  gap->n_lost, gap->first_seq, rec->seq, expected))
			return false;
		expected = rec->seq;
	}
	if (!want(rec->len8 >= 2 && rec->len8 <= left8 && rec->type < SCAP_REC_TYPES &&
		  rec->seq == expected && rec->time_ns >= r->last_ns,
		  "ring %u: a record of type %u, %u units of %u, number %u, should be %u", ring,
		  rec->type, rec->len8, left8, rec->seq, expected))
		return false;
	r->seq = expected + 1;
	r->last_ns = rec->time_ns;
	r->n_records++;
	return true;
}

static bool drain(uint32_t ring, struct ring_reader *r)
{
	uint64_t head = head_of(ring);
	uint32_t left8 = (uint32_t)head - r->tail;

	if (!want(left8 <= SIZE8, "ring %u: the head is %u units ahead", ring, left8))
		return false;
	while (left8) {
		const struct scap_rec *rec =
			(const void *)(data[ring] + (size_t)(r->tail & (SIZE8 - 1)) * 8);

		if (!check_record(ring, r, rec, left8))
			return false;
		left8 -= rec->len8;
		r->tail += rec->len8;
	}
	__atomic_store_n(&pos[ring].tail, r->tail, __ATOMIC_RELEASE);
	return true;
}

/*
 * A first honest tail is the head, from where on everything counts. The kernel may still owe a GAP
 * for what was lost before: the first record's number is taken as it is.
 */
static void only_sense(time_t end)
{
	struct ring_reader r[MAX_RINGS] = { { 0 } };
	uint64_t n = 0, lost = 0;
	bool ok = true;

	for (uint32_t i = 0; i < n_rings; i++)
		pos[i].tail = (uint32_t)head_of(i);
	usleep(200000);
	for (uint32_t i = 0; i < n_rings; i++) {
		r[i].tail = (uint32_t)head_of(i);
		pos[i].tail = r[i].tail;
	}
	while (ok && time(NULL) < end)
		for (uint32_t i = 0; ok && i < n_rings; i++)
			ok = drain(i, &r[i]);
	for (uint32_t i = 0; i < n_rings; i++) {
		want(r[i].n_records > 10, "ring %u: only %llu records", i,
		     (unsigned long long)r[i].n_records);
		n += r[i].n_records;
		lost += r[i].n_lost;
	}
	printf("sense: %llu records, %llu lost\n", (unsigned long long)n,
	       (unsigned long long)lost);
}

/* One process on each CPU that makes calls. */
static void load(pid_t *pids)
{
	for (uint32_t i = 0; i < n_cpus; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i, &set);
		sched_setaffinity(0, sizeof(set), &set);
		for (;;) {
			raw(SYS_getppid, 0, 0, 0, 0, 0, 0);
			raw(SYS_unshare, 0, 0, 0, 0, 0, 0);
			raw(SYS_close, -1, 0, 0, 0, 0, 0);
			raw(SYS_openat, -100, (long)"/proc/self/comm", 0, 0, 0, 0);
			raw(SYS_close, 3, 0, 0, 0, 0, 0);
		}
	}
}

int main(int argc, char **argv)
{
	long seconds = argc > 1 ? atol(argv[1]) : 3;
	pid_t pids[MAX_RINGS];
	time_t now;

	attach();
	load(pids);
	only_lies(seconds);
	now = time(NULL);
	only_garbage(now + seconds);
	only_sense(now + 2 * seconds);
	for (uint32_t i = 0; i < n_cpus; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	printf("checked %u\n", n_checked);
	return n_fails != 0;
}
