/* SPDX-License-Identifier: MIT */
/*
 * paths DIR: names files by paths of all sorts, most of them relative. Prints which path each call
 * means, as lines TYPE KEY=VALUE...: exactly one event must have all of that.
 */
#include "guest.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

static const char *dir;

static void says(const char *type, const char *fmt, ...)
{
	va_list ap;

	printf("%s ", type);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static long call(long nr, const void *a, const void *b, long c, long d)
{
	return raw(nr, (long)a, (long)b, c, d, 0, 0);
}

static int make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		die("%s", path);
	return fd;
}

/* The working directory is dir/a. */
static void plain(void)
{
	char buf[4200];
	struct stat st;

	call(SYS_stat, "rel-stat", &st, 0, 0);
	says("stat", "path=%s/a/rel-stat args.cwd=%s/a res=-2", dir, dir);
	call(SYS_stat, "../x/./y//rel-dots", &st, 0, 0);
	says("stat", "path=%s/x/y/rel-dots args.cwd=%s/a", dir, dir);
	call(SYS_stat, "/no/such/abs-stat", &st, 0, 0);
	says("stat", "path=/no/such/abs-stat args.path=/no/such/abs-stat");
	call(SYS_mkdir, "rel-mkdir", (void *)0755, 0, 0);
	says("mkdir", "path=%s/a/rel-mkdir res=0", dir);
	call(SYS_rename, "rel-mkdir", "b/rel-new", 0, 0);
	says("rename", "source=%s/a/rel-mkdir target=%s/a/b/rel-new res=0", dir, dir);
	snprintf(buf, sizeof(buf), "%s/absolute", dir);
	call(SYS_rename, "b/rel-new", buf, 0, 0);
	says("rename", "source=%s/a/b/rel-new target=%s/absolute args.cwd=%s/a", dir, dir, dir);
	call(SYS_rename, buf, "rel-back", 0, 0);
	says("rename", "source=%s/absolute target=%s/a/rel-back args.cwd=%s/a", dir, dir, dir);
	call(SYS_rmdir, "rel-back", NULL, 0, 0);
	says("rmdir", "path=%s/a/rel-back res=0", dir);
	call(SYS_symlink, "any text", "rel-sym", 0, 0);
	says("symlink", "path=%s/a/rel-sym args.target=any__text res=0", dir);
	call(SYS_readlink, "rel-sym", buf, sizeof(buf), 0);
	says("readlink", "path=%s/a/rel-sym res=8", dir);
	call(SYS_unlink, "rel-sym", NULL, 0, 0);
	says("unlink", "path=%s/a/rel-sym res=0", dir);
	call(SYS_open, "no-such/rel-open", NULL, 0, 0);
	says("open", "path=%s/a/no-such/rel-open args.cwd=%s/a res=-2", dir, dir);
	call(SYS_execve, "./rel-exec", NULL, 0, 0);
	says("execve", "path=%s/a/rel-exec args.cwd=%s/a res=-2", dir, dir);
	call(SYS_chmod, "", (void *)0600, 0, 0);
	says("chmod", "path=%s/a res=-2", dir);
}

static void with_dirs(void)
{
	int d = open(dir, O_RDONLY | O_DIRECTORY), n;
	struct stat st;

	if (d < 0)
		die("%s", dir);
	close(make("file"));
	call(SYS_newfstatat, (void *)(long)d, "at-dir", (long)&st, 0);
	says("newfstatat", "path=%s/at-dir fd.name=%s", dir, dir);
	call(SYS_newfstatat, (void *)AT_FDCWD, "at-cwd", (long)&st, 0);
	says("newfstatat", "path=%s/a/at-cwd", dir);
	raw(SYS_linkat, AT_FDCWD, (long)"file", d, (long)"linked", 0, 0);
	says("linkat", "source=%s/a/file target=%s/linked res=0", dir, dir);
	raw(SYS_renameat2, d, (long)"linked", AT_FDCWD, (long)"back", 0, 0);
	says("renameat2", "source=%s/linked target=%s/a/back args.olddirfd=%d<%s> "
	     "args.newdirfd=AT_FDCWD<%s/a>", dir, dir, d, dir, dir);
	raw(SYS_symlinkat, (long)"text", d, (long)"sym", 0, 0, 0);
	says("symlinkat", "path=%s/sym", dir);
	raw(SYS_unlinkat, d, (long)"sym", 0, 0, 0, 0);
	says("unlinkat", "path=%s/sym res=0", dir);
	raw(SYS_openat, d, (long)"at-open", 0, 0, 0, 0);
	says("openat", "path=%s/at-open res=-2 fd.num=-1", dir);
	n = inotify_init1(0);
	inotify_add_watch(n, "rel-watch", IN_OPEN);
	says("inotify_add_watch", "path=%s/a/rel-watch fd.num=%d fd.type=inotify args.cwd=%s/a",
	     dir, n, dir);
}

