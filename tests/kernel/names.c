/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that came by different ways. What a program writes is the name of what it writes
 * to: so each recorded call holds the truth beside the name that was recorded for it.
 *	names ways DIR		inherited, dup'ed, passed, renamed, deleted
 *	names middle DIR	opens, creates DIR/opened, waits for DIR/go, writes
 *	names race DIR N	two threads open, read and close N files each, contending for
 *				the same descriptor numbers; each file is opened exactly once
 */
#include "guest.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *dir;

static const char *path_of(char *buf, size_t cap, const char *who, int i)
{
	snprintf(buf, cap, "%s/%s.%d", dir, who, i);
	return buf;
}

static int make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		die("%s", path);
	return fd;
}

static void write_name(int fd, const char *path)
{
	if (pwrite(fd, path, strlen(path), 0) != (ssize_t)strlen(path))
		die("write to %s", path);
}

static void pass(int sock, int fd)
{
	char ctl[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 'f';
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(sock, &m, 0) < 0)
		die("sendmsg");
}

static int take(int sock)
{
	char ctl[CMSG_SPACE(sizeof(int))], byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	int fd;

	if (recvmsg(sock, &m, 0) < 0 || !CMSG_FIRSTHDR(&m))
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* The receiver was made before the file was opened, so it can only come through the socket. */
static void passed(void)
{
	char p[256];
	int sv[2], fd;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0)
		die("socketpair");
	if (fork() == 0) {
		write_name(take(sv[1]), path_of(p, sizeof(p), "passed", 0));
		_exit(0);
	}
	fd = make(path_of(p, sizeof(p), "passed", 0));
	pass(sv[0], fd);
	close(fd);
	wait(NULL);
}

static int ways(void)
{
	char p[256], q[256];
	int fd = make(path_of(p, sizeof(p), "duped", 0));

	write_name(dup(fd), p);
	write_name(dup2(fd, 40), p);
	write_name(fcntl(fd, F_DUPFD, 50), p);
	if (fork() == 0) {
		write_name(40, p);
		_exit(0);
	}
	wait(NULL);
	passed();
	fd = make(path_of(p, sizeof(p), "before", 0));
	if (rename(p, path_of(q, sizeof(q), "renamed", 0)) < 0)
		die("rename");
	close(fd);
	fd = open(q, O_RDWR);
	write_name(fd, q);
	path_of(p, sizeof(p), "inherited", 0);
	write_name(7, p);
	return 0;
}

static int middle(void)
{
	char p[256], flag[256];
	int fd = make(path_of(p, sizeof(p), "middle", 0));

	snprintf(flag, sizeof(flag), "%s/opened", dir);
	close(make(flag));
	snprintf(flag, sizeof(flag), "%s/go", dir);
	wait_for_file(flag);
	for (int i = 0; i < 10; i++)
		write_name(fd, p);
	close(fd);
	return 0;
}

static int n_files;

/* Opens, reads, closes; the number is often the one that the other thread has just given back. */
static void *racer(void *who)
{
	char p[256], buf[256];
	int fd;

	for (int i = 0; i < n_files; i++) {
		fd = open(path_of(p, sizeof(p), who, i), O_RDONLY);
		if (fd < 0 || read(fd, buf, sizeof(buf)) != (ssize_t)strlen(p) || close(fd) < 0)
			die("%s", p);
	}
	return NULL;
}

static int race(void)
{
	static const char *const who[] = { "left", "right" };
	char p[256];
	pthread_t t[2];
	int fd;

	for (int k = 0; k < 2; k++) {
		for (int i = 0; i < n_files; i++) {
			fd = make(path_of(p, sizeof(p), who[k], i));
			write_name(fd, p);
			close(fd);
		}
	}
	snprintf(p, sizeof(p), "%s/opened", dir);
	close(make(p));
	snprintf(p, sizeof(p), "%s/go", dir);
	wait_for_file(p);
	for (int k = 0; k < 2; k++)
		pthread_create(&t[k], NULL, racer, (void *)who[k]);
	for (int k = 0; k < 2; k++)
		pthread_join(t[k], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	dir = argv[2];
	n_files = argc > 3 ? atoi(argv[3]) : 500;
	if (!strcmp(argv[1], "ways"))
		return ways();
	return !strcmp(argv[1], "middle") ? middle() : race();
}
