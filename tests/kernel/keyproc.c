/* SPDX-License-Identifier: MIT */
/*
 * keyproc: takes a keyframe while nothing moves and compares it with /proc: threads, ids, names,
 * credentials, namespaces, directories, programs, arguments, descriptors, calls under way.
 */
#include "keyframe.h"
#include <ctype.h>
#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static struct keyframe kf;
static unsigned n_tasks, n_fds, n_calls, n_texts;
static char status[8192], text[8192], want[8192];

static ssize_t slurp(const char *path, char *buf, size_t cap)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, cap - 1);

	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = 0;
	return n;
}

static const char *in_proc(uint32_t tgid, uint32_t tid, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "/proc/%u/task/%u/%s", tgid, tid, name);
	return path;
}

static uint64_t field(const char *key, int base, int skip)
{
	const char *p = strstr(status, key);

	p = p ? p + strlen(key) : "";
	for (; skip; skip--)
		p += strspn(p, " \t"), p += strcspn(p, " \t");
	return strtoull(p, NULL, base);
}

#define SAME(what, got, wanted) do { \
	uint64_t g = (got), w = (wanted); \
	if (g != w) \
		fail("thread %u %s: %s is %llu, /proc says %llu", t->who.tid, t->who.comm, what, \
		     (unsigned long long)g, (unsigned long long)w); \
} while (0)

static void compare_status(const struct scap_rec_key_task *t)
{
	char name[64];

	slurp(in_proc(t->who.tgid, t->who.tid, "status"), status, sizeof(status));
	SAME("tgid", t->who.tgid, field("\nTgid:", 10, 0));
	SAME("ppid", t->who.ppid, field("\nPPid:", 10, 0));
	SAME("uid", t->who.uid, field("\nUid:", 10, 0));
	SAME("euid", t->who.euid, field("\nUid:", 10, 1));
	SAME("suid", t->suid, field("\nUid:", 10, 2));
	SAME("fsuid", t->fsuid, field("\nUid:", 10, 3));
	SAME("gid", t->who.gid, field("\nGid:", 10, 0));
	SAME("egid", t->who.egid, field("\nGid:", 10, 1));
	SAME("sgid", t->sgid, field("\nGid:", 10, 2));
	SAME("fsgid", t->fsgid, field("\nGid:", 10, 3));
	SAME("threads", t->n_threads, field("\nThreads:", 10, 0));
	SAME("CapInh", t->cap_inheritable, field("\nCapInh:", 16, 0));
	SAME("CapPrm", t->cap_permitted, field("\nCapPrm:", 16, 0));
	SAME("CapEff", t->cap_effective, field("\nCapEff:", 16, 0));
	SAME("CapBnd", t->cap_bounding, field("\nCapBnd:", 16, 0));
	SAME("CapAmb", t->cap_ambient, field("\nCapAmb:", 16, 0));
	SAME("kernel thread", t->who.thread_flags & SCAP_THREAD_KERNEL,
	     !strstr(status, "\nVmSize:") && !strstr(status, "\nState:\tZ"));
	sscanf(status, "Name:\t%63[^\n]", name);
	/* /proc alone has long names of kernel threads, and what workers work on. */
	if (strncmp(name, t->who.comm, 15) && strncmp(name, "kworker", 7))
		fail("thread %u: name is '%s', /proc says '%s'", t->who.tid, t->who.comm, name);
	slurp(in_proc(t->who.tgid, t->who.tid, "loginuid"), text, sizeof(text));
	SAME("loginuid", t->loginuid, strtoul(text, NULL, 10));
	slurp(in_proc(t->who.tgid, t->who.tid, "sessionid"), text, sizeof(text));
	SAME("audit session", t->audit_session, strtoul(text, NULL, 10));
}

static void compare_stat(const struct scap_rec_key_task *t)
{
	unsigned pgrp, session, tty;
	unsigned long long start;
	char state, *p;

	slurp(in_proc(t->who.tgid, t->who.tid, "stat"), text, sizeof(text));
	p = strrchr(text, ')');
	if (!p || sscanf(p + 2, "%c %*u %u %u %u %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
			 "%*d %*d %*d %llu", &state, &pgrp, &session, &tty, &start) != 5) {
		fail("thread %u: /proc has no stat", t->who.tid);
		return;
	}
	SAME("pgrp", t->pgrp, pgrp);
	SAME("session", t->session, session);
	SAME("tty", (t->tty >> 20) << 8 | (t->tty & 0xff), tty);
	SAME("start", t->who.start_ns / 10000000, start);
	/* What is no kernel thread sleeps in peace here; kernel threads come and go. */
	if (!(t->who.thread_flags & SCAP_THREAD_KERNEL) && t->state != state &&
	    t->who.tgid != (uint32_t)getpid())
		fail("thread %u %s: state is %c, /proc says %c", t->who.tid, t->who.comm, t->state,
		     state);
}

