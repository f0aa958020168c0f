/* SPDX-License-Identifier: MIT */
/*
 * Rows of the 32-bit ABI, for a program of 32 bits (calls_all32) and for int 0x80 from one of 64
 * bits (calls_int80), whose static data lies below 4 GiB. Structures are written in the ABI's
 * layout, as words.
 */
#ifndef TESTS_KERNEL_CALLS32_H
#define TESTS_KERNEL_CALLS32_H

#include "rawcall.h"
#include <asm/unistd_32.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/reboot.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* As the 32-bit ABI numbers them; the C library of a 64-bit program has others. */
#define F_GETLK_64	12
#define O_LARGEFILE_32	0100000
#define NOBODY		0x7ffffff
#define AT		0x20000000u
#define PAGE		4096u
#define LOW(p)		((unsigned int)(unsigned long)(p))

static char buf[8192];
static unsigned int words[16], exec_args[2], iov[4], msghdr[7];
static unsigned int sock_args[6], select_args[5], mmap_args[6];
static int fds[2];
static int time32[2], time32_bad[2] = { 0, -1 }, timers32[4], past32[2] = { 1, 0 };
static long long time64[2], time64_bad[2] = { 0, -1 }, timers64[4];
static long long result;
static unsigned int no_sigset[2], usr1_set[2] = { 1 << (SIGUSR1 - 1), 0 };
static struct pollfd pollfd[1] = { { .fd = 3, .events = POLLIN } };
static unsigned int event[3] = { EPOLLIN, 7, 8 };
static unsigned int sigaction32[5] = { 1 /* SIG_IGN */, 0, 0, 0, 0 };
static unsigned int no_stack[3] = { 0, SS_DISABLE, 0 };
static unsigned int rlimit32[2] = { 0, ~0u };
static unsigned int unix_address[28] = { AF_UNIX | 'x' << 16 };
static unsigned int cap_header[2] = { 0x20080522, 0 };
static unsigned int how[6] = { O_RDONLY | O_CLOEXEC };
static unsigned int robust[3];
static unsigned int futex_word = 7;

static void prepare(void)
{
	iov[0] = LOW(buf);
	iov[1] = 3;
	iov[2] = LOW(buf + 10);
	iov[3] = 20;
	msghdr[2] = LOW(iov);
	msghdr[3] = 2;
	sock_args[0] = AF_UNIX;
	sock_args[1] = SOCK_DGRAM;
	sock_args[2] = 0;
	sock_args[3] = LOW(fds);
	mmap_args[0] = AT + 64 * PAGE;
	mmap_args[1] = PAGE;
	mmap_args[2] = PROT_READ;
	mmap_args[3] = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	mmap_args[4] = ~0u;
	select_args[4] = LOW(time32);
	exec_args[0] = LOW(buf);
}

