/* SPDX-License-Identifier: MIT */
/*
 * Attaches to the module while the first, second, third ... allocation fails, until none is left
 * that could: once for each step of attaching. Each time the step must succeed or say -ENOMEM
 * (-EFAULT: reads of user memory fail, too), must succeed when it is tried again without failures,
 * and the end of the file must give everything back. Prints "STEP FAILED ENDURED"; needs a kernel
 * with fault injection.
 */
#include "guest.h"

#include <fcntl.h>
#include <scap/abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define RING_BYTES	(64 << 10)
#define MAX_NTH		4000

static int control;		/* a consumer that only asks */
static int nth_fd;
static int fd = -1;		/* the consumer under test */
static int n_wrong;
static int n_maps;
static uint64_t root_cgroup;

static struct {
	void *start;
	size_t bytes;
} maps[8];

static long result(long rc)
{
	return rc < 0 ? -errno : rc;
}

static long do_open(void)
{
	fd = open("/dev/kscap", O_RDWR | O_CLOEXEC);
	return result(fd);
}

static long do_info(void)
{
	struct scap_info info = { .size = sizeof(info) };

	return result(ioctl(fd, SCAP_IOC_INFO, &info));
}

static long do_setup(void)
{
	struct scap_setup setup = {
		.size = sizeof(setup),
		.abi_version = SCAP_ABI_VERSION,
		.ring_bytes = RING_BYTES,
		.snaplen = { SCAP_SNAPLEN_DEFAULT },
	};

	return result(ioctl(fd, SCAP_IOC_SETUP, &setup));
}

static long map(size_t bytes, int prot, uint64_t offset)
{
	void *p = mmap(NULL, bytes, prot, MAP_SHARED, fd, (off_t)offset);

	if (p == MAP_FAILED)
		return -errno;
	maps[n_maps].start = p;
	maps[n_maps++].bytes = bytes;
	return 0;
}

/* A mapping holds the file. To take one away may fail, too, so this is done without failures. */
static void end(void)
{
	while (n_maps > 0) {
		n_maps--;
		if (munmap(maps[n_maps].start, maps[n_maps].bytes) < 0)
			die("munmap");
	}
	close(fd);
}

static long do_map_ctl(void)
{
	return map(4096, PROT_READ, SCAP_MMAP_CTL);
}

static long do_map_pos(void)
{
	return map(4096, PROT_READ | PROT_WRITE, SCAP_MMAP_POS);
}

static long do_map_data(void)
{
	return map(2 * RING_BYTES, PROT_READ, SCAP_MMAP_DATA(0));
}

static long do_filter(void)
{
	struct scap_filter_spec spec = {
		.size = sizeof(spec),
		.flags = SCAP_FILTER_TREE | SCAP_FILTER_CGROUP,
		.n_cgroups = 1,
		.cgroup_ids = { root_cgroup },
	};

	return result(ioctl(fd, SCAP_IOC_FILTER, &spec));
}

static long do_tree_add(void)
{
	uint32_t tgid = (uint32_t)getpid();

	return result(ioctl(fd, SCAP_IOC_TREE_ADD, &tgid));
}

static long do_start(void)
{
	return result(ioctl(fd, SCAP_IOC_START));
}

static long do_watermark(void)
{
	struct scap_watermark wm;

	return result(ioctl(fd, SCAP_IOC_WATERMARK, &wm));
}

static long do_flush(void)
{
	return result(ioctl(fd, SCAP_IOC_FLUSH));
}

static long do_stats(void)
{
	struct scap_stats stats = { .size = sizeof(stats) };

	return result(ioctl(fd, SCAP_IOC_STATS, &stats));
}

static long do_snaplen(void)
{
	struct scap_snaplens lens = { .size = sizeof(lens), .snaplen = { 4096, 4096 } };

	return result(ioctl(fd, SCAP_IOC_SNAPLEN, &lens));
}

static long do_stop(void)
{
	return result(ioctl(fd, SCAP_IOC_STOP));
}

