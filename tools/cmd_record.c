/* SPDX-License-Identifier: MIT */
/* scap record: system calls into a capture. */
#include "opts.h"
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static const char record_details[] =
	"Records a command and all that it starts, or the processes given with --pid, or with -a\n"
	"the whole machine; until the command ends, a limit is reached, or SIGINT or SIGTERM\n"
	"comes. A command that runs longer than the recording is left alone.\n"
	"The choice is made in the kernel. To filter by more than that, filter when reading.\n";

static const char record_examples[] =
	"  scap record -- make -j8\n"
	"  scap record -a -d 10 -o boot.scapz\n"
	"  scap record --pid 1234 --syscall connect,accept4,sendto,recvfrom\n"
	"  scap record -a --rotate-size 100M --keep 10 -o box.scapz\n";

static int record_run(int argc, char **argv);

const struct verb verb_record = {
	.name = "record",
	.summary = "record system calls to a file",
	.usage = "[OPTION...] (-a | --pid PID,... | -- CMD ARG...)",
	.details = record_details,
	.opts = record_opts,
	.examples = record_examples,
	.run = record_run,
};

uint64_t record_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* ---- output --------------------------------------------------------------------------------- */

/* The smaller of 16 MiB and 1 % of the disk stays free. */
bool record_disk_ok(const struct record *r)
{
	uint64_t free_bytes, least;
	struct statvfs fs;

	if (!r->regular || statvfs(r->path, &fs) < 0)
		return true;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	least = (uint64_t)fs.f_blocks * fs.f_frsize / 100;
	if (least > 16 << 20)
		least = 16 << 20;
	if (free_bytes >= least)
		return true;
	tool_error("the disk is nearly full (%" PRIu64 " KiB free): recording ends",
		   free_bytes >> 10);
	return false;
}

/* On a small disk slices are small, too: so that one that does not fit any more is not much. */
static uint64_t buffer_bytes(const struct record *r)
{
	const uint64_t least = 64 << 10, usual = 6 << 20;
	struct statvfs fs;
	uint64_t n;

	if (!r->regular || statvfs(r->path, &fs) < 0)
		return usual;
	n = (uint64_t)fs.f_bavail * fs.f_frsize / 4;
	return n < least ? least : n > usual ? usual : n;
}

/* ---- set-up --------------------------------------------------------------------------------- */

/* From here on signals are read, not delivered; the command gets the old mask. */
static bool catch_signals(struct record *r, sigset_t *ret_old)
{
	struct sigaction hup;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	if (!sigaction(SIGHUP, NULL, &hup) && hup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, ret_old);
	r->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signal_fd >= 0)
		return true;
	tool_error("cannot wait for signals: %s", strerror(errno));
	return false;
}

/* The next signal of this kind ends the tool at once. */
static void release_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static struct scap_live_filter choice(const struct record_options *opt)
{
	return (struct scap_live_filter){
		.size = sizeof(struct scap_live_filter), .flags = opt->argv ? SCAP_LIVE_TREE : 0,
		.calls = opt->calls, .cgroups = opt->cgroups,
		.n_cgroups = opt->n_cgroups,
		.tgids = opt->pids, .n_tgids = opt->n_pids, .classes = opt->classes,
	};
}

/* A name that is wrong is told before anything is started: an exit code, TOOL_OK if all is well. */
static int check_choice(const struct record_options *opt)
{
	struct scap_live_filter lf = choice(opt);
	struct scap_error err;

	switch (scap_live_filter_check(&lf, &err)) {
	case 0:
		return TOOL_OK;
	case -EINVAL:
		return tool_usage("%s", err.text);
	default:
		tool_error("%s", err.text);
		return TOOL_FAILED;
	}
}

static bool open_live(struct record *r)
{
	struct scap_live_filter lf = choice(&r->opt);
	struct scap_live_options lo = {
		.size = sizeof(lo), .ring_bytes = r->opt.ring_bytes, .snaplen = r->opt.snaplen,
		.argv_max = r->opt.argv_max, .env_max = r->opt.env_max,
	};
	struct scap_error err;

	memcpy(lo.snaplens, r->opt.snaplens, sizeof(lo.snaplens));
	if (scap_live_open(&lo, &r->live, &err) < 0) {
		tool_error("%s", err.text);
		return false;
	}
	if (scap_live_filter(r->live, &lf) < 0 ||
	    (r->command.pid && scap_live_tree_add(r->live, (uint32_t)r->command.pid) < 0)) {
		tool_error("%s", scap_live_error(r->live)->text);
		return false;
	}
	return true;
}

static bool start_recorder(struct record *r)
{
	struct scap_recorder_options ro = {
		.size = sizeof(ro), .wake_fd = r->signal_fd, .buffer_bytes = buffer_bytes(r),
	};
	struct scap_writer *writer = r->writer;
	struct scap_error err;

	r->writer = NULL;
	if (scap_recorder_new(r->live, writer, &ro, &r->recorder, &err) < 0) {
		tool_error("%s", err.text);
		return false;
	}
	if (scap_recorder_start(r->recorder) < 0) {
		tool_error("%s", scap_recorder_error(r->recorder)->text);
		return false;
	}
	return true;
}

