/* SPDX-License-Identifier: MIT */
/*
 * badioctl order		calls in the wrong order, structures of every size
 * badioctl garbage CALLS	so many ioctls of garbage, from several threads on the same
 *				descriptors, which are closed and replaced meanwhile
 * badioctl attach SECONDS	rings that are never started
 * What is refused, and how, is checked; what the module does not refuse must only be harmless.
 */
#include "device.h"
#include <poll.h>
#include <pthread.h>

/* Commands that expect a structure. */
static const unsigned known[] = {
	SCAP_IOC_INFO, SCAP_IOC_SETUP, SCAP_IOC_FILTER, SCAP_IOC_TREE_ADD, SCAP_IOC_WATERMARK,
	SCAP_IOC_CLOCK, SCAP_IOC_STATS, SCAP_IOC_SNAPLEN,
};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

/* Numbers up to here have a meaning, or had one; those above may get one. */
#define LAST_NR 10
#define NRS 32

static int known_of(unsigned cmd)
{
	for (unsigned i = 0; i < N_KNOWN; i++)
		if (_IOC_NR(known[i]) == _IOC_NR(cmd))
			return (int)i;
	return -1;
}

/* n pages that can be used, and one behind them that can't. */
static uint8_t *guarded(unsigned n)
{
	uint8_t *p = mmap(NULL, (n + 1) * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + n * PAGE, PAGE, PROT_NONE) < 0)
		die("mmap");
	return p;
}

/* ---- order and sizes ------------------------------------------------------------------------ */

static long ask(int fd, unsigned cmd, const void *arg)
{
	return code(ioctl(fd, cmd, arg));
}

static void refused(int fd, unsigned cmd, const void *arg, int error, const char *what)
{
	long rc = ask(fd, cmd, arg);

	want(rc == -error, "%s: %ld, should be %d", what, rc, -error);
}

static void wrong_order(void)
{
	struct scap_filter_spec spec = { .size = sizeof(spec) };
	struct scap_stats stats = { .size = sizeof(stats) };
	struct scap_watermark wm;
	int fd = device_open();

	refused(fd, SCAP_IOC_START, NULL, EINVAL, "start before setup");
	refused(fd, SCAP_IOC_FLUSH, NULL, EINVAL, "flush before start");
	refused(fd, SCAP_IOC_WATERMARK, &wm, EINVAL, "watermark before start");
	refused(fd, SCAP_IOC_STATS, &stats, EINVAL, "stats before start");
	want(ask(fd, SCAP_IOC_STOP, NULL) == 0, "stop before start is no error");
	refused(fd, SCAP_IOC_TREE_ADD, &(uint32_t){ 0x7ffffff }, ESRCH, "tree of nobody");
	refused(fd, SCAP_IOC_TREE_ADD, &(uint32_t){ 0 }, ESRCH, "tree of process 0");
	spec.flags = SCAP_FILTER_CGROUP;
	want(ask(fd, SCAP_IOC_FILTER, &spec) < 0, "a cgroup that is not there");
	spec.flags = 1U << 31;
	refused(fd, SCAP_IOC_FILTER, &spec, EINVAL, "an unknown filter");
	want(!device_setup(fd, 1 << 16), "setup");
	want(device_setup(fd, 1 << 16) == -EBUSY, "setup twice");
	want(ask(fd, SCAP_IOC_START, NULL) == 0, "start");
	refused(fd, SCAP_IOC_START, NULL, EINVAL, "start twice");
	spec.flags = 0;
	refused(fd, SCAP_IOC_FILTER, &spec, EBUSY, "filter after start");
	want(ask(fd, SCAP_IOC_STOP, NULL) == 0, "stop");
	want(ask(fd, SCAP_IOC_STOP, NULL) == 0, "stop twice is no error");
	refused(fd, SCAP_IOC_START, NULL, EINVAL, "start after stop");
	want(ask(fd, SCAP_IOC_FLUSH, NULL) == 0, "flush after stop");
	close(fd);
}

