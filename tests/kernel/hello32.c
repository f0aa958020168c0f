/* SPDX-License-Identifier: MIT */
/* A 32-bit program with a few calls of its own: what oddcalls execs. */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static long int80(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return ret;
}

int main(void)
{
	int80(SYS_open, (long)"/no/such/thirty-two", O_RDONLY, 0);
	int80(SYS_getpgid, 0x7ffffff0, 0, 0);
	int80(SYS_write, 99, (long)"from 32 bits", 12);
	return 32;
}