/*
 * The command is made before anything is opened, so that it inherits nothing; the file is made
 * last, so that a failure before leaves none.
 */
static bool set_up(struct record *r)
{
	sigset_t old;

	/* A closed pipe is told by write(), as other failures are. */
	signal(SIGPIPE, SIG_IGN);
	if (!catch_signals(r, &old))
		return false;
	/* Standard output is ours alone if the capture goes there. */
	if (r->opt.argv &&
	    !command_hold(&r->command, r->opt.argv, &old, r->name && !strcmp(r->name, "-")))
		return false;
	if (!open_live(r) || !record_open(r))
		return false;
	if (!record_disk_ok(r) || !start_recorder(r))
		return false;
	r->start_ns = r->shown_ns = record_now_ns();
	record_say_begun(r);
	return !r->command.pid || command_go(&r->command, r->opt.argv[0]);
}

static void clean_up(struct record *r)
{
	command_fini(&r->command);
	scap_recorder_free(r->recorder);
	if (r->writer)
		scap_writer_close(r->writer, 0, NULL, 0, NULL);
	scap_live_close(r->live);
	if (r->signal_fd >= 0)
		close(r->signal_fd);
	record_close(r);
	free(r->opt.cgroups);
	free(r->opt.pids);
}

/* ---- the loop ------------------------------------------------------------------------------- */

/* What waits for its group is packed before a guess at its size ends the recording. */
static bool is_large(struct record *r)
{
	return r->opt.max_bytes && record_reaches(r, scap_recorder_totals(r->recorder),
						    r->opt.max_bytes);
}

/* True: one came that ends the recording. */
static bool got_signal(struct record *r)
{
	struct signalfd_siginfo si;
	bool end = false;

	while (read(r->signal_fd, &si, sizeof(si)) == sizeof(si))
		end |= si.ssi_signo != SIGCHLD;
	return end;
}

static bool is_over(struct record *r)
{
	const struct scap_recorder_totals *t = scap_recorder_totals(r->recorder);
	const struct record_options *opt = &r->opt;

	if (got_signal(r))
		r->end = RECORD_END_SIGNAL;
	else if (r->command.pid && command_ended(&r->command))
		r->end = RECORD_END_COMMAND;
	else if (opt->duration_ns && record_now_ns() - r->start_ns >= opt->duration_ns)
		r->end = RECORD_END_DURATION;
	else if (opt->max_events && t->n_stored >= opt->max_events)
		r->end = RECORD_END_EVENTS;
	else if (is_large(r))
		r->end = RECORD_END_SIZE;
	else if (!record_disk_ok(r))
		r->end = RECORD_END_DISK;
	else
		return false;
	return true;
}

/* ms until the duration is over, rounded up; -1: no matter. */
static int max_wait_ms(const struct record *r)
{
	uint64_t spent = record_now_ns() - r->start_ns, left_ms;

	if (!r->opt.duration_ns)
		return -1;
	if (spent >= r->opt.duration_ns)
		return 0;
	left_ms = (r->opt.duration_ns - spent) / 1000000 + 1;
	return left_ms < 1000 ? (int)left_ms : -1;
}

static int record_loop(struct record *r)
{
	int rc = 0;

	while (!rc && !is_over(r)) {
		rc = scap_recorder_step(r->recorder, max_wait_ms(r));
		if (!rc)
			rc = record_rotate(r);
		record_live_line(r);
	}
	if (rc < 0)
		r->end = RECORD_END_ERROR;
	return rc;
}

static int finish(struct record *r, int loop_rc)
{
	int rc;

	release_signals();
	rc = r->end == RECORD_END_DISK ? scap_recorder_finish_short(r->recorder) :
					 scap_recorder_finish(r->recorder);
	r->end_ns = record_now_ns();
	record_clear_live_line(r);
	if (loop_rc < 0 || rc < 0) {
		r->end = RECORD_END_ERROR;
		record_drop_next(r);
		tool_error("%s", scap_recorder_error(r->recorder)->text);
		if (r->regular)
			tool_error("%s holds what was recorded until then", r->path);
	}
	record_file_ended(r);
	record_report(r);
	return r->end == RECORD_END_ERROR || r->end == RECORD_END_DISK ? TOOL_FAILED : TOOL_OK;
}

static int record_run(int argc, char **argv)
{
	struct record r = { .signal_fd = -1, .command = { .go_fd = -1, .error_fd = -1 } };
	int ret = TOOL_USAGE;

	if (record_parse(&verb_record, argc, argv, &r.opt))
		ret = check_choice(&r.opt);
	if (ret != TOOL_OK) {
		free(r.opt.cgroups);
		free(r.opt.pids);
		return ret;
	}
	ret = record_choose_name(&r);
	if (ret != TOOL_OK) {
		clean_up(&r);
		return ret;
	}
	ret = TOOL_FAILED;
	if (set_up(&r))
		ret = finish(&r, record_loop(&r));
	else if (r.created)
		unlink(r.path);
	clean_up(&r);
	return ret;
}
