/* SPDX-License-Identifier: MIT */
/* scap watch: records into a ring, and writes captures when a trigger fires. */
#define _GNU_SOURCE	/* renameat2 */
#include "watch/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "opts.h"
#include "watch/listen.h"
#include "watch/run.h"
#include "watch/sandbox.h"
#include "watch_opts.h"

/* Windows that end are flushed for together, no more often than this. */
#define FLUSH_NS 100000000ull
/* A keyframe that is younger than this does for another capture. */
#define KEYFRAME_NS (5 * 1000000000ull)
#define CATCH_UP_NS (2 * 1000000000ull)

uint64_t watch_real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t watch_raw_ns(struct watch *w)
{
	return now_ns() + atomic_load(&w->raw_ahead_ns);
}

/* The raw clock drifts away from the monotonic one, which is steered. */
static void note_clock(struct watch *w, const struct scap_live_clock *clock)
{
	uint64_t now = now_ns();

	atomic_store(&w->raw_ahead_ns, clock->raw_ns - now);
	atomic_store(&w->seen_mono_ns, now);
}

/* ---- setting up ------------------------------------------------------------------------------ */

static bool catch_signals(struct watch *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signal_fd >= 0)
		return true;
	tool_error("cannot wait for signals: %s", strerror(errno));
	return false;
}

static bool find_user(struct watch *w)
{
	struct passwd *pw;
	char text[256];

	if (!w->c->user)
		return true;
	if (!sandbox_user(w->c->user, &w->uid, &w->gid, text, sizeof(text))) {
		tool_error("%s: privileges.user, or --user, names who is to record", text);
		return false;
	}
	if (!w->uid || !w->gid) {
		tool_error("%s is user or group 0: leave privileges.user out to stay root",
			   w->c->user);
		return false;
	}
	if (geteuid() != 0) {
		tool_error("only root can become %s: leave privileges.user out", w->c->user);
		return false;
	}
	pw = getpwuid(w->uid);
	if (pw)
		setenv("HOME", pw->pw_dir, 1);	/* which hooks get */
	w->drops = true;
	return true;
}

/* They are a process of their own, made before anything is open, and drop at once. */
static bool start_hooks(struct watch *w)
{
	int rc;

	w->hooks = hooks_start();
	if (!w->hooks) {
		tool_error("cannot start the runner of hooks: %s", strerror(errno));
		return false;
	}
	rc = w->drops ? hooks_drop(w->hooks, w->uid, w->gid) : 0;
	if (rc < 0)
		tool_error("the hooks' runner keeps its privileges: %s", strerror(-rc));
	return rc >= 0;
}

static bool open_store(struct watch *w)
{
	char text[256];

	w->store = store_open(w->c, w->drops ? (int64_t)w->uid : -1,
			      w->drops ? (int64_t)w->gid : -1, text, sizeof(text));
	if (!w->store) {
		tool_error("%s", text);
		return false;
	}
	store_use_hooks(w->store, w->hooks);
	return true;
}

/* What a recorder that was killed left becomes a capture like others. */
static bool move(const char *from, const char *to, const char *suffix, unsigned flags)
{
	char a[PATH_MAX], b[PATH_MAX];

	if (snprintf(a, sizeof(a), "%s%s", from, suffix) >= (int)sizeof(a) ||
	    snprintf(b, sizeof(b), "%s%s", to, suffix) >= (int)sizeof(b))
		return false;
	return renameat2(AT_FDCWD, a, AT_FDCWD, b, flags) == 0;
}

/*
 * There is no room for a capture of it, and recording must not wait for that: it stays, under
 * another name. What an earlier crash left there is worth more than what a later one did.
 */
static bool put_aside(struct watch *w)
{
	char to[PATH_MAX];

	if (snprintf(to, sizeof(to), "%s.left", w->c->ring) >= (int)sizeof(to) ||
	    !move(w->c->ring, to, "", RENAME_NOREPLACE)) {
		tool_error("what was in %s is given up, for it cannot become %s: %s", w->c->ring,
			   to, strerror(errno));
		return true;
	}
	/* There was no such ring: journals by its name are nobody's. */
	move(w->c->ring, to, ".journal", 0);
	move(w->c->ring, to, ".journal2", 0);
	tool_note("what a recorder that was killed left is in %s now: make room, then scap recover "
		  "makes a capture of it", to);
	return true;
}

