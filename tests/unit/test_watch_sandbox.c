/* SPDX-License-Identifier: MIT */
/*
 * What a recorder gives up: tried in children, which don't come back from it. System calls are made
 * as such, so that the sanitizers' own ways don't count.
 */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "watch/sandbox.h"
#include "watch/store.h"

static char err[400];

/* The status of a child that did this; it exits with what is returned. */
static int in_child(int (*fn)(void *), void *arg)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(fn(arg));
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void passes(int (*fn)(void *))
{
	int status = in_child(fn, NULL);

	cr_assert(WIFEXITED(status), "signal %d", WTERMSIG(status));
	cr_assert_eq(WEXITSTATUS(status), 0, "step %d", WEXITSTATUS(status));
}

/* In a child: where it went wrong is the exit status. */
#define CHECK(x) do { if (!(x)) { fprintf(stderr, "line %d: %s: %s (%s)\n", __LINE__, #x, \
		      strerror(errno), err); return 1; } } while (0)

/* ---- privileges ----------------------------------------------------------------------------- */

static void *wait_for_end(void *fds)
{
	char byte;

	(void)!read(((int *)fds)[0], &byte, 1);
	return NULL;
}

static bool status_has(pid_t tid, const char *line)
{
	char path[64], text[8192];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	f = fopen(path, "r");
	if (!f)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = 0;
	return strstr(text, line);
}

static int drop_alone(void *arg)
{
	gid_t groups[] = { 4, 5, 6 };
	int fd = open("/etc/shadow", O_RDONLY);
	char byte;

	(void)arg;
	CHECK(!setgroups(3, groups));
	CHECK(sandbox_drop(12345, 12346, err, sizeof(err)));
	CHECK(getuid() == 12345 && geteuid() == 12345 && getgid() == 12346 && getegid() == 12346);
	CHECK(getgroups(0, NULL) == 0);
	CHECK(setuid(0) < 0 && setgid(0) < 0 && setgroups(0, NULL) < 0);
	CHECK(status_has(getpid(), "CapBnd:\t0000000000000000\n"));
	CHECK(status_has(getpid(), "CapEff:\t0000000000000000\n"));
	CHECK(status_has(getpid(), "NoNewPrivs:\t1\n"));
	CHECK(open("/etc/shadow", O_RDONLY) < 0 && errno == EACCES);
	/* What was opened before stays open. */
	CHECK(fd < 0 || read(fd, &byte, 1) == 1);
	return 0;
}

static int drop_with_threads(void *arg)
{
	pthread_t thread;
	int fds[2];

	(void)arg;
	CHECK(!pipe(fds));
	CHECK(sandbox_early(err, sizeof(err)));
	/* What is needed until then is still there. */
	CHECK(status_has(getpid(), "CapBnd:\t0000000000000000\n"));
	CHECK(!chown("/dev/null", 0, 0));
	CHECK(!pthread_create(&thread, NULL, wait_for_end, fds));
	CHECK(sandbox_drop(12345, 12346, err, sizeof(err)));
	return 0;
}

/* A thread from before sandbox_early() keeps its bounding set: that is said, not overlooked. */
static int drop_too_late(void *arg)
{
	pthread_t thread;
	int fds[2];

	(void)arg;
	CHECK(!pipe(fds));
	CHECK(!pthread_create(&thread, NULL, wait_for_end, fds));
	CHECK(!sandbox_drop(12345, 12346, err, sizeof(err)));
	CHECK(strstr(err, "privileges were not dropped: thread "));
	return 0;
}

/* As systemd gives capabilities to a user that is not root. */
static int drop_ambient(void *arg)
{
	cap_value_t all[] = { CAP_SYS_PTRACE, CAP_SETGID, CAP_SETUID, CAP_SETPCAP };
	cap_t caps = cap_init();

	(void)arg;
	CHECK(!prctl(PR_SET_KEEPCAPS, 1));
	CHECK(!setgroups(0, NULL) && !setresgid(12346, 12346, 12346));
	CHECK(!setresuid(12345, 12345, 12345));
	CHECK(!cap_set_flag(caps, CAP_PERMITTED, 4, all, CAP_SET));
	CHECK(!cap_set_flag(caps, CAP_EFFECTIVE, 4, all, CAP_SET));
	CHECK(!cap_set_flag(caps, CAP_INHERITABLE, 4, all, CAP_SET));
	CHECK(!cap_set_proc(caps));
	CHECK(!cap_set_ambient(CAP_SYS_PTRACE, CAP_SET));
	cap_free(caps);
	CHECK(sandbox_drop(12345, 12346, err, sizeof(err)));
	CHECK(status_has(getpid(), "CapPrm:\t0000000000000000\n"));
	CHECK(status_has(getpid(), "CapInh:\t0000000000000000\n"));
	CHECK(status_has(getpid(), "CapAmb:\t0000000000000000\n"));
	return 0;
}

