/* SPDX-License-Identifier: MIT */
/*
 * Calls with arguments at random: pointers that lead nowhere or end with their page, counts of any
 * size. `wild N SEED` makes N of them and writes "TID CALLS" into wild.truth; wild32.c is the same
 * for 32 bits. A timer ends those that wait. Only calls that can do no harm, and that write nowhere
 * but where they are pointed to.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static const short calls[] = {
	SYS_poll, SYS_pselect6, SYS_ppoll, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl,
	SYS_getgroups, SYS_sched_getaffinity, SYS_getcwd, SYS_readlink, SYS_getxattr, SYS_setxattr,
	SYS_listxattr, SYS_fgetxattr, SYS_getsockopt, SYS_setsockopt, SYS_sendmmsg, SYS_recvmmsg,
	SYS_sendmsg, SYS_recvmsg, SYS_sendto, SYS_recvfrom, SYS_getsockname, SYS_bind,
	SYS_futex_waitv, SYS_futex, SYS_io_getevents, SYS_io_submit, SYS_move_pages,
	SYS_get_mempolicy, SYS_process_vm_readv, SYS_vmsplice, SYS_splice, SYS_copy_file_range,
	SYS_sendfile, SYS_bpf, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_perf_event_open,
	SYS_landlock_create_ruleset, SYS_landlock_add_rule, SYS_fcntl, SYS_ioctl, SYS_mq_timedsend,
	SYS_mq_timedreceive, SYS_timer_create, SYS_nanosleep, SYS_clock_nanosleep,
	SYS_clock_gettime, SYS_getitimer, SYS_uname, SYS_sysinfo, SYS_getrusage, SYS_statx,
	SYS_statfs, SYS_fstatfs, SYS_getrandom, SYS_getdents64, SYS_name_to_handle_at,
	SYS_rt_sigtimedwait, SYS_rt_sigpending, SYS_sched_getattr, SYS_sched_getparam, SYS_capget,
	SYS_prlimit64, SYS_getresuid, SYS_times, SYS_adjtimex, SYS_waitid, SYS_wait4,
	SYS_utimensat, SYS_mount_setattr, SYS_quotactl, SYS_get_robust_list, SYS_io_uring_setup,
	SYS_preadv2, SYS_pwritev2, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64,
#ifdef __x86_64__
	SYS_select, SYS_semop, SYS_semtimedop, SYS_msgsnd, SYS_msgrcv, SYS_semctl, SYS_shmctl,
	SYS_msgctl, SYS_modify_ldt, SYS_arch_prctl,
#else
	SYS_ipc, SYS_socketcall, SYS__newselect, SYS_sigpending, SYS_getgroups32, SYS_stat64,
	SYS_clock_gettime64, SYS_ppoll_time64, SYS_recvmmsg_time64, SYS_semtimedop_time64,
	SYS_statfs64, SYS_sendfile64, SYS_olduname, SYS_oldstat, SYS_readdir,
#endif
};
#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

static uint64_t seed;
static char *page;
static int file, sock;

static uint32_t draw(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33);
}

static void ended(int sig)
{
	(void)sig;
}

/* The page is followed by nothing. */
static long argument(void)
{
	switch (draw() % 16) {
	case 0:
	case 1:
		return 0;
	case 2:
	case 3:
		return draw() % 64;
	case 4:
		return (long)(draw() << 1);
	case 5:
		return -1;
	case 6:
		return (long)0x8000000000000000ULL;
	case 7:
		return (long)0xffffffff81000000ULL;
	case 8:
		return (long)(page + 4096);
	case 9:
		return file;
	case 10:
		return sock;
	default:
		return (long)(page + 4096 - draw() % 200);
	}
}

/* prlimit and adjtimex only ask; arch_prctl may not move the thread's own data. */
static void make_call(void)
{
	long nr = calls[draw() % N_CALLS], a[6];

	for (int i = 0; i < 6; i++)
		a[i] = argument();
	if (nr == SYS_prlimit64)
		a[2] = 0;
#ifdef __x86_64__
	if (nr == SYS_arch_prctl)
		a[0] = 0x1003;
	if (nr == SYS_modify_ldt)
		a[0] = 0;
#endif
	if (nr == SYS_adjtimex)
		memset(page, 0, 4096);
	if (nr == SYS_fcntl && a[0] <= 2)
		a[0] = file;
	syscall((int)nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* No signal, file or terminal is to suffer from what is drawn. */
static void prepare(void)
{
	struct sigaction sa = { .sa_handler = ended };

	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGSEGV && sig != SIGBUS && sig != SIGILL)
			signal(sig, SIG_IGN);
	sigaction(SIGALRM, &sa, NULL);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1 << 20, 1 << 20 });
	for (int fd = 0; fd <= 2; fd++)
		dup2(open("/dev/null", O_RDWR), fd);
	close_range(3, ~0U, 0);
}

static void tell(long n)
{
	char text[64];
	int fd = open("wild.truth", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int len = sprintf(text, "%d %ld\n", getpid(), n);

	if (write(fd, text, (size_t)len) != len)
		exit(1);
}

int main(int argc, char **argv)
{
	struct itimerval timer = { { 0, 3000 }, { 0, 3000 } };
	long n = argc > 1 ? atol(argv[1]) : 1000;

	prepare();
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	file = open("wild.file", O_RDWR | O_CREAT, 0600);
	sock = socket(AF_INET, SOCK_DGRAM, 0);
	if (page == MAP_FAILED || munmap(page + 4096, 4096) < 0 || file < 0 || sock < 0)
		return 1;
	fcntl(sock, F_SETFL, O_NONBLOCK);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (long i = 0; i < n; i++) {
		for (int k = 0; k < 200; k += 4)
			memcpy(page + 4096 - 200 + k, &(uint32_t){ draw() & draw() }, 4);
		make_call();
		/* Descriptors come from perf, io_uring, Landlock, fcntl. */
		if (i % 64 == 0)
			syscall(SYS_close_range, sock + 1, 1000, 0);
	}
	memset(&timer, 0, sizeof(timer));
	setitimer(ITIMER_REAL, &timer, NULL);
	tell(n + (n + 63) / 64);
	return 0;
}