static bool recover_ring(struct watch *w)
{
	struct scap_trigger t = {
		.size = sizeof(t), .name = "recovered", .source = "recovery",
		.why = "a recorder did not end as it should", .real_ns = watch_real_ns(),
	};
	struct scap_ring_recovered got;
	struct scap_error err = { 0 };
	uint32_t id;
	int fd = store_create(w->store, "recovered", t.real_ns, &id), rc;

	if (fd < 0) {
		tool_error("cannot save what is in the ring: %s", strerror(-fd));
		return put_aside(w);
	}
	rc = scap_ring_recover(w->c->ring, fd, &got, &err);
	if (rc) {
		store_drop(w->store, id);
		tool_error("%s", err.text);
		/* Nothing in it, or nothing whole: there is nothing to keep it for. */
		return rc == -ENODATA || rc == SCAP_EDAMAGED || put_aside(w);
	}
	rc = store_finish(w->store, id, &t);
	if (rc < 0) {
		tool_error("cannot save what is in the ring: %s", strerror(-rc));
		store_drop(w->store, id);
		return put_aside(w);
	}
	tool_note("a recorder was killed; what was in its ring, %" PRIu64 " events, is in %s",
		  got.n_events, store_path(w->store, id));
	return true;
}

static const char *way_out(int rc)
{
	if (rc == -ENOSPC || rc == -ENOMEM || rc == -EFBIG || rc == -EDQUOT)
		return ": lower --memory, or name a file on another disk with --ring";
	if (rc == -EACCES || rc == -EPERM)
		return ": start it as root, or name another file with --ring";
	if (rc == -EBUSY || rc == -EROFS || rc == -ENOENT || rc == -ENOTDIR)
		return ": name another file with --ring";
	return "";
}

/* /run/scap is there no more after a reboot. */
static bool make_ring_directory(struct watch *w)
{
	char *dir = w->c->ring, *slash = strrchr(dir, '/');
	int rc = 0;

	if (!slash || slash == dir)
		return true;
	*slash = 0;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		rc = -errno;
		tool_error("cannot make %s, the directory of the ring: %s%s", dir, strerror(-rc),
			   way_out(rc));
	}
	*slash = '/';
	return !rc;
}

static bool make_ring(struct watch *w)
{
	struct scap_error err = { 0 };
	int rc;

	if (!make_ring_directory(w))
		return false;
	if (scap_ring_state(w->c->ring) == SCAP_RING_ABANDONED && !recover_ring(w))
		return false;
	rc = scap_ring_create(w->c->ring, w->c->memory, &w->ring, &err);
	if (!rc)
		return true;
	tool_error("%s%s", err.text, way_out(rc));
	return false;
}

static bool open_live(struct watch *w)
{
	const struct watch_config *c = w->c;
	struct scap_live_options lo = {
		.size = sizeof(lo), .ring_bytes = c->kernel_ring, .snaplen = c->snaplen,
	};
	struct scap_live_filter lf = {
		.size = sizeof(lf), .calls = c->calls,
		.cgroups = (const char *const *)c->cgroups, .n_cgroups = c->n_cgroups,
	};
	struct scap_error err = { 0 };

	memcpy(lo.snaplens, c->snaplens, sizeof(lo.snaplens));
	if (scap_live_open(&lo, &w->live, &err) < 0) {
		tool_error("%s", err.text);
		return false;
	}
	if (scap_live_filter(w->live, &lf) < 0) {
		tool_error("%s", scap_live_error(w->live)->text);
		return false;
	}
	return true;
}

static bool open_writer(struct watch *w)
{
	const struct scap_live_info *info = scap_live_info(w->live);
	struct scap_live_clock clock;
	struct scap_writer_options o = {
		.size = sizeof(o), .recorder = "scap watch", .n_cpus = info->n_cpus,
		.snaplen = info->snaplen, .recorder_tgid = (uint32_t)getpid(),
		.clock_source = info->clock_source, .ring_bytes = info->ring_bytes,
		.filter = w->c->calls ? w->c->calls : "",
	};
	struct scap_error err = { 0 };

	if (scap_live_clock(w->live, &clock) < 0) {
		tool_error("%s", scap_live_error(w->live)->text);
		return false;
	}
	o.raw_ns = clock.raw_ns;
	o.real_ns = clock.real_ns;
	o.boot_ns = clock.boot_ns;
	note_clock(w, &clock);
	if (!scap_ring_writer(w->ring, &o, &w->writer, &err))
		return true;
	tool_error("%s", err.text);
	return false;
}