static const struct row files[] = {
	C(close_range, 0, I(3), I(~0u), I(0)),
	C(umask, OK, I(022)),
	C(open, 3, P("a"), I(O_RDWR | O_CREAT | O_EXCL), I(0640)),
	C(open, -EEXIST, P("a"), I(O_RDWR | O_CREAT | O_EXCL), I(0640)),
	C(openat, 4, I(AT_FDCWD), P("."), I(O_RDONLY | O_DIRECTORY | O_LARGEFILE_32)),
	C(openat, -ENOENT, I(4), P("missing"), I(O_WRONLY | O_APPEND)),
	C(openat2, 5, I(4), P("a"), P(how), I(24)),
	C(creat, 6, P("b"), I(0600)),
	C(close, 0, I(6)), C(close, -EBADF, I(6)),
	C(write, 11, I(3), P("hello world"), I(11)), C(write, -EFAULT, I(3), I(8), I(11)),
	C(pwrite64, 4, I(3), P("tail"), I(4), I(100), I(0)),
	C(pwrite64, -EINVAL, I(3), P("tail"), I(4), I(0), I(-1)),
	C(writev, 23, I(3), P(iov), I(2)), C(pwritev, 23, I(3), P(iov), I(2), I(9), I(0)),
	C(pwritev2, 23, I(3), P(iov), I(2), I(0), I(0), I(4 /* RWF_SYNC */)),
	C(lseek, 0, I(3), I(0), I(SEEK_SET)), C(lseek, -EINVAL, I(3), I(-1), I(SEEK_SET)),
	C(_llseek, 0, I(3), I(0), I(2), P(&result), I(SEEK_CUR)),
	C(_llseek, -EINVAL, I(3), I(-1), I(2), P(&result), I(SEEK_SET)),
	C(read, 8, I(3), P(buf), I(8)), C(read, -EBADF, I(99), P(buf), I(8)),
	C(pread64, 4, I(3), P(buf), I(8), I(100), I(0)),
	C(readv, 23, I(3), P(iov), I(2)), C(preadv, 23, I(3), P(iov), I(2), I(0), I(0)),
	C(preadv2, 23, I(3), P(iov), I(2), I(0), I(0), I(0)),
	C(readahead, 0, I(3), I(0), I(0), I(4096)),
	C(fadvise64, 0, I(3), I(0), I(0), I(0), I(POSIX_FADV_WILLNEED)),
	C(fadvise64_64, 0, I(3), I(0), I(0), I(0), I(0), I(POSIX_FADV_DONTNEED)),
	C(fallocate, 0, I(3), I(1 /* KEEP_SIZE */), I(0), I(0), I(300), I(0)),
	C(sync_file_range, 0, I(3), I(0), I(0), I(100), I(0), I(2)),
	C(copy_file_range, -EBADF, I(99), P(NULL), I(3), P(NULL), I(5), I(0)),
	C(sendfile, -EBADF, I(99), I(3), P(NULL), I(5)),
	C(sendfile64, -EBADF, I(99), I(3), P(NULL), I(5)),
	C(ftruncate, 0, I(3), I(50)), C(ftruncate64, 0, I(3), I(60), I(0)),
	C(truncate, 0, P("a"), I(50)), C(truncate64, -ENOENT, P("missing"), I(60), I(0)),
	C(fsync, 0, I(3)), C(fdatasync, 0, I(3)), C(sync, 0), C(syncfs, 0, I(4)),
	C(flock, 0, I(3), I(6)), C(flock, -EINVAL, I(3), I(16)),
	C(stat, 0, P("a"), P(buf)), C(stat64, 0, P("a"), P(buf)),
	C(lstat, 0, P("."), P(buf)), C(lstat64, -ENOENT, P("missing"), P(buf)),
	C(fstat, 0, I(3), P(buf)), C(fstat64, -EBADF, I(99), P(buf)),
	C(fstatat64, 0, I(4), P("a"), P(buf), I(AT_SYMLINK_NOFOLLOW)),
	C(statx, 0, I(4), P("a"), I(AT_STATX_DONT_SYNC), I(0x7ff), P(buf)),
	C(oldstat, ANY, P("a"), P(buf)), C(oldlstat, -ENOENT, P("missing"), P(buf)),
	C(oldfstat, ANY, I(3), P(buf)),
	C(statfs, 0, P("."), P(buf)), C(statfs64, 0, P("."), I(84), P(buf)),
	C(fstatfs, 0, I(3), P(buf)), C(fstatfs64, -EINVAL, I(3), I(1), P(buf)),
	C(ustat, -EINVAL, I(0xfffff), P(buf)),
	C(access, 0, P("a"), I(R_OK | W_OK)), C(access, -ENOENT, P("missing"), I(F_OK)),
	C(faccessat, -ENOTDIR, I(3), P("a"), I(R_OK)),
	C(faccessat2, 0, I(4), P("a"), I(W_OK), I(AT_EACCESS)),
	C(mkdir, 0, P("d"), I(0755)), C(mkdirat, -EEXIST, I(4), P("d"), I(01777)),
	C(rmdir, -ENOENT, P("missing")), C(mknod, 0, P("f"), I(S_IFIFO | 0600), I(0)),
	C(mknodat, -EEXIST, I(4), P("f"), I(S_IFCHR | 0600), I(0x103)),
	C(link, 0, P("a"), P("l")), C(linkat, -ENOENT, I(4), P("no"), I(4), P("m"), I(0)),
	C(symlink, 0, P("a"), P("s")), C(symlinkat, -EEXIST, P("a"), I(4), P("s")),
	C(readlink, 1, P("s"), P(buf), I(64)), C(readlinkat, -EINVAL, I(4), P("a"), P(buf), I(64)),
	C(rename, 0, P("l"), P("l2")), C(renameat, -ENOENT, I(4), P("l"), I(4), P("l2")),
	C(renameat2, -EEXIST, I(4), P("l2"), I(4), P("a"), I(1 /* RENAME_NOREPLACE */)),
	C(unlink, 0, P("l2")), C(unlinkat, 0, I(4), P("d"), I(AT_REMOVEDIR)),
	C(chdir, -ENOENT, P("missing")), C(fchdir, 0, I(4)), C(getcwd, OK, P(buf), I(4096)),
	C(chroot, -ENOENT, P("missing")),
	C(getdents, OK, I(4), P(buf), I(4096)), C(getdents64, -ENOTDIR, I(3), P(NULL), I(-1)),
	C(readdir, -ENOTDIR, I(3), P(buf), I(1)),
	C(chmod, 0, P("a"), I(0604)), C(fchmod, 0, I(3), I(04711)),
	C(fchmodat, -ENOENT, I(4), P("missing"), I(0600)),
	C(chown, 0, P("a"), I(1000), I(0xffff)), C(chown32, 0, P("a"), I(0), I(-1)),
	C(fchown, 0, I(3), I(0), I(0)), C(fchown32, -EBADF, I(99), I(-1), I(0)),
	C(lchown, 0, P("s"), I(0), I(0)), C(lchown32, -ENOENT, P("missing"), I(0), I(0)),
	C(fchownat, 0, I(4), P("s"), I(0), I(0), I(AT_SYMLINK_NOFOLLOW)),
	C(utime, 0, P("a"), P(time32)), C(utimes, 0, P("a"), P(timers32)),
	C(futimesat, -ENOENT, I(4), P("missing"), P(NULL)),
	C(utimensat, 0, I(4), P("a"), P(NULL), I(AT_SYMLINK_NOFOLLOW)),
	C(utimensat_time64, 0, I(4), P("a"), P(timers64), I(0)),
	C(setxattr, 0, P("a"), P("trusted.t"), P("v"), I(1), I(1 /* XATTR_CREATE */)),
	C(lsetxattr, -EEXIST, P("a"), P("trusted.t"), P("v"), I(1), I(1)),
	C(fsetxattr, -EINVAL, I(3), P("trusted.t"), P("v"), I(1), I(8)),
	C(getxattr, 1, P("a"), P("trusted.t"), P(buf), I(9)),
	C(lgetxattr, -ENODATA, P("s"), P("trusted.t"), P(buf), I(9)),
	C(fgetxattr, -EBADF, I(99), P("trusted.t"), P(buf), I(9)),
	C(listxattr, 10, P("a"), P(buf), I(99)), C(llistxattr, 0, P("s"), P(buf), I(99)),
	C(flistxattr, 10, I(3), P(NULL), I(0)), C(removexattr, 0, P("a"), P("trusted.t")),
	C(lremovexattr, -ENODATA, P("a"), P("trusted.t")),
	C(fremovexattr, -ENODATA, I(3), P("trusted.t")),
	C(fcntl, 0, I(3), I(F_SETFD), I(FD_CLOEXEC)), C(fcntl, 30, I(3), I(F_DUPFD), I(30)),
	C(fcntl64, 1, I(3), I(F_GETFD)), C(fcntl64, -EFAULT, I(3), I(F_GETLK_64), I(8)),
	C(dup, 6, I(3)), C(dup2, 20, I(3), I(20)), C(dup3, -EINVAL, I(3), I(3), I(O_CLOEXEC)),
	C(ioctl, -ENOTTY, I(3), I(0x5401 /* TCGETS */), P(buf)),
	C(memfd_create, 7, P("mem"), I(3)),
	C(inotify_init, 8), C(inotify_init1, 9, I(IN_CLOEXEC)),
	C(inotify_add_watch, 1, I(9), P("a"), I(IN_MODIFY | IN_OPEN)),
	C(inotify_rm_watch, -EINVAL, I(9), I(77)),
	C(fanotify_init, 10, I(1 /* FAN_CLOEXEC */), I(O_RDONLY)),
	C(fanotify_mark, 0, I(10), I(1 /* FAN_MARK_ADD */), I(2), I(0), I(4), P("a")),
	C(name_to_handle_at, -EOVERFLOW, I(4), P("a"), P(words), P(words + 8), I(0)),
	C(open_by_handle_at, -EBADF, I(99), P(words), I(O_RDONLY)),
	C(close_range, 0, I(3), I(~0u), I(0)),
};