static void compare_ns(const struct scap_rec_key_task *t, const char *name, uint32_t got)
{
	char path[32];
	ssize_t n;

	snprintf(path, sizeof(path), "ns/%s", name);
	n = readlink(in_proc(t->who.tgid, t->who.tid, path), text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = 0;
	SAME(name, got, n < 0 ? 0 : strtoul(text + strcspn(text, "[") + 1, NULL, 10));
}

static void compare_link(const struct scap_rec_key_task *t, const char *link, const char *got,
			 unsigned flags)
{
	ssize_t n = readlink(in_proc(t->who.tgid, t->who.tid, link), want, sizeof(want) - 1);
	char *deleted;

	want[n < 0 ? 0 : n] = 0;
	deleted = strstr(want, " (deleted)");
	if (deleted && flags & SCAP_FILE_DELETED)
		*deleted = 0;
	n_texts++;
	if (n < 0 ? got != NULL : !got || strcmp(got, want))
		fail("thread %u %s: %s is '%s', /proc says '%s'", t->who.tid, t->who.comm, link,
		     got ? got : "(none)", want);
}

static const char *path_of_file(const struct scap_rec_file *f)
{
	static char buf[8192];

	if (!f)
		return NULL;
	if (f->kind == SCAP_KIND_MEMFD) {
		buf[0] = '/';
		key_text(&f->h, SCAP_SLOT_PATH, buf + 1, sizeof(buf) - 12);
		return strcat(buf, " (deleted)");
	}
	if (key_text(&f->h, SCAP_SLOT_PATH, buf, sizeof(buf)))
		return buf;
	snprintf(buf, sizeof(buf), "socket:[%llu]", (unsigned long long)f->ino);
	return buf;
}

static void compare_argv(const struct scap_rec_key_task *t)
{
	const struct scap_blob *b = key_blob(&t->who.h, SCAP_SLOT_ARGV);
	ssize_t n = slurp(in_proc(t->who.tgid, t->who.tid, "cmdline"), text, sizeof(text));
	size_t bytes = b ? SCAP_BLOB_BYTES(b->meta) : 0;

	n_texts++;
	if (b && SCAP_BLOB_STATE(b->meta) == SCAP_STATE_TRUNCATED && n > (ssize_t)bytes &&
	    bytes == SCAP_KEY_ARGV_MAX_BYTES)
		n = bytes;
	else if (b && SCAP_BLOB_STATE(b->meta) != SCAP_STATE_WHOLE)
		fail("thread %u %s: arguments not readable", t->who.tid, t->who.comm);
	if ((n < 0 ? 0 : (size_t)n) != bytes || (bytes && memcmp(b + 1, text, bytes)))
		fail("thread %u %s: %zu bytes of arguments '%s', /proc says %zd '%s'", t->who.tid,
		     t->who.comm, bytes, b ? (const char *)(b + 1) : "", n, text);
}

/* /proc/PID/syscall: number and six arguments, or "running". */
static void compare_call(const struct scap_rec_key_task *t, const struct scap_rec_key_call *call)
{
	unsigned long long a[6];
	int nr;

	if (t->who.thread_flags & SCAP_THREAD_KERNEL || t->who.tgid == (uint32_t)getpid())
		return;
	/* The one that this case runs under looks each second whether it is over: not at rest. */
	if (!strcmp(t->who.comm, "timeout"))
		return;
	slurp(in_proc(t->who.tgid, t->who.tid, "syscall"), text, sizeof(text));
	if (sscanf(text, "%d 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx", &nr, &a[0], &a[1], &a[2],
		   &a[3], &a[4], &a[5]) != 7 || nr < 0) {
		if (call)
			fail("thread %u %s is not in call %d: %s", t->who.tid, t->who.comm,
			     call->nr, text);
		return;
	}
	n_calls++;
	if (!call || call->nr != nr) {
		fail("thread %u %s is in call %d, told is %d", t->who.tid, t->who.comm, nr,
		     call ? call->nr : -1);
		return;
	}
	for (int i = 0; i < 6; i++)
		if (call->args[i] != a[i])
			fail("thread %u call %d argument %d: %llx, /proc says %llx",
			     t->who.tid, nr, i, (unsigned long long)call->args[i], a[i]);
}

static void compare_fd(const struct scap_rec_key_task *t, const struct scap_rec_key_fd *fd)
{
	const struct scap_rec_file *f = key_file(&kf, fd->cookie, fd);
	char link[32];
	uint64_t flags;

	if (t->who.tgid == (uint32_t)getpid())
		return;
	n_fds++;
	snprintf(link, sizeof(link), "fd/%u", fd->fd);
	compare_link(t, link, path_of_file(f), f ? f->h.flags : 0);
	snprintf(link, sizeof(link), "fdinfo/%u", fd->fd);
	slurp(in_proc(t->who.tgid, t->who.tid, link), status, sizeof(status));
	SAME("position", fd->pos, field("pos:\t", 10, 0));
	flags = field("\nflags:\t", 8, 0);
	SAME("flags", fd->open_flags & ~O_CLOEXEC, flags & ~O_CLOEXEC);
	SAME("close-on-exec", fd->h.flags & SCAP_KEY_FD_CLOEXEC, !!(flags & O_CLOEXEC));
}

static unsigned count_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d)) != NULL)
		n += isdigit((unsigned char)e->d_name[0]) != 0;
	if (d)
		closedir(d);
	return n;
}

