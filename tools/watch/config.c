/* SPDX-License-Identifier: MIT */
#include "watch/config.h"

#include <stdlib.h>
#include <string.h>

#include "watch/config_part.h"
#include "watch_opts.h"

#define S 1000000000ull
#define HOOK_MOST (32U << 10)	/* of the 64 KiB that go to the hooks' runner */

void config_init(struct watch_config *c)
{
	*c = (struct watch_config){
		.memory = 256 << 20, .ring = strdup("/run/scap/ring"), .snaplen = UINT32_MAX,
		.dir = strdup("/var/lib/scap"), .keep_bytes = 2ull << 30,
		.keep_age_ns = 30 * 86400 * S, .keep_count = 1000,
		.hook_timeout_ns = 60 * S, .hook_parallel = 2,
		.socket = strdup(WATCH_SOCKET), .socket_mode = 0660,
		.signals = true, .max_programs = 256, .seccomp = true,
		.before_ns = 30 * S, .after_ns = 10 * S,
	};
}

void config_trigger_fini(struct trigger_config *t)
{
	free(t->name);
	free(t->filter);
	free(t->keep);
	free(t->text);
	*t = (struct trigger_config){ 0 };
}

void config_fini(struct watch_config *c)
{
	for (const struct key *k = config_keys; k->path; k++)
		key_clear(c, k);
	for (uint32_t i = 0; i < c->n_triggers; i++)
		config_trigger_fini(&c->triggers[i]);
	free(c->triggers);
	*c = (struct watch_config){ 0 };
}

/* ---- triggers ------------------------------------------------------------------------------- */

void config_trigger_init(struct trigger_config *t, enum trigger_source source)
{
	/* Who asks by hand knows what for. */
	*t = (struct trigger_config){
		.source = source, .count = 1,
		.cooldown_ns = source == TRIGGER_HAND ? 0 : 60 * S,
		.per_hour = source == TRIGGER_HAND ? 0 : 60,
	};
}

bool config_trigger_builtin(struct trigger_config *t, const char *name)
{
	for (const struct builtin *b = config_builtins; b->name; b++) {
		if (strcmp(b->name, name))
			continue;
		t->http_5xx = b->http_5xx;
		t->name = strdup(name);
		t->filter = b->filter ? strdup(b->filter) : NULL;
		return t->name && (t->filter || !b->filter);
	}
	return false;
}

bool config_trigger_name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t n = strlen(name);

	return n && n <= 40 && name[0] != '-' && strspn(name, letters) == n;
}

/* One more than those that are there is free behind them. */
static bool make_room(struct watch_config *c)
{
	struct trigger_config *more = realloc(c->triggers, (c->n_triggers + 1) * sizeof(*more));

	if (more)
		c->triggers = more;
	return more;
}

bool config_put_trigger(struct watch_config *c, struct trigger_config *t)
{
	for (uint32_t i = 0; i < c->n_triggers; i++)
		if (!strcmp(c->triggers[i].name, t->name)) {
			config_trigger_fini(&c->triggers[i]);
			c->triggers[i] = *t;
			return true;
		}
	if (c->n_triggers >= CONFIG_TRIGGERS_MOST || !make_room(c))
		return false;
	c->triggers[c->n_triggers++] = *t;
	return true;
}

static bool ensure_source(struct watch_config *c, enum trigger_source source)
{
	struct trigger_config t;

	for (uint32_t i = 0; i < c->n_triggers; i++)
		if (c->triggers[i].source == source)
			return true;
	config_trigger_init(&t, source);
	t.name = strdup(trigger_sources[source]);
	if (!t.name || !make_room(c)) {
		free(t.name);
		return false;
	}
	c->triggers[c->n_triggers++] = t;
	return true;
}

static bool settle_trigger(const struct watch_config *c, struct trigger_config *t)
{
	size_t n;
	FILE *out;

	if (!t->before_own)
		t->before_ns = c->before_ns;
	if (!t->after_own)
		t->after_ns = c->after_ns;
	free(t->text);
	t->text = NULL;
	out = open_memstream(&t->text, &n);
	if (!out)
		return false;
	config_print_trigger(t, out);
	return !fclose(out);
}

bool config_settle(struct watch_config *c)
{
	c->n_cgroups = words_count(c->cgroups);
	if (!ensure_source(c, TRIGGER_HAND) || (c->listen && !ensure_source(c, TRIGGER_ALERT)))
		return false;
	for (uint32_t i = 0; i < c->n_triggers; i++)
		if (!settle_trigger(c, &c->triggers[i]))
			return false;
	return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Of two that were given, neither has the other's name; but hand and alert came by themselves. */
static bool check_pair(const struct trigger_config *a, const struct trigger_config *b,
		       struct config_error *err)
{
	if (!strcmp(a->name, b->name))
		return conf_fail_at(err, a->line, 0, "'%s' is the name of the trigger on %s",
				    a->name, trigger_sources[b->source]);
	if (a->source == b->source && a->source != TRIGGER_EVENT)
		return conf_fail_at(err, b->line, 0, "there is one trigger on %s already, '%s'",
				    trigger_sources[a->source], a->name);
	return true;
}

static bool check_triggers(const struct watch_config *c, struct config_error *err)
{
	for (uint32_t i = 1; i < c->n_triggers; i++)
		for (uint32_t j = 0; j < i; j++)
			if (!check_pair(&c->triggers[j], &c->triggers[i], err))
				return false;
	return true;
}

static bool is_local(const char *listen)
{
	return !strncmp(listen, "unix:", 5) || !strncmp(listen, "127.", 4) ||
	       !strncmp(listen, "[::1]:", 6);
}

static const char *http_wrong(const struct watch_config *c)
{
	if (!c->tls_cert != !c->tls_key)
		return "http.tls: cert and key need each other";
	if (!c->listen && (c->token_file || c->tls_cert))
		return "http: token-file and tls are of no use without listen";
	if (c->metrics_need_token && !c->token_file)
		return "http.metrics-token: there is no token-file";
	if (c->listen && !is_local(c->listen) && !c->token_file)
		return "http.listen: others reach this address: it needs a token-file";
	return NULL;
}

/* What it is told of a capture must have room beside it. */
static bool hook_fits(char *const *hook)
{
	size_t n = 0;

	for (; hook && *hook; hook++)
		n += strlen(*hook) + 1;
	return n <= HOOK_MOST;
}

bool config_check(const struct watch_config *c, struct config_error *err)
{
	const char *wrong = http_wrong(c);

	if (!c->ring || !c->dir || !c->socket)
		return conf_fail_at(err, 0, 0, "no memory");
	if (wrong)
		return conf_fail_at(err, 0, 0, "%s", wrong);
	if (!hook_fits(c->hook))
		return conf_fail_at(err, 0, 0, "captures.hook.command: longer than %u KiB",
				    HOOK_MOST >> 10);
	return check_triggers(c, err);
}

const char *config_fixed(const struct watch_config *from, const struct watch_config *to)
{
	for (const struct key *k = config_keys; k->path; k++)
		if ((k->flags & KEY_FIXED) && !key_equal(from, to, k))
			return k->path;
	return NULL;
}