static void bad_setups(void)
{
	static const struct scap_setup bad[] = {
		{ .ring_bytes = 0 }, { .ring_bytes = 4096 }, { .ring_bytes = 65537 },
		{ .ring_bytes = 3 << 16 }, { .ring_bytes = 2ULL << 30 },
		{ .ring_bytes = 1ULL << 63 }, { .ring_bytes = ~0ULL },
		{ .ring_bytes = 1 << 16, .pad = 1 },
	};
	static const uint32_t snaplens[] = { SCAP_SNAPLEN_MAX + 1, 1U << 31, ~0U };
	struct scap_setup s;
	int fd = device_open();
	uint64_t others = device_info(fd).ring_used_bytes;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		s = bad[i];
		s.size = sizeof(s);
		s.abi_version = SCAP_ABI_VERSION;
		refused(fd, SCAP_IOC_SETUP, &s, EINVAL, "a bad setup");
	}
	for (unsigned i = 0; i < sizeof(snaplens) / sizeof(snaplens[0]); i++) {
		s = (struct scap_setup){ .size = sizeof(s), .ring_bytes = 1 << 16,
					 .abi_version = SCAP_ABI_VERSION };
		memcpy(&s.snaplen, &snaplens[i], sizeof(snaplens[i]));
		refused(fd, SCAP_IOC_SETUP, &s, EINVAL, "a bad snaplen");
	}
	s = (struct scap_setup){ .size = sizeof(s), .ring_bytes = 1 << 16,
				 .abi_version = SCAP_ABI_VERSION + 1 };
	refused(fd, SCAP_IOC_SETUP, &s, EPROTO, "setup of another version");
	s.abi_version = SCAP_ABI_VERSION;
	s.ring_bytes = 1 << 30;
	refused(fd, SCAP_IOC_SETUP, &s, ENOSPC, "rings above the cap");
	want(device_info(fd).ring_used_bytes == others, "refused rings hold memory");
	close(fd);
}

/* Calls that the device does not know. */
static void other_calls(void)
{
	int fd = device_open();
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c = 0;

	want(code(read(fd, &c, 1)) == -EINVAL, "read");
	want(code(write(fd, &c, 1)) == -EINVAL, "write");
	want(code(lseek(fd, 0, SEEK_SET)) == -ESPIPE, "lseek");
	want(poll(&p, 1, 0) == 1 && p.revents == POLLERR, "poll before start: %#x", p.revents);
	close(fd);
}

/* One more than there may be. */
static void too_many(void)
{
	int many[16], n = 0, fd = device_open();
	unsigned max = device_info(fd).max_consumers;

	close(fd);
	while (n < 16 && (many[n] = open(SCAP_DEVICE_PATH, O_RDWR)) >= 0)
		n++;
	want(errno == EBUSY && n <= (int)max && n > 0, "%d consumers of %u, then %d", n, max,
	     errno);
	while (n > 0)
		close(many[--n]);
	close(device_open());
}

/* The structure ends where readable memory ends: one byte more than was said is a fault. */
static void sizes_read(int fd)
{
	uint8_t *page = guarded(2);

	for (unsigned n = 4; n <= PAGE + 8; n++) {
		uint8_t *at = page + 2 * PAGE - n;
		struct scap_filter_spec spec = { .size = n };
		unsigned copied = n < sizeof(spec) ? n : sizeof(spec);

		memset(at, 0, n);
		memcpy(at, &spec, copied);
		want(ask(fd, SCAP_IOC_FILTER, at) == (n < 8 || n > PAGE ? -EINVAL : 0),
		     "a filter of %u bytes: %ld", n, ask(fd, SCAP_IOC_FILTER, at));
		if (n <= sizeof(spec) || n > PAGE)
			continue;
		at[n - 1] = 1;
		refused(fd, SCAP_IOC_FILTER, at, E2BIG, "a filter with something more");
	}
	for (unsigned n = 1; n < 4; n++)
		refused(fd, SCAP_IOC_FILTER, page + 2 * PAGE - n, EFAULT, "less than a size");
	munmap(page, 3 * PAGE);
}

/* No byte is written behind the room that the caller told of. */
static void sizes_written(int fd)
{
	uint8_t *page = guarded(2);

	for (unsigned n = 4; n < 600; n++) {
		uint8_t *at = page + 2 * PAGE - n;
		uint32_t size = n;

		memset(page, 0xee, 2 * PAGE);
		memcpy(at, &size, 4);
		want(ask(fd, SCAP_IOC_INFO, at) == (n < 8 ? -EINVAL : 0), "info of %u bytes", n);
		memcpy(&size, at, 4);
		if (n >= 8)
			want(size == (n < sizeof(struct scap_info) ? n : sizeof(struct scap_info)),
			     "info of %u bytes says that %u are filled in", n, size);
		at = page;
		memset(at, 0xee, PAGE);
		memcpy(at, &n, 4);
		ask(fd, SCAP_IOC_INFO, at);
		for (unsigned i = n; i < 600; i++)
			if (!want(at[i] == 0xee, "info of %u bytes wrote byte %u", n, i))
				break;
	}
	munmap(page, 3 * PAGE);
}

