/* SPDX-License-Identifier: MIT */
/*
 * jail DIR: opens files with other roots and in other mount namespaces. Prints how each call must
 * be shown, as lines TYPE KEY=VALUE...
 */
#include "guest.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char dir[256];

static int make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		die("%s", path);
	return fd;
}

static void need(int rc, const char *what)
{
	if (rc < 0)
		die("%s", what);
}

static unsigned long mnt_ns(void)
{
	char text[64] = "";

	need((int)readlink("/proc/self/ns/mnt", text, sizeof(text) - 1), "/proc/self/ns/mnt");
	return strtoul(text + strlen("mnt:["), NULL, 10);
}

/* Its stdout is a pipe; each part is a process of its own. */
static void part(void (*run)(void))
{
	fflush(stdout);
	if (fork() == 0) {
		run();
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

/* Two calls before and after chroot within one epoch, most of the time: it must show at once. */
static void jailed(void)
{
	int outside = make("outside");
	char byte;

	close(open("/etc/passwd", O_RDONLY));
	printf("openat tid=%d args.name=/etc/passwd path=/etc/passwd\n", getpid());
	need(mkdir("jail", 0755), "jail");
	need(mkdir("jail/etc", 0755), "jail/etc");
	close(make("jail/etc/shadow"));
	need(chroot("jail"), "chroot");
	printf("chroot args.filename=jail args.resolved=/ path=/ root=%s/jail\n", dir);
	need(chdir("/etc"), "chdir");
	printf("chdir args.filename=/etc path=/etc root=%s/jail\n", dir);
	close(open("/etc/shadow", O_RDONLY));
	printf("openat tid=%d args.name=/etc/shadow fd.name=/etc/shadow root=%s/jail\n", getpid(),
	       dir);
	access("rel-jailed", F_OK);
	printf("access path=/etc/rel-jailed args.cwd=/etc root=%s/jail\n", dir);
	access("/abs-jailed", F_OK);
	printf("access path=/abs-jailed root=%s/jail\n", dir);
	need((int)pread(outside, &byte, 1, 77), "pread");
	printf("pread64 args.pos=77 fd.name=%s/outside fd.outside=true root=%s/jail\n", dir, dir);
	/* And out again. */
	need(mkdir("deeper", 0755), "deeper");
	need(chroot("deeper"), "chroot");
	need(chdir("../../../../../../.."), "out");
	need(chroot("."), "out");
	printf("chroot args.filename=. path=/ tid=%d\n", getpid());
	close(open("/etc/group", O_RDONLY));
	printf("openat tid=%d args.name=/etc/group fd.name=/etc/group\n", getpid());
}

/* As container runtimes do: a root of its own, moved onto / of its own namespace. */
static void contained(void)
{
	int host = make("host-file");
	unsigned long host_ns = mnt_ns(), ns;
	char byte;

	need(unshare(CLONE_NEWNS), "unshare");
	ns = mnt_ns();
	need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	need(mkdir("inner", 0755), "inner");
	need(mount("none", "inner", "tmpfs", 0, NULL), "tmpfs");
	close(make("inner/inner-file"));
	printf("openat args.name=inner/inner-file path=%s/inner/inner-file mnt_ns=%lu\n", dir, ns);
	need(mkdir("inner/mnt", 0755), "mnt");
	need(chdir("inner"), "chdir");
	need(mount(".", "/", NULL, MS_MOVE, NULL), "move");
	need(chroot("."), "chroot");
	close(make("/own-file"));
	printf("openat args.name=/own-file path=/own-file fd.name=/own-file mnt_ns=%lu\n", ns);
	need((int)pread(host, &byte, 1, 78), "pread");
	printf("pread64 args.pos=78 fd.name=%s/host-file fd.outside=true mnt_ns=%lu ", dir, ns);
	printf("fd.mnt_ns=%lu\n", host_ns);
}

/* pivot_root wants a root that is mounted on something, which an initramfs is not. */
static void pivoted(void)
{
	need(unshare(CLONE_NEWNS), "unshare");
	need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	need(mkdir("first", 0755), "first");
	need(mount("none", "first", "tmpfs", 0, NULL), "tmpfs");
	need(chroot("first"), "chroot");
	need(chdir("/"), "chdir");
	need(mkdir("second", 0755), "second");
	need(mount("none", "second", "tmpfs", 0, NULL), "tmpfs");
	need(mkdir("second/old", 0755), "old");
	close(make("second/pivot-file"));
	printf("openat args.name=second/pivot-file path=/second/pivot-file root=%s/first\n", dir);
	need((int)syscall(SYS_pivot_root, "second", "second/old"), "pivot_root");
	need(chdir("/"), "chdir");
	close(make("/pivot-file2"));
	printf("openat args.name=/pivot-file2 path=/pivot-file2 root=%s/first\n", dir);
	close(make("/old/below-old"));
	printf("openat args.name=/old/below-old path=/old/below-old root=%s/first\n", dir);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	snprintf(dir, sizeof(dir), "%s", argv[1]);
	need(mkdir(dir, 0755), dir);
	need(chdir(dir), dir);
	part(jailed);
	part(contained);
	part(pivoted);
	return 0;
}
