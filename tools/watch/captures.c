/* SPDX-License-Identifier: MIT */
#include "watch/captures.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "opts.h"
#include "watch/job.h"
#include "watch/listen.h"
#include "watch/policy.h"

/* How long a capture that waits is not looked at, and how often the store is. */
#define LOOK_MS 50
#define TICK_NS 1000000000ull
/* A request that waits gives up so long after its window's end; one for the name alone, so soon. */
#define PATIENCE_NS (60 * 1000000000ull)
#define NAME_NS (1000000000ull)
/* How often a request that waits is asked whether anybody still wants to know. */
#define GONE_NS (500000000ull)
/* A capture whose window was complete, and which is not done, asks for another flush. */
#define AGAIN_NS (1000000000ull)

/* Triggers: copies of what is needed, and how they are doing. */
struct captures_config {
	struct trigger_config *triggers;
	struct policy *policies;
	uint32_t n;
};

struct captures {
	struct scap_ring *ring;
	struct store *store;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_t chooser;
	pthread_cond_t work, done, choose;	/* on the monotonic clock */
	/* Under lock. */
	struct captures_config *c;
	struct job *first;		/* all that are not done */
	uint32_t n_jobs;
	bool quit, over, want_keyframe;
	uint64_t complete_ns;		/* what lies before is all in the ring; raw */
	struct captures_totals totals;
};

static void wait_until(struct captures *s, pthread_cond_t *cond, uint64_t ns)
{
	struct timespec ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	pthread_cond_timedwait(cond, &s->lock, &ts);
}

/* ---- the configuration ----------------------------------------------------------------------- */

void captures_discard(struct captures_config *c)
{
	for (uint32_t i = 0; c && c->triggers && i < c->n; i++) {
		free(c->triggers[i].name);
		free(c->triggers[i].keep);
		free(c->triggers[i].text);
	}
	if (c) {
		free(c->triggers);
		free(c->policies);
	}
	free(c);
}

struct captures_config *captures_prepare(const struct watch_config *from)
{
	struct captures_config *c = calloc(1, sizeof(*c));
	bool failed = false;

	if (!c)
		return NULL;
	c->triggers = calloc(from->n_triggers + 1, sizeof(*c->triggers));
	c->policies = calloc(from->n_triggers + 1, sizeof(*c->policies));
	c->n = from->n_triggers;
	for (uint32_t i = 0; c->triggers && c->policies && i < c->n; i++) {
		struct trigger_config *t = &c->triggers[i];

		*t = from->triggers[i];
		t->name = copy_of(t->name, &failed);
		t->keep = copy_of(t->keep, &failed);
		t->text = copy_of(t->text, &failed);
		t->filter = NULL;
		c->policies[i].health.name = t->name;
		c->policies[i].health.source = t->source;
	}
	if (!failed && c->triggers && c->policies)
		return c;
	captures_discard(c);
	return NULL;
}

/* -1: there is none. */
static int64_t find_name(const struct captures_config *c, const char *name)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (!strcmp(c->triggers[i].name, name))
			return i;
	return -1;
}

/* Any that is named; else the only one of that source. */
static int64_t find(const struct captures_config *c, enum trigger_source source, const char *name)
{
	if (name)
		return find_name(c, name);
	for (uint32_t i = 0; i < c->n; i++)
		if (c->triggers[i].source == source)
			return i;
	return -1;
}

/* What was counted of a trigger that is still there, by its name, goes on. */
static void keep_policies(struct captures_config *c, const struct captures_config *old)
{
	for (uint32_t i = 0; i < c->n; i++) {
		struct policy *p = &c->policies[i];
		struct watch_trigger_health fresh = p->health;
		int64_t had = find_name(old, fresh.name);

		if (had < 0)
			continue;
		*p = old->policies[had];
		p->health.name = fresh.name;
		p->health.source = fresh.source;
	}
}

