/* SPDX-License-Identifier: MIT */
#include "watch/captures.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "opts.h"
#include "watch/policy.h"

/* How long a capture that waits is not looked at, and how often the store is. */
#define LOOK_MS 50
#define TICK_NS 1000000000ull
/* A request that waits gives up so long after its window's end. */
#define PATIENCE_NS (60 * 1000000000ull)

/* A capture, from its trigger to its sealed file. Who waits for it holds it, too. */
struct job {
	struct job *next;
	unsigned refs;
	struct scap_trigger trigger;	/* with strings and labels of its own */
	char *text[5];
	struct scap_label *labels;
	uint32_t policy;		/* of the trigger */
	unsigned generation;		/* of the configuration that it is of */
	uint64_t max_bytes;
	struct scap_cut *cut;		/* NULL: not begun */
	uint32_t id;			/* in the store */
	/* Where only a part is to stay: all of it, to be read again, and the file of that part. */
	uint32_t whole_id;
	int whole, part;		/* -1: all stays */
	uint64_t end_mono_ns;		/* of the window */
	char path[512];
	bool done;
	bool failed;
	char error[256];
};

struct captures {
	struct scap_ring *ring;
	struct store *store;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, done;	/* on the monotonic clock */
	/* Under lock. */
	struct trigger_config *triggers;	/* copies of what is needed */
	struct policy *policies;
	uint32_t n;
	unsigned generation;
	struct job *first;		/* all that are not done */
	uint32_t n_jobs;
	bool quit, want_keyframe;
	uint64_t due_ns;		/* the first end of a window that is waited for; raw */
	struct captures_totals totals;
};

static uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void wait_until(struct captures *s, pthread_cond_t *cond, uint64_t ns)
{
	struct timespec ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	pthread_cond_timedwait(cond, &s->lock, &ts);
}

/* ---- the configuration ----------------------------------------------------------------------- */

static void free_triggers(struct trigger_config *t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		free(t[i].name);
		free(t[i].keep);
		free(t[i].text);
	}
	free(t);
}

static char *copy_of(const char *s, bool *failed)
{
	char *p = s ? strdup(s) : NULL;

	*failed |= s && !p;
	return p;
}

static struct trigger_config *copy_triggers(const struct watch_config *c)
{
	struct trigger_config *t = calloc(c->n_triggers + 1, sizeof(*t));
	bool failed = false;

	for (uint32_t i = 0; t && i < c->n_triggers; i++) {
		t[i] = c->triggers[i];
		t[i].name = copy_of(t[i].name, &failed);
		t[i].keep = copy_of(t[i].keep, &failed);
		t[i].text = copy_of(t[i].text, &failed);
		t[i].filter = NULL;
	}
	if (!failed)
		return t;
	free_triggers(t, c->n_triggers);
	return NULL;
}

/* What was counted of a trigger that is still there, by its name, goes on. */
static void keep_policies(struct captures *s, struct policy *policies,
			  const struct trigger_config *t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < s->n; k++)
			if (!strcmp(s->triggers[k].name, t[i].name))
				policies[i] = s->policies[k];
		policies[i].health.name = t[i].name;
		policies[i].health.source = t[i].source;
	}
}

/* Without memory the old one stays. */
static bool configure(struct captures *s, const struct watch_config *c)
{
	struct policy *policies = calloc(c->n_triggers + 1, sizeof(*policies));
	struct trigger_config *t = copy_triggers(c);

	if (!policies || !t) {
		free(policies);
		if (t)
			free_triggers(t, c->n_triggers);
		return false;
	}
	pthread_mutex_lock(&s->lock);
	keep_policies(s, policies, t, c->n_triggers);
	free_triggers(s->triggers, s->n);
	free(s->policies);
	s->triggers = t;
	s->policies = policies;
	s->n = c->n_triggers;
	s->generation++;
	pthread_mutex_unlock(&s->lock);
	return true;
}

void captures_configure(struct captures *s, const struct watch_config *c)
{
	if (!configure(s, c))
		tool_error("no memory for other triggers: the old ones stay");
}

