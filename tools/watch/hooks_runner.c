/* SPDX-License-Identifier: MIT */
/* The process that runs hooks: a queue, and as many at a time as each of them allows. */
#define _GNU_SOURCE
#include "watch/hooks.h"
#include "watch/listen.h"

#include "watch/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct running {
	pid_t pid;		/* and its group; 0: none */
	uint64_t end_ns;	/* when its time is over; UINT64_MAX: killed already */
	bool killed;
	char name[100];		/* of the program, for messages */
};

struct runner {
	int fd, signal_fd;
	struct running running[HOOK_PARALLEL_MAX];
	uint32_t n_running;
	struct hook_job *queue[HOOK_QUEUE_MAX];
	uint32_t head, n_queued;
	struct hook_job job;	/* that is being received */
	struct hook_counts counts;
	bool unsaid;		/* the counts have changed since they were sent */
	bool skipping;
	bool ended;		/* nothing more will come */
};

/* ---- a hook -------------------------------------------------------------------------------- */

/* Looks in PATH as execvp() does, but never has a shell run what the kernel can't. */
static void execute(char **argv, char **env)
{
	const char *dirs = "";
	char path[PATH_MAX];
	int worst = ENOENT;

	for (char **e = env; *e; e++)
		if (!strncmp(*e, "PATH=", 5))
			dirs = *e + 5;
	if (strchr(argv[0], '/')) {
		execve(argv[0], argv, env);
		return;
	}
	while (*dirs) {
		int n = (int)strcspn(dirs, ":");

		if (n && snprintf(path, sizeof(path), "%.*s/%s", n, dirs, argv[0]) < PATH_MAX)
			execve(path, argv, env);
		if (n && errno != ENOENT && errno != ENOTDIR)
			worst = errno;
		dirs += n + (dirs[n] == ':');
	}
	errno = worst;
}