static const struct row events[] = {
	C(pipe, 0, P(fds)), C(pipe2, 0, P(fds), I(O_CLOEXEC | O_NONBLOCK)),
	C(pipe2, -EINVAL, P(fds), I(O_CREAT)),
	C(write, 5, I(4), P("piped"), I(5)),
	C(tee, 5, I(3), I(6), I(100), I(2)), C(splice, 5, I(3), P(NULL), I(6), P(NULL), I(9), I(1)),
	C(vmsplice, 23, I(4), P(iov), I(2), I(0)), C(read, 23, I(3), P(buf), I(100)),
	C(poll, 0, P(pollfd), I(1), I(0)),
	C(ppoll, 0, P(pollfd), I(1), P(time32), P(no_sigset), I(8)),
	C(ppoll_time64, 0, P(pollfd), I(1), P(time64), P(NULL), I(0)),
	C(select, 0, P(select_args)),
	C(_newselect, 0, I(0), P(NULL), P(NULL), P(NULL), P(time32)),
	C(pselect6, 0, I(0), P(NULL), P(NULL), P(NULL), P(time32), P(NULL)),
	C(pselect6_time64, -EINVAL, I(0), P(NULL), P(NULL), P(NULL), P(time64_bad), P(NULL)),
	C(epoll_create, 7, I(1)), C(epoll_create1, 8, I(EPOLL_CLOEXEC)),
	C(epoll_ctl, 0, I(7), I(EPOLL_CTL_ADD), I(3), P(event)),
	C(epoll_wait, 0, I(7), P(buf), I(4), I(0)),
	C(epoll_pwait, 0, I(7), P(buf), I(4), I(0), P(no_sigset), I(8)),
	C(epoll_pwait2, 0, I(7), P(buf), I(4), P(time64), P(NULL), I(8)),
	C(eventfd, 9, I(3)), C(eventfd2, 10, I(0), I(EFD_NONBLOCK | EFD_CLOEXEC)),
	C(signalfd, 11, I(-1), P(usr1_set), I(8)),
	C(signalfd4, 12, I(-1), P(usr1_set), I(8), I(SFD_CLOEXEC)),
	C(timerfd_create, 13, I(CLOCK_MONOTONIC), I(TFD_CLOEXEC)),
	C(timerfd_settime, 0, I(13), I(0), P(timers32), P(NULL)),
	C(timerfd_settime64, 0, I(13), I(TFD_TIMER_ABSTIME), P(timers64), P(buf)),
	C(timerfd_gettime, 0, I(13), P(buf)), C(timerfd_gettime64, -EBADF, I(99), P(buf)),
	C(close_range, 0, I(3), I(~0u), I(0)),
	C(socketcall, 0, I(8 /* socketpair */), P(sock_args)),
	C(socketcall, -EINVAL, I(77), P(sock_args)),
	C(socketpair, 0, I(AF_UNIX), I(SOCK_DGRAM), I(0), P(fds)),
	C(sendto, 5, I(5), P("hello"), I(5), I(MSG_DONTWAIT), P(NULL), I(0)),
	C(recvfrom, 5, I(6), P(buf), I(100), I(MSG_TRUNC), P(NULL), P(NULL)),
	C(sendmsg, 23, I(5), P(msghdr), I(MSG_NOSIGNAL)),
	C(recvmsg, 23, I(6), P(msghdr), I(0)),
	C(recvmsg, -EAGAIN, I(6), P(msghdr), I(MSG_DONTWAIT | MSG_PEEK)),
	C(sendmmsg, -EBADF, I(99), P(buf), I(1), I(0)),
	C(recvmmsg, -EBADF, I(99), P(buf), I(1), I(0), P(NULL)),
	C(recvmmsg_time64, -EBADF, I(99), P(buf), I(1), I(MSG_WAITFORONE), P(NULL)),
	C(socket, 7, I(AF_UNIX), I(SOCK_STREAM | SOCK_NONBLOCK), I(0)),
	C(bind, 0, I(7), P(unix_address), I(4)),
	C(connect, -ECONNREFUSED, I(7), P(unix_address), I(4)),
	C(listen, 0, I(7), I(3)), C(accept4, -EAGAIN, I(7), P(NULL), P(NULL), I(0)),
	C(getsockname, 0, I(7), P(buf), P(words + 1)),
	C(getpeername, -ENOTCONN, I(7), P(buf), P(words + 1)),
	C(setsockopt, -EINVAL, I(7), I(SOL_SOCKET), I(SO_REUSEADDR), P(words), I(1)),
	C(getsockopt, -EBADF, I(99), I(SOL_SOCKET), I(SO_TYPE), P(words), P(words + 1)),
	C(shutdown, 0, I(7), I(SHUT_RD)), C(unlink, -ENOENT, P("no such")),
	C(close_range, 0, I(3), I(~0u), I(0)),
	C(io_setup, -EINVAL, I(0), P(words)), C(io_destroy, -EINVAL, I(0x1234)),
	C(io_submit, -EINVAL, I(0x1234), I(1), P(words)),
	C(io_cancel, -EINVAL, I(0x1234), P(buf), P(buf)),
	C(io_getevents, -EINVAL, I(0x1234), I(0), I(1), P(buf), P(NULL)),
	C(io_pgetevents, -EINVAL, I(0x1234), I(0), I(1), P(buf), P(NULL), P(NULL)),
	C(io_pgetevents_time64, -EINVAL, I(0x1234), I(0), I(1), P(buf), P(NULL), P(NULL)),
	C(io_uring_setup, -EINVAL, I(0), P(buf)),
	C(io_uring_enter, -EBADF, I(99), I(1), I(0), I(1), P(NULL), I(0)),
	C(io_uring_register, -EBADF, I(99), I(1), P(NULL), I(0)),
};

