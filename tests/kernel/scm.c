/* SPDX-License-Identifier: MIT */
/*
 * scm DIR: hands descriptors and credentials over a socket pair. Prints how each call must be
 * shown, as lines TYPE KEY=VALUE... ("__" stands for a blank).
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_FDS 20

static int sock[2];
static const char *dir;

static int make(const char *name)
{
	char path[4000];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static long send_control(const char *text, void *control, size_t len)
{
	struct iovec v = { (void *)text, strlen(text) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = len };

	/* libc makes a socketcall of it in 32 bits. */
	return syscall(SYS_sendmsg, sock[0], &m, 0);
}

static void send_fds(const char *text, const int *fds, int n)
{
	char control[CMSG_SPACE(MAX_FDS * sizeof(int))] = { 0 };
	struct cmsghdr *c = (struct cmsghdr *)control;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	if (send_control(text, control, CMSG_SPACE(n * sizeof(int))) < 0)
		err(1, "sendmsg %s", text);
}

/* Their numbers; how many. */
static int take_fds(int *fds)
{
	char control[CMSG_SPACE(MAX_FDS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))], buf[16];
	struct iovec v = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int n = 0;

	if (syscall(SYS_recvmsg, sock[1], &m, 0) < 0)
		err(1, "recvmsg");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	}
	return n;
}

static void two(void)
{
	int fds[MAX_FDS], p[2];
	struct stat st;

	fds[0] = make("passed");
	if (pipe(p) < 0 || fstat(p[1], &st) < 0)
		err(1, "pipe");
	fds[1] = p[1];
	send_fds("two", fds, 2);
	printf("sendmsg args.msg=two args.fds=[%d<%s/passed>,__%d<pipe:[%lu]>]\n", fds[0], dir,
	       fds[1], (unsigned long)st.st_ino);
	take_fds(fds);
	printf("recvmsg args.msg=two args.fds=[%d<%s/passed>,__%d<pipe:[%lu]>]\n", fds[0], dir,
	       fds[1], (unsigned long)st.st_ino);
	if (write(fds[0], "received", 8) != 8)
		err(1, "write");
	printf("write args.data=received fd.name=%s/passed\n", dir);
}

static void print_many(const char *type, const char *text, const int *fds, const char *name)
{
	printf("%s args.msg=%s args.fds=[", type, text);
	for (int i = 0; i < 16; i++)
		printf("%s%d<%s/%s>", i ? ",__" : "", fds[i], dir, name);
	printf("]...(20) states.fds.state=truncated\n");
}

static void many(void)
{
	int fds[MAX_FDS], fd = make("many");

	for (int i = 0; i < MAX_FDS; i++)
		fds[i] = dup(fd);
	send_fds("many", fds, MAX_FDS);
	print_many("sendmsg", "many", fds, "many");
	take_fds(fds);
	print_many("recvmsg", "many", fds, "many");
}

/* More path than there is room for: all sixteen are listed, some without it. */
static void deep(void)
{
	char path[1200];
	size_t n = 0;
	int fds[MAX_FDS], fd;

	for (int i = 0; i < 4; i++) {
		memset(path + n, 'a' + i, 250);
		n += 250;
		path[n] = 0;
		if (mkdirat(AT_FDCWD, path, 0700) < 0)
			err(1, "mkdir");
		path[n++] = '/';
	}
	strcpy(path + n, "deep");
	fd = open(path, O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < 10; i++)
		fds[i] = dup(fd);
	send_fds("deep", fds, 10);
	take_fds(fds);
	printf("recvmsg args.msg=deep args.fds~%d<%s/%s> args.fds~,__%d<file:[\n", fds[0], dir,
	       path, fds[9]);
}

static void creds(void)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] = { 0 };
	struct cmsghdr *c = (struct cmsghdr *)control;
	struct ucred u = { getpid(), 1234, 4321 };
	int on = 1, fds[MAX_FDS];

	setsockopt(sock[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(u));
	memcpy(CMSG_DATA(c), &u, sizeof(u));
	if (send_control("creds", control, sizeof(control)) < 0)
		err(1, "creds");
	printf("sendmsg args.msg=creds args.creds={pid=%d,__uid=1234,__gid=4321}\n", getpid());
	take_fds(fds);
	printf("recvmsg args.msg=creds args.creds={pid=%d,__uid=1234,__gid=4321}\n", getpid());
}

/* Lengths that lie, memory that is not there. */
static void hostile(void)
{
	char control[CMSG_SPACE(MAX_FDS * sizeof(int))] = { 0 };
	struct cmsghdr *c = (struct cmsghdr *)control;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = (size_t)-1;
	send_control("long", control, sizeof(control));
	printf("sendmsg args.msg=long res=-22\n");
	c->cmsg_len = 3;
	send_control("short", control, sizeof(control));
	printf("sendmsg args.msg=short res=-22\n");
	send_control("fault", (void *)64, 64);
	printf("sendmsg args.msg=fault args.fds=[]<unreadable> states.fds.state=unreadable\n");
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memset(CMSG_DATA(c), 0xff, 2 * sizeof(int));
	send_control("none", control, sizeof(control));
	printf("sendmsg args.msg=none args.fds=[-1,__-1] res=%d\n", -errno);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	dir = argv[1];
	if (chdir(dir) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock) < 0)
		err(1, "%s", dir);
	two();
	many();
	deep();
	creds();
	hostile();
	return 0;
}