static void reset_signals(void)
{
	/* The kernel's struct sigaction: the C library lets nobody at two of them. */
	static const unsigned long by_default[4];
	sigset_t none;

	sigemptyset(&none);
	for (int i = 1; i < NSIG; i++)
		syscall(SYS_rt_sigaction, i, by_default, NULL, NSIG / 8);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct hook_job *j)
{
	char **words = calloc(j->n_argv + j->n_env + 2, sizeof(*words)), **env;
	const char *p = j->text;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (!words || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(127);
	reset_signals();
	env = words + j->n_argv + 1;
	for (uint32_t i = 0; i < j->n_argv + j->n_env; i++, p += strlen(p) + 1)
		words[i < j->n_argv ? i : i + 1] = (char *)p;
	execute(words, env);
	dprintf(STDERR_FILENO, "scap watch: cannot run the hook %s: %s\n", words[0],
		strerror(errno));
	_exit(127);
}

static struct running *find(struct runner *r, pid_t pid)
{
	for (unsigned i = 0; i < HOOK_PARALLEL_MAX; i++)
		if (r->running[i].pid == pid)
			return &r->running[i];
	return NULL;
}

static void start(struct runner *r, const struct hook_job *j)
{
	struct running *slot = find(r, 0);
	uint64_t now = now_ns();
	pid_t pid = fork();

	if (!pid) {
		setpgid(0, 0);
		become(j);
	}
	r->counts.n_run++;
	r->unsaid = true;
	if (pid < 0) {
		dprintf(STDERR_FILENO, "scap watch: cannot run a hook: %s\n", strerror(errno));
		r->counts.n_failed++;
		return;
	}
	/* From both sides: whoever comes first, the group is there. */
	setpgid(pid, pid);
	*slot = (struct running){ .pid = pid };
	slot->end_ns = j->timeout_ns && j->timeout_ns < UINT64_MAX - 1 - now ?
		       now + j->timeout_ns : UINT64_MAX - 1;
	snprintf(slot->name, sizeof(slot->name), "%.99s", j->text);
	r->n_running++;
}

static void start_more(struct runner *r)
{
	while (r->n_queued) {
		struct hook_job *j = r->queue[r->head];

		if (r->n_running >= HOOK_PARALLEL_MAX || r->n_running >= j->parallel)
			return;
		start(r, j);
		free(j);
		r->head = (r->head + 1) % HOOK_QUEUE_MAX;
		r->n_queued--;
	}
}

static void ended(struct runner *r, struct running *slot, int status)
{
	r->n_running--;
	r->unsaid = true;
	if (slot->killed)
		dprintf(STDERR_FILENO, "scap watch: the hook %s took too long: killed\n",
			slot->name);
	else if (WIFSIGNALED(status))
		dprintf(STDERR_FILENO, "scap watch: the hook %s was killed by signal %d\n",
			slot->name, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		dprintf(STDERR_FILENO, "scap watch: the hook %s ended with status %d\n",
			slot->name, WEXITSTATUS(status));
	r->counts.n_killed += slot->killed;
	r->counts.n_failed += slot->killed || status;
	r->counts.n_ok += !slot->killed && !status;
	slot->pid = 0;
}

/*
 * What a hook left behind in its group goes with it, before its leader is waited for: until then
 * nobody else can have its number.
 */
static void reap(struct runner *r)
{
	siginfo_t si;

	for (;;) {
		struct running *slot;
		int status;

		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 || !si.si_pid)
			return;
		slot = find(r, si.si_pid);
		if (slot)
			kill(-slot->pid, SIGKILL);
		if (waitpid(si.si_pid, &status, 0) == si.si_pid && slot)
			ended(r, slot, status);
	}
}

static void kill_late(struct runner *r)
{
	uint64_t now = now_ns();

	for (unsigned i = 0; i < HOOK_PARALLEL_MAX; i++) {
		struct running *s = &r->running[i];

		if (!s->pid || s->end_ns > now)
			continue;
		s->killed = true;
		s->end_ns = UINT64_MAX;
		kill(-s->pid, SIGKILL);
	}
}

/* ---- messages ------------------------------------------------------------------------------ */

/* Nothing but our own recorder writes here; but it may have been taken over. */
static bool is_sound(const struct hook_job *j, size_t bytes)
{
	uint64_t n = 0;

	if (bytes < offsetof(struct hook_job, text) ||
	    j->used != bytes - offsetof(struct hook_job, text))
		return false;
	if (j->kind == HOOK_DROP)
		return true;
	for (uint32_t i = 0; i < j->used; i++)
		n += !j->text[i];
	return j->kind == HOOK_RUN && j->n_argv && j->used && !j->text[j->used - 1] &&
	       n == (uint64_t)j->n_argv + j->n_env;
}

static void drop(struct runner *r)
{
	char err[200];

	r->counts.dropped = 0;
	if (!sandbox_drop(r->job.uid, r->job.gid, err, sizeof(err))) {
		dprintf(STDERR_FILENO, "scap watch: hooks: %s\n", err);
		r->counts.dropped = -EPERM;
	}
	r->unsaid = true;
}

static void skip(struct runner *r)
{
	if (!r->skipping)
		dprintf(STDERR_FILENO, "scap watch: %u hooks wait: more are skipped\n",
			r->n_queued);
	r->skipping = true;
	r->counts.n_skipped++;
	r->unsaid = true;
}

static void queue(struct runner *r, size_t bytes)
{
	struct hook_job *j = r->n_queued < HOOK_QUEUE_MAX ? malloc(bytes) : NULL;

	if (!j) {
		skip(r);
		return;
	}
	memcpy(j, &r->job, bytes);
	if (!j->parallel)
		j->parallel = 1;
	r->queue[(r->head + r->n_queued++) % HOOK_QUEUE_MAX] = j;
	r->skipping = false;
	start_more(r);
}

static void receive(struct runner *r)
{
	ssize_t n;

	while ((n = recv(r->fd, &r->job, sizeof(r->job), MSG_DONTWAIT)) > 0) {
		if (!is_sound(&r->job, (size_t)n))
			skip(r);
		else if (r->job.kind == HOOK_DROP)
			drop(r);
		else
			queue(r, (size_t)n);
	}
	r->ended = !n || (errno != EAGAIN && errno != EINTR);
}

/* All the counts each time: what finds no room now is in the next. */
static void say(struct runner *r)
{
	if (r->unsaid && send(r->fd, &r->counts, sizeof(r->counts),
			      MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(r->counts))
		r->unsaid = false;
}

/* ---- the process --------------------------------------------------------------------------- */

static int wait_ms(const struct runner *r)
{
	uint64_t first = UINT64_MAX, now = now_ns();

	for (unsigned i = 0; i < HOOK_PARALLEL_MAX; i++)
		if (r->running[i].pid && r->running[i].end_ns < first)
			first = r->running[i].end_ns;
	if (first <= now)
		return 0;
	first = (first - now) / 1000000 + 1;
	return first < 60000 ? (int)first : 60000;
}

/* The recorder is gone: so is all that it wanted. */
static _Noreturn void give_up(struct runner *r)
{
	for (unsigned i = 0; i < HOOK_PARALLEL_MAX; i++)
		if (r->running[i].pid)
			kill(-r->running[i].pid, SIGKILL);
	if (r->n_running || r->n_queued)
		dprintf(STDERR_FILENO, "scap watch: the recorder ended: %u hooks killed, %u never "
			"run\n", r->n_running, r->n_queued);
	_exit(0);
}

static void step(struct runner *r)
{
	/* poll() tells of the other end's end in any case. */
	struct pollfd p[2] = {
		{ .fd = r->fd, .events = (r->ended ? 0 : POLLIN) | (r->unsaid ? POLLOUT : 0) },
		{ .fd = r->signal_fd, .events = POLLIN },
	};
	struct signalfd_siginfo si;

	if (poll(p, 2, wait_ms(r)) > 0) {
		if (p[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			give_up(r);
		if (p[0].revents & POLLIN)
			receive(r);
		while (read(r->signal_fd, &si, sizeof(si)) > 0)
			;
	}
	reap(r);
	kill_late(r);
	start_more(r);
	say(r);
}

/* What a terminal or systemd sends to all is for the recorder: this ends when its end is closed. */
static int take_signals(void)
{
	static const int ignored[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE
	};
	sigset_t chld;

	reset_signals();
	for (unsigned i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	return signalfd(-1, &chld, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Only stderr and the socket, which becomes number 3: the other end above all must not be ours. */
static int close_others(int fd)
{
	if (fd != STDERR_FILENO + 1 && dup3(fd, STDERR_FILENO + 1, O_CLOEXEC) < 0)
		_exit(1);
	close_range(STDERR_FILENO + 2, ~0U, 0);
	return STDERR_FILENO + 1;
}

void hooks_runner(int fd)
{
	static struct runner r;

	r.fd = close_others(fd);
	r.signal_fd = take_signals();
	r.counts.dropped = 1;
	setsid();
	umask(077);
	if (r.signal_fd < 0 || chdir("/") < 0)
		_exit(1);
	while (!r.ended || r.n_running || r.n_queued)
		step(&r);
	say(&r);
	_exit(0);
}
