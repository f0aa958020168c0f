/* SPDX-License-Identifier: MIT */
/* From a document to a configuration. */
#define _GNU_SOURCE	/* asprintf */
#include "watch/config_part.h"

#include <scap/filter.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "opts.h"

#define FILE_MOST ((1 << 20) + 1)	/* one byte more than conf_parse() takes */

/* ---- keys ----------------------------------------------------------------------------------- */

/* What a section is called within its own, as the word at `path` up to its dot. */
static void try_keys(struct nearest *near, const struct key *table, const char *prefix)
{
	size_t n = strlen(prefix);
	char word[64];

	for (const struct key *k = table; k->path; k++)
		if (!strncmp(k->path, prefix, n)) {
			snprintf(word, sizeof(word), "%.*s", (int)strcspn(k->path + n, "."),
				 k->path + n);
			nearest_try(near, word);
			if (near->best == word)
				near->best = k->path + n;
		}
	if (!n && table == config_keys)
		nearest_try(near, "triggers");
}

static bool unknown_key(const struct key *table, const char *prefix, const struct conf_node *key,
			struct config_error *err)
{
	int n = (int)strlen(prefix);
	struct nearest near;
	const char *best;
	char in[64] = "";

	nearest_init(&near, key->text);
	try_keys(&near, table, prefix);
	best = nearest_get(&near);
	if (n)
		snprintf(in, sizeof(in), " in %.*s", n - 1, prefix);
	if (best)
		return conf_fail(err, key, "unknown key '%.40s'%s; did you mean '%.*s'?", key->text,
				 in, (int)strcspn(best, "."), best);
	return conf_fail(err, key, "unknown key '%.40s'%s", key->text, in);
}

static bool is_section(const struct key *table, const char *path)
{
	size_t n = strlen(path);

	for (; table->path; table++)
		if (!strncmp(table->path, path, n) && table->path[n] == '.')
			return true;
	return false;
}

/* ---- values --------------------------------------------------------------------------------- */

static const char *const kind_names[] = { "a text", "a list", "a map" };

static bool read_text(void *base, const struct key *key, const struct conf_node *value,
		      struct config_error *err)
{
	bool none = conf_is_none(value);
	char why[300];

	if (none && !(key->flags & KEY_NONE))
		return conf_fail(err, value, "%s: expected a value", key->path);
	if (key_set(base, key, none ? NULL : value->text, why, sizeof(why)))
		return true;
	return conf_fail(err, value, "%s: %s", key->path, why);
}

static bool read_words(char ***words, const struct key *key, const struct conf_node *value,
		       struct config_error *err)
{
	uint64_t n = 0;

	words_free(*words);
	*words = NULL;
	for (const struct conf_node *w = value->first; w; w = w->next) {
		if (w->kind != CONF_TEXT || conf_is_none(w))
			return conf_fail(err, w, "%s: expected a text, not %s", key->path,
					 w->kind == CONF_TEXT ? "nothing" : kind_names[w->kind]);
		if (++n > key->max)
			return conf_fail(err, w, "%s: more than %llu", key->path,
					 (unsigned long long)key->max);
		if (!words_add(words, w->text))
			return conf_fail_at(err, 0, 0, "no memory");
	}
	return true;
}

/* A list of calls is their names with commas between them. */
static bool read_calls(void *base, const struct key *key, const struct conf_node *value,
		       struct config_error *err)
{
	struct conf_node joined = *value;
	size_t n = 1;
	char *p;
	bool ok;

	for (const struct conf_node *w = value->first; w; w = w->next) {
		char why[300];
		char *one = NULL;

		if (w->kind != CONF_TEXT)
			return conf_fail(err, w, "%s: expected a text, not %s", key->path,
					 kind_names[w->kind]);
		ok = key_set(&one, &(struct key){ .kind = KEY_CALLS }, w->text, why, sizeof(why));
		free(one);
		if (!ok)
			return conf_fail(err, w, "%s: %s", key->path, why);
		n += strlen(w->text) + 1;
	}
	joined.text = p = calloc(1, n);
	if (!p)
		return conf_fail_at(err, 0, 0, "no memory");
	for (const struct conf_node *w = value->first; w; w = w->next)
		p += sprintf(p, "%s%s", w == value->first ? "" : ",", w->text);
	joined.kind = CONF_TEXT;
	joined.plain = true;	/* without a name: none */
	ok = read_text(base, key, &joined, err);
	free(joined.text);
	return ok;
}

/* A map by class; what it does not say is as before, but for what was said by class. */
static bool read_snaplen(struct watch_config *c, const struct key *key,
			 const struct conf_node *value, struct config_error *err)
{
	struct watch_config one;
	char why[300];

	memset(c->snaplens, 0, sizeof(c->snaplens));
	for (const struct conf_node *k = value->first; k; k = k->next->next) {
		unsigned i = 0;

		if (k->next->kind != CONF_TEXT)
			return conf_fail(err, k->next, "%s: expected a size, not %s", key->path,
					 kind_names[k->next->kind]);
		if (!strcmp(k->text, "default")) {
			struct key none = *key;

			none.flags |= KEY_NONE;
			if (!read_text(c, &none, k->next, err))
				return false;
			continue;
		}
		while (i < N_IO_CLASSES && strcmp(k->text, io_classes[i]))
			i++;
		if (i == N_IO_CLASSES)
			return conf_fail(err, k, "%s: '%.40s' is none of default, file, pipe, "
					 "socket, tty, other", key->path, k->text);
		if (!key_set(&one, key, k->next->text, why, sizeof(why)))
			return conf_fail(err, k->next, "%s: %s", key->path, why);
		c->snaplens[i] = one.snaplen + 1;
	}
	return true;
}

