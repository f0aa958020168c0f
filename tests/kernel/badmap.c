/* SPDX-License-Identifier: MIT */
/*
 * badmap rules		what may be mapped how, and what becomes of the mappings
 * badmap garbage N	so many mappings of random place, size and kind
 */
#include "device.h"
#include <signal.h>
#include <sys/wait.h>

#define RING (1UL << 16)

static uint32_t n_rings;
static size_t ctl_bytes, pos_bytes;

/* Its address, or -errno. */
static long map(int fd, uint64_t offset, size_t bytes, int prot, int flags)
{
	return code((long)mmap(NULL, bytes, prot, flags, fd, (off_t)offset));
}

/* Can the byte be read? Asked of the kernel, so that nothing dies of it. */
static bool readable(long at)
{
	static int p[2] = { -1, -1 };
	char c;

	if (p[0] < 0 && pipe(p) < 0)
		die("pipe");
	return write(p[1], (void *)at, 1) == 1 && read(p[0], &c, 1) == 1;
}

static bool writable(long at)
{
	static int p[2] = { -1, -1 };

	if (p[0] < 0 && pipe(p) < 0)
		die("pipe");
	if (write(p[1], "", 1) != 1)
		die("write");
	return read(p[0], (void *)at, 1) == 1 || (read(p[0], (char[1]){ 0 }, 1), false);
}

static int ready_device(void)
{
	int fd = device_open();

	if (device_setup(fd, RING) < 0)
		die("SCAP_IOC_SETUP");
	return fd;
}

/* ---- rules ---------------------------------------------------------------------------------- */

#define RO PROT_READ
#define RW (PROT_READ | PROT_WRITE)
#define DATA0 SCAP_MMAP_DATA(0)

struct rule {
	uint64_t offset;
	size_t bytes;
	int prot, flags, error;
	const char *what;
};

static void check_rule(int fd, const struct rule *r)
{
	long at = map(fd, r->offset, r->bytes, r->prot, r->flags);

	want(r->error ? at == -r->error : at > 0, "%s: %ld, should be -%d", r->what,
	     at < 0 ? at : 0, r->error);
	if (at > 0)
		munmap((void *)at, r->bytes);
}

