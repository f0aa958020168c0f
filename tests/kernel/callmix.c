/* SPDX-License-Identifier: MIT */
/*
 * callmix DIR: makes some sixty different calls, with success and without, in several threads
 * and processes. Runs under strace; what strace saw is the truth.
 */
#include "guest.h"
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#define S(nr, ...) syscall(SYS_##nr, ##__VA_ARGS__)

static void files(void)
{
	char buf[256];
	struct stat st;
	struct iovec v[2] = { { buf, 3 }, { buf + 10, 20 } };
	int fd = (int)S(open, "a.txt", O_RDWR | O_CREAT | O_EXCL, 0640);

	S(open, "a.txt", O_RDWR | O_CREAT | O_EXCL, 0640);
	S(openat, AT_FDCWD, "no/such/dir", O_RDONLY);
	S(openat, AT_FDCWD, "", O_RDONLY);
	S(write, fd, "the first line\n", 15);
	S(pwrite64, fd, "tail", 4, 100L);
	S(writev, fd, v, 2);
	S(lseek, fd, 0L, SEEK_SET);
	S(read, fd, buf, 8);
	S(pread64, fd, buf, sizeof(buf), 5L);
	S(readv, fd, v, 2);
	S(read, fd, buf, sizeof(buf));
	S(read, fd, buf, sizeof(buf));
	S(write, -1, "x", 1);
	S(fstat, fd, &st);
	S(stat, "a.txt", &st);
	S(stat, "missing", &st);
	S(lstat, ".", &st);
	S(newfstatat, AT_FDCWD, "a.txt", &st, AT_SYMLINK_NOFOLLOW);
	S(newfstatat, fd, "", &st, AT_EMPTY_PATH);
	S(access, "a.txt", R_OK | W_OK);
	S(access, "missing", F_OK);
	S(faccessat2, AT_FDCWD, "a.txt", X_OK, AT_EACCESS);
	S(ftruncate, fd, 10L);
	S(close, fd);
	S(close, fd);
}

static void directories(void)
{
	int dir;

	S(mkdir, "d", 0755);
	S(mkdir, "d", 0755);
	dir = (int)S(openat, AT_FDCWD, "d", O_RDONLY | O_DIRECTORY);
	S(mkdirat, dir, "e", 0700);
	S(close, creat("d/f", 0600));
	S(rename, "a.txt", "d/b.txt");
	S(rename, "a.txt", "d/b.txt");
	S(renameat2, dir, "b.txt", AT_FDCWD, "c \"quoted\" \t name", 1);
	S(chmod, "c \"quoted\" \t name", 0444);
	S(fchmodat, dir, "f", 0);
	S(symlink, "target", "d/link");
	S(readlink, "d/link", (char[64]){ 0 }, 64);
	S(unlinkat, dir, "e", AT_REMOVEDIR);
	S(unlinkat, dir, "e", AT_REMOVEDIR);
	S(unlink, "d/f");
	S(unlink, "d/f");
	S(chdir, "d");
	S(getcwd, (char[64]){ 0 }, 64);
	S(chdir, "..");
	S(close, dir);
}

static void descriptors(void)
{
	int p[2], a, ep;
	char c;

	S(pipe2, p, O_CLOEXEC);
	a = (int)S(dup, p[0]);
	S(dup2, p[1], 20);
	S(dup3, p[1], 21, O_CLOEXEC);
	S(dup3, p[1], p[1], 0);
	S(dup, 9999);
	S(fcntl, a, F_GETFL);
	S(fcntl, a, F_DUPFD_CLOEXEC, 30);
	S(write, 20, "p", 1);
	S(read, a, &c, 1);
	ep = (int)S(epoll_create1, 0);
	S(epoll_ctl, ep, EPOLL_CTL_ADD, a, &(struct epoll_event){ .events = EPOLLIN });
	S(epoll_wait, ep, &(struct epoll_event){ 0 }, 1, 0);
	S(eventfd2, 3, EFD_NONBLOCK);
	S(poll, &(struct pollfd){ .fd = a, .events = POLLIN }, 1, 10);
	S(close, ep);
}

