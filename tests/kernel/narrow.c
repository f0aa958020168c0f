/* SPDX-License-Identifier: MIT */
/*
 * narrow FILE [failed] [latency=NS] [uid=N] [calls=NAME,...] -- CMD ARG...
 * Records CMD and what it starts, narrowed in the kernel by what the library offers, also where the
 * tool has no option for it.
 */
#include "guest.h"
#include <scap/scap.h>
#include <scap/live.h>
#include <signal.h>
#include <sys/wait.h>

static struct scap_live *live;
static struct scap_recorder *recorder;
static struct scap_error err;

/* NULL: the word is not this option. */
static const char *value_of(const char *word, const char *option)
{
	size_t n = strlen(option);

	return strncmp(word, option, n) ? NULL : word + n;
}

static void add_option(const char *word, struct scap_live_filter *f)
{
	const char *v;

	if (!strcmp(word, "failed")) {
		f->flags |= SCAP_LIVE_FAILED;
	} else if ((v = value_of(word, "latency=")) != NULL) {
		f->min_latency_ns = strtoull(v, NULL, 10);
	} else if ((v = value_of(word, "uid=")) != NULL) {
		f->flags |= SCAP_LIVE_UID;
		f->uid = (uint32_t)atoi(v);
	} else if ((v = value_of(word, "calls=")) != NULL) {
		f->calls = v;
	} else {
		fprintf(stderr, "narrow: what is '%s'?\n", word);
		exit(2);
	}
}

/* The command waits until it may go. */
static pid_t hold(char **argv, int *ret_go)
{
	int p[2];
	pid_t pid;

	if (pipe(p) < 0)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		close(p[1]);
		if (read(p[0], &(char){ 0 }, 1) != 1)
			_exit(9);
		close(p[0]);
		execvp(argv[0], argv);
		die("%s", argv[0]);
	}
	close(p[0]);
	*ret_go = p[1];
	return pid;
}

static void check_rc(int rc, const char *what, const struct scap_error *e)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "narrow: %s: %s\n", what, e->text);
	exit(1);
}

static void begin(const char *path, const struct scap_live_filter *f, pid_t pid)
{
	struct scap_writer_options wo = { .size = sizeof(wo), .recorder = "narrow",
					  .filter = "" };
	const struct scap_live_info *info;
	struct scap_live_clock clock;
	struct scap_writer *w;

	check_rc(scap_live_open(NULL, &live, &err), "open", &err);
	check_rc(scap_live_filter(live, f), "filter", scap_live_error(live));
	check_rc(scap_live_tree_add(live, (uint32_t)pid), "tree", scap_live_error(live));
	info = scap_live_info(live);
	check_rc(scap_live_clock(live, &clock), "clock", scap_live_error(live));
	wo.n_cpus = info->n_cpus;
	wo.snaplen = info->snaplen;
	wo.ring_bytes = info->ring_bytes;
	wo.clock_source = info->clock_source;
	wo.recorder_tgid = (uint32_t)getpid();
	wo.raw_ns = clock.raw_ns;
	wo.real_ns = clock.real_ns;
	wo.boot_ns = clock.boot_ns;
	check_rc(scap_writer_open_path(path, &wo, &w, &err), path, &err);
	check_rc(scap_recorder_new(live, w, NULL, &recorder, &err), "recorder", &err);
	check_rc(scap_recorder_start(recorder), "start", scap_recorder_error(recorder));
}

int main(int argc, char **argv)
{
	struct scap_live_filter f = { .size = sizeof(f), .flags = SCAP_LIVE_TREE };
	int go, status, i = 2;
	pid_t pid;

	for (; i < argc && strcmp(argv[i], "--"); i++)
		add_option(argv[i], &f);
	if (i + 1 >= argc)
		return 2;
	pid = hold(argv + i + 1, &go);
	begin(argv[1], &f, pid);
	if (write(go, "g", 1) != 1)
		die("pipe");
	while (waitpid(pid, &status, WNOHANG) == 0)
		check_rc(scap_recorder_step(recorder, 100), "step", scap_recorder_error(recorder));
	check_rc(scap_recorder_finish(recorder), "finish", scap_recorder_error(recorder));
	printf("lost %llu\n", (unsigned long long)scap_recorder_totals(recorder)->n_lost);
	scap_recorder_free(recorder);
	scap_live_close(live);
	return status != 0;
}