static const struct row ids[] = {
	C(getpid, OK), C(gettid, OK), C(getppid, OK), C(getpgrp, OK), C(getpgid, OK, I(0)),
	C(getsid, -ESRCH, I(NOBODY)), C(setpgid, -ESRCH, I(NOBODY), I(0)),
	C(getuid, 0), C(getuid32, 0), C(geteuid, 0), C(geteuid32, 0), C(getgid, 0), C(getgid32, 0),
	C(getegid, 0), C(getegid32, 0),
	C(setuid, 0, I(0)), C(setuid32, -EINVAL, I(-1)), C(setgid, 0, I(0)),
	C(setgid32, -EINVAL, I(-1)), C(setreuid, 0, I(0xffff), I(0)), C(setreuid32, 0, I(-1), I(0)),
	C(setregid, 0, I(0), I(0xffff)), C(setregid32, 0, I(0), I(-1)),
	C(setresuid, 0, I(0), I(0), I(0)), C(setresuid32, 0, I(-1), I(-1), I(-1)),
	C(setresgid, 0, I(0), I(0), I(0)), C(setresgid32, 0, I(-1), I(-1), I(-1)),
	C(getresuid, 0, P(words), P(words + 1), P(words + 2)),
	C(getresuid32, -EFAULT, I(8), P(words + 1), P(words + 2)),
	C(getresgid, 0, P(words), P(words + 1), P(words + 2)),
	C(getresgid32, -EFAULT, I(8), P(words + 1), P(words + 2)),
	C(setfsuid, 0, I(0)), C(setfsuid32, 0, I(-1)), C(setfsgid, 0, I(0)),
	C(setfsgid32, 0, I(-1)), C(getgroups, OK, I(0), P(NULL)),
	C(getgroups32, -EINVAL, I(-1), P(words)), C(setgroups, -EINVAL, I(70000), P(words)),
	C(setgroups32, 0, I(0), P(NULL)), C(capget, 0, P(cap_header), P(words)),
	C(capset, -EFAULT, P(cap_header), I(8)), C(personality, OK, I(0xffffffff)),
	C(uname, 0, P(buf)), C(olduname, 0, P(buf)), C(oldolduname, 0, P(buf)),
	C(sysinfo, 0, P(buf)), C(sethostname, -EINVAL, P(buf), I(-1)),
	C(setdomainname, -EINVAL, P(buf), I(-1)), C(getcpu, 0, P(words), P(NULL), P(NULL)),
	C(getrandom, 8, P(buf), I(8), I(1)), C(prctl, 0, I(PR_SET_NAME), P("scap-32")),
	C(prctl, -EINVAL, I(9999), I(1), I(2), I(3), I(4)),
	C(sched_yield, 0), C(sched_getscheduler, 0, I(0)),
	C(sched_setscheduler, -EINVAL, I(0), I(99), P(words)), C(sched_getparam, 0, I(0), P(buf)),
	C(sched_setparam, -ESRCH, I(NOBODY), P(words + 3)),
	C(sched_get_priority_max, 99, I(SCHED_RR)), C(sched_get_priority_min, -EINVAL, I(99)),
	C(sched_rr_get_interval, 0, I(0), P(buf)),
	C(sched_rr_get_interval_time64, -ESRCH, I(NOBODY), P(buf)),
	C(sched_getaffinity, OK, I(0), I(1024), P(buf)),
	C(sched_setaffinity, -EFAULT, I(0), I(8), I(8)),
	C(sched_getattr, 0, I(0), P(buf), I(56), I(0)),
	C(sched_setattr, -EINVAL, I(0), P(NULL), I(0)),
	C(nice, 0, I(0)), C(getpriority, 20, I(PRIO_PROCESS), I(0)),
	C(setpriority, -ESRCH, I(PRIO_PROCESS), I(NOBODY), I(1)),
	C(ioprio_get, OK, I(1), I(0)), C(ioprio_set, -EINVAL, I(77), I(0), I(0)),
	C(getrlimit, 0, I(RLIMIT_NOFILE), P(buf)), C(ugetrlimit, 0, I(RLIMIT_AS), P(buf)),
	C(setrlimit, 0, I(RLIMIT_CORE), P(rlimit32)),
	C(prlimit64, -ESRCH, I(NOBODY), I(RLIMIT_CPU), P(NULL), P(buf)),
	C(getrusage, 0, I(RUSAGE_SELF), P(buf)), C(times, OK, P(buf)),
	C(kcmp, -ESRCH, I(NOBODY), I(NOBODY), I(0), I(0), I(1)),
	C(pidfd_open, -ESRCH, I(NOBODY), I(0)), C(pidfd_getfd, -EBADF, I(99), I(1), I(0)),
	C(pidfd_send_signal, -EBADF, I(99), I(SIGTERM), P(NULL), I(0)),
};