static void on_slice(void *ctx, const struct scap_slice *s)
{
	struct watch *w = ctx;
	const struct scap_ring_end *rings = scap_recorder_rings(w->recorder);

	/* Were we killed from here on, it would be known what was lost before the slice's end. */
	if (rings)
		scap_ring_ends(w->ring, s->end_ns, rings, scap_live_info(w->live)->n_rings);
	/* What is damaged there is told by who reads it; nothing of it fires. */
	scap_monitor_slice(w->monitor, s);
}

static bool start_recorder(struct watch *w)
{
	struct scap_recorder_options o = {
		.size = sizeof(o), .wake_fd = w->signal_fd, .on_slice = on_slice, .ctx = w,
	};
	struct scap_writer *writer = w->writer;
	struct scap_error err = { 0 };

	w->writer = NULL;
	if (scap_recorder_new(w->live, writer, &o, &w->recorder, &err) < 0) {
		tool_error("%s", err.text);
		return false;
	}
	if (!scap_recorder_start(w->recorder))
		return true;
	tool_error("%s", scap_recorder_error(w->recorder)->text);
	return false;
}

/* Clients may connect from now on, and wait. */
static bool open_servers(struct watch *w)
{
	char text[512];

	w->control = control_open(w->c, text, sizeof(text));
	if (!w->control) {
		tool_error("%s", text);
		return false;
	}
	if (!w->c->listen)
		return true;
	w->http = http_open(w->c, text, sizeof(text));
	if (!w->http)
		tool_error("%s", text);
	return w->http;
}

static bool serve(struct watch *w)
{
	struct watch_ops ops = watch_make_ops(w);
	char text[256];

	if (control_serve(w->control, &ops, text, sizeof(text)) &&
	    (!w->http || http_serve(w->http, &ops, text, sizeof(text))))
		return true;
	tool_error("%s", text);
	return false;
}

/* Nothing is opened with privileges after this; what others send is read after it. */
static bool drop_privileges(struct watch *w)
{
	char text[256];

	if (!w->drops || sandbox_drop(w->uid, w->gid, text, sizeof(text)))
		return true;
	tool_error("%s", text);
	return false;
}

/* All threads are there by now: it holds for all of them. */
static bool bind_calls(struct watch *w)
{
	char text[256];

	if (!w->c->seccomp || sandbox_seccomp(text, sizeof(text)))
		return true;
	tool_error("%s", text);
	return false;
}

/* What needs no kernel module, so that all that is wrong is said before it is asked for. */
static bool prepare(struct watch *w)
{
	char text[256];

	if (!catch_signals(w) || !find_user(w) || !start_hooks(w))
		return false;
	if (w->drops && !sandbox_early(text, sizeof(text))) {
		tool_error("%s", text);
		return false;
	}
	notify_open();
	return open_store(w) && watch_rules_new(w) && open_servers(w) && make_ring(w);
}

