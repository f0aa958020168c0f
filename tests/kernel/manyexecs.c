/* SPDX-License-Identifier: MIT */
/*
 * manyexecs big N: runs itself with N arguments of 127 bytes and an environment; prints
 *	"TID ARGV_BYTES ARGV_SUM ENV_BYTES ENV_SUM", the sums over strings with their NULs.
 * manyexecs memfd | deleted PROGRAM: runs a copy of the program that has no name.
 */
#include "guest.h"
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

extern char **environ;

static unsigned long long sum(char **strings, size_t *ret_bytes)
{
	unsigned long long h = 0xcbf29ce484222325;

	*ret_bytes = 0;
	for (; *strings; strings++) {
		size_t n = strlen(*strings) + 1;

		*ret_bytes += n;
		for (size_t i = 0; i < n; i++)
			h = (h ^ (unsigned char)(*strings)[i]) * 0x100000001b3;
	}
	return h;
}

static void tell(char **argv)
{
	unsigned long long argv_sum, env_sum;
	size_t argv_bytes, env_bytes;

	argv_sum = sum(argv, &argv_bytes);
	env_sum = sum(environ, &env_bytes);
	printf("%d %zu %llu %zu %llu\n", (int)getpid(), argv_bytes, argv_sum, env_bytes, env_sum);
	exit(0);
}

static void big(int n)
{
	char **argv = calloc((size_t)n + 3, sizeof(*argv));

	argv[0] = "manyexecs";
	argv[1] = "tell";
	for (int i = 0; i < n; i++) {
		argv[i + 2] = malloc(128);
		memset(argv[i + 2], 'a' + i % 26, 127);
		argv[i + 2][127] = 0;
	}
	execv("/proc/self/exe", argv);
	die("exec");
}

static void copy_to(int to, const char *program)
{
	int from = open(program, O_RDONLY);
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0 || sendfile(to, from, NULL, (size_t)st.st_size) < 0)
		die("%s", program);
	close(from);
}

/* A file that is written to can't be run: it is opened again. */
static void nameless(bool memfd, const char *program)
{
	char *argv[] = { "true", NULL }, path[40];
	int fd = memfd ? memfd_create("hidden", 0) : open("gone", O_RDWR | O_CREAT, 0700), rd;

	copy_to(fd, program);
	fchmod(fd, 0755);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rd = open(path, O_RDONLY);
	close(fd);
	if (!memfd)
		unlink("gone");
	printf("%d\n", (int)getpid());
	fflush(stdout);
	fexecve(rd, argv, environ);
	die("fexecve");
}

int main(int argc, char **argv)
{
	if (argc < 2)
		die("usage");
	if (!strcmp(argv[1], "tell"))
		tell(argv);
	if (argc < 3)
		die("usage");
	if (!strcmp(argv[1], "big"))
		big(atoi(argv[2]));
	nameless(!strcmp(argv[1], "memfd"), argv[2]);
	return 1;
}