static int drop_without_the_right(void *arg)
{
	(void)arg;
	CHECK(!setresuid(12345, 12345, 12345));
	CHECK(!sandbox_drop(12347, 12346, err, sizeof(err)));
	CHECK(strstr(err, "cannot"));
	return 0;
}

static int drop_to_root(void *arg)
{
	(void)arg;
	CHECK(!sandbox_drop(0, 12346, err, sizeof(err)));
	CHECK(!sandbox_drop(12345, 0, err, sizeof(err)));
	/* Before anything was given up. */
	CHECK(strstr(err, "nobody") && status_has(getpid(), "NoNewPrivs:\t0\n"));
	return 0;
}

Test(watch_sandbox, privileges)
{
	if (geteuid())
		cr_skip_test("needs root");
	passes(drop_alone);
	passes(drop_with_threads);
	passes(drop_too_late);
	passes(drop_ambient);
	passes(drop_without_the_right);
	passes(drop_to_root);
}

Test(watch_sandbox, users)
{
	uint32_t uid = 1, gid = 1;

	cr_assert(sandbox_user("nobody", &uid, &gid, err, sizeof(err)));
	cr_assert_eq(uid, 65534U);
	cr_assert_eq(gid, 65534U);
	cr_assert_not(sandbox_user("no-such-user", &uid, &gid, err, sizeof(err)));
	cr_assert_str_eq(err, "there is no user no-such-user");
}

/* ---- system calls --------------------------------------------------------------------------- */

static char dir[] = "/tmp/scap-sandbox-XXXXXX";
static struct store *store;
static int pair[2], listener, client;
static struct sockaddr_un at;

static void *of_a_thread(void *arg)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	void *p = malloc(1 << 20);

	prctl(PR_SET_NAME, "worker");
	nanosleep(&ms, NULL);
	free(p);
	return arg;
}

/* All that can't be opened later. */
static int begin(void)
{
	struct watch_config config = { .dir = dir };

	store = store_open(&config, -1, -1, err, sizeof(err));
	CHECK(store);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	at.sun_family = AF_UNIX;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", dir);
	CHECK(!bind(listener, (void *)&at, sizeof(at)) && !listen(listener, 5));
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!connect(client, (void *)&at, sizeof(at)));
	notify_open();
	CHECK(sandbox_seccomp(err, sizeof(err)));
	return 0;
}

static int a_capture(void)
{
	struct store_totals totals;
	uint64_t left;
	struct stat st;
	uint32_t id;
	int fd = store_create(store, "t", 1, &id);

	CHECK(fd >= 0);
	CHECK(pwrite(fd, "x", 1, 0) == 1 && !ftruncate(fd, 100) && lseek(fd, 0, SEEK_END) == 100);
	CHECK(!fallocate(fd, 0, 0, 4096) || errno == EOPNOTSUPP);
	CHECK(!fsync(fd) && !fdatasync(fd) && !fstat(fd, &st) && !close(fd));
	CHECK(!store_finish(store, id, NULL));
	store_tick(store);
	store_totals(store, &totals);
	CHECK(totals.n_files == 1 && store_disk_ok(store, &left));
	CHECK((fd = store_create(store, "t", 1, &id)) >= 0);
	close(fd);
	store_drop(store, id);
	return 0;
}

static int memory(int fd)
{
	char *p = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	p = mremap(p, 1 << 16, 1 << 20, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && !madvise(p, 1 << 16, MADV_DONTNEED));
	CHECK(!mprotect(p, 1 << 16, PROT_READ) && !munmap(p, 1 << 20));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED && !munmap(p, 4096));
	return 0;
}