static void check_rules(int fd)
{
	const struct rule rules[] = {
		{ SCAP_MMAP_CTL, ctl_bytes, RO, MAP_SHARED, 0, "heads" },
		{ SCAP_MMAP_POS, pos_bytes, RW, MAP_SHARED, 0, "positions" },
		{ SCAP_MMAP_POS, pos_bytes, RO, MAP_SHARED, 0, "positions to read" },
		{ DATA0, 2 * RING, RO, MAP_SHARED, 0, "a ring" },
		{ SCAP_MMAP_CTL, ctl_bytes, RW, MAP_SHARED, EPERM, "heads to write" },
		{ DATA0, 2 * RING, RW, MAP_SHARED, EPERM, "a ring to write" },
		{ DATA0, 2 * RING, PROT_WRITE, MAP_SHARED, EPERM, "a ring only to write" },
		{ DATA0, 2 * RING, RO | PROT_EXEC, MAP_SHARED, EINVAL, "a ring to execute" },
		{ SCAP_MMAP_POS, pos_bytes, RW | PROT_EXEC, MAP_SHARED, EINVAL, "code" },
		{ SCAP_MMAP_CTL, ctl_bytes, RO, MAP_PRIVATE, EINVAL, "heads in private" },
		{ SCAP_MMAP_POS, pos_bytes, RW, MAP_PRIVATE, EINVAL, "positions in private" },
		{ DATA0, 2 * RING, RW, MAP_PRIVATE, EINVAL, "a ring in private" },
		{ SCAP_MMAP_CTL, ctl_bytes + PAGE, RO, MAP_SHARED, EINVAL, "more heads" },
		{ SCAP_MMAP_POS, pos_bytes + PAGE, RW, MAP_SHARED, EINVAL, "more positions" },
		{ SCAP_MMAP_CTL, 1UL << 40, RO, MAP_SHARED, EINVAL, "heads without end" },
		{ SCAP_MMAP_CTL + PAGE, PAGE, RO, MAP_SHARED, EINVAL, "behind the heads" },
		{ SCAP_MMAP_POS + PAGE, PAGE, RW, MAP_SHARED, EPERM, "behind the positions" },
		{ SCAP_MMAP_POS - PAGE, PAGE, RO, MAP_SHARED, EINVAL, "before the positions" },
		{ SCAP_MMAP_POS - PAGE, 2 * PAGE, RW, MAP_SHARED, EPERM, "and into them" },
		{ DATA0, RING, RO, MAP_SHARED, EINVAL, "a ring once" },
		{ DATA0, 3 * RING, RO, MAP_SHARED, EINVAL, "a ring three times" },
		{ DATA0, PAGE, RO, MAP_SHARED, EINVAL, "a page of a ring" },
		{ DATA0, 2 * RING + PAGE, RO, MAP_SHARED, EINVAL, "a page more than a ring" },
		{ DATA0 + PAGE, 2 * RING, RO, MAP_SHARED, EINVAL, "a ring from its second page" },
		{ DATA0 + RING, RING, RO, MAP_SHARED, EINVAL, "a ring's second half" },
		{ DATA0 - PAGE, 2 * RING, RO, MAP_SHARED, EINVAL, "before a ring" },
		{ SCAP_MMAP_DATA(n_rings), 2 * RING, RO, MAP_SHARED, EINVAL, "no such ring" },
		{ SCAP_MMAP_DATA(65536), 2 * RING, RO, MAP_SHARED, EINVAL, "ring 65536" },
		{ 1ULL << 63, 2 * RING, RO, MAP_SHARED, EINVAL, "half of all offsets" },
		{ -2 * PAGE, PAGE, RO, MAP_SHARED, EINVAL, "the last offset but one" },
		{ 0 - 2 * RING, 2 * RING, RO, MAP_SHARED, EOVERFLOW, "over the last offset" },
	};

	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		check_rule(fd, &rules[i]);
}

static void before_setup(void)
{
	int fd = device_open(), ro;

	want(map(fd, SCAP_MMAP_CTL, PAGE, RO, MAP_SHARED) == -EINVAL, "heads before setup");
	want(map(fd, SCAP_MMAP_POS, PAGE, RW, MAP_SHARED) == -EINVAL, "positions before setup");
	want(map(fd, DATA0, 2 * RING, RO, MAP_SHARED) == -EINVAL, "a ring before setup");
	close(fd);
	want(map(fd, DATA0, 2 * RING, RO, MAP_SHARED) == -EBADF, "a ring after close");
	ro = open(SCAP_DEVICE_PATH, O_RDONLY);
	if (ro < 0 || device_setup(ro, RING) < 0)
		die("opened to read");
	want(map(ro, SCAP_MMAP_POS, pos_bytes, RW, MAP_SHARED) == -EACCES,
	     "positions to write through a descriptor to read");
	close(ro);
}

/* As a debugger writes, whatever the mapping allows. */
static bool forced(long at)
{
	int mem = open("/proc/self/mem", O_RDWR);
	bool written;

	if (mem < 0)
		die("/proc/self/mem");
	written = pwrite(mem, "x", 1, at) == 1;
	close(mem);
	return written;
}