int64_t captures_find(struct captures *s, enum trigger_source source, const char *name)
{
	int64_t found = -1;

	pthread_mutex_lock(&s->lock);
	for (uint32_t i = 0; i < s->n && found < 0; i++)
		if (s->triggers[i].source == source &&
		    (!name || !strcmp(s->triggers[i].name, name)))
			found = i;
	pthread_mutex_unlock(&s->lock);
	return found;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void job_put(struct job *j)
{
	if (--j->refs)
		return;
	if (j->whole >= 0)
		close(j->whole);
	if (j->part >= 0)
		close(j->part);
	for (uint64_t i = 0; i < j->trigger.n_labels; i++) {
		free((char *)j->labels[i].name);
		free((char *)j->labels[i].value);
	}
	for (unsigned i = 0; i < sizeof(j->text) / sizeof(*j->text); i++)
		free(j->text[i]);
	free(j->labels);
	free(j);
}

static const char *own(struct job *j, unsigned i, const char *s, bool *failed)
{
	return j->text[i] = copy_of(s, failed);
}

static struct job *job_new(const struct firing *f, const struct trigger_config *t)
{
	struct job *j = calloc(1, sizeof(*j));
	bool failed = false;

	if (!j)
		return NULL;
	j->refs = 1;
	j->whole = j->part = -1;
	j->labels = calloc(f->n_labels + 1, sizeof(*j->labels));
	j->trigger = (struct scap_trigger){
		.size = sizeof(j->trigger), .name = own(j, 0, t->name, &failed),
		.source = own(j, 1, f->source, &failed), .why = own(j, 2, f->why, &failed),
		.config = own(j, 3, t->text, &failed), .keep = own(j, 4, t->keep, &failed),
		.labels = j->labels, .n_labels = j->labels ? f->n_labels : 0,
		.raw_ns = f->raw_ns, .real_ns = f->real_ns, .event = f->event,
		.before_ns = f->before_ns == UINT64_MAX ? t->before_ns : f->before_ns,
		.after_ns = f->after_ns == UINT64_MAX ? t->after_ns : f->after_ns,
	};
	for (uint64_t i = 0; i < j->trigger.n_labels; i++) {
		j->labels[i].name = copy_of(f->labels[i].name, &failed);
		j->labels[i].value = copy_of(f->labels[i].value, &failed);
	}
	j->max_bytes = t->max_bytes;
	j->end_mono_ns = mono_ns() + j->trigger.after_ns;
	if (!failed && j->labels)
		return j;
	job_put(j);
	return NULL;
}

/* When the first window of those that wait ends. */
static void find_due(struct captures *s)
{
	s->due_ns = UINT64_MAX;
	for (const struct job *j = s->first; j; j = j->next) {
		uint64_t end_ns = j->trigger.raw_ns + j->trigger.after_ns;

		if (end_ns < j->trigger.raw_ns)
			end_ns = UINT64_MAX - 1;
		if (end_ns < s->due_ns)
			s->due_ns = end_ns;
	}
}

static void add(struct captures *s, struct job *j)
{
	struct job **last = &s->first;

	while (*last)
		last = &(*last)->next;
	*last = j;
	s->n_jobs++;
	s->want_keyframe = true;
	find_due(s);
	pthread_cond_broadcast(&s->work);
}

/* ---- firing ---------------------------------------------------------------------------------- */

static void refuse(struct watch_reply *reply, int code, const char *text)
{
	reply->code = code;
	snprintf(reply->text, sizeof(reply->text), "%s", text);
}

/* Under lock: a job that is on its way, or NULL, and why in reply. */
static struct job *begin(struct captures *s, const struct firing *f, struct watch_reply *reply)
{
	struct policy *p = &s->policies[f->trigger];
	enum capture_outcome outcome;
	struct job *j;
	char why[200];

	if (s->n_jobs >= CAPTURES_MOST || s->quit) {
		refuse(reply, 1, s->quit ? "the recorder ends" :
		       "too many captures are being written");
		p->health.n[CAPTURE_REFUSED_LIMIT]++;
		return NULL;
	}
	outcome = policy_ask(p, &s->triggers[f->trigger], mono_ns(), f->fingerprint, why,
			     sizeof(why));
	if (outcome != CAPTURE_WRITTEN) {
		p->health.n[outcome]++;
		refuse(reply, 1, why);
		return NULL;
	}
	j = job_new(f, &s->triggers[f->trigger]);
	if (!j) {
		p->health.n[CAPTURE_FAILED]++;
		refuse(reply, -ENOMEM, "out of memory");
		return NULL;
	}
	j->policy = f->trigger;
	j->generation = s->generation;
	add(s, j);
	return j;
}

/* Until the file is sealed, but not for ever. */
static void wait_for(struct captures *s, struct job *j, bool (*gone)(void *ctx), void *ctx)
{
	uint64_t until = j->end_mono_ns + PATIENCE_NS;

	while (!j->done && mono_ns() < until) {
		wait_until(s, &s->done, mono_ns() + 500000000);
		if (gone && gone(ctx))
			return;
	}
}

void captures_fire(struct captures *s, const struct firing *f, struct watch_reply *reply, bool wait,
		   bool (*gone)(void *ctx), void *gone_ctx)
{
	struct watch_reply none;
	struct job *j;

	if (!reply)
		reply = &none;
	memset(reply, 0, sizeof(*reply));
	pthread_mutex_lock(&s->lock);
	if (f->trigger >= s->n) {
		refuse(reply, -ENOENT, "there is no such trigger");
		pthread_mutex_unlock(&s->lock);
		return;
	}
	j = begin(s, f, reply);
	if (j) {
		j->refs++;
		/* Its name is known as soon as its file was made. */
		for (unsigned i = 0; !j->path[0] && !j->done && reply != &none && i < 100; i++)
			wait_until(s, &s->done, mono_ns() + 10000000);
		if (wait)
			wait_for(s, j, gone, gone_ctx);
		snprintf(reply->file, sizeof(reply->file), "%s", j->path);
		if (j->failed)
			refuse(reply, -EIO, j->error);
		else if (wait && !j->done)
			refuse(reply, -ETIMEDOUT, "the capture is not sealed yet");
		job_put(j);
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- writing, in a thread -------------------------------------------------------------------- */

static void count(struct captures *s, const struct job *j, enum capture_outcome outcome)
{
	if (j->generation == s->generation)
		s->policies[j->policy].health.n[outcome]++;
}

/* It is over; under lock, which is held on return. */
static void end_job(struct captures *s, struct job *j, enum capture_outcome outcome)
{
	struct job **at = &s->first;
	uint64_t now = mono_ns();

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
	find_due(s);
	pthread_cond_broadcast(&s->done);
	job_put(j);
}

static void fail_job(struct captures *s, struct job *j, const char *text)
{
	tool_error("no capture of trigger %s: %s", j->trigger.name, text);
	pthread_mutex_lock(&s->lock);
	j->failed = true;
	snprintf(j->error, sizeof(j->error), "%s", text);
	end_job(s, j, CAPTURE_FAILED);
	pthread_mutex_unlock(&s->lock);
}

static bool disk_is_full(const struct captures *s, char *text, size_t cap)
{
	uint64_t free_bytes;

	if (store_disk_ok(s->store, &free_bytes))
		return false;
	snprintf(text, cap, "the disk of the captures is nearly full (%" PRIu64 " MiB free); the "
		 "ring goes on: make room, or lower keep.size", free_bytes >> 20);
	return true;
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
		j->whole = fd >= 0 ? dup(fd) : -1;
		if (fd >= 0 && j->whole < 0) {
			store_drop(s->store, j->whole_id);
			close(fd);
			fd = -errno;
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
	};
	struct scap_error err = { 0 };
	char text[256];

	if (disk_is_full(s, text, sizeof(text))) {
		fail_job(s, j, text);
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

/* Only what the trigger's filter chooses stays; if that fails, all does. */
static bool choose(struct captures *s, struct job *j, bool sound,
		   const struct scap_trigger *outcome, char *text, size_t cap)
{
	bool ok = sound && lseek(j->whole, 0, SEEK_SET) == 0 &&
		  keep_chosen(j->whole, j->trigger.keep, j->part, outcome, text, cap);

	store_drop(s->store, ok ? j->whole_id : j->id);
	if (!ok)
		j->id = j->whole_id;
	return ok;
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

/* The cut is over, well or not: what it wrote is whole in any case, unless the close fails. */
static void close_job(struct captures *s, struct job *j, bool cut_short)
{
	struct scap_error step = *scap_cut_error(j->cut), err = { 0 };
	struct scap_trigger outcome, whole;
	enum capture_outcome how = CAPTURE_WRITTEN;
	char text[256] = "";
	int rc = scap_cut_close(j->cut, &outcome, &err);

	j->cut = NULL;
	whole = whole_trigger(j, &outcome);
	if (rc && !outcome.to_raw_ns) {
		drop_files(s, j);
		fail_job(s, j, err.text);
		return;
	}
	if (rc || step.code || cut_short || outcome.flags & (SCAP_TRIGGER_OVERTAKEN |
							     SCAP_TRIGGER_CUT))
		how = CAPTURE_CUT;
	if (rc)
		snprintf(text, sizeof(text), "%s", err.text);
	if (j->part >= 0 && !choose(s, j, !rc, &whole, text, sizeof(text)))
		how = CAPTURE_CUT;
	rc = store_finish(s->store, j->id, &whole);
	if (rc < 0) {
		snprintf(text, sizeof(text), "cannot give it its name: %s", strerror(-rc));
		fail_job(s, j, text);
		return;
	}
	if (text[0])
		tool_error("%s: %s", store_path(s->store, j->id), text);
	pthread_mutex_lock(&s->lock);
	snprintf(j->path, sizeof(j->path), "%s", store_path(s->store, j->id));
	j->failed = text[0];
	snprintf(j->error, sizeof(j->error), "%s", text);
	end_job(s, j, how);
	pthread_mutex_unlock(&s->lock);
}

/* One look at a capture. all: nothing more will come. */
static void step_job(struct captures *s, struct job *j, bool all)
{
	char text[256];
	int rc;

	if (!j->cut && !open_job(s, j))
		return;
	rc = scap_cut_step(j->cut);
	if (rc > 0 && disk_is_full(s, text, sizeof(text))) {
		tool_error("%s", text);
		close_job(s, j, true);
	} else if (rc <= 0 || all) {
		close_job(s, j, rc > 0);
	}
}

/* Those that are there now; they are taken off by this thread alone. */
static void step_all(struct captures *s, bool all)
{
	struct job *j, *next;

	pthread_mutex_lock(&s->lock);
	j = s->first;
	pthread_mutex_unlock(&s->lock);
	while (j) {
		pthread_mutex_lock(&s->lock);
		next = j->next;
		pthread_mutex_unlock(&s->lock);
		step_job(s, j, all);
		j = next;
	}
}

static void *run(void *arg)
{
	struct captures *s = arg;
	uint64_t ticked_ns = mono_ns();
	bool quit = false;

	while (!quit) {
		pthread_mutex_lock(&s->lock);
		if (!s->quit)
			wait_until(s, &s->work, mono_ns() + (s->first ? LOOK_MS * 1000000ull :
							     TICK_NS));
		quit = s->quit;
		pthread_mutex_unlock(&s->lock);
		step_all(s, quit);
		if (mono_ns() - ticked_ns >= TICK_NS) {
			store_tick(s->store);
			ticked_ns = mono_ns();
		}
	}
	return NULL;
}

/* ---- from outside ---------------------------------------------------------------------------- */

struct captures *captures_start(const struct watch_config *c, struct scap_ring *ring,
				struct store *store)
{
	struct captures *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	sigset_t all, old;
	int rc;

	if (!s)
		return NULL;
	s->ring = ring;
	s->store = store;
	s->due_ns = UINT64_MAX;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &attr);
	pthread_cond_init(&s->done, &attr);
	pthread_condattr_destroy(&attr);
	if (!configure(s, c)) {
		free(s);
		return NULL;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!rc)
		return s;
	free_triggers(s->triggers, s->n);
	free(s->policies);
	free(s);
	return NULL;
}

void captures_stop(struct captures *s)
{
	pthread_mutex_lock(&s->lock);
	s->quit = true;
	pthread_cond_broadcast(&s->work);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
}

void captures_free(struct captures *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->done);
	free_triggers(s->triggers, s->n);
	free(s->policies);
	free(s);
}

bool captures_due(struct captures *s, uint64_t raw_ns)
{
	bool due;

	pthread_mutex_lock(&s->lock);
	due = s->due_ns <= raw_ns;
	pthread_mutex_unlock(&s->lock);
	return due;
}

void captures_more(struct captures *s)
{
	pthread_mutex_lock(&s->lock);
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
	if (n > s->n)
		n = s->n;
	for (uint32_t i = 0; i < n; i++)
		ret[i] = s->policies[i].health;
	pthread_mutex_unlock(&s->lock);
	return n;
}