static bool set_up(struct watch *w)
{
	if (!prepare(w) || !open_live(w) || !open_writer(w))
		return false;
	w->captures = captures_start(w->c, w->ring, w->store);
	if (!w->captures) {
		tool_error("no memory, or no thread");
		return false;
	}
	return start_recorder(w) && drop_privileges(w) && serve(w) && bind_calls(w);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void note_totals(struct watch *w)
{
	const struct scap_recorder_totals *t = scap_recorder_totals(w->recorder);
	struct scap_live_clock clock;

	atomic_store(&w->n_events, t->n_stored);
	atomic_store(&w->n_lost, t->n_lost);
	atomic_store(&w->bytes, t->file_bytes);
	if (scap_live_clock(w->live, &clock) == 0)
		note_clock(w, &clock);
}

/* What lies before the end of a window is all in the ring: its captures can be sealed. */
static int complete(struct watch *w)
{
	uint64_t complete_ns = scap_recorder_totals(w->recorder)->complete_raw_ns;
	const struct scap_ring_end *rings;
	int rc = scap_recorder_flush(w->recorder);

	if (rc < 0)
		return rc;
	rings = scap_recorder_rings(w->recorder);
	if (!rings)
		return scap_recorder_error(w->recorder)->code;
	scap_ring_complete(w->ring, complete_ns, rings, scap_live_info(w->live)->n_rings);
	captures_more(w->captures, complete_ns);
	w->flushed_mono_ns = now_ns();
	return 0;
}

static int serve_captures(struct watch *w)
{
	uint64_t now = now_ns(), due_ns = captures_due_ns(w->captures);

	if (captures_want_keyframe(w->captures) && now - w->keyframe_mono_ns >= KEYFRAME_NS) {
		scap_recorder_keyframe(w->recorder);
		w->keyframe_mono_ns = now;
	}
	if (now - w->flushed_mono_ns < FLUSH_NS)
		return 0;
	scap_recorder_want(w->recorder, due_ns);
	if (due_ns > scap_recorder_totals(w->recorder)->complete_raw_ns)
		return 0;
	return complete(w);
}

/* True: one came that ends it. */
static bool got_signal(struct watch *w)
{
	struct signalfd_siginfo si;
	bool end = false;

	while (read(w->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGHUP)
			watch_reload(w);
		else if (si.ssi_signo == SIGUSR1)
			watch_signalled(w);
		else
			end = true;
	}
	return end;
}

static int loop(struct watch *w)
{
	uint64_t interval_ns = notify_interval_ns(), notified_ns = 0, now;
	int rc = 0;

	while (!rc && !got_signal(w)) {
		rc = scap_recorder_step(w->recorder, captures_due_ns(w->captures) == UINT64_MAX ?
				       -1 : 50);
		note_totals(w);
		if (!rc)
			rc = serve_captures(w);
		now = now_ns();
		if (interval_ns && now - notified_ns >= interval_ns / 2) {
			notify("WATCHDOG=1");
			notified_ns = now;
		}
	}
	return rc;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void stop_servers(struct watch *w)
{
	http_stop(w->http);
	control_stop(w->control);
}

/* Nothing was recorded: there is nothing to keep, and to recover, in what was made. */
static void undo(struct watch *w)
{
	if (w->captures)
		captures_stop(w->captures);
	stop_servers(w);
	if (w->ring)
		unlink(w->c->ring);
}

/* All until now is to be in the captures, not only what was in slices already. */
static int catch_up(struct watch *w)
{
	uint64_t now = watch_raw_ns(w), until = now_ns() + CATCH_UP_NS;
	int rc = 0;

	scap_recorder_want(w->recorder, now);
	while (!rc && scap_recorder_totals(w->recorder)->complete_raw_ns < now &&
	       now_ns() < until)
		rc = scap_recorder_step(w->recorder, 20);
	return rc;
}

/* What is being captured gets all that there is; then the ring gets its end. */
static int finish(struct watch *w, int rc)
{
	notify("STOPPING=1");
	if (!rc)
		rc = catch_up(w);
	if (!rc)
		rc = complete(w);
	/* Then those who wait are told of their captures. */
	captures_stop(w->captures);
	stop_servers(w);
	if (rc < 0) {
		tool_error("%s", scap_recorder_error(w->recorder)->text);
		tool_error("what was recorded is in the ring %s: scap recover makes a capture of "
			   "it", w->c->ring);
		return TOOL_FAILED;
	}
	if (scap_recorder_finish(w->recorder) < 0) {
		tool_error("%s", scap_recorder_error(w->recorder)->text);
		return TOOL_FAILED;
	}
	note_totals(w);
	tool_note("ended, %" PRIu64 " events, %" PRIu64 " lost", atomic_load(&w->n_events),
		  atomic_load(&w->n_lost));
	return TOOL_OK;
}

static void clean_up(struct watch *w)
{
	captures_free(w->captures);
	scap_recorder_free(w->recorder);
	if (w->writer)
		scap_writer_close(w->writer, 0, NULL, 0, NULL);
	scap_ring_close(w->ring);
	scap_live_close(w->live);
	scap_monitor_free(w->monitor);
	scap_field_free(w->args);
	store_close(w->store);
	hooks_stop(w->hooks);
	if (w->signal_fd >= 0)
		close(w->signal_fd);
	free(w->conditions);
	pthread_mutex_destroy(&w->lock);
}

int watch_run(struct watch_config *c, int argc, char **argv)
{
	struct watch w = { .c = c, .argc = argc, .argv = argv, .signal_fd = -1 };
	int rc = TOOL_FAILED;

	pthread_mutex_init(&w.lock, NULL);
	atomic_store(&w.start_real_ns, watch_real_ns());
	if (set_up(&w)) {
		tool_note("recording, %" PRIu64 " MiB of history, %u triggers, captures go to %s",
			  c->memory >> 20, c->n_triggers, c->dir);
		notify("READY=1");
		rc = finish(&w, loop(&w));
	} else {
		undo(&w);
	}
	clean_up(&w);
	return rc;
}