/* What was mapped to read stays so. */
static void no_widening(long at, size_t bytes)
{
	void *p = (void *)at;

	want(code(mprotect(p, bytes, RW)) == -EACCES, "mprotect to write");
	want(code(mprotect(p, PAGE, RW)) == -EACCES, "mprotect of a page to write");
	want(code(mprotect(p, bytes, RO | PROT_EXEC)) == -EACCES, "mprotect to execute");
	want(!mprotect(p, bytes, PROT_NONE) && !mprotect(p, bytes, RO), "mprotect to nothing");
	want(readable(at), "it can still be read");
	want(!writable(at), "it cannot be written");
	want(!forced(at), "it cannot be written through /proc/self/mem");
	want((long)mremap(p, bytes, 2 * bytes, MREMAP_MAYMOVE) == -1, "mremap to twice the size");
	want((long)mremap(p, 0, bytes, MREMAP_MAYMOVE) == -1, "mremap to a copy");
	want(code(remap_file_pages(p, bytes, 0, 1UL << 52, 0)) < 0, "remap_file_pages far away");
	want(code(remap_file_pages(p, bytes, 0, 1, 0)) < 0, "remap_file_pages by one page");
	want(madvise(p, bytes, MADV_DODUMP) < 0, "into a core dump");
}

/* Parts of a mapping go, the rest stays; a moved one is the same. */
static void pieces(int fd)
{
	long at = map(fd, DATA0, 2 * RING, RO, MAP_SHARED), to;

	munmap((void *)(at + 3 * (long)PAGE), 2 * PAGE);
	want(readable(at) && readable(at + 5 * (long)PAGE), "what is left of a ring");
	want(!readable(at + 3 * (long)PAGE), "what is gone from a ring");
	to = code((long)mremap((void *)at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			       (void *)(at + 3 * (long)PAGE)));
	want(to == at + 3 * (long)PAGE && readable(to), "a page of a ring moves");
	madvise((void *)to, PAGE, MADV_DONTNEED);
	want(!readable(to), "what was given back does not come again");
	munmap((void *)at, 2 * RING);
}

/* Descriptor and mappings in a child. */
static int in_child(int fd, long ctl, long pos)
{
	struct scap_info info = { .size = sizeof(info) };

	want(!readable(ctl) && !readable(pos), "mappings are not inherited");
	want(ioctl(fd, SCAP_IOC_INFO, &info) == 0, "the descriptor is");
	want(device_setup(fd, RING) == -EBUSY, "its rings are there");
	want(map(fd, DATA0, 2 * RING, RO, MAP_SHARED) > 0, "a child maps a ring");
	want(ioctl(fd, SCAP_IOC_START) == 0, "a child starts the recording");
	return n_fails != 0;
}

/* The rings stay until the last mapping is gone, in whatever process that is. */
static void lifetime(void)
{
	uint64_t others = device_used_bytes();
	int fd = ready_device(), status;
	long ctl = map(fd, SCAP_MMAP_CTL, ctl_bytes, RO, MAP_SHARED);
	long pos = map(fd, SCAP_MMAP_POS, pos_bytes, RW, MAP_SHARED);
	pid_t child = fork();

	if (child == 0)
		_exit(in_child(fd, ctl, pos));
	waitpid(child, &status, 0);
	want(status == 0, "the child ends with %#x", status);
	want(!madvise((void *)pos, pos_bytes, MADV_DOFORK), "positions may be inherited");
	child = fork();
	if (child == 0) {
		close(fd);
		pause();
	}
	close(fd);
	want(readable(ctl) && writable(pos), "mappings after close");
	want(device_used_bytes() == others + n_rings * RING, "rings after close");
	munmap((void *)ctl, ctl_bytes);
	munmap((void *)pos, pos_bytes);
	want(device_used_bytes() == others + n_rings * RING, "rings while a child has a mapping");
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	want(device_used_bytes() == others, "rings after the last mapping");
}

static int rules(void)
{
	int fd;
	long at;

	before_setup();
	fd = ready_device();
	check_rules(fd);
	at = map(fd, DATA0, 2 * RING, RO, MAP_SHARED);
	no_widening(at, 2 * RING);
	munmap((void *)at, 2 * RING);
	at = map(fd, SCAP_MMAP_CTL, ctl_bytes, RO, MAP_SHARED);
	no_widening(at, ctl_bytes);
	munmap((void *)at, ctl_bytes);
	pieces(fd);
	close(fd);
	lifetime();
	printf("checked %u\n", n_checked);
	return n_fails != 0;
}