static bool read_value(void *base, const struct key *key, const struct conf_node *value,
		       struct config_error *err)
{
	void *slot = (char *)base + key->offset;

	if (value->kind == CONF_LIST && key->kind == KEY_WORDS)
		return read_words(slot, key, value, err);
	if (value->kind == CONF_LIST && key->kind == KEY_CALLS)
		return read_calls(base, key, value, err);
	if (value->kind == CONF_MAP && key->kind == KEY_SNAPLEN)
		return read_snaplen(base, key, value, err);
	if (value->kind == CONF_TEXT)
		return read_text(base, key, value, err);
	return conf_fail(err, value, "%s: expected %s, not %s", key->path,
			 key->kind == KEY_WORDS ? "a list" : "a text", kind_names[value->kind]);
}

/* ---- triggers ------------------------------------------------------------------------------- */

/* Both must hold. */
static bool add_filter(struct trigger_config *t, char *more)
{
	char *both;

	if (!t->filter || !more) {
		t->filter = t->filter ? t->filter : more;
		return true;
	}
	if (asprintf(&both, "(%s) and (%s)", t->filter, more) < 0)
		both = NULL;
	free(t->filter);
	free(more);
	t->filter = both;
	return both;
}

static bool apply_builtin(struct trigger_reading *r)
{
	char *filter = r->t.filter, *name = r->t.name;
	bool ok;

	r->t.filter = r->t.name = NULL;
	ok = config_trigger_builtin(&r->t, r->builtin);
	if (name) {
		free(r->t.name);
		r->t.name = name;
	}
	return add_filter(&r->t, filter) && ok;
}

/* Together two filters may be longer than one can be, or deeper. */
static bool check_filter(const struct trigger_config *t, const struct conf_node *node,
			 struct config_error *err)
{
	struct scap_filter *filter;
	struct scap_error bad;

	if (!t->filter)
		return true;
	if (scap_filter_compile(t->filter, &filter, &bad) < 0)
		return conf_fail(err, node, "filter, behind that of the builtin: %s", bad.text);
	scap_filter_free(filter);
	return true;
}

/* What its keys say together. */
static bool check_trigger(struct trigger_reading *r, const struct conf_node *node, bool has_source,
			  struct config_error *err)
{
	struct trigger_config *t = &r->t;

	if (!has_source && !t->filter && !r->builtin)
		return conf_fail(err, node, "a trigger needs on: hand, on: alert, a filter or a "
				 "builtin");
	if (t->source == TRIGGER_EVENT && !t->filter && !r->builtin)
		return conf_fail(err, node, "a trigger on event needs a filter or a builtin");
	if (t->source != TRIGGER_EVENT && (t->filter || r->builtin || t->count > 1 || t->within_ns))
		return conf_fail(err, node, "filter, builtin, count and within are for triggers on "
				 "event");
	if ((t->count > 1) != (t->within_ns > 0))
		return conf_fail(err, node, "count, of 2 or more, and within need each other");
	if (r->builtin && !apply_builtin(r))
		return conf_fail_at(err, 0, 0, "no memory");
	if (r->builtin && !check_filter(t, node, err))
		return false;
	if (!t->name && t->source != TRIGGER_EVENT)
		t->name = strdup(trigger_sources[t->source]);
	if (!t->name)
		return conf_fail(err, node, "a trigger with a filter needs a name");
	return true;
}

static bool read_trigger_keys(struct trigger_reading *r, const struct conf_node *node,
			      struct config_error *err)
{
	for (const struct conf_node *k = node->first; k; k = k->next->next) {
		const struct key *key = key_find(trigger_keys, k->text);

		if (!key)
			return unknown_key(trigger_keys, "", k, err);
		if (!read_value(r, key, k->next, err))
			return false;
		if (key->offset == offsetof(struct trigger_reading, t.name) &&
		    !config_trigger_name_ok(r->t.name))
			return conf_fail(err, k->next, "name: '%.60s' is not at most 40 of a to z, "
					 "0 to 9 and -, with no - in front", r->t.name);
	}
	return true;
}

/* ~0 is what no key can say. */
static void set_limits(struct trigger_config *t)
{
	struct trigger_config usual;

	config_trigger_init(&usual, t->source);
	t->before_own = t->before_ns != UINT64_MAX;
	t->after_own = t->after_ns != UINT64_MAX;
	if (t->cooldown_ns == UINT64_MAX)
		t->cooldown_ns = usual.cooldown_ns;
	if (t->per_hour == UINT32_MAX)
		t->per_hour = usual.per_hour;
}

