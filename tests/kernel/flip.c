/* SPDX-License-Identifier: MIT */
/*
 * flip DIR ROUNDS: opens one path again and again while another thread changes what it says
 * between two files; then the same with a symbolic link that leads to one or the other. Prints the
 * files, "file DEV INODE PATH", and which one each open got, "opened INODE", as fstat says.
 */
#include "guest.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const char *const names[2] = { "/one/aaa", "/two/bbb" };
static char path[256] __attribute__((aligned(8)));
static char link_path[256], link_new[256];
static const char *dir;
static int over;

static void make_file(const char *name)
{
	char p[256];
	struct stat st;
	int fd;

	snprintf(p, sizeof(p), "%s%s", dir, name);
	*strrchr(p, '/') = 0;
	if (mkdir(p, 0700) < 0)
		die("%s", p);
	p[strlen(p)] = '/';
	fd = open(p, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		die("%s", p);
	close(fd);
	printf("file %u %lu %s\n", major(st.st_dev) << 20 | minor(st.st_dev),
	       (unsigned long)st.st_ino, p);
}

/* All of a name in one store, so that the path always is one of the two. */
static void *flip_buffer(void *at)
{
	uint64_t word[2];

	memcpy(word, names[0], 8);
	memcpy(word + 1, names[1], 8);
	for (unsigned i = 0; !__atomic_load_n(&over, __ATOMIC_RELAXED); i++)
		__atomic_store_n((uint64_t *)at, word[i / 16 & 1], __ATOMIC_RELAXED);
	return NULL;
}

static void *flip_link(void *unused)
{
	char target[256];

	(void)unused;
	for (unsigned i = 0; !__atomic_load_n(&over, __ATOMIC_RELAXED); i++) {
		snprintf(target, sizeof(target), "%s%s", dir, names[i & 1]);
		if (symlink(target, link_new) < 0 || rename(link_new, link_path) < 0)
			die("%s", link_path);
	}
	return NULL;
}

static void open_again(const char *what, long rounds, unsigned long *ino)
{
	struct stat st;

	for (long i = 0; i < rounds; i++) {
		int fd = (int)raw(SYS_openat, AT_FDCWD, (long)what, O_RDONLY, 0, 0, 0);

		if (fd < 0 || fstat(fd, &st) < 0)
			die("%s", what);
		ino[i] = st.st_ino;
		close(fd);
	}
}

static void against(void *(*flipper)(void *), void *arg, const char *what, long rounds)
{
	unsigned long *ino = calloc(rounds, sizeof(*ino));
	pthread_t t;

	over = 0;
	if (!ino || pthread_create(&t, NULL, flipper, arg))
		die("pthread_create");
	open_again(what, rounds, ino);
	__atomic_store_n(&over, 1, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	for (long i = 0; i < rounds; i++)
		printf("opened %lu\n", ino[i]);
	free(ino);
}

int main(int argc, char **argv)
{
	/* The name must be one aligned word in the path. */
	size_t n = argc == 3 ? strlen(argv[1]) : 0;
	long rounds = argc == 3 ? atol(argv[2]) : 0;
	char target[256];

	if (!n || n % 8 || n > 128)
		die("usage: flip DIR ROUNDS, with a length of DIR that 8 divides");
	dir = argv[1];
	make_file(names[0]);
	make_file(names[1]);
	printf("thread %d\n", getpid());
	snprintf(path, sizeof(path), "%s%s", dir, names[0]);
	against(flip_buffer, path + n, path, rounds);
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	snprintf(link_new, sizeof(link_new), "%s/link.new", dir);
	snprintf(target, sizeof(target), "%s%s", dir, names[0]);
	if (symlink(target, link_path) < 0)
		die("%s", link_path);
	against(flip_link, NULL, link_path, rounds / 10);
	return 0;
}
