/* SPDX-License-Identifier: MIT */
/*
 * Calls with pointers that can't be read; prints "NUMBER CALL KIND RESULT" for each, in order.
 * What stands behind a hyphen in CALL only says which of its pointers is bad.
 */
#include "guest.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { NULL_PTR, KERNEL, NON_CANONICAL, UNMAPPED, CROSSING, N_BAD };
static const char *const kinds[] = { "null", "kernel", "noncanonical", "unmapped", "crossing" };
static char *bad[N_BAD];
static int tag = 0100;

static void say(const char *call, int kind, long ret)
{
	printf("%d %s %s %ld\n", tag, call, kinds[kind], ret);
	tag++;
}

/* The last five bytes of a page with nothing behind it. */
static void make_pointers(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || munmap(page + 4096, 4096) < 0)
		die("mmap");
	memset(page, 'x', 4096);
	bad[NULL_PTR] = NULL;
	bad[KERNEL] = (char *)0xffffffff81000000;
	bad[NON_CANONICAL] = (char *)0x8000000000000000;
	bad[UNMAPPED] = page + 4096;
	bad[CROSSING] = page + 4096 - 5;
}

static void calls(int kind, int fd, int sock)
{
	long p = (long)bad[kind];
	struct iovec v = { bad[kind], (size_t)tag };

	say("openat", kind, raw(SYS_openat, AT_FDCWD, p, O_RDONLY, tag, 0, 0));
	say("mkdir", kind, raw(SYS_mkdir, p, tag, 0, 0, 0, 0));
	say("write", kind, raw(SYS_write, fd, p, tag, 0, 0, 0));
	v.iov_len = (size_t)tag;
	say("pwritev", kind, raw(SYS_pwritev, fd, (long)&v, 1, tag, 0, 0));
	say("pwritev-iov", kind, raw(SYS_pwritev, fd, p, 1, tag, 0, 0));
	say("bind", kind, raw(SYS_bind, sock, p, 16, tag, 0, 0));
	say("connect", kind, raw(SYS_connect, sock, p, 16, tag, 0, 0));
	say("sendto", kind, raw(SYS_sendto, sock, p, tag, 0, 0, 0));
	say("sendmsg", kind, raw(SYS_sendmsg, sock, p, tag, 0, 0, 0));
	say("execve-path", kind, raw(SYS_execve, p, 0, 0, tag, 0, 0));
}

/* An argv that cannot be read; the call fails, so that a child is not needed. */
static void exec_argv(int kind)
{
	static const char self[] = "/scap/guest/badptr";
	char *argv[] = { "prog", bad[kind], NULL };

	if (kind == NULL_PTR)
		return;
	say("execve-argv", kind, raw(SYS_execve, (long)self, (long)bad[kind], 0, 0, 0, 0));
	say("execve-arg", kind, raw(SYS_execve, (long)self, (long)argv, 0, 0, 0, 0));
}

/* Results that the kernel can't store: the call may have happened all the same. */
static void out_calls(int kind, int fd, int sock)
{
	long p = (long)bad[kind];

	say("pread64", kind, raw(SYS_pread64, fd, p, tag, 0, 0, 0));
	say("pipe2", kind, raw(SYS_pipe2, p, tag, 0, 0, 0, 0));
	say("getsockname", kind, raw(SYS_getsockname, sock, p, p, 0, 0, 0));
	say("recvfrom", kind, raw(SYS_recvfrom, sock, p, tag, MSG_DONTWAIT, p, p));
	say("wait4", kind, raw(SYS_wait4, -1, p, 0, 0, 0, 0));
}

int main(void)
{
	int fd = open("badptr.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || sock < 0 || write(fd, "0123456789abcdef", 16) != 16)
		die("badptr.file");
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	printf("pid %d\n", (int)getpid());
	make_pointers();
	for (int kind = 0; kind < N_BAD; kind++) {
		calls(kind, fd, sock);
		exec_argv(kind);
		out_calls(kind, fd, sock);
	}
	return 0;
}
