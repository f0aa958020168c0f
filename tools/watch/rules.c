/* SPDX-License-Identifier: MIT */
/* Triggers: those that the monitor looks for in events, and what is done when one fires. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opts.h"
#include "watch/options.h"
#include "watch/run.h"

/* "shop-back (136) write fd=4 ... res=73", as scap read shows it. */
static void describe(const struct watch *w, const struct scap_event *ev, char *buf, size_t cap)
{
	const char *comm = scap_event_comm(ev);
	int n = snprintf(buf, cap, "%s (%u) %s ", comm ? comm : "?", scap_event_tid(ev),
			 scap_event_name(ev));
	ssize_t args;

	if (n < 0 || (size_t)n >= cap || !w->args)
		return;
	args = scap_field_text(w->args, ev, buf + n, cap - (size_t)n);
	if (args < 0)
		buf[n - 1] = 0;
	else if ((size_t)args >= cap - (size_t)n)
		memcpy(buf + cap - 4, "...", 4);
}

struct match {
	const struct watch *w;
	const struct scap_event *ev;
};

static void describe_match(void *ctx, char *buf, size_t cap)
{
	const struct match *m = ctx;

	describe(m->w, m->ev, buf, cap);
}

static void fired(void *ctx, uint32_t condition, const struct scap_event *ev)
{
	struct watch *w = ctx;
	struct match match = { w, ev };
	struct firing f = {
		.by = TRIGGER_EVENT, .name = w->c->triggers[w->conditions[condition]].name,
		.source = "event", .describe = describe_match, .ctx = &match,
		.raw_ns = scap_event_raw_ns(ev), .real_ns = scap_event_wall_ns(ev),
		.event = scap_event_num(ev), .before_ns = UINT64_MAX, .after_ns = UINT64_MAX,
	};

	captures_fire(w->captures, &f, NULL, NULL);
}

/* The conditions of all triggers that are looked for in events: NULL: no memory. */
static struct scap_condition *make_conditions(const struct watch_config *c, uint32_t **ret_of,
					      uint32_t *ret_n)
{
	struct scap_condition *conditions = calloc(c->n_triggers + 1, sizeof(*conditions));
	uint32_t *of = calloc(c->n_triggers + 1, sizeof(*of)), n = 0;

	for (uint32_t i = 0; conditions && of && i < c->n_triggers; i++) {
		const struct trigger_config *t = &c->triggers[i];

		if (t->source != TRIGGER_EVENT)
			continue;
		conditions[n] = (struct scap_condition){
			.kind = t->http_5xx ? SCAP_CONDITION_HTTP_5XX : SCAP_CONDITION_FILTER,
			.count = t->count, .window_ns = t->within_ns, .filter = t->filter,
		};
		of[n++] = i;
	}
	if (!conditions || !of) {
		free(conditions);
		free(of);
		return NULL;
	}
	*ret_of = of;
	*ret_n = n;
	return conditions;
}

/* Into a monitor that is there already, or a new one. */
static bool set_rules(struct watch *w, const struct watch_config *c)
{
	struct scap_monitor_options o = {
		.size = sizeof(o), .flags = c->signals ? SCAP_MONITOR_SIGNALS : 0,
		.max_programs = c->max_programs, .fired = fired, .ctx = w,
	};
	struct scap_error err = { 0 };
	uint32_t *of = NULL, bad = UINT32_MAX;
	struct scap_condition *conditions = make_conditions(c, &of, &o.n_conditions);
	int rc;

	if (!conditions) {
		tool_error("out of memory");
		return false;
	}
	o.conditions = conditions;
	rc = w->monitor ? scap_monitor_conditions(w->monitor, &o, &bad, &err) :
			  scap_monitor_new(&o, &w->monitor, &bad, &err);
	free(conditions);
	if (rc < 0) {
		tool_error("%s%s%s", bad < o.n_conditions ? c->triggers[of[bad]].name : "",
			   bad < o.n_conditions ? ": " : "", err.text);
		free(of);
		return false;
	}
	free(w->conditions);
	w->conditions = of;
	return true;
}

bool watch_rules_new(struct watch *w)
{
	struct scap_error err;

	if (scap_field_compile("evt.args", &w->args, &err) < 0)
		w->args = NULL;
	return set_rules(w, w->c);
}

void watch_signalled(struct watch *w)
{
	struct watch_reply reply;
	struct firing f = {
		.by = TRIGGER_HAND, .source = "signal", .why = "SIGUSR1",
		.raw_ns = watch_raw_ns(w), .real_ns = watch_real_ns(),
		.before_ns = UINT64_MAX, .after_ns = UINT64_MAX,
	};

	captures_fire(w->captures, &f, &reply, NULL);
	if (reply.code)
		tool_error("no capture for SIGUSR1: %s", reply.text);
}

/* The monitor and who writes captures get it together, or neither does. */
static bool use(struct watch *w, struct watch_config *next)
{
	struct captures_config *captures = captures_prepare(next);
	bool ok = captures;

	if (!ok)
		tool_error("out of memory");
	pthread_mutex_lock(&w->lock);
	ok = ok && set_rules(w, next);
	if (ok) {
		captures_configure(w->captures, captures);
		if (!store_configure(w->store, next))
			tool_error("no memory for another hook: the old one stays");
		config_fini(w->c);
		*w->c = *next;
	}
	pthread_mutex_unlock(&w->lock);
	if (!ok)
		captures_discard(captures);
	return ok;
}

/* False: nothing is in next. */
static bool read_again(struct watch *w, struct watch_options *o, struct watch_config *next)
{
	const char *fixed;

	if (!options_again(w->argc, w->argv)) {
		tool_error("a configuration that is no regular file can't be read again: restart "
			   "to change it");
		return false;
	}
	if (!options_read(w->argc, w->argv, o, next))
		return false;
	fixed = config_fixed(w->c, next);
	if (!fixed)
		return true;
	tool_error("%s can't change while scap watch runs: restart to change it", fixed);
	config_fini(next);
	return false;
}

void watch_reload(struct watch *w)
{
	struct watch_options o;
	struct watch_config next;

	if (read_again(w, &o, &next)) {
		if (use(w, &next)) {
			atomic_fetch_add(&w->n_reloads, 1);
			tool_note("%s read again, %u triggers", options_file(&o),
				  w->c->n_triggers);
			return;
		}
		config_fini(&next);
	}
	tool_error("the configuration stays as it was");
	atomic_fetch_add(&w->n_reloads_failed, 1);
}