static int sockets(void)
{
	struct pollfd p = { .fd = pair[0], .events = POLLIN };
	struct epoll_event ev = { .events = EPOLLIN };
	int poller = epoll_create1(EPOLL_CLOEXEC), fd, one = 1;
	socklen_t n = sizeof(one);
	struct msghdr m = { 0 };
	char buf[8];

	CHECK(poller >= 0 && eventfd(0, EFD_CLOEXEC) >= 0);
	CHECK(!epoll_ctl(poller, EPOLL_CTL_ADD, pair[0], &ev));
	CHECK(send(pair[1], "x", 1, MSG_NOSIGNAL) == 1 && sendmsg(pair[1], &m, 0) == 0);
	CHECK(poll(&p, 1, 1000) == 1 && epoll_wait(poller, &ev, 1, 1000) == 1);
	CHECK(recv(pair[0], buf, sizeof(buf), 0) == 1);
	CHECK(!getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &one, &n));
	CHECK(!setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &one, n));
	CHECK(!shutdown(pair[0], SHUT_WR));
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd >= 0 && !close(fd) && socket(AF_UNIX, SOCK_DGRAM, 0) >= 0);
	return 0;
}

static int needed(void *arg)
{
	struct rusage usage;
	struct rlimit limit;
	struct utsname uts;
	pthread_t thread;
	char buf[8];
	int fd;

	(void)arg;
	if (begin())
		return 1;
	if (a_capture())
		return 1;
	fd = open("/dev/zero", O_RDWR);
	CHECK(fd >= 0 && read(fd, buf, 8) == 8 && isatty(fd) == 0);
	CHECK(!memory(fd));
	CHECK(!pthread_create(&thread, NULL, of_a_thread, NULL) && !pthread_join(thread, NULL));
	CHECK(getrandom(buf, sizeof(buf), 0) == sizeof(buf));
	CHECK(!getrusage(RUSAGE_SELF, &usage) && !getrlimit(RLIMIT_NOFILE, &limit));
	CHECK(!uname(&uts) && getpid() > 0 && getuid() == geteuid());
	notify("WATCHDOG=1");
	store_close(store);
	return sockets();
}

Test(watch_sandbox, needed_calls_go_on)
{
	char command[100];

	cr_assert_not_null(mkdtemp(dir));
	passes(needed);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

/* A call with the right arguments is made, without anything of a library around it. */
static const struct forbidden {
	const char *name;
	long nr, arg[4];
} forbidden[] = {
	{ "execve", SYS_execve, { (long)"/bin/true" } },
	{ "execveat", SYS_execveat, { AT_FDCWD, (long)"/bin/true" } },
	{ "fork", SYS_clone, { SIGCHLD } },
	{ "vfork", SYS_clone, { CLONE_VM | CLONE_VFORK | SIGCHLD } },
	{ "ptrace", SYS_ptrace, { PTRACE_TRACEME } },
	{ "process_vm_readv", SYS_process_vm_readv, { 1 } },
	{ "process_vm_writev", SYS_process_vm_writev, { 1 } },
	{ "socket(AF_INET)", SYS_socket, { AF_INET, SOCK_STREAM } },
	{ "socket(AF_NETLINK)", SYS_socket, { AF_NETLINK, SOCK_RAW } },
	{ "connect", SYS_connect, { -1 } },
	{ "bind", SYS_bind, { -1 } },
	{ "setuid", SYS_setuid, { 0 } },
	{ "setresuid", SYS_setresuid, { -1, -1, -1 } },
	{ "setgid", SYS_setgid, { 0 } },
	{ "setgroups", SYS_setgroups, { 0 } },
	{ "capset", SYS_capset, { 0 } },
	{ "mount", SYS_mount, { (long)"none", (long)"/nonexistent", (long)"tmpfs" } },
	{ "umount2", SYS_umount2, { (long)"/nonexistent" } },
	{ "unshare", SYS_unshare, { 0 } },
	{ "bpf", SYS_bpf, { 0 } },
	{ "perf_event_open", SYS_perf_event_open, { 0 } },
	{ "init_module", SYS_init_module, { 0 } },
	{ "finit_module", SYS_finit_module, { -1 } },
	{ "delete_module", SYS_delete_module, { 0 } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { -1 } },
	{ "io_uring_setup", SYS_io_uring_setup, { 0 } },
	{ "keyctl", SYS_keyctl, { 0 } },
	{ "chroot", SYS_chroot, { (long)"/nonexistent" } },
	{ "chmod", SYS_fchmodat, { AT_FDCWD, (long)"/nonexistent", 0 } },
	{ "kill", SYS_kill, { 0, 0 } },
	{ "prctl(PR_SET_DUMPABLE)", SYS_prctl, { PR_SET_DUMPABLE, 1 } },
	{ "mmap(PROT_EXEC)", SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC,
					 MAP_PRIVATE | MAP_ANONYMOUS } },
	{ "mprotect(PROT_EXEC)", SYS_mprotect, { 0, 0, PROT_EXEC } },
	{ "personality", SYS_personality, { 0xffffffff } },
	{ "x32", 0x40000000 | SYS_getpid, { 0 } },
};