static int order(void)
{
	int fd;

	wrong_order();
	bad_setups();
	other_calls();
	too_many();
	fd = device_open();
	sizes_read(fd);
	sizes_written(fd);
	close(fd);
	printf("checked %u\n", n_checked);
	return n_fails != 0;
}

/* ---- garbage -------------------------------------------------------------------------------- */

#define N_THREADS 4
#define N_FDS 3
#define ERRNO_MAX 600

static int fds[N_FDS];
static long n_calls_each;
static long n_by_errno[ERRNO_MAX];
static long n_opened;

struct arg {
	void *p;
	bool is_bad;	/* not a byte of it can be used */
};

struct worker {
	uint64_t seed;
	uint8_t *pages;		/* two, and a guard */
	uint8_t *readonly;
};

static void random_bytes(uint64_t *seed, void *at, unsigned n)
{
	uint8_t *p = at;
	uint64_t word;

	for (; n; n -= n < 8 ? n : 8, p += 8) {
		word = rnd(seed);
		memcpy(p, &word, n < 8 ? n : 8);
	}
}

/* A structure that gets past the first checks, sometimes past all. */
static void plausible(struct worker *w, uint8_t *at, unsigned nr)
{
	static const uint32_t sizes[] = { 0, 4, 7, 8, 9, 24, 40, 64, 288, 4096, 4097, ~0U };
	uint64_t words[64];
	uint32_t first[2] = { PICK(&w->seed, sizes), SCAP_ABI_VERSION };

	memset(words, 0, sizeof(words));
	if (below(&w->seed, 4) == 0)
		random_bytes(&w->seed, words, sizeof(words));
	if (nr == _IOC_NR(SCAP_IOC_SETUP)) {
		words[1] = below(&w->seed, 2) ? 1ULL << (14 + below(&w->seed, 18)) : rnd(&w->seed);
		words[2] = below(&w->seed, 2) ? 0 : below(&w->seed, 70000);
		words[3] = below(&w->seed, 70000);
		if (below(&w->seed, 8))
			first[0] = sizeof(struct scap_setup);
		first[1] += !below(&w->seed, 8);
	} else if (nr == _IOC_NR(SCAP_IOC_FILTER)) {
		if (below(&w->seed, 8))
			first[0] = sizeof(struct scap_filter_spec);
		first[1] = below(&w->seed, 64);
		words[1] = below(&w->seed, 100);
		words[3] = below(&w->seed, 20);
		words[4] = below(&w->seed, 100);
	} else if (nr == _IOC_NR(SCAP_IOC_SNAPLEN)) {
		for (unsigned i = 1; i < 3; i++)
			words[i] = (uint64_t)below(&w->seed, 66000) << 32 | below(&w->seed, 66000);
		first[0] = sizeof(struct scap_snaplens);
		/* Those that are taken cost grace periods: few. */
		first[1] = below(&w->seed, 64) ? ~0U : below(&w->seed, 66000);
	} else if (nr == _IOC_NR(SCAP_IOC_TREE_ADD)) {
		first[0] = below(&w->seed, 400);
	}
	memcpy(words, first, sizeof(first));
	memcpy(at, words, sizeof(words));
}

static struct arg garbage_arg(struct worker *w, unsigned nr)
{
	static const uint64_t bad[] = { 0, 1, 4095, ~0ULL, 1ULL << 47, 0xffff888000000000ULL,
					0xffffffff81000000ULL, 0x8000000000000000ULL };
	uint8_t *end = w->pages + 2 * PAGE;
	unsigned n = 1 + below(&w->seed, 400);