/* A name twice in a file is an error; the command line may take the place of one. */
static bool put_trigger(struct watch_config *c, struct trigger_reading *r,
			const struct conf_node *node, struct config_error *err)
{
	for (uint32_t i = 0; i < c->n_triggers; i++)
		if (c->triggers[i].line && !strcmp(c->triggers[i].name, r->t.name))
			return conf_fail(err, node, "the trigger of line %u is called '%s', too",
					 c->triggers[i].line, r->t.name);
	return config_put_trigger(c, &r->t) ||
	       conf_fail(err, node, "more than %u triggers, or no memory", CONFIG_TRIGGERS_MOST);
}

static bool read_trigger(struct watch_config *c, const struct conf_node *node,
			 struct config_error *err)
{
	struct trigger_reading r = { 0 };
	bool has_source = false, ok;

	if (node->kind != CONF_MAP)
		return conf_fail(err, node, "triggers: expected a map, not %s",
				 kind_names[node->kind]);
	config_trigger_init(&r.t, TRIGGER_EVENT);
	r.t.before_ns = r.t.after_ns = r.t.cooldown_ns = UINT64_MAX;
	r.t.per_hour = UINT32_MAX;
	r.t.line = node->line;
	for (const struct conf_node *k = node->first; k; k = k->next->next)
		has_source |= !strcmp(k->text, "on");
	ok = read_trigger_keys(&r, node, err) && check_trigger(&r, node, has_source, err);
	if (ok) {
		set_limits(&r.t);
		ok = put_trigger(c, &r, node, err);
	}
	if (!ok)
		config_trigger_fini(&r.t);
	free(r.builtin);
	return ok;
}

static bool read_triggers(struct watch_config *c, const struct conf_node *list,
			  struct config_error *err)
{
	if (conf_is_none(list))
		return true;
	if (list->kind != CONF_LIST)
		return conf_fail(err, list, "triggers: expected a list, not %s",
				 kind_names[list->kind]);
	for (const struct conf_node *n = list->first; n; n = n->next)
		if (!read_trigger(c, n, err))
			return false;
	return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* prefix: "", or that of a section, "captures.keep.". */
static bool read_section(struct watch_config *c, const char *prefix, const struct conf_node *map,
			 struct config_error *err)
{
	char path[128];

	if (conf_is_none(map))
		return true;
	if (map->kind != CONF_MAP)
		return conf_fail(err, map, "%.*s: expected a map, not %s", (int)strlen(prefix) - 1,
				 prefix, kind_names[map->kind]);
	for (const struct conf_node *k = map->first; k; k = k->next->next) {
		const struct key *key = NULL;
		bool whole = snprintf(path, sizeof(path) - 1, "%s%s", prefix, k->text) <
			     (int)sizeof(path) - 1 && !strchr(k->text, '.');
		bool ok;

		if (whole)
			key = key_find(config_keys, path);
		if (key) {
			ok = read_value(c, key, k->next, err);
		} else if (whole && is_section(config_keys, path)) {
			strcat(path, ".");
			ok = read_section(c, path, k->next, err);
		} else if (!*prefix && !strcmp(k->text, "triggers")) {
			ok = read_triggers(c, k->next, err);
		} else {
			ok = unknown_key(config_keys, prefix, k, err);
		}
		if (!ok)
			return false;
	}
	return true;
}

static bool read_root(struct watch_config *c, const struct conf_node *root,
		      struct config_error *err)
{
	if (root->kind != CONF_MAP)
		return conf_fail(err, root, "expected a map with sections such as recording: or "
				 "triggers:, not %s", kind_names[root->kind]);
	if (!read_section(c, "", root, err))
		return false;
	return config_settle(c) || conf_fail_at(err, 0, 0, "no memory");
}

bool config_parse(struct watch_config *c, const char *data, size_t n, struct config_error *err)
{
	struct conf_node *root;
	char *copy = malloc(n + 1);
	bool ok;

	if (!copy)
		return conf_fail_at(err, 0, 0, "no memory");
	if (n)
		memcpy(copy, data, n);
	copy[n] = 0;
	root = conf_parse(copy, n, err);
	free(copy);
	ok = root && read_root(c, root, err);
	conf_free(root);
	return ok;
}

static bool read_stream(FILE *in, struct watch_config *c, struct config_error *err)
{
	char *data = malloc(FILE_MOST);
	size_t n;
	bool ok;

	if (!data)
		return conf_fail_at(err, 0, 0, "no memory");
	n = fread(data, 1, FILE_MOST, in);
	ok = ferror(in) ? conf_fail_at(err, 0, 0, "cannot read it: %s", strerror(errno)) :
			  config_parse(c, data, n, err);
	free(data);
	return ok;
}

bool config_read(struct watch_config *c, const char *path, struct config_error *err)
{
	FILE *in;
	bool ok;

	if (!strcmp(path, "-"))
		return read_stream(stdin, c, err);
	in = fopen(path, "re");
	if (!in)
		return conf_fail_at(err, 0, 0, "cannot open it: %s", strerror(errno));
	ok = read_stream(in, c, err);
	fclose(in);
	return ok;
}
