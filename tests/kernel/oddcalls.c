/* SPDX-License-Identifier: MIT */
/*
 * Calls off the beaten path, without a tracer. Prints "WHAT TID RESULT" for each.
 */
#include "guest.h"
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void say(const char *what, long ret)
{
	printf("%s %d %ld\n", what, (int)getpid(), ret);
	fflush(stdout);
}

static void on_signal(int sig)
{
	(void)sig;
}

#define REFUSE(name, action) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, action)

/* getpgid fails with 77, getsid traps; in a child, because it can't be undone. */
static void seccomp_child(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		REFUSE(getpgid, SECCOMP_RET_ERRNO | 77),
		REFUSE(getsid, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(*f), f };

	signal(SIGSYS, on_signal);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		die("seccomp");
	say("seccomp-errno", raw(SYS_getpgid, 0, 0, 0, 0, 0, 0));
	raw(SYS_getsid, 0, 0, 0, 0, 0, 0);
	say("seccomp-trap", 0);
}

/* A handler runs and returns in the middle of nothing, with a known rax. */
static void sigreturn_child(void)
{
	signal(SIGUSR1, on_signal);
	raw(SYS_kill, getpid(), SIGUSR1, 0, 0, 0, 0);
	say("sigreturn", 0);
}

/* Numbers as the 32-bit ABI has them, with garbage where only 64-bit registers can have it. */
static void int80_child(void)
{
	const unsigned long junk = 0xdeadbeef00000000;
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long ret;

	if (low == MAP_FAILED)
		die("mmap");
	strcpy(low, "/no/such/int80");
	__asm__ volatile("int $0x80" : "=a"(ret)
			 : "a"(5), "b"(junk | (unsigned long)low), "c"(junk | O_RDONLY), "d"(junk)
			 : "memory", "r8", "r9", "r10", "r11");
	say("int80-open", ret);
	__asm__ volatile("int $0x80" : "=a"(ret)
			 : "a"(132), "b"(junk | 0x7ffffff1), "c"(0L), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	say("int80-getpgid", ret);
}

static void numbers_child(void)
{
	say("rax-garbage", raw((long)(0xdeadbeef00000000 | SYS_getpgid), 0, 0, 0, 0, 0, 0));
	say("number-999", raw(999, 1, 2, 3, 4, 5, 6));
	say("number--1", raw(-1, 1, 2, 3, 4, 5, 6));
	say("x32-getpid", raw(0x40000000 | SYS_getpid, 0, 0, 0, 0, 0, 0));
}

static void clone_child(void)
{
	pid_t pid = (pid_t)raw(SYS_fork, 0, 0, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	say("fork", pid);
}

static void exec32_child(void)
{
	char *argv[] = { "hello32", NULL };

	say("exec32", 0);
	execv("/scap/guest/hello32", argv);
	die("hello32");
}

static void kill_child(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		REFUSE(getsid, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(*f), f };

	say("seccomp-kill", 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
	raw(SYS_getsid, 0, 0, 0, 0, 0, 0);
	exit(1);
}

static void in_child(void (*fn)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		exit(0);
	}
	waitpid(pid, NULL, 0);
}

int main(void)
{
	in_child(seccomp_child);
	in_child(kill_child);
	in_child(sigreturn_child);
	in_child(int80_child);
	in_child(numbers_child);
	in_child(clone_child);
	in_child(exec32_child);
	return 0;
}
