/* SPDX-License-Identifier: MIT */
/*
 * keyset: processes with all kinds of state, which then stand still: threads that share a table and
 * one that does not, pipes, sockets, a chroot, namespaces, a deleted file, long arguments, other
 * ids, a zombie. Prints "ready".
 */
#include "guest.h"
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static void rest(void)
{
	for (;;)
		pause();
}

static pid_t child(void (*f)(void))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	f();
	rest();
	_exit(0);
}

static void *sharing(void *arg)
{
	char c;

	prctl(PR_SET_NAME, "sharing");
	return (void *)read((int)(long)arg, &c, 1);
}

static void *alone(void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "alone");
	if (unshare(CLONE_FILES) < 0)
		die("unshare");
	dup2(0, 77);
	rest();
	return NULL;
}

static void threads(void)
{
	pthread_t t;
	int p[2];

	if (pipe(p) < 0)
		die("pipe");
	for (int i = 0; i < 4; i++)
		pthread_create(&t, NULL, sharing, (void *)(long)p[0]);
	pthread_create(&t, NULL, alone, NULL);
}

/* A process whose first thread has ended: the others tell its table. */
static void headless(void)
{
	threads();
	usleep(100000);
	pthread_exit(NULL);
}

static void files(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/tmp/keyset.sock" };
	socklen_t n = sizeof(in);
	int s, c;

	s = socket(AF_INET, SOCK_STREAM, 0);
	c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s, (void *)&in, sizeof(in)) < 0 || listen(s, 5) < 0 ||
	    getsockname(s, (void *)&in, &n) < 0 || connect(c, (void *)&in, sizeof(in)) < 0 ||
	    accept(s, NULL, NULL) < 0)
		die("inet");
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	unlink(un.sun_path);
	if (bind(s, (void *)&un, sizeof(un)) < 0)
		die("unix");
	socket(AF_NETLINK, SOCK_RAW, 0);
	epoll_create1(0);
	eventfd(0, EFD_CLOEXEC);
	memfd_create("keyset", 0);
	c = open("/tmp/keyset.gone", O_RDWR | O_CREAT, 0600);
	if (write(c, "12345", 5) != 5)
		die("write");
	unlink("/tmp/keyset.gone");
	open("/etc/passwd", O_RDONLY | O_NOFOLLOW);
	dup2(c, 900);	/* a table of more than one chunk */
	for (int i = 0; i < 100; i++)
		dup2(c, 300 + 3 * i);
}

static void jailed(void)
{
	mkdir("/tmp/keyset.jail", 0755);
	mkdir("/tmp/keyset.jail/deep", 0755);
	if (chroot("/tmp/keyset.jail") < 0 || chdir("/deep") < 0)
		die("chroot");
}

static void other_ids(void)
{
	if (setgroups(0, NULL) < 0 || setresgid(21, 22, 23) < 0 || setresuid(11, 12, 13) < 0)
		die("ids");
	if (setsid() < 0)
		die("setsid");
}

static void other_namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP |
		    CLONE_NEWPID) < 0)
		die("unshare");
	child(rest);
}

static void zombie(void)
{
	if (fork() == 0)
		_exit(7);
}

static void long_arguments(void)
{
	static char big[3000];
	char *argv[] = { "keyset", "rest", big, big + 100, "", "end", NULL };

	memset(big, 'x', sizeof(big) - 1);
	execv("/proc/self/exe", argv);
	die("exec");
}

static void deleted_directory(void)
{
	mkdir("/tmp/keyset.dir", 0755);
	if (chdir("/tmp/keyset.dir") < 0 || rmdir("/tmp/keyset.dir") < 0)
		die("rmdir");
}

int main(int argc, char **argv)
{
	static void (*const all[])(void) = {
		threads, headless, files, jailed, other_ids, other_namespaces, zombie,
		long_arguments, deleted_directory,
	};

	(void)argv;
	if (argc > 1)
		rest();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		child(all[i]);
	usleep(500000);
	puts("ready");
	fflush(stdout);
	rest();
}
