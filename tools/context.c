/* SPDX-License-Identifier: MIT */
#include "context.h"

#include "opts.h"

#include <stdlib.h>
#include <string.h>

bool context_init(struct context *c, unsigned n_before, unsigned n_after, bool separators)
{
	*c = (struct context){ .n_before = n_before, .n_after = n_after, .separators = separators };
	c->n_buckets = 4096;
	c->buckets = calloc(c->n_buckets, sizeof(*c->buckets));
	if (!c->buckets)
		tool_error("not enough memory");
	return c->buckets;
}

static void drop_first(struct context *c, struct context_thread *t)
{
	struct context_line *line = t->first;

	t->first = line->next;
	if (!t->first)
		t->last = NULL;
	t->n_lines--;
	c->bytes -= sizeof(*line) + line->bytes;
	free(line);
}

static void unlink_use(struct context *c, struct context_thread *t)
{
	*(t->older ? &t->older->newer : &c->oldest) = t->newer;
	*(t->newer ? &t->newer->older : &c->newest) = t->older;
}

static void link_newest(struct context *c, struct context_thread *t)
{
	t->newer = NULL;
	t->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = t;
	c->newest = t;
}

static struct context_thread **bucket_of(const struct context *c, uint32_t tid)
{
	return &c->buckets[(tid * 2654435761u >> 8) & (c->n_buckets - 1)];
}

static void forget(struct context *c, struct context_thread *t)
{
	struct context_thread **at = bucket_of(c, t->tid);

	while (*at != t)
		at = &(*at)->chain;
	*at = t->chain;
	while (t->first)
		drop_first(c, t);
	if (t->n_after)
		c->n_open--;
	unlink_use(c, t);
	c->bytes -= sizeof(*t);
	c->n_threads--;
	free(t);
}

void context_fini(struct context *c)
{
	while (c->oldest)
		forget(c, c->oldest);
	free(c->buckets);
	c->buckets = NULL;
}

/* The thread's entry, made if needed, and now the newest. NULL: no memory (printed). */
static struct context_thread *thread_of(struct context *c, uint32_t tid)
{
	struct context_thread **bucket = bucket_of(c, tid), *t = *bucket;

	while (t && t->tid != tid)
		t = t->chain;
	if (t) {
		if (t != c->newest) {
			unlink_use(c, t);
			link_newest(c, t);
		}
		return t;
	}
	t = calloc(1, sizeof(*t));
	if (!t) {
		tool_error("not enough memory");
		return NULL;
	}
	t->tid = tid;
	t->left_out = true;
	t->chain = *bucket;
	*bucket = t;
	c->bytes += sizeof(*t);
	c->n_threads++;
	link_newest(c, t);
	while (c->bytes > CONTEXT_MAX_BYTES && c->oldest != t)
		forget(c, c->oldest);
	return t;
}

bool context_match(struct context *c, uint32_t tid, struct output *out)
{
	struct context_thread *t = thread_of(c, tid);

	if (!t)
		return false;
	if (c->separators && c->shown_any && t->left_out)
		output_string(out, "--\n");
	c->shown_any = true;
	t->left_out = false;
	while (t->first) {
		output_write(out, t->first->text, t->first->bytes);
		drop_first(c, t);
	}
	if (!t->n_after && c->n_after)
		c->n_open++;
	t->n_after = c->n_after;
	return true;
}

int context_other(struct context *c, uint32_t tid)
{
	struct context_thread *t;

	if (!c->n_before && !c->n_open)
		return -1;
	t = thread_of(c, tid);
	if (!t)
		return -1;
	if (t->n_after) {
		if (!--t->n_after)
			c->n_open--;
		return 1;
	}
	if (c->n_before)
		return 0;
	t->left_out = true;
	return -1;
}

bool context_keep(struct context *c, uint32_t tid, const char *text, size_t bytes)
{
	struct context_thread *t = thread_of(c, tid);
	struct context_line *line = t ? malloc(sizeof(*line) + bytes) : NULL;

	if (!line) {
		if (t)
			tool_error("not enough memory");
		return false;
	}
	line->next = NULL;
	line->bytes = bytes;
	memcpy(line->text, text, bytes);
	*(t->last ? &t->last->next : &t->first) = line;
	t->last = line;
	t->n_lines++;
	c->bytes += sizeof(*line) + bytes;
	while (t->n_lines > c->n_before) {
		drop_first(c, t);
		t->left_out = true;
	}
	while (c->bytes > CONTEXT_MAX_BYTES && c->oldest != t)
		forget(c, c->oldest);
	/* One thread alone may hold too much: long lines and a large -B. */
	while (c->bytes > CONTEXT_MAX_BYTES && t->first) {
		drop_first(c, t);
		t->left_out = true;
	}
	return true;
}