	switch (below(&w->seed, 16)) {
	case 0:
	case 1:
		return (struct arg){ (void *)PICK(&w->seed, bad), true };
	case 2:
		return (struct arg){ end, true };
	case 3:
		return (struct arg){ (void *)(rnd(&w->seed) | 1ULL << 63), true };
	case 4:
		return (struct arg){ end - below(&w->seed, 64), false };
	case 5:
		return (struct arg){ w->readonly + below(&w->seed, PAGE - 512), false };
	case 6:
	case 7:
		random_bytes(&w->seed, end - n, n);
		return (struct arg){ end - n, false };
	default:
		plausible(w, w->pages + 64, nr);
		return (struct arg){ w->pages + 64, false };
	}
}

static unsigned garbage_cmd(struct worker *w)
{
	/* Not those of which the kernel itself knows some. */
	static const uint8_t others[] = { 0xB4, 0xB6, 0x35, 0x01, 0xff, 0xAE };
	unsigned nr = below(&w->seed, NRS), size = below(&w->seed, 1 << 14);
	unsigned type = below(&w->seed, 32) ? SCAP_IOC_MAGIC : PICK(&w->seed, others);
	int k = known_of(nr);

	if (k >= 0 && below(&w->seed, 2))
		return known[k];
	return _IOC(below(&w->seed, 4), type, nr, size);
}

static bool is_an_answer(int error)
{
	static const int answers[] = { EFAULT, EINVAL, EPROTO, EBUSY, ENOSPC, ENOMEM, ENOENT,
				       ESRCH, ENOTTY, EINTR, E2BIG, EBADF, EPERM, EAGAIN,
				       EOPNOTSUPP };

	for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (error == answers[i])
			return true;
	return false;
}

/* In the middle of other threads' calls on it. */
static void replace(int slot)
{
	int fd = open(SCAP_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	/* Consumers that are not gone yet may be too many. */
	if (fd < 0)
		return;
	__atomic_add_fetch(&n_opened, 1, __ATOMIC_RELAXED);
	if (dup2(fd, fds[slot]) < 0)
		die("dup2");
	close(fd);
}

static void one_call(struct worker *w)
{
	unsigned cmd = garbage_cmd(w), nr = _IOC_NR(cmd);
	struct arg arg = garbage_arg(w, nr);
	int fd = PICK(&w->seed, fds);
	long rc = ask(fd, cmd, arg.p);

	if (_IOC_TYPE(cmd) != SCAP_IOC_MAGIC || !nr)
		want(rc == -ENOTTY, "ioctl %#x: %ld", cmd, rc);
	else if (arg.is_bad && known_of(cmd) >= 0)
		want(rc < 0, "ioctl %#x with the pointer %p: %ld", cmd, arg.p, rc);
	if (nr <= LAST_NR || rc < 0)
		want(rc <= 0 && rc > -ERRNO_MAX && (!rc || is_an_answer((int)-rc)),
		     "ioctl %#x: %ld", cmd, rc);
	if (rc <= 0 && rc > -ERRNO_MAX)
		__atomic_add_fetch(&n_by_errno[-rc], 1, __ATOMIC_RELAXED);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	w->pages = guarded(2);
	w->readonly = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (long i = 0; i < n_calls_each; i++) {
		if (below(&w->seed, 16384) == 0)
			replace((int)below(&w->seed, N_FDS));
		one_call(w);
	}
	return NULL;
}

static int garbage(long n_calls)
{
	struct worker w[N_THREADS];
	pthread_t t[N_THREADS];
	long n = 0;

	n_calls_each = n_calls / N_THREADS;
	for (int i = 0; i < N_FDS; i++)
		fds[i] = device_open();
	for (int i = 0; i < N_THREADS; i++) {
		w[i].seed = 0x9e3779b97f4a7c15ULL * (unsigned)(i + 1);
		if (pthread_create(&t[i], NULL, work, &w[i]))
			die("pthread_create");
	}
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(t[i], NULL);
	for (int e = 0; e < ERRNO_MAX; e++) {
		n += n_by_errno[e];
		if (n_by_errno[e])
			printf("%s %ld\n", e ? strerrorname_np(e) : "accepted", n_by_errno[e]);
	}
	printf("calls %ld\nopened %ld\n", n, n_opened);
	return n_fails != 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "order"))
		return order();
	if (argc == 3 && !strcmp(argv[1], "garbage"))
		return garbage(atol(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "attach"))
		return device_setup(device_open(), 1 << 16) || sleep(atoi(argv[2]));
	return 2;
}