#define N_FORBIDDEN (sizeof(forbidden) / sizeof(*forbidden))

static int make(void *arg)
{
	const struct forbidden *f = arg;

	if (!sandbox_seccomp(err, sizeof(err)))
		return 1;
	syscall(f->nr, f->arg[0], f->arg[1], f->arg[2], f->arg[3], 0L, 0L);
	return 0;
}

Test(watch_sandbox, others_kill)
{
	for (unsigned i = 0; i < N_FORBIDDEN; i++) {
		int status = in_child(make, (void *)&forbidden[i]);

		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s: status %x, %s",
			  forbidden[i].name, status, err);
	}
}

/* ---- every thread --------------------------------------------------------------------------- */

static void *call_later(void *fds)
{
	wait_for_end(fds);
	syscall(SYS_setuid, 0);
	return NULL;
}

/* One that was there before the filter takes the whole process along. */
static int thread_calls(void *arg)
{
	pthread_t thread;
	int fds[2];

	(void)arg;
	if (pipe(fds) || pthread_create(&thread, NULL, call_later, fds) ||
	    !sandbox_seccomp(err, sizeof(err)))
		return 1;
	(void)!write(fds[1], "x", 1);
	pthread_join(thread, NULL);
	return 2;
}

Test(watch_sandbox, all_threads)
{
	int status = in_child(thread_calls, NULL);

	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %x", status);
}

/* ---- sd_notify ------------------------------------------------------------------------------ */

static void hears(const char *path, socklen_t n)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char buf[64] = "";
	int notify_to;

	notify_to = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	memcpy(to.sun_path, path, n);
	if (*path == '@')
		to.sun_path[0] = 0;
	cr_assert_eq(bind(notify_to, (void *)&to,
			  offsetof(struct sockaddr_un, sun_path) + n), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	notify_open();
	notify("READY=1");
	cr_assert_eq(recv(notify_to, buf, sizeof(buf), 0), 7);
	cr_assert_str_eq(buf, "READY=1");
	/* Nobody listens any more: never waits, never a signal. */
	for (unsigned i = 0; i < 5000; i++)
		notify("WATCHDOG=1");
	close(notify_to);
	notify("STOPPING=1");
}

Test(watch_notify, sockets)
{
	static const char *const wrong[] = { "", "/", "@", "relative", "vsock:2:1", "/none" };
	char longest[200], path[100];

	notify("READY=1");
	snprintf(path, sizeof(path), "/tmp/scap-notify-%d", getpid());
	hears(path, (socklen_t)strlen(path) + 1);
	unlink(path);
	snprintf(path, sizeof(path), "@scap-notify-%d", getpid());
	hears(path, (socklen_t)strlen(path));
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		setenv("NOTIFY_SOCKET", wrong[i], 1);
		notify_open();
		notify("READY=1");
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = 0;
	setenv("NOTIFY_SOCKET", longest, 1);
	notify_open();
	unsetenv("NOTIFY_SOCKET");
	notify_open();
	notify("READY=1");
}

Test(watch_notify, watchdog)
{
	char pid[32];

	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	cr_assert_eq(notify_interval_ns(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	cr_assert_eq(notify_interval_ns(), 15000000000ULL);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	cr_assert_eq(notify_interval_ns(), 15000000000ULL);
	setenv("WATCHDOG_PID", "1", 1);
	cr_assert_eq(notify_interval_ns(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "x", 1);
	cr_assert_eq(notify_interval_ns(), 0);
	setenv("WATCHDOG_USEC", "99999999999999999999", 1);
	cr_assert_eq(notify_interval_ns(), 0);
}