static void compare_task(const struct scap_rec_key_task *t)
{
	const struct scap_rec *h = &t->who.h;
	const struct scap_rec_key_call *call = NULL;
	const struct scap_rec_file *exe;
	const char *s;
	unsigned n = 0;

	n_tasks++;
	compare_status(t);
	compare_stat(t);
	compare_ns(t, "pid", t->who.ns_pid);
	compare_ns(t, "mnt", t->who.ns_mnt);
	compare_ns(t, "net", t->who.ns_net);
	compare_ns(t, "user", t->who.ns_user);
	compare_ns(t, "uts", t->who.ns_uts);
	compare_ns(t, "ipc", t->who.ns_ipc);
	compare_ns(t, "cgroup", t->who.ns_cgroup);
	s = key_text(h, SCAP_SLOT_CWD, text, sizeof(text));
	compare_link(t, "cwd", s, t->cwd_flags);
	s = key_text(h, SCAP_SLOT_ROOT, text, sizeof(text));
	compare_link(t, "root", s, t->root_flags);
	exe = key_file(&kf, t->exe_cookie, h);
	compare_link(t, "exe", path_of_file(exe), exe ? exe->h.flags : 0);
	compare_argv(t);
	while ((h = key_next(&kf, h)) != NULL && h->type != SCAP_REC_KEY_TASK) {
		if (h->type == SCAP_REC_KEY_CALL)
			call = (const void *)h;
		if (h->type != SCAP_REC_KEY_FD)
			continue;
		compare_fd(t, (const void *)h);
		n++;
	}
	compare_call(t, call);
	if (h && t->who.h.flags & SCAP_KEY_TASK_TABLE && t->who.tgid != (uint32_t)getpid())
		SAME("number of descriptors", n, count_dir(in_proc(t->who.tgid, t->who.tid, "fd")));
}

/* Kernel threads come and go as they like. */
static bool has_gone(const struct scap_rec_key_task *t)
{
	return t->who.thread_flags & SCAP_THREAD_KERNEL &&
	       access(in_proc(t->who.tgid, t->who.tid, "stat"), F_OK) < 0;
}

static bool is_newer(uint32_t tgid, uint32_t tid)
{
	unsigned long long start = 0;
	char *p;

	slurp(in_proc(tgid, tid, "stat"), text, sizeof(text));
	p = strrchr(text, ')');
	if (p)
		sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
		       "%*d %*d %llu", &start);
	return !p || (start + 1) * 10000000 > kf.end->begin_ns;
}

/* Each thread that /proc has, and had then, must be told. */
static void compare_list(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e, *f;

	while ((e = readdir(d)) != NULL) {
		char path[300];
		DIR *tasks;

		snprintf(path, sizeof(path), "/proc/%s/task", e->d_name);
		if (!isdigit((unsigned char)e->d_name[0]) || !(tasks = opendir(path)))
			continue;
		while ((f = readdir(tasks)) != NULL)
			if (isdigit((unsigned char)f->d_name[0]) &&
			    !key_task(&kf, (uint32_t)atoi(f->d_name)) &&
			    !is_newer((uint32_t)atoi(e->d_name), (uint32_t)atoi(f->d_name)))
				fail("thread %s of process %s is missing", f->d_name, e->d_name);
		closedir(tasks);
	}
	closedir(d);
}

int main(int argc, char **argv)
{
	int fd = key_open();
	const struct scap_rec *h = NULL;

	key_take(fd, argc > 1 ? (size_t)atol(argv[1]) : 1 << 18, &kf);
	close(fd);
	key_check(&kf);
	while ((h = key_next(&kf, h)) != NULL)
		if (h->type == SCAP_REC_KEY_TASK && !has_gone((const void *)h))
			compare_task((const void *)h);
	compare_list();
	key_check_tables(&kf);
	if (!key_task(&kf, (uint32_t)getpid()))
		fail("the caller is missing");
	printf("tasks %u fds %u calls %u texts %u parts %u\n", n_tasks, n_fds, n_calls, n_texts,
	       kf.n_calls);
	return n_fails != 0;
}