static const struct row clocks[] = {
	C(time, OK, P(NULL)), C(stime, -EFAULT, I(8)), C(gettimeofday, 0, P(buf), P(NULL)),
	C(settimeofday, -EFAULT, I(8), P(NULL)),
	C(clock_gettime, 0, I(CLOCK_REALTIME), P(buf)),
	C(clock_gettime64, -EINVAL, I(77), P(buf)),
	C(clock_getres, 0, I(CLOCK_BOOTTIME), P(buf)),
	C(clock_getres_time64, 0, I(CLOCK_MONOTONIC_RAW), P(buf)),
	C(clock_settime, -EINVAL, I(CLOCK_MONOTONIC), P(time32)),
	C(clock_settime64, -EINVAL, I(CLOCK_REALTIME), P(time64_bad)),
	C(clock_adjtime, -EOPNOTSUPP, I(CLOCK_MONOTONIC), P(buf)),
	C(clock_adjtime64, -EOPNOTSUPP, I(CLOCK_MONOTONIC), P(buf)),
	C(adjtimex, -EFAULT, I(8)), C(nanosleep, 0, P(time32), P(NULL)),
	C(nanosleep, -EINVAL, P(time32_bad), P(NULL)),
	C(clock_nanosleep, 0, I(CLOCK_MONOTONIC), I(TIMER_ABSTIME), P(time32), P(NULL)),
	C(clock_nanosleep_time64, 0, I(CLOCK_MONOTONIC), I(0), P(time64), P(NULL)),
	C(alarm, 0, I(1000)), C(alarm, 1000, I(0)), C(getitimer, 0, I(ITIMER_PROF), P(buf)),
	C(setitimer, 0, I(ITIMER_PROF), P(timers32), P(buf)),
	C(timer_create, 0, I(CLOCK_MONOTONIC), P(NULL), P(words)),
	C(timer_settime, 0, I(0), I(0), P(timers32), P(NULL)),
	C(timer_settime64, -EINVAL, I(77), I(TIMER_ABSTIME), P(timers64), P(NULL)),
	C(timer_gettime, 0, I(0), P(buf)), C(timer_gettime64, 0, I(0), P(buf)),
	C(timer_getoverrun, -EINVAL, I(77)), C(timer_delete, 0, I(0)),
	C(signal, OK, I(SIGUSR2), I(1 /* SIG_IGN */)),
	C(sigaction, 0, I(SIGUSR2), P(sigaction32), P(buf)),
	C(rt_sigaction, -EINVAL, I(SIGKILL), P(sigaction32), P(NULL), I(8)),
	C(sigprocmask, 0, I(SIG_BLOCK), P(usr1_set), P(words)),
	C(rt_sigprocmask, 0, I(SIG_SETMASK), P(no_sigset), P(NULL), I(8)),
	C(sigpending, 0, P(words)), C(rt_sigpending, -EINVAL, P(words), I(9)),
	C(sgetmask, OK), C(ssetmask, OK, I(0)),
	C(rt_sigtimedwait, -EAGAIN, P(usr1_set), P(buf), P(time32), I(8)),
	C(rt_sigtimedwait_time64, -EAGAIN, P(usr1_set), P(buf), P(time64), I(8)),
	C(rt_sigqueueinfo, -ESRCH, I(NOBODY), I(SIGUSR1), P(buf)),
	C(rt_tgsigqueueinfo, -EINVAL, I(-1), I(NOBODY), I(SIGUSR1), P(buf)),
	C(rt_sigsuspend, -EINVAL, P(no_sigset), I(9)),
	C(sigaltstack, 0, P(no_stack), P(buf)),
	C(kill, -ESRCH, I(NOBODY), I(SIGTERM)), C(tkill, -EINVAL, I(-1), I(SIGHUP)),
	C(tgkill, -ESRCH, I(NOBODY), I(NOBODY), I(SIGINT)), C(restart_syscall, -EINTR),
};