/* ---- garbage -------------------------------------------------------------------------------- */

static uint64_t random_offset(uint64_t *seed)
{
	uint64_t base[] = { SCAP_MMAP_CTL, SCAP_MMAP_POS, SCAP_MMAP_DATA(below(seed, 4)),
			    rnd(seed) };
	int64_t off[] = { 0, 0, PAGE, -(int64_t)PAGE, below(seed, 1 << 20), (int64_t)rnd(seed) };

	return (PICK(seed, base) + (uint64_t)PICK(seed, off)) & ~(PAGE - 1);
}

static size_t random_bytes(uint64_t *seed)
{
	size_t bytes[] = { PAGE, ctl_bytes, 2 * RING, RING, below(seed, 1 << 20),
			   rnd(seed) >> below(seed, 64) };

	return PICK(seed, bytes);
}

/* Something to a mapping that was allowed. */
static void use(uint64_t *seed, long at, size_t bytes)
{
	static const int advice[] = { MADV_DONTNEED, MADV_WILLNEED, MADV_DOFORK, MADV_DONTFORK,
				      MADV_DODUMP, MADV_HUGEPAGE, MADV_MERGEABLE, MADV_FREE,
				      MADV_COLD, MADV_PAGEOUT, MADV_REMOVE, MADV_POPULATE_WRITE };
	void *p = (void *)(at + (long)(below(seed, (unsigned)(bytes / PAGE)) * PAGE));

	switch (below(seed, 6)) {
	case 0:
		mprotect(p, PAGE, (int)below(seed, 8));
		break;
	case 1:
		madvise(p, PAGE, PICK(seed, advice));
		break;
	case 2:
		mremap(p, PAGE, PAGE * below(seed, 4), MREMAP_MAYMOVE);
		break;
	case 3:
		munmap(p, PAGE);
		break;
	case 4:
		readable((long)p);
		break;
	default:
		mlock(p, PAGE);
		munlock(p, PAGE);
	}
}

static int garbage(long n)
{
	static const int flags[] = { MAP_SHARED, MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE,
				     MAP_SHARED | MAP_POPULATE, MAP_SHARED | MAP_LOCKED };
	uint64_t seed = 88172645463325252ULL;
	int fd = ready_device();
	long n_mapped = 0;

	for (long i = 0; i < n; i++) {
		uint64_t offset = random_offset(&seed);
		size_t bytes = random_bytes(&seed);
		int prot = below(&seed, 4) ? RO : (int)below(&seed, 8);
		long at = map(fd, offset, bytes, prot, PICK(&seed, flags));

		want(at >= 0 || at == -EINVAL || at == -EPERM || at == -EOVERFLOW ||
		     at == -ENOMEM || at == -EAGAIN, "a map of %#zx bytes at %#llx: %ld", bytes,
		     (unsigned long long)offset, at);
		if (at < 0)
			continue;
		n_mapped++;
		want(!(prot & PROT_WRITE) || offset == SCAP_MMAP_POS,
		     "%#llx is mapped to write", (unsigned long long)offset);
		use(&seed, at, whole_pages(bytes));
		munmap((void *)at, bytes);
		/* What moved elsewhere stays mapped, and holds the rings of its descriptor. */
		if (i % 4096 == 4095) {
			close(fd);
			fd = ready_device();
		}
	}
	printf("maps %ld\nallowed %ld\n", n, n_mapped);
	return n_fails != 0;
}

int main(int argc, char **argv)
{
	int fd = device_open();

	n_rings = device_n_rings(fd);
	close(fd);
	ctl_bytes = whole_pages(n_rings * sizeof(struct scap_ring_ctl));
	pos_bytes = whole_pages(n_rings * sizeof(struct scap_ring_pos));
	if (argc == 2 && !strcmp(argv[1], "rules"))
		return rules();
	if (argc == 3 && !strcmp(argv[1], "garbage"))
		return garbage(atol(argv[2]));
	return 2;
}
