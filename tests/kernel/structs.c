/* SPDX-License-Identifier: MIT */
/*
 * Calls that hand over structures; for each a line "CALL TEXT", where TEXT is how a line of `scap
 * read` must show one of its arguments, made of what the program knows. structs32.c is the same for
 * 32 bits. What a structure holds is as wide as the ABI's word.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

struct old_timespec { long tv_sec, tv_nsec; };
struct old_timeval { long tv_sec, tv_usec; };
struct kernel_sigaction { void *handler; unsigned long flags; void *restorer; uint64_t mask; };

static int ends[2];

__attribute__((format(printf, 2, 3))) static void say(const char *call, const char *fmt, ...)
{
	va_list ap;

	printf("%s ", call);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static void times(void)
{
	struct old_timespec ts = { 0, 12345 }, res;
	struct { struct old_timespec interval, value; } its = { { 7, 8 }, { 9000, 10 } };
	struct { struct old_timeval interval, value; } itv = { { 0, 0 }, { 5000, 6 } };
	struct old_timeval pair[2] = { { 1000, 1 }, { 2000, 2 } };
	struct old_timespec two[2] = { { 3000, 3 }, { 4000, 4 } };
	int fd;

	syscall(SYS_nanosleep, &ts, NULL);
	say("nanosleep", "rqtp={tv_sec=0, tv_nsec=12345} rmtp=NULL");
	syscall(SYS_clock_getres, CLOCK_MONOTONIC, &res);
	say("clock_getres", "which_clock=CLOCK_MONOTONIC tp={tv_sec=%ld, tv_nsec=%ld} res=0",
	    res.tv_sec, res.tv_nsec);
	fd = (int)syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 02000000);
	say("timerfd_create", "clockid=CLOCK_MONOTONIC flags=TFD_CLOEXEC");
	syscall(SYS_timerfd_settime, fd, 0, &its, NULL);
	say("timerfd_settime", "utmr={it_interval={tv_sec=7, tv_nsec=8}, "
	    "it_value={tv_sec=9000, tv_nsec=10}} otmr=NULL");
	close(fd);
	syscall(SYS_setitimer, 0, &itv, NULL);
	say("setitimer", "which=ITIMER_REAL value={it_interval={tv_sec=0, tv_usec=0}, "
	    "it_value={tv_sec=5000, tv_usec=6}} ovalue=NULL");
	itv.value.tv_sec = itv.value.tv_usec = 0;
	syscall(SYS_setitimer, 0, &itv, NULL);
	syscall(SYS_utimes, "file", pair);
	say("utimes", "filename=file utimes=[{tv_sec=1000, tv_usec=1}, {tv_sec=2000, tv_usec=2}]");
	syscall(SYS_utimensat, AT_FDCWD, "file", two, 0);
	say("utimensat", "utimes=[{tv_sec=3000, tv_nsec=3}, {tv_sec=4000, tv_nsec=4}] flags=0");
}

static void waits(void)
{
	struct pollfd two[2] = { { ends[0], POLLIN | POLLPRI, 0 }, { ends[1], POLLOUT, 0 } };
	static struct pollfd many[1000];
	unsigned long in[16] = { 0 }, out[16] = { 0 };
	struct old_timespec ts = { 1, 0 };
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET, .data.u64 = 0x1234567890abcdef };
	struct epoll_event got[4];
	uint32_t word = 1;
	int ep;

	if (write(ends[1], "x", 1) != 1)
		exit(1);
	syscall(SYS_poll, two, (long)0xdead00000002ULL, 0);
	say("poll", "ufds=[{fd=%d, events=POLLIN|POLLPRI, revents=POLLIN}, "
	    "{fd=%d, events=POLLOUT, revents=POLLOUT}] nfds=2 timeout_msecs=0 res=2",
	    ends[0], ends[1]);
	for (int i = 0; i < 1000; i++)
		many[i] = (struct pollfd){ -1, 0, 0 };
	syscall(SYS_poll, many, 1000, 0);
	say("poll", "revents=0}]...(8000) nfds=1000");
	syscall(SYS_poll, two, -1, 7);
	say("poll", "nfds=4294967295 timeout_msecs=7 res=EINVAL(-22)");
	in[0] = 1UL << ends[0];
	out[0] = 1UL << ends[1] | 1UL << ends[0];
#ifdef __x86_64__
	syscall(SYS_select, 20, in, NULL, NULL, NULL);
	say("select", "n=20 inp=[%d] outp=NULL exp=NULL tvp=NULL res=1", ends[0]);
#endif
	syscall(SYS_pselect6, 20, in, out, NULL, &ts, NULL);
	say("pselect6", "inp=[%d] outp=[%d] exp=NULL", ends[0], ends[1]);
	ep = (int)syscall(SYS_epoll_create1, 0);
	syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, ends[1], &ev);
	say("epoll_ctl", "event={events=EPOLLOUT|EPOLLET, data=0x1234567890abcdef}");
	syscall(SYS_epoll_wait, ep, got, 4, 0);
	say("epoll_wait", "events=[{events=EPOLLOUT, data=0x1234567890abcdef}] maxevents=4");
	syscall(SYS_epoll_wait, ep, got, 4, 0);
	say("epoll_wait", "events=[] maxevents=4 timeout=0 res=0");
	close(ep);
	ts = (struct old_timespec){ 0, 77 };
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, &ts, NULL, 0);
	say("futex", "op=FUTEX_WAIT_PRIVATE val=1 utime={tv_sec=0, tv_nsec=77}");
	syscall(SYS_futex, &word, FUTEX_WAKE, 1, 0x10, NULL, 0);
	say("futex", "op=FUTEX_WAKE val=1 uaddr2=NULL");
}

static void signals(void)
{
	uint64_t set = 1 << (SIGINT - 1) | 1 << (SIGUSR2 - 1), old = 0, most = ~0ULL;
	struct kernel_sigaction sa = { SIG_IGN, 0x10000000, NULL, 1 << (SIGHUP - 1) };
	stack_t ss = { .ss_sp = NULL, .ss_flags = SS_DISABLE };

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, 8);
	say("rt_sigprocmask", "how=SIG_BLOCK nset=[SIGINT SIGUSR2] oset=[] sigsetsize=8");
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &most, &old, 8);
	say("rt_sigprocmask", "how=SIG_BLOCK nset=~[] oset=[SIGINT SIGUSR2]");
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, 8);
	syscall(SYS_rt_sigaction, SIGUSR1, &sa, NULL, 8);
	say("rt_sigaction", "act={sa_handler=SIG_IGN, sa_mask=[SIGHUP], sa_flags=SA_RESTART, "
	    "sa_restorer=0x0} oact=NULL");
	syscall(SYS_sigaltstack, &ss, NULL);
	say("sigaltstack", "uss={ss_sp=0x0, ss_flags=SS_DISABLE, ss_size=0} uoss=NULL");
}

static void of_the_process(void)
{
	struct { unsigned long cur, max; } lim = { 100, ~0UL };
	struct rlimit now;
	struct utsname u;
	char cwd[256], name[16];
	int n;

	getrlimit(RLIMIT_CORE, &now);
	syscall(SYS_setrlimit, RLIMIT_CORE, &lim);
	say("setrlimit", "resource=RLIMIT_CORE rlim={rlim_cur=100, rlim_max=RLIM_INFINITY}");
	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, (uint64_t[2]){ 0 });
	getrlimit(RLIMIT_NOFILE, &now);
	say("prlimit64", "resource=RLIMIT_NOFILE new_rlim=NULL "
	    "old_rlim={rlim_cur=%llu, rlim_max=%llu}",
	    (unsigned long long)now.rlim_cur, (unsigned long long)now.rlim_max);
	uname(&u);
	say("uname", "name={sysname=\"Linux\", nodename=\"%s\", release=\"%s\"", u.nodename,
	    u.release);
	n = (int)syscall(SYS_getcwd, cwd, sizeof(cwd));
	say("getcwd", "buf=%s size=256 res=%d", cwd, n);
	n = (int)syscall(SYS_readlinkat, AT_FDCWD, "link", cwd, sizeof(cwd));
	say("readlinkat", "path=link buf=somewhere/else bufsiz=256 res=%d", n);
	prctl(PR_SET_NAME, "renamed");
	say("prctl", "option=PR_SET_NAME arg2=renamed");
	prctl(PR_GET_NAME, name);
	say("prctl", "option=PR_GET_NAME arg2=renamed");
	n = (int)syscall(SYS_umask, 027);
	say("umask", "mask=027 res=0%o", n);
	syscall(SYS_umask, n);
	say("umask", "mask=0%o res=027", n);
	syscall(SYS_sched_getscheduler, 0);
	say("sched_getscheduler", "res=SCHED_NORMAL");
	syscall(SYS_sched_setscheduler, 0, 0x40000000, (int[1]){ 0 });
	say("sched_setscheduler", "policy=SCHED_NORMAL|SCHED_RESET_ON_FORK "
	    "param={sched_priority=0}");
	say("getgroups", "gidsetsize=0");
	syscall(SYS_getgroups, 0, NULL);
	syscall(SYS_madvise, 0, 0, MADV_DONTNEED);
	say("madvise", "behavior=MADV_DONTNEED");
}

static void files(void)
{
	struct { short type, whence; long start, len; int pid; } lock = { F_WRLCK, 0, 10, 20, 0 };
	int fd = open("file", O_RDWR), avail, out[2];
	long long off = 3;
	char value[8];
	struct iovec v = { "first", 5 };
	struct winsize ws;

	syscall(SYS_fcntl, fd, F_SETLK, &lock);
	say("fcntl", "cmd=F_SETLK arg={l_type=F_WRLCK, l_whence=SEEK_SET, l_start=10, l_len=20, "
	    "l_pid=0} res=0");
	syscall(SYS_fcntl, fd, F_GETFL, 0);
	say("fcntl", "cmd=F_GETFL res=O_RDWR");
	ioctl(ends[0], FIONREAD, &avail);
	say("ioctl", "cmd=FIONREAD arg=[%d] res=0", avail);
	ioctl(fd, TIOCGWINSZ, &ws);
	say("ioctl", "cmd=TIOCGWINSZ arg=0x");
	syscall(SYS_setxattr, "file", "user.mark", "seven\1", 6, XATTR_CREATE);
	say("setxattr", "name=user.mark value=\"seven\\x01\" size=6 flags=XATTR_CREATE");
	syscall(SYS_getxattr, "file", "user.none", value, sizeof(value));
	say("getxattr", "name=user.none value=0x");
	if (pipe(out) < 0)
		exit(1);
	syscall(SYS_splice, fd, &off, out[1], NULL, 4, SPLICE_F_NONBLOCK);
	say("splice", "off_in=[%lld] ", off);
	syscall(SYS_vmsplice, out[1], &v, 1, 0);
	say("vmsplice", "uiov=[{iov_base=0x%lx, iov_len=5}] nr_segs=1 flags=0", (long)v.iov_base);
	syscall(SYS_fallocate, fd, 0x80000001, 0, 0, 0, 0);
	say("fallocate", "mode=FALLOC_FL_KEEP_SIZE|0x80000000");
	syscall(SYS_mount, "none", "/no/such", "tmpfs", 3, "size=1m");
	say("mount", "dev_name=none dir_name=/no/such type=tmpfs "
	    "flags=MS_RDONLY|MS_NOSUID data=size=1m");
	close(fd);
}

static void sockets(void)
{
	int sv[2], one = 1, got = 0;
	socklen_t len = sizeof(got);
	struct iovec v[2] = { { "mes", 3 }, { "sage", 4 } };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = v, .msg_iovlen = 2 } },
				{ .msg_hdr = { .msg_iov = v, .msg_iovlen = 1 } } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	say("setsockopt", "level=SOL_SOCKET optname=SO_REUSEADDR optval=[1] optlen=4 res=0");
	syscall(SYS_getsockopt, fd, IPPROTO_TCP, 1, &got, &len);
	say("getsockopt", "level=IPPROTO_TCP optname=TCP_NODELAY optval=[0] optlen=[4] res=0");
	close(fd);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	syscall(SYS_sendmmsg, sv[0], m, 2, MSG_NOSIGNAL);
	say("sendmmsg", "mmsg=\"message\" vlen=2 flags=MSG_NOSIGNAL res=2");
#ifdef __x86_64__
	struct sembuf sem[2] = { { 0, 1, 0 }, { 1, -1, IPC_NOWAIT } };

	syscall(SYS_semop, -1, sem, 2);
	say("semop", "tsops=[{sem_num=0, sem_op=1, sem_flg=0}, "
	    "{sem_num=1, sem_op=-1, sem_flg=IPC_NOWAIT}] nsops=2");
#endif
}

/* Arguments that are what another one says. */
static void variants(void)
{
	int fd = open("file", O_RDWR), value = 0x04030201;
	int shm = shmget(IPC_PRIVATE, 5000, IPC_CREAT | 0600);
	struct shmid_ds ds;

	ioctl(fd, _IOW('x', 99, int), &value);
	say("ioctl", "arg=\"\\x01\\x02\\x03\\x04\" res=ENOTTY(-25)");
	ioctl(fd, _IOR('x', 99, int), &value);
	say("ioctl", "cmd=0x80047863 arg=0x%lx res=ENOTTY(-25)", (long)&value);
	ioctl(fd, _IO('x', 99), 5);
	say("ioctl", "cmd=0x7863 arg=0x5 res=ENOTTY(-25)");
	ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 'x', 99, 0x3fff), 1);
	say("ioctl", "arg=<unreadable> res=ENOTTY(-25)");
	close(fd);