static const struct row memory[] = {
	C(brk, OK, I(0)),
	C(mmap2, AT, I(AT), I(16 * PAGE), I(PROT_READ | PROT_WRITE),
	  I(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED), I(-1), I(0)),
	C(mmap2, -EBADF, I(0), I(PAGE), I(PROT_READ), I(MAP_SHARED), I(99), I(1)),
	C(mmap, AT + 64 * PAGE, P(mmap_args)), C(mmap, -EFAULT, I(8)),
	C(mprotect, 0, I(AT), I(PAGE), I(PROT_READ)),
	C(mprotect, -EINVAL, I(AT + 1), I(PAGE), I(PROT_READ | PROT_EXEC)),
	C(pkey_mprotect, -EINVAL, I(AT), I(PAGE), I(PROT_READ), I(99)),
	C(pkey_alloc, -EINVAL, I(1), I(0)), C(pkey_free, -EINVAL, I(99)),
	C(madvise, 0, I(AT), I(PAGE), I(MADV_DONTNEED)), C(mincore, 0, I(AT), I(PAGE), P(buf)),
	C(msync, -EINVAL, I(AT), I(PAGE), I(MS_ASYNC | MS_SYNC)), C(mlock, 0, I(AT), I(PAGE)),
	C(mlock2, 0, I(AT), I(PAGE), I(1)), C(munlock, 0, I(AT), I(PAGE)),
	C(mlockall, -EINVAL, I(0)), C(munlockall, 0),
	C(mremap, AT, I(AT), I(4 * PAGE), I(2 * PAGE), I(0), I(0)),
	C(remap_file_pages, -EINVAL, I(AT), I(PAGE), I(PROT_READ), I(0), I(0)),
	C(mbind, -EINVAL, I(AT), I(PAGE), I(99), P(NULL), I(0), I(0)),
	C(set_mempolicy, -EINVAL, I(77), P(NULL), I(0)),
	C(get_mempolicy, 0, P(words), P(NULL), I(0), I(0), I(0)),
	C(migrate_pages, -ESRCH, I(NOBODY), I(1), P(words), P(words)),
	C(move_pages, -ESRCH, I(NOBODY), I(0), P(words), P(NULL), P(words), I(0)),
	C(munmap, 0, I(AT), I(PAGE)), C(munmap, -EINVAL, I(AT + 1), I(PAGE)),
	C(process_vm_readv, -ESRCH, I(NOBODY), P(iov), I(1), P(iov), I(1), I(0)),
	C(process_vm_writev, -EINVAL, I(NOBODY), P(iov), I(1), P(iov), I(1), I(1)),
	C(membarrier, OK, I(0), I(0), I(0)), C(modify_ldt, 0, I(0), P(buf), I(64)),
	C(futex, 0, P(&futex_word), I(FUTEX_WAKE | FUTEX_PRIVATE_FLAG), I(1)),
	C(futex, -EAGAIN, P(&futex_word), I(FUTEX_WAIT), I(8), P(past32)),
	C(futex_time64, -EAGAIN, P(&futex_word), I(FUTEX_WAIT_BITSET), I(8), P(time64), P(NULL),
	  I(~0u)),
	C(set_robust_list, 0, P(robust), I(12)),
	C(get_robust_list, 0, I(0), P(words), P(words + 1)),
	C(set_tid_address, OK, P(words)),
	C(semget, -ENOENT, I(0x5ca95ca9), I(1), I(0600)),
	C(msgget, -ENOENT, I(0x5ca95ca9), I(0600)),
	C(shmget, -EINVAL, I(IPC_PRIVATE), I(0), I(IPC_CREAT | 0600)),
	C(semctl, -EINVAL, I(-1), I(0), I(IPC_RMID), I(0)),
	C(msgctl, -EINVAL, I(-1), I(IPC_STAT), P(buf)), C(shmctl, -EINVAL, I(-1), I(2), P(buf)),
	C(shmat, -EINVAL, I(-1), I(0), I(0)), C(shmdt, -EINVAL, I(AT + 1)),
	C(msgsnd, -EINVAL, I(-1), P(words), I(4), I(0)),
	C(msgrcv, -EINVAL, I(-1), P(words), I(4), I(0), I(0)),
	C(semtimedop_time64, -EINVAL, I(-1), P(words), I(1), P(NULL)),
	C(ipc, -EINVAL, I(1 /* semop */), I(-1), I(1), I(0), P(words)),
	C(ipc, -ENOSYS, I(77), I(1), I(2), I(3), I(4), I(5)),
};

