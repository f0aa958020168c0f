/* SPDX-License-Identifier: MIT */
/* Hooks: what they are told, how many run, what hangs, and what happens when the recorder ends. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "watch/hooks.h"
#include "watch/store.h"

#define SECOND 1000000000ULL
#define WAIT_MS 20000

static char dir[100];
static struct hooks *hooks;
static struct hook_job job;

static const char *in_dir(const char *name)
{
	static char path[4][200];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static void set_up(void)
{
	strcpy(dir, "/tmp/scap-hooks-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	/* One that a hook must not have. */
	cr_assert_geq(open("/etc/passwd", O_RDONLY), 0);
	hooks = hooks_start();
	cr_assert_not_null(hooks);
}

static void clean_up(void)
{
	char command[200];

	hooks_stop(hooks);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

static void run(char *const argv[], uint64_t timeout_ns, uint32_t parallel)
{
	cr_assert(hook_job_init(&job, argv));
	cr_assert(hook_job_env(&job, "PATH", "/usr/bin:/bin"));
	job.timeout_ns = timeout_ns;
	job.parallel = parallel;
	hooks_run(hooks, &job);
}

/* In sh: $1 is the directory. */
static void run_sh(const char *text, uint64_t timeout_ns, uint32_t parallel)
{
	run((char *[]){ "sh", "-c", (char *)text, "sh", dir, NULL }, timeout_ns, parallel);
}

static void pause_ms(unsigned ms)
{
	poll(NULL, 0, (int)ms);
}

/* Until so many have ended one way or the other; n_run counts at the start, so ask the rest. */
static struct hook_counts wait_for(uint64_t n_run, uint64_t n_failed, uint64_t n_skipped)
{
	struct hook_counts c;

	for (unsigned ms = 0; ms < WAIT_MS; ms += 10) {
		hooks_counts(hooks, &c);
		if (c.n_run >= n_run && c.n_failed >= n_failed && c.n_skipped >= n_skipped)
			break;
		pause_ms(10);
	}
	cr_assert_eq(c.n_run, n_run);
	cr_assert_eq(c.n_failed, n_failed);
	cr_assert_eq(c.n_skipped, n_skipped);
	return c;
}

static bool comes(const char *path)
{
	for (unsigned ms = 0; ms < WAIT_MS; ms += 10) {
		if (!access(path, F_OK))
			return true;
		pause_ms(10);
	}
	return false;
}

/* A file as a string; what ends a string in it as a line's end. */
static char *text_of(const char *path)
{
	static char text[HOOK_BYTES_MAX + 1];
	FILE *f = fopen(path, "r");
	size_t n;

	cr_assert_not_null(f, "%s", path);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	for (size_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = '\n';
	text[n] = 0;
	return text;
}

/* A zombie has ended, too: nobody may wait for orphans here. */
static bool ends(pid_t pid)
{
	for (unsigned ms = 0; ms < WAIT_MS; ms += 10) {
		char path[64], state[8] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		f = fopen(path, "r");
		if (!f || fscanf(f, "%*d (%*[^)]) %1s", state) != 1)
			*state = 'Z';
		if (f)
			fclose(f);
		if (*state == 'Z')
			return true;
		pause_ms(10);
	}
	return false;
}

TestSuite(watch_hooks, .init = set_up, .fini = clean_up, .timeout = 60);

/* ---- the runner ----------------------------------------------------------------------------- */

Test(watch_hooks, results)
{
	struct hook_counts c;

	run_sh("exit 0", SECOND * 10, 1);
	run_sh("exit 3", SECOND * 10, 1);
	run_sh("kill -9 $$", SECOND * 10, 1);
	run((char *[]){ "/nonexistent/program", NULL }, SECOND * 10, 1);
	run((char *[]){ "no-such-program-anywhere", NULL }, SECOND * 10, 1);
	c = wait_for(5, 4, 0);
	cr_assert_eq(c.n_killed, 0);
	cr_assert_eq(c.n_ok, 1);
}

/* A file that the kernel can't execute is not handed to a shell. */
Test(watch_hooks, no_shell)
{
	FILE *f = fopen(in_dir("script"), "w");

	fprintf(f, "touch %s/shell\n", dir);
	fclose(f);
	chmod(in_dir("script"), 0700);
	run((char *[]){ (char *)in_dir("script"), NULL }, SECOND * 10, 1);
	run((char *[]){ "echo", "$(touch shell)", ";", "touch", in_dir("shell") ? "x" : "", NULL },
	    SECOND * 10, 1);
	wait_for(2, 1, 0);
	cr_assert_neq(access(in_dir("shell"), F_OK), 0);
}

Test(watch_hooks, what_it_inherits)
{
	char *text, pgid[32], *end;

	/* By itself: a shell would tidy up first. */
	run((char *[]){ "cp", "/proc/self/status", (char *)in_dir("signals"), NULL }, 0, 1);
	run_sh("ls -l /proc/self/fd > $1/fds; cut -d' ' -f5 /proc/self/stat > $1/pgid; "
	       "echo $$ > $1/pid; pwd > $1/pwd; touch $1/done", SECOND * 10, 1);
	cr_assert(comes(in_dir("done")));
	text = text_of(in_dir("fds"));
	cr_assert_not_null(strstr(text, " 0 -> /dev/null"), "%s", text);
	cr_assert_null(strstr(text, "socket"), "%s", text);
	cr_assert_null(strstr(text, "signalfd"), "%s", text);
	cr_assert_null(strstr(text, "passwd"), "%s", text);
	text = text_of(in_dir("signals"));
	cr_assert_not_null(strstr(text, "SigBlk:\t0000000000000000"), "%s", text);
	cr_assert_not_null(strstr(text, "SigIgn:\t0000000000000000"), "%s", text);
	strcpy(pgid, text_of(in_dir("pgid")));
	end = text_of(in_dir("pid"));
	cr_assert_str_eq(pgid, end);
	cr_assert_str_eq(text_of(in_dir("pwd")), "/\n");
}

Test(watch_hooks, that_hang)
{
	struct hook_counts c;
	pid_t pid;

	/* It ignores what it can, and has a child that would go on. */
	run_sh("trap '' TERM INT HUP; sleep 1000 & echo $! > $1/pid.new; mv $1/pid.new $1/pid; "
	       "wait", SECOND / 2, 1);
	cr_assert(comes(in_dir("pid")));
	pid = atoi(text_of(in_dir("pid")));
	cr_assert_eq(kill(pid, 0), 0);
	c = wait_for(1, 1, 0);
	cr_assert_eq(c.n_killed, 1);
	cr_assert(ends(pid));
}

Test(watch_hooks, at_a_time)
{
	char *text;
	unsigned now = 0, most = 0;

	for (unsigned i = 0; i < 12; i++)
		run_sh("echo + >> $1/log; sleep 0.2; echo - >> $1/log", SECOND * 30, 3);
	wait_for(12, 0, 0);
	pause_ms(500);
	text = text_of(in_dir("log"));
	cr_assert_eq(strlen(text), 48U);
	for (char *p = text; *p; p += 2) {
		now += *p == '+' ? 1 : -1U;
		most = now > most ? now : most;
	}
	cr_assert_eq(most, 3);
}

/* Those that find no place are counted; none is lost without that. */
Test(watch_hooks, a_thousand)
{
	struct hook_counts c = { 0 };

	for (unsigned i = 0; i < 1000; i++)
		run_sh("while ! test -e $1/go; do sleep 0.05; done; echo x >> $1/log",
		       SECOND * 30, 2);
	for (unsigned ms = 0; ms < WAIT_MS && c.n_run + c.n_skipped + HOOK_QUEUE_MAX < 1000;
	     ms += 10) {
		pause_ms(10);
		hooks_counts(hooks, &c);
	}
	cr_assert_eq(c.n_run, 2);
	cr_assert_eq(c.n_skipped, 1000 - 2 - HOOK_QUEUE_MAX);
	close(open(in_dir("go"), O_CREAT, 0600));
	wait_for(2 + HOOK_QUEUE_MAX, 0, 1000 - 2 - HOOK_QUEUE_MAX);
}

/* An end of the recorder that it had no say in. */
Test(watch_hooks, recorder_killed)
{
	pid_t pid = fork();

	if (!pid) {
		hooks = hooks_start();
		run_sh("sleep 1000 & echo $! > $1/child; echo $$ > $1/new; "
		       "mv $1/new $1/pid; wait", 0, 1);
		pause();
	}
	cr_assert(comes(in_dir("pid")));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_assert(ends(atoi(text_of(in_dir("pid")))));
	cr_assert(ends(atoi(text_of(in_dir("child")))));
}

/* The last capture's hook still runs. */
Test(watch_hooks, recorder_ends)
{
	run_sh("sleep 0.3; touch $1/first", SECOND * 10, 1);
	run_sh("touch $1/second", SECOND * 10, 1);
	hooks_stop(hooks);
	hooks = NULL;
	cr_assert_eq(access(in_dir("first"), F_OK), 0);
	cr_assert_eq(access(in_dir("second"), F_OK), 0);
}

Test(watch_hooks, privileges)
{
	char *text;

	if (geteuid())
		cr_skip_test("needs root");
	cr_assert_eq(chmod(dir, 0777), 0);
	cr_assert_eq(hooks_drop(hooks, 12345, 12346), 0);
	run_sh("cat /proc/self/status > $1/new; mv $1/new $1/status", SECOND * 10, 1);
	cr_assert(comes(in_dir("status")));
	text = text_of(in_dir("status"));
	cr_assert_not_null(strstr(text, "Uid:\t12345\t12345\t12345\t12345"), "%s", text);
	cr_assert_not_null(strstr(text, "Gid:\t12346\t12346\t12346\t12346"), "%s", text);
	cr_assert_not_null(strstr(text, "CapBnd:\t0000000000000000"), "%s", text);
}

Test(watch_hooks, no_user)
{
	cr_assert_eq(hooks_drop(hooks, 0, 0), -EPERM);
}

/* ---- what it is told ------------------------------------------------------------------------ */

static struct scap_trigger trigger(const struct scap_label *labels, uint64_t n)
{
	return (struct scap_trigger){
		.size = sizeof(struct scap_trigger), .name = "http-5xx", .source = "alert",
		.why = "too many of them\nindeed", .labels = labels, .n_labels = n,
		.real_ns = 1795953600123456789ULL,
	};
}

static bool told(const char *variable)
{
	const char *p = job.text;

	for (uint32_t i = 0; i < job.n_argv + job.n_env; i++, p += strlen(p) + 1)
		if (i >= job.n_argv && !strcmp(p, variable))
			return true;
	return false;
}

static void tell(const struct scap_trigger *t)
{
	cr_assert(hook_job_init(&job, (char *[]){ "x", "SCAP_LABELS_CUT=1", NULL }));
	cr_assert(hook_job_trigger(&job, "/d/f.scapz", t));
	cr_assert_leq(job.used, sizeof(job.text));
}

Test(watch_job, environment)
{
	const struct scap_label labels[] = {
		{ "severity", "page" }, { "odd-name.\xff\n=x", "\x01\xff odd\nvalue=" },
		{ "severity", "again" }, { "", "none" },
	};
	struct scap_trigger t = trigger(labels, 2);

	setenv("PATH", "/p", 1);
	setenv("HOME", "/h", 1);
	setenv("LANG", "C", 1);
	setenv("SECRET", "x", 1);
	tell(&t);
	cr_assert_eq(job.n_env, 10);
	cr_assert(told("PATH=/p") && told("HOME=/h") && told("LANG=C"));
	cr_assert(told("SCAP_FILE=/d/f.scapz"));
	cr_assert(told("SCAP_TRIGGER=http-5xx"));
	cr_assert(told("SCAP_SOURCE=alert"));
	cr_assert(told("SCAP_TIME=2026-11-29T12:00:00.123Z"));
	cr_assert(told("SCAP_WHY=too many of them\nindeed"));
	cr_assert(told("SCAP_LABEL_severity=page"));
	cr_assert(told("SCAP_LABEL_odd_name____x=\x01\xff odd\nvalue="));
	cr_assert_not(told("SCAP_LABELS_CUT=1"));
	t = trigger(labels, 4);
	tell(&t);
	cr_assert(told("SCAP_LABEL_severity=page") && told("SCAP_LABEL_=none"));
	cr_assert_not(told("SCAP_LABEL_severity=again"));
	cr_assert(told("SCAP_LABELS_CUT=1"));
	t = (struct scap_trigger){ .size = sizeof(t) };
	tell(&t);
	cr_assert(told("SCAP_TRIGGER=") && told("SCAP_WHY="));
}

Test(watch_job, too_much)
{
	static char value[HOOK_BYTES_MAX], name[400];
	struct scap_label labels[300];
	struct scap_trigger t;
	char names[300][8];

	memset(value, 'v', sizeof(value) - 1);
	memset(name, 'n', sizeof(name) - 1);
	labels[0] = (struct scap_label){ "large", value };
	labels[1] = (struct scap_label){ name, "long name" };
	labels[2] = (struct scap_label){ "small", "s" };
	t = trigger(labels, 3);
	tell(&t);
	cr_assert(told("SCAP_LABEL_small=s") && told("SCAP_LABELS_CUT=1"));
	for (unsigned i = 0; i < 300; i++) {
		snprintf(names[i], sizeof(names[i]), "l%u", i);
		labels[i] = (struct scap_label){ names[i], "" };
	}
	t = trigger(labels, 300);
	tell(&t);
	cr_assert(told("SCAP_LABEL_l255=") && told("SCAP_LABELS_CUT=1"));
	cr_assert_not(told("SCAP_LABEL_l256="));
	t.n_labels = 0;
	t.why = value;
	tell(&t);
	cr_assert(told("SCAP_WHY_CUT=1"));
	cr_assert_not(hook_job_init(&job, (char *[]){ "x", value, NULL }));
}

/* ---- from the directory --------------------------------------------------------------------- */

Test(watch_hooks, of_a_capture)
{
	const struct scap_label label = { "severity", "page" };
	struct watch_config config = {
		.dir = dir, .hook_timeout_ns = SECOND * 10, .hook_parallel = 2,
		.hook = (char *[]){ "sh", "-c", "env -0 > $SCAP_FILE.new; "
				    "mv $SCAP_FILE.new ${SCAP_FILE%/*}/env; exit 4", NULL },
	};
	struct scap_trigger t = trigger(&label, 1);
	struct store_totals totals = { 0 };
	char err[200], line[300], *text;
	struct store *s = store_open(&config, -1, -1, err, sizeof(err));
	uint32_t id;

	cr_assert_not_null(s, "%s", err);
	store_use_hooks(s, hooks);
	close(store_create(s, "http-5xx", t.real_ns, &id));
	cr_assert_eq(store_finish(s, id, &t), 0);
	for (unsigned ms = 0; ms < WAIT_MS && !totals.n_hooks_failed; ms += 10) {
		pause_ms(10);
		store_totals(s, &totals);
	}
	cr_assert_eq(totals.n_hooks, 1);
	cr_assert_eq(totals.n_hooks_failed, 1);
	text = text_of(in_dir("env"));
	snprintf(line, sizeof(line), "SCAP_FILE=%s\n", store_path(s, id));
	cr_assert_not_null(strstr(text, line), "%s", text);
	cr_assert_not_null(strstr(text, "SCAP_LABEL_severity=page\n"), "%s", text);
	cr_assert_null(strstr(text, "CRITERION"), "%s", text);
	store_close(s);
}