#ifdef __x86_64__
	say("shmget", "key=0 size=5000 shmflg=IPC_CREAT|0x180");
	shmctl(shm, IPC_STAT, &ds);
	say("shmctl", "cmd=IPC_STAT buf={shm_perm={key=0x0, uid=0, gid=0, cuid=0, cgid=0, "
	    "mode=0600}, shm_segsz=5000, shm_cpid=%d, shm_lpid=0, shm_nattch=0} res=0", getpid());
#endif
	shmctl(shm, IPC_RMID, &ds);
#ifdef __x86_64__
	say("shmctl", "cmd=IPC_RMID");
#endif
	syscall(SYS_keyctl, 1, "ring", 0, 0, 0);
	say("keyctl", "option=KEYCTL_JOIN_SESSION_KEYRING arg2=ring");
	syscall(SYS_keyctl, 2, -3, "payload", 7, 0);
	say("keyctl", "option=KEYCTL_UPDATE arg2=KEY_SPEC_SESSION_KEYRING arg3=\"payload\"");
}

/* Pointers that lead nowhere, and a structure that ends with its page. */
static void bad_pointers(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(page + 4096, 4096);
	syscall(SYS_nanosleep, page + 4096, NULL);
	say("nanosleep", "rqtp=<unreadable> rmtp=NULL res=EFAULT(-14)");
	memset(page, 0, 4096);
	syscall(SYS_nanosleep, page + 4096 - sizeof(long), NULL);
	say("nanosleep", "rqtp={tv_sec=0}<unreadable> rmtp=NULL res=EFAULT(-14)");
	syscall(SYS_poll, page + 4096 - 8, 2, 0);
	say("poll", "ufds=[{fd=0, events=0, revents=0}]<unreadable> nfds=2");
}

int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, "twenty bytes of text", 20) != 20 || pipe(ends) < 0)
		return 1;
	close(fd);
	unlink("link");
	if (symlink("somewhere/else", "link") < 0)
		return 1;
	times();
	waits();
	signals();
	of_the_process();
	files();
	sockets();
	variants();
	bad_pointers();
	return 0;
}