/* Whose result is a place. */
static void moves(void)
{
	call(SYS_chdir, "b", NULL, 0, 0);
	says("chdir", "path=%s/a/b args.filename=b args.resolved=%s/a/b", dir, dir);
	call(SYS_chdir, "../..", NULL, 0, 0);
	says("chdir", "path=%s args.filename=../.. args.resolved=%s", dir, dir);
	call(SYS_chdir, "no-such-dir", NULL, 0, 0);
	says("chdir", "path=%s/no-such-dir res=-2 args.cwd=%s", dir, dir);
	if (chdir("a") < 0 || rename("../a", "../a-renamed") < 0)
		die("a");
	call(SYS_unlink, "in-renamed", NULL, 0, 0);
	says("unlink", "path=%s/a-renamed/in-renamed", dir);
	call(SYS_mkdir, "gone", (void *)0700, 0, 0);
	if (chdir("gone") < 0 || rmdir("../gone") < 0)
		die("gone");
	call(SYS_unlink, "in-gone", NULL, 0, 0);
	says("unlink", "path=%s/a-renamed/gone/in-gone res=-2", dir);
}

static unsigned mnt_id(int fd)
{
	char path[64], line[128];
	unsigned id = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "mnt_id: %u", &id);
	if (f)
		fclose(f);
	return id;
}

static void through_proc(void)
{
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/a-renamed/shadow", dir);
	close(make(path));
	snprintf(path, sizeof(path), "/proc/self/root%s/a-renamed/shadow", dir);
	fd = (int)call(SYS_open, path, NULL, 0, 0);
	says("open", "args.name=%s path=%s/a-renamed/shadow fd.mnt_id=%u", path, dir, mnt_id(fd));
	fd = open("/proc/self/status", O_RDONLY);
	says("openat", "path=/proc/%d/status fd.mnt_id=%u", getpid(), mnt_id(fd));
}

/* Calls on two files name both. */
static void two_files(void)
{
	int in = make("in"), out = make("out"), ep = epoll_create1(0), p[2], pidfd, fd;
	struct epoll_event e = { 0 };

	if (pipe(p) < 0 || write(in, "12345678", 8) != 8)
		die("in");
	lseek(in, 0, SEEK_SET);
	call(SYS_sendfile, (void *)(long)out, (void *)(long)in, 0, 3);
	says("sendfile", "args.out_fd=%d<%s/a-renamed/out> args.in_fd=%d<%s/a-renamed/in> res=3",
	     out, dir, in, dir);
	raw(SYS_copy_file_range, in, 0, out, 0, 2, 0);
	says("copy_file_range", "args.fd_in=%d<%s/a-renamed/in> args.fd_out=%d<%s/a-renamed/out>",
	     in, dir, out, dir);
	raw(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, p[0], (long)&e, 0, 0);
	says("epoll_ctl", "args.epfd=%d<anon_inode:[eventpoll]> args.fd~%d<pipe:[", ep, p[0]);
	raw(SYS_dup3, in, 50, 0, 0, 0, 0);
	says("dup3", "args.oldfd=%d<%s/a-renamed/in> args.newfd=50<%s/a-renamed/in> res=50", in,
	     dir, dir);
	pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, out, 0);
	says("pidfd_getfd", "args.pidfd~%d<anon_inode:[pidfd] args.fd=%d fd.name=%s/a-renamed/out "
	     "res=%d", pidfd, out, dir, fd);
}

int main(int argc, char **argv)
{
	char path[600];

	if (argc < 2)
		return 2;
	dir = argv[1];
	snprintf(path, sizeof(path), "%s/a", dir);
	if (mkdir(dir, 0755) < 0 || mkdir(path, 0755) < 0 || chdir(path) < 0 ||
	    mkdir("b", 0755) < 0)
		die("%s", path);
	plain();
	with_dirs();
	moves();
	if (snprintf(path, sizeof(path), "%s/a-renamed", dir) < 0 || chdir(path) < 0)
		die("%s", path);
	two_files();
	through_proc();
	return 0;
}