/* A connection over loopback, both ends in one thread. */
static void inet(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(17171),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int l = (int)S(socket, AF_INET, SOCK_STREAM, 0), c, s, one = 1;
	char buf[128];

	S(setsockopt, l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	S(bind, l, &sa, sizeof(sa));
	S(listen, l, 5);
	c = (int)S(socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	S(connect, c, &sa, sizeof(sa));
	s = (int)S(accept4, l, &sa, &len, SOCK_CLOEXEC);
	S(getpeername, s, &sa, &len);
	S(sendto, c, "question", 8, MSG_NOSIGNAL, NULL, 0);
	S(recvfrom, s, buf, sizeof(buf), 0, NULL, NULL);
	S(write, s, "answer", 6);
	S(read, c, buf, sizeof(buf));
	S(shutdown, c, SHUT_WR);
	S(recvfrom, s, buf, sizeof(buf), 0, NULL, NULL);
	S(close, c);
	S(close, s);
	S(close, l);
	sa.sin_port = htons(1);
	c = (int)S(socket, AF_INET, SOCK_STREAM, 0);
	S(connect, c, &sa, sizeof(sa));
	S(accept, c, NULL, NULL);
	S(socket, 99, 1, 0);
}

static void local(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "sock" };
	struct iovec v = { "msg bytes", 9 };
	struct msghdr out = { .msg_name = &un, .msg_namelen = sizeof(un), .msg_iov = &v,
			      .msg_iovlen = 1 };
	char buf[64];
	struct iovec w = { buf, sizeof(buf) };
	struct msghdr in = { .msg_iov = &w, .msg_iovlen = 1 };
	int a = (int)S(socket, AF_UNIX, SOCK_DGRAM, 0), b = (int)S(socket, AF_UNIX, SOCK_DGRAM, 0);

	S(bind, a, &un, sizeof(un));
	S(bind, b, &un, sizeof(un));
	S(sendmsg, b, &out, 0);
	S(recvmsg, a, &in, 0);
	S(recvmsg, a, &in, MSG_DONTWAIT);
	S(unlink, "sock");
	S(socketpair, AF_UNIX, SOCK_STREAM, 0, (int[2]){ 0 });
	S(close, a);
	S(close, b);
}

static void *thread(void *arg)
{
	for (int i = 0; i < 20; i++) {
		S(getppid);
		S(kill, 0, 0);
		S(openat, AT_FDCWD, arg, O_RDONLY);
		S(sched_yield);
	}
	return NULL;
}

static void on_signal(int sig)
{
	(void)sig;
	S(getuid);
}

static void memory_and_signals(void)
{
	void *m = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mmap(NULL, 0, PROT_READ, MAP_PRIVATE, -1, 0);
	munmap(m, 8192);
	signal(SIGUSR1, on_signal);
	S(kill, getpid(), SIGUSR1);
	S(kill, 0x7ffffff, SIGUSR1);
	S(prctl, 9999, 0, 0, 0, 0);
	S(nanosleep, &(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* Every way to make a process; the children end in their own ways. */
static void processes(const char *self)
{
	struct clone_args ca = { .exit_signal = SIGCHLD };
	char *args[] = { "callmix", "an argument", "", NULL }, *none[] = { NULL };
	int status;

	if (S(fork) == 0) {
		S(execve, "/no/such/program", args, none);
		S(execve, self, args, none);
		_exit(9);
	}
	S(wait4, -1, &status, 0, NULL);
	if (S(clone3, &ca, sizeof(ca)) == 0) {
		S(execveat, AT_FDCWD, self, args, none, 0);
		_exit(9);
	}
	S(wait4, -1, &status, 0, NULL);
	if (S(clone, SIGCHLD, 0, 0, 0, 0) == 0)
		S(exit, 3);
	S(wait4, -1, &status, 0, NULL);
	if (vfork() == 0)
		_exit(4);
	S(wait4, -1, &status, 0, NULL);
	S(wait4, -1, &status, 0, NULL);
}

int main(int argc, char **argv)
{
	pthread_t t[2];

	if (argc != 2)
		return 7;
	if (mkdir(argv[1], 0700) < 0 || chdir(argv[1]) < 0)
		die("%s", argv[1]);
	files();
	directories();
	descriptors();
	inet();
	local();
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, thread, i ? "of/one" : "of/two");
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	memory_and_signals();
	processes("/proc/self/exe");
	return 0;
}