static const struct step {
	const char *name;
	long (*run)(void);
} steps[] = {
	{ "open", do_open }, { "info", do_info }, { "setup", do_setup }, { "map-ctl", do_map_ctl },
	{ "map-pos", do_map_pos }, { "map-data", do_map_data }, { "filter", do_filter },
	{ "tree-add", do_tree_add }, { "start", do_start }, { "watermark", do_watermark },
	{ "flush", do_flush }, { "stats", do_stats },
	{ "snaplen", do_snaplen }, { "stop", do_stop },
	/* The probes attached by START alone. */
	{ "open", do_open }, { "setup", do_setup }, { "start", do_start },
};

#define N_STEPS		(sizeof(steps) / sizeof(steps[0]))
#define N_FIRST		14	/* steps of the first consumer, the rest are the second's */

/* The nth allocation of this thread fails from now on; 0: none. */
static void arm(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(nth_fd, text, (size_t)len, 0) != len && errno != EFAULT)
		die("fail-nth");
}

/*
 * Did the failure come? What is left of the countdown tells. To ask counts, too: where the last one
 * hits the question or the end of the countdown, those fail instead, and it is over.
 */
static bool disarm(void)
{
	char text[16] = "";
	ssize_t n = pread(nth_fd, text, sizeof(text) - 1, 0);

	if (n < 0 && errno != EFAULT)
		die("fail-nth");
	arm(0);
	return n > 0 && atoi(text) == 0;
}

static void wrong(const char *step, int n, const char *what, long got)
{
	printf("WRONG %s with failure %d: %s %ld\n", step, n, what, got);
	n_wrong++;
}

static void run_all(size_t from, size_t to, const char *of, int n)
{
	for (size_t i = from; i < to; i++) {
		long rc = steps[i].run();

		if (rc < 0)
			wrong(of, n, steps[i].name, rc);
	}
}

/* Ring memory is in use while a file with rings is open, and never longer. */
static void check_used(const char *step, int n)
{
	struct scap_info info = { .size = sizeof(info) };

	if (ioctl(control, SCAP_IOC_INFO, &info) < 0)
		die("INFO");
	if (info.ring_used_bytes)
		wrong(step, n, "ring bytes still in use:", (long)info.ring_used_bytes);
}

/* One attempt at step k, with the nth failure in it; whether that failure came. */
static bool attempt(size_t k, int n, int *failed, int *endured)
{
	size_t first = k < N_FIRST ? 0 : N_FIRST;
	size_t last = k < N_FIRST ? N_FIRST : N_STEPS;
	const char *name = steps[k].name;
	bool came;
	long rc;

	run_all(first, k, name, n);
	arm(n);
	rc = steps[k].run();
	came = disarm();
	if (rc < 0 && rc != -ENOMEM && rc != -EFAULT)
		wrong(name, n, "result", rc);
	if (rc < 0 && !came)
		wrong(name, n, "failed although nothing was missing:", rc);
	*failed += came && rc < 0;
	*endured += came && rc >= 0;
	run_all(rc < 0 ? k : k + 1, last, name, n);
	end();
	check_used(name, n);
	return came;
}

int main(void)
{
	struct stat st;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (stat("/sys/fs/cgroup", &st) < 0)
		die("/sys/fs/cgroup");
	root_cgroup = st.st_ino;
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	control = open("/dev/kscap", O_RDWR);
	if (nth_fd < 0 || control < 0)
		die("%s", nth_fd < 0 ? "fail-nth" : "/dev/kscap");
	for (size_t k = 0; k < N_STEPS; k++) {
		int failed = 0, endured = 0, n = 1;

		while (n < MAX_NTH && attempt(k, n, &failed, &endured))
			n++;
		if (n == MAX_NTH)
			wrong(steps[k].name, n, "never ran without a failure", 0);
		printf("%s%s %d %d\n", steps[k].name, k < N_FIRST ? "" : "-alone", failed, endured);
	}
	printf("wrong %d\n", n_wrong);
	return n_wrong != 0;
}