void captures_configure(struct captures *s, struct captures_config *c)
{
	struct captures_config *old;

	pthread_mutex_lock(&s->lock);
	old = s->c;
	keep_policies(c, old);
	s->c = c;
	pthread_mutex_unlock(&s->lock);
	captures_discard(old);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void add(struct captures *s, struct job *j)
{
	struct job **last = &s->first;

	while (*last)
		last = &(*last)->next;
	*last = j;
	s->n_jobs++;
	s->want_keyframe = true;
	pthread_cond_broadcast(&s->work);
}

/* ---- firing ---------------------------------------------------------------------------------- */

static void refuse(struct watch_reply *reply, int code, const char *text)
{
	reply->code = code;
	snprintf(reply->text, sizeof(reply->text), "%s", text);
}

/* Whoever asked may try again; events come a thousand times a second, and are not to. */
static void count_failed(struct captures *s, uint32_t trigger, enum trigger_source by,
			 uint64_t asked_ns)
{
	s->c->policies[trigger].health.n[CAPTURE_FAILED]++;
	if (by != TRIGGER_EVENT)
		policy_forget(&s->c->policies[trigger], asked_ns);
}

/* Under lock: a job that is on its way, or NULL, and why in reply. */
static struct job *begin(struct captures *s, uint32_t trigger, const struct firing *f,
			 struct watch_reply *reply)
{
	struct policy *p = &s->c->policies[trigger];
	enum capture_outcome outcome;
	uint64_t now = now_ns();
	struct job *j;
	char why[200];

	if (s->quit) {
		/* The next one may take it: whoever asks is to come again. */
		p->health.n[CAPTURE_FAILED]++;
		refuse(reply, -ESHUTDOWN, "the recorder ends");
		return NULL;
	}
	if (s->n_jobs >= CAPTURES_MOST) {
		p->health.n[CAPTURE_REFUSED_LIMIT]++;
		refuse(reply, WATCH_BUSY, "too many captures are being written: ask again later");
		return NULL;
	}
	outcome = policy_ask(p, &s->c->triggers[trigger], now, f->fingerprint, why, sizeof(why));
	if (outcome != CAPTURE_WRITTEN) {
		p->health.n[outcome]++;
		refuse(reply, WATCH_REFUSED, why);
		return NULL;
	}
	j = job_new(f, &s->c->triggers[trigger]);
	if (!j) {
		count_failed(s, trigger, f->by, now);
		refuse(reply, -ENOMEM, "out of memory");
		return NULL;
	}
	j->asked_ns = now;
	add(s, j);
	return j;
}

/* Until the file has its name, or is sealed; but not for ever. */
static void wait_for_job(struct captures *s, struct job *j, const struct captures_waiter *w)
{
	uint64_t named = now_ns() + NAME_NS;
	uint64_t sealed = add_capped(j->end_mono_ns, PATIENCE_NS);
	uint64_t until = w->sealed ? sealed : named;

	while (!j->done && (w->sealed || !j->path[0]) && now_ns() < until) {
		uint64_t next = now_ns() + GONE_NS;

		wait_until(s, &s->done, next < until ? next : until);
		if (w->gone && w->gone(w->gone_ctx))
			return;
	}
}

static void answer(const struct job *j, bool sealed, struct watch_reply *reply)
{
	snprintf(reply->file, sizeof(reply->file), "%s", j->path);
	if (j->failed)
		refuse(reply, -EIO, j->error);
	else if (sealed && !j->done)
		refuse(reply, -ETIMEDOUT, "the capture is not sealed yet");
}

void captures_fire(struct captures *s, const struct firing *f, struct watch_reply *reply,
		   const struct captures_waiter *waiter)
{
	struct watch_reply none;
	struct job *j = NULL;
	int64_t trigger;

	if (!reply)
		reply = &none;
	memset(reply, 0, sizeof(*reply));
	pthread_mutex_lock(&s->lock);
	trigger = find(s->c, f->by, f->name);
	if (trigger < 0) {
		reply->code = -ENOENT;
		snprintf(reply->text, sizeof(reply->text), f->name ?
			 "no trigger '%.100s' is configured" : "no trigger is configured for %s",
			 f->name ? f->name : f->source);
	} else {
		j = begin(s, (uint32_t)trigger, f, reply);
	}
	if (j && waiter) {
		j->refs++;
		wait_for_job(s, j, waiter);
		answer(j, waiter->sealed, reply);
		job_put(j);
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- writing, in a thread -------------------------------------------------------------------- */

/* The trigger may be another one by now, or gone with a reload. */
static void count(struct captures *s, const struct job *j, enum capture_outcome outcome)
{
	int64_t trigger = find_name(s->c, j->trigger.name);

	if (trigger >= 0 && outcome == CAPTURE_FAILED)
		count_failed(s, (uint32_t)trigger, j->by, j->asked_ns);
	else if (trigger >= 0)
		s->c->policies[trigger].health.n[outcome]++;
}

/* It is over, and its files are closed; under lock, which is held on return. */
static void end_job(struct captures *s, struct job *j, enum capture_outcome outcome)
{
	struct job **at = &s->first;
	uint64_t now = now_ns();

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	s->n_jobs--;
	j->done = true;
	count(s, j, outcome);
	if (outcome == CAPTURE_FAILED || outcome == CAPTURE_CUT)
		s->totals.n_write_errors += j->failed;
	if (outcome == CAPTURE_WRITTEN && now > j->end_mono_ns) {
		s->totals.n_sealed++;
		s->totals.seal_ns += now - j->end_mono_ns;
		if (now - j->end_mono_ns > s->totals.seal_max_ns)
			s->totals.seal_max_ns = now - j->end_mono_ns;
	}
	pthread_cond_broadcast(&s->done);
	job_put(j);
}

static void fail_job(struct captures *s, struct job *j, const char *text)
{
	tool_error("no capture of trigger %s: %s", j->trigger.name, text);
	job_close(j);
	pthread_mutex_lock(&s->lock);
	j->failed = true;
	j->path[0] = '\0';
	if (text != j->error)
		snprintf(j->error, sizeof(j->error), "%s", text);
	end_job(s, j, CAPTURE_FAILED);
	pthread_mutex_unlock(&s->lock);
}

/* Of a capture: whether there is room for so much, beside what is to stay free. */
static bool has_room(void *ctx, uint64_t bytes)
{
	struct job *j = ctx;
	uint64_t free_bytes;

	if (store_disk_ok(j->store, &free_bytes) && bytes <= free_bytes)
		return true;
	snprintf(j->error, sizeof(j->error), "the disk of the captures is nearly full (%" PRIu64
		 " MiB free); the ring goes on: make room, or lower keep.size", free_bytes >> 20);
	return false;
}

static void drop_files(struct captures *s, struct job *j)
{
	store_drop(s->store, j->id);
	if (j->part >= 0)
		store_drop(s->store, j->whole_id);
}

/* The file that the cut writes: -1, and why. */
static int create(struct captures *s, struct job *j, char *text, size_t cap)
{
	int fd = store_create(s->store, j->trigger.name, j->trigger.real_ns, &j->id);

	if (fd >= 0 && j->trigger.keep) {
		/* What will stay has the name that is told. */
		j->part = fd;
		fd = store_create(s->store, j->trigger.name, j->trigger.real_ns, &j->whole_id);
		j->whole = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
		if (fd >= 0 && j->whole < 0) {
			int code = -errno;

			store_drop(s->store, j->whole_id);
			close(fd);
			fd = code;
		}
		if (fd < 0)
			store_drop(s->store, j->id);
	}
	if (fd < 0)
		snprintf(text, cap, "cannot make its file: %s", strerror(-fd));
	return fd;
}

/* False: it failed, and is gone. */
static bool open_job(struct captures *s, struct job *j)
{
	struct scap_cut_options o = {
		.size = sizeof(o), .trigger = &j->trigger, .max_bytes = j->max_bytes,
		.room = has_room, .room_ctx = j,
	};
	struct scap_error err = { 0 };
	char text[256];

	j->store = s->store;
	if (!has_room(j, 0)) {
		fail_job(s, j, j->error);
		return false;
	}
	o.fd = create(s, j, text, sizeof(text));
	if (o.fd < 0) {
		fail_job(s, j, text);
		return false;
	}
	if (scap_ring_cut(s->ring, &o, &j->cut, &err) < 0) {
		drop_files(s, j);
		fail_job(s, j, err.text);
		return false;
	}
	pthread_mutex_lock(&s->lock);
	snprintf(j->path, sizeof(j->path), "%s", store_path(s->store, j->id));
	pthread_cond_broadcast(&s->done);
	pthread_mutex_unlock(&s->lock);
	return true;
}

/* What trigger and outcome say together, for who is told of the capture. */
static struct scap_trigger whole_trigger(const struct job *j, const struct scap_trigger *outcome)
{
	struct scap_trigger t = j->trigger;

	t.from_raw_ns = outcome->from_raw_ns;
	t.to_raw_ns = outcome->to_raw_ns;
	t.n_lost = outcome->n_lost;
	t.flags = outcome->flags;
	t.event = outcome->event;
	return t;
}

/* It is cut, and chosen from where that was asked for: its name, or what became of it. */
static void finish_job(struct captures *s, struct job *j)
{
	char text[256];
	int rc;

	if (j->part >= 0) {
		/* If the choice failed, all of it stays, by the name that was told. */
		if (!j->part_ok)
			store_swap(s->store, j->id, j->whole_id);
		store_drop(s->store, j->whole_id);
		j->cut_short |= !j->part_ok;
	}
	rc = store_finish(s->store, j->id, &j->outcome);
	if (rc < 0) {
		snprintf(text, sizeof(text), "cannot give it its name: %s", strerror(-rc));
		fail_job(s, j, text);
		return;
	}
	if (j->error[0])
		tool_error("%s: %s", store_path(s->store, j->id), j->error);
	job_close(j);
	pthread_mutex_lock(&s->lock);
	snprintf(j->path, sizeof(j->path), "%s", store_path(s->store, j->id));
	j->failed = j->error[0];
	end_job(s, j, j->cut_short ? CAPTURE_CUT : CAPTURE_WRITTEN);
	pthread_mutex_unlock(&s->lock);
}

/*
 * The cut is over, well or not: what it wrote is whole in any case, unless the close fails.
 * cut_short: it was not done.
 */
static void close_job(struct captures *s, struct job *j, bool cut_short)
{
	struct scap_error step = *scap_cut_error(j->cut), err = { 0 };
	struct scap_trigger outcome;
	int rc = scap_cut_close(j->cut, &outcome, &err);

	j->cut = NULL;
	if (rc && !outcome.to_raw_ns) {
		drop_files(s, j);
		fail_job(s, j, j->error[0] ? j->error : err.text);
		return;
	}
	j->outcome = whole_trigger(j, &outcome);
	j->cut_short = rc || step.code || cut_short ||
		       outcome.flags & (SCAP_TRIGGER_OVERTAKEN | SCAP_TRIGGER_CUT);
	if (!j->error[0])
		snprintf(j->error, sizeof(j->error), "%s", err.text);
	if (j->part < 0 || rc) {
		finish_job(s, j);
		return;
	}
	pthread_mutex_lock(&s->lock);
	j->state = JOB_CHOOSING;
	pthread_cond_broadcast(&s->choose);
	pthread_mutex_unlock(&s->lock);
}

/*
 * Reading a capture again takes long: a thread of its own does it, one at a time, for whoever cuts
 * must keep pace with the ring.
 */
static void *run_choose(void *arg)
{
	struct captures *s = arg;
	char text[256] = "";
	struct job *j;
	bool ok;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		for (j = s->first; j && j->state != JOB_CHOOSING;)
			j = j->next;
		if (!j && s->over)
			break;
		if (!j) {
			pthread_cond_wait(&s->choose, &s->lock);
			continue;
		}
		pthread_mutex_unlock(&s->lock);
		ok = lseek(j->whole, 0, SEEK_SET) == 0 &&
		     keep_chosen(j->whole, j->trigger.keep, j->part, &j->outcome, text,
				 sizeof(text));
		pthread_mutex_lock(&s->lock);
		j->part_ok = ok;
		if (!ok)
			snprintf(j->error, sizeof(j->error), "%s", text);
		j->state = JOB_CHOSEN;
		pthread_cond_broadcast(&s->work);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* One look at a capture. all: nothing more will come. */
static void step_job(struct captures *s, struct job *j, bool all)
{
	int rc;

	if (!j->cut && !open_job(s, j))
		return;
	rc = scap_cut_step(j->cut);
	if (rc <= 0 || all)
		close_job(s, j, rc > 0);
}

/* Those that are there now; they are taken off by this thread alone. True: some are left. */
static bool step_all(struct captures *s, bool all)
{
	enum job_state state;
	struct job *j, *next;
	bool left;

	pthread_mutex_lock(&s->lock);
	for (j = s->first; j; j = next) {
		next = j->next;
		state = j->state;
		pthread_mutex_unlock(&s->lock);
		if (state == JOB_CUTTING)
			step_job(s, j, all);
		else if (state == JOB_CHOSEN)
			finish_job(s, j);
		pthread_mutex_lock(&s->lock);
	}
	left = s->first;
	pthread_mutex_unlock(&s->lock);
	return left;
}

static void *run(void *arg)
{
	struct captures *s = arg;
	uint64_t ticked_ns = now_ns();
	bool quit = false, left = false;

	while (!quit || left) {
		pthread_mutex_lock(&s->lock);
		if (!s->quit || quit)
			wait_until(s, &s->work, now_ns() + (s->first ? LOOK_MS * 1000000ull :
							     TICK_NS));
		quit = s->quit;
		pthread_mutex_unlock(&s->lock);
		left = step_all(s, quit);
		if (now_ns() - ticked_ns >= TICK_NS) {
			store_tick(s->store);
			ticked_ns = now_ns();
		}
	}
	return NULL;
}

/* ---- from outside ---------------------------------------------------------------------------- */

static void stop_chooser(struct captures *s)
{
	pthread_mutex_lock(&s->lock);
	s->over = true;
	pthread_cond_broadcast(&s->choose);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->chooser, NULL);
}

struct captures *captures_start(const struct watch_config *c, struct scap_ring *ring,
				struct store *store)
{
	struct captures *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return NULL;
	s->ring = ring;
	s->store = store;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &attr);
	pthread_cond_init(&s->done, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&s->choose, NULL);
	s->c = captures_prepare(c);
	if (s->c && !quiet_thread(&s->chooser, run_choose, s)) {
		if (!quiet_thread(&s->thread, run, s))
			return s;
		stop_chooser(s);
	}
	captures_free(s);
	return NULL;
}

void captures_stop(struct captures *s)
{
	pthread_mutex_lock(&s->lock);
	s->quit = true;
	pthread_cond_broadcast(&s->work);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	stop_chooser(s);
}

void captures_free(struct captures *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->done);
	pthread_cond_destroy(&s->choose);
	captures_discard(s->c);
	free(s);
}

uint64_t captures_due_ns(struct captures *s)
{
	uint64_t due_ns = UINT64_MAX;

	pthread_mutex_lock(&s->lock);
	for (const struct job *j = s->first; j; j = j->next) {
		uint64_t ns = j->end_raw_ns > s->complete_ns ? j->end_raw_ns :
			      s->complete_ns + AGAIN_NS;

		if (j->state == JOB_CUTTING && ns < due_ns)
			due_ns = ns;
	}
	pthread_mutex_unlock(&s->lock);
	return due_ns;
}

void captures_more(struct captures *s, uint64_t complete_raw_ns)
{
	pthread_mutex_lock(&s->lock);
	s->complete_ns = complete_raw_ns;
	pthread_cond_broadcast(&s->work);
	pthread_mutex_unlock(&s->lock);
}

bool captures_want_keyframe(struct captures *s)
{
	bool want;

	pthread_mutex_lock(&s->lock);
	want = s->want_keyframe;
	s->want_keyframe = false;
	pthread_mutex_unlock(&s->lock);
	return want;
}

void captures_totals(struct captures *s, struct captures_totals *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->totals;
	ret->n_capturing = s->n_jobs;
	pthread_mutex_unlock(&s->lock);
}

uint32_t captures_health(struct captures *s, struct watch_trigger_health *ret, uint32_t n)
{
	pthread_mutex_lock(&s->lock);
	if (n > s->c->n)
		n = s->c->n;
	for (uint32_t i = 0; i < n; i++)
		ret[i] = s->c->policies[i].health;
	pthread_mutex_unlock(&s->lock);
	return n;
}