static const struct row refused[] = {
	C(ptrace, -ESRCH, I(1), I(NOBODY), P(buf), P(buf)),
	C(syslog, -EINVAL, I(7777), P(buf), I(8)),
	C(acct, -ENOENT, P("no/such")), C(pivot_root, -ENOENT, P("no/such"), P("directory")),
	C(mount, -ENOENT, P("none"), P("no/such"), P("tmpfs"), I(MS_NOSUID | MS_NODEV), P(NULL)),
	C(umount, -ENOENT, P("no/such")), C(umount2, -EINVAL, P("/"), I(0x8000)),
	C(swapon, -ENOENT, P("no/such"), I(0)), C(swapoff, -ENOENT, P("no/such")),
	C(reboot, -EINVAL, I(0), I(0), I(LINUX_REBOOT_CMD_RESTART), P(NULL)),
	C(iopl, -EINVAL, I(4)), C(ioperm, -EINVAL, I(70000), I(1), I(1)),
	C(init_module, -EFAULT, I(8), I(64), P("")), C(finit_module, -EBADF, I(99), P(""), I(0)),
	C(delete_module, -ENOENT, P("no_such_module"), I(O_NONBLOCK)),
	C(quotactl, -EINVAL, I(0x7f), P("no/such"), I(0), P(buf)),
	C(quotactl_fd, -EBADF, I(99), I(0x80000701), I(0), P(buf)),
	C(kexec_load, -EINVAL, I(0), I(17), P(buf), I(0x30000)), C(setns, -EBADF, I(99), I(0)),
	C(seccomp, -EINVAL, I(0), I(1), P(NULL)), C(bpf, -E2BIG, I(1), P(buf), I(5000)),
	C(userfaultfd, -EINVAL, I(0x40)),
	C(perf_event_open, -EFAULT, I(8), I(0), I(-1), I(-1), I(0)),
	C(add_key, -ENODEV, P("no such type"), P("d"), P("p"), I(1), I(-2)),
	C(request_key, -ENOKEY, P("user"), P("no such key"), P(NULL), I(0)),
	C(keyctl, -EOPNOTSUPP, I(7777), I(1), I(2), I(3), I(4)),
	C(mq_open, -ENOENT, P("no-such-queue"), I(O_RDONLY), I(0), P(NULL)),
	C(mq_unlink, -ENOENT, P("no-such-queue")), C(mq_getsetattr, -EBADF, I(99), P(NULL), P(buf)),
	C(mq_timedsend, -EBADF, I(99), P("m"), I(1), I(0), P(NULL)),
	C(mq_timedreceive, -EBADF, I(99), P(buf), I(1), P(words), P(NULL)),
	C(mq_timedsend_time64, -EBADF, I(99), P("m"), I(1), I(0), P(NULL)),
	C(mq_timedreceive_time64, -EBADF, I(99), P(buf), I(1), P(words), P(NULL)),
	C(mq_notify, -EBADF, I(99), P(NULL)), C(fsopen, -ENODEV, P("no such"), I(0)),
	C(fsconfig, -EOPNOTSUPP, I(3), I(77), P(NULL), P(NULL), I(0)),
	C(fsmount, -EBADF, I(99), I(0), I(0)), C(fspick, -ENOENT, I(AT_FDCWD), P("no such"), I(1)),
	C(open_tree, -ENOENT, I(AT_FDCWD), P("no such"), I(0)),
	C(move_mount, -EINVAL, I(4), P(""), I(4), P(""), I(0x80000000)),
	C(mount_setattr, -EINVAL, I(4), P(""), I(0), P(buf), I(8)),
	C(wait4, -ECHILD, I(-1), P(words), I(WNOHANG), P(NULL)),
	C(waitpid, -ECHILD, I(-1), P(words), I(WUNTRACED)),
	C(waitid, -ECHILD, I(P_ALL), I(0), P(buf), I(WEXITED), P(NULL)),
	C(execve, -ENOENT, P("/no/such/program"), P(exec_args), P(exec_args + 1)),
	C(execveat, -ENOENT, I(AT_FDCWD), P("none"), P(exec_args), P(exec_args + 1), I(0)),
	C(clone, -EINVAL, I(CLONE_THREAD), I(0), P(NULL), I(0), P(NULL)),
	C(clone3, -EINVAL, P(words), I(8)), C(unshare, -EINVAL, I(CLONE_VFORK)),
	C(arch_prctl, -EINVAL, I(0x7777), P(buf)), C(rseq, -EINVAL, P(buf + 1), I(32), I(0), I(0)),
	C(process_madvise, -EBADF, I(99), P(iov), I(1), I(MADV_COLD), I(0)),
	C(process_mrelease, -EBADF, I(99), I(0)),
	C(futex_waitv, -EINVAL, P(buf), I(1), I(1), P(NULL), I(CLOCK_MONOTONIC)),
	C(set_mempolicy_home_node, -EINVAL, I(AT + 1), I(PAGE), I(0), I(0)),
	C(break, -ENOSYS), C(stty, -ENOSYS), C(gtty, -ENOSYS), C(ftime, -ENOSYS), C(prof, -ENOSYS),
	C(lock, -ENOSYS), C(mpx, -ENOSYS), C(ulimit, -ENOSYS), C(profil, -ENOSYS), C(idle, -ENOSYS),
	C(create_module, -ENOSYS, I(1)), C(query_module, -ENOSYS, I(1)),
	C(_sysctl, -ENOSYS, P(buf)),
	CALL("222", 222, -ENOSYS, I(1), I(2)), CALL("999", 999, -ENOSYS, I(1), I(2), I(3)),
};

static const struct row last[] = {
	C(exit, 0, I(5)),
};

static int main32(int argc, char **argv)
{
	pid_t pid;
	int status;

	if (argc != 2 || mkdir(argv[1], 0700) < 0 || chdir(argv[1]) < 0) {
		perror("usage: PROGRAM NEW-DIRECTORY");
		return 7;
	}
	prepare();
	MAKE(files);
	MAKE(events);
	MAKE(ids);
	MAKE(clocks);
	MAKE(memory);
	MAKE(refused);
	pid = fork();
	if (!pid)
		MAKE(last);
	waitpid(pid, &status, 0);
	check("the child that exits", status, 5 << 8);
	return done();
}

#endif
