/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE	/* pipe2 */
#include "command.h"

#include "opts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- finding it ----------------------------------------------------------------------------- */

/* 0, or why this is nothing to execute. */
static int check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return access(path, X_OK) < 0 ? errno : 0;
}

/* As execvp() does it, but before anything is recorded. 0 or an errno. */
static int find_program(const char *name, char path[PATH_MAX])
{
	const char *dirs = getenv("PATH");
	int rc, worst = ENOENT;

	if (!*name)
		return ENOENT;
	if (strchr(name, '/')) {
		if (snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
			return ENAMETOOLONG;
		return check_program(path);
	}
	for (dirs = dirs && *dirs ? dirs : "/usr/bin:/bin";; dirs++) {
		int n = (int)strcspn(dirs, ":");

		rc = snprintf(path, PATH_MAX, "%.*s%s%s", n, dirs, n ? "/" : "./", name);
		rc = rc < PATH_MAX ? check_program(path) : ENAMETOOLONG;
		if (!rc)
			return 0;
		if (rc == EACCES)
			worst = EACCES;
		dirs += n;
		if (!*dirs)
			return worst;
	}
}

/* ---- the process ---------------------------------------------------------------------------- */

/* A file without a known beginning is a shell script, as for execvp(). */
static void execute(const char *path, char **argv)
{
	size_t n = 0;
	char **sh;

	execv(path, argv);
	if (errno != ENOEXEC)
		return;
	while (argv[n])
		n++;
	sh = calloc(n + 2, sizeof(*sh));
	if (!sh)
		return;
	sh[0] = "sh";
	sh[1] = (char *)path;
	for (size_t i = 1; i < n; i++)
		sh[i + 1] = argv[i];
	execv("/bin/sh", sh);
}

static _Noreturn void child(int go, int error, const char *path, char **argv, const sigset_t *mask)
{
	char byte;
	ssize_t got;
	int code;

	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	do
		got = read(go, &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got != 1)
		_exit(0);
	execute(path, argv);
	code = errno;
	got = write(error, &code, sizeof(code));
	_exit(got == sizeof(code) ? 127 : 126);
}

bool command_hold(struct command *c, char **argv, const sigset_t *mask, bool to_stderr)
{
	char path[PATH_MAX];
	int go[2], error[2], rc;

	rc = find_program(argv[0], path);
	if (rc) {
		tool_error("cannot run %s: %s", argv[0], strerror(rc));
		return false;
	}
	if (pipe2(go, O_CLOEXEC) < 0) {
		tool_error("cannot make a pipe: %s", strerror(errno));
		return false;
	}
	if (pipe2(error, O_CLOEXEC) < 0) {
		tool_error("cannot make a pipe: %s", strerror(errno));
		goto close_go;
	}
	c->pid = fork();
	if (c->pid < 0) {
		tool_error("cannot make a process: %s", strerror(errno));
		goto close_error;
	}
	if (!c->pid) {
		/* Else it would wait for a byte from itself when we are gone. */
		close(go[1]);
		close(error[0]);
		if (to_stderr)
			dup2(STDERR_FILENO, STDOUT_FILENO);
		child(go[0], error[1], path, argv, mask);
	}
	close(go[0]);
	close(error[1]);
	c->go_fd = go[1];
	c->error_fd = error[0];
	c->running = true;
	return true;

close_error:
	c->pid = 0;
	close(error[0]);
	close(error[1]);
close_go:
	close(go[0]);
	close(go[1]);
	return false;
}

static void reap(struct command *c, int flags)
{
	pid_t got;

	do
		got = waitpid(c->pid, &c->status, flags);
	while (got < 0 && errno == EINTR);
	if (got == c->pid || got < 0)
		c->running = false;
}

bool command_go(struct command *c, const char *name)
{
	int code = 0;
	ssize_t got;

	got = write(c->go_fd, "", 1);
	close(c->go_fd);
	c->go_fd = -1;
	if (got == 1)
		do
			got = read(c->error_fd, &code, sizeof(code));
		while (got < 0 && errno == EINTR);
	close(c->error_fd);
	c->error_fd = -1;
	/* Nothing but the end of the pipe: the program is there. */
	if (!got)
		return true;
	if (got != sizeof(code))
		code = EIO;
	tool_error("cannot run %s: %s", name, strerror(code));
	reap(c, 0);
	return false;
}

bool command_ended(struct command *c)
{
	if (c->running)
		reap(c, WNOHANG);
	return !c->running;
}

void command_fini(struct command *c)
{
	bool held = c->pid && c->go_fd >= 0;

	if (!c->pid)
		return;
	if (c->go_fd >= 0)
		close(c->go_fd);
	if (c->error_fd >= 0)
		close(c->error_fd);
	c->go_fd = c->error_fd = -1;
	if (held && c->running)
		reap(c, 0);
}
