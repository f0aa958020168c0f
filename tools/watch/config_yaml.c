/* SPDX-License-Identifier: MIT */
/*
 * YAML as far as a configuration needs it: one document of maps, lists and texts. What it would
 * take more than a glance to understand, and what could grow without bound, is refused: anchors
 * and aliases, tags, a key twice, depth.
 */
#include "watch/config_part.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "opts.h"

#define BYTES_MOST (1 << 20)
#define DEPTH_MOST 8
#define NODES_MOST 65536
#define KEYS_MOST 64	/* of a map */

struct reading {
	yaml_parser_t parser;
	unsigned n_nodes;
	struct config_error *err;
};

/* ---- errors --------------------------------------------------------------------------------- */

static void fail(struct config_error *err, unsigned line, unsigned column, const char *fmt,
		 va_list ap)
{
	err->line = line;
	err->column = column;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

bool conf_fail(struct config_error *err, const struct conf_node *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(err, at->line, at->column, fmt, ap);
	va_end(ap);
	return false;
}

bool conf_fail_at(struct config_error *err, unsigned line, unsigned column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(err, line, column, fmt, ap);
	va_end(ap);
	return false;
}

/* Where byte `offset` is, in lines and characters. */
static void find_place(const char *data, size_t offset, struct config_error *err)
{
	err->line = err->column = 1;
	for (size_t i = 0; i < offset; i++)
		if (data[i] == '\n') {
			err->line++;
			err->column = 1;
		} else if (((unsigned char)data[i] & 0xc0) != 0x80) {
			err->column++;
		}
}

/* libyaml would tell of these only by their offset. data ends with a NUL that is not counted. */
static bool check_bytes(const char *data, size_t n, struct config_error *err)
{
	const unsigned char *p = (const unsigned char *)data, *end = p + n;

	while (p < end) {
		unsigned len = tool_shown_bytes(p);

		if (!len && *p != '\t' && *p != '\n' && *p != '\r')
			break;
		p += len ? len : 1;
	}
	if (p == end)
		return true;
	find_place(data, (size_t)(p - (const unsigned char *)data), err);
	snprintf(err->text, sizeof(err->text), *p < 0x80 ?
		 "expected text, not a control character (byte 0x%02x)" :
		 "expected text in UTF-8, not byte 0x%02x", *p);
	return false;
}

static bool fail_yaml(struct reading *r)
{
	const yaml_parser_t *p = &r->parser;
	unsigned line = (unsigned)p->problem_mark.line + 1;
	unsigned column = (unsigned)p->problem_mark.column + 1;

	if (p->error == YAML_MEMORY_ERROR)
		return conf_fail_at(r->err, 0, 0, "no memory");
	if (p->error == YAML_READER_ERROR)	/* the mark is where it was reading on from */
		return conf_fail_at(r->err, (unsigned)p->mark.line + 1,
				    (unsigned)p->mark.column + 1, "expected text: %s", p->problem);
	if (p->context && p->context_mark.line != p->problem_mark.line)
		return conf_fail_at(r->err, line, column, "no YAML: %s, %s from line %zu on",
				    p->problem, p->context, p->context_mark.line + 1);
	return conf_fail_at(r->err, line, column, "no YAML: %s%s%s", p->problem,
			    p->context ? ", " : "", p->context ?: "");
}

static bool fail_event(struct reading *r, const yaml_event_t *ev, const char *what)
{
	return conf_fail_at(r->err, (unsigned)ev->start_mark.line + 1,
			    (unsigned)ev->start_mark.column + 1, "%s", what);
}

/* ---- nodes ---------------------------------------------------------------------------------- */

void conf_free(struct conf_node *node)
{
	struct conf_node *next;

	for (; node; node = next) {
		next = node->next;
		conf_free(node->first);
		free(node->text);
		free(node);
	}
}

bool conf_is_none(const struct conf_node *node)
{
	return node->kind == CONF_TEXT && node->plain &&
	       (!*node->text || !strcmp(node->text, "~") || !strcmp(node->text, "null"));
}

static struct conf_node *new_node(struct reading *r, const yaml_event_t *ev, enum conf_kind kind)
{
	struct conf_node *node = calloc(1, sizeof(*node));

	if (!node) {
		conf_fail_at(r->err, 0, 0, "no memory");
		return NULL;
	}
	node->kind = kind;
	node->line = (unsigned)ev->start_mark.line + 1;
	node->column = (unsigned)ev->start_mark.column + 1;
	return node;
}

static void append(struct conf_node *parent, struct conf_node *node)
{
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
}

static struct conf_node *read_text(struct reading *r, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	struct conf_node *node;

	if (ev->data.scalar.tag) {
		fail_event(r, ev, "tags are not possible");
		return NULL;
	}
	if (strlen(text) != ev->data.scalar.length) {
		fail_event(r, ev, "expected text without a NUL");
		return NULL;
	}
	node = new_node(r, ev, CONF_TEXT);
	if (!node)
		return NULL;
	node->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = strdup(text);
	if (node->text)
		return node;
	conf_free(node);
	conf_fail_at(r->err, 0, 0, "no memory");
	return NULL;
}

/* Whether this may be the next key of the map. */
static bool check_key(struct reading *r, const struct conf_node *map, const struct conf_node *key)
{
	unsigned n = 0;

	if (key->kind != CONF_TEXT)
		return conf_fail(r->err, key, "expected a key, not a %s",
				 key->kind == CONF_MAP ? "map" : "list");
	for (const struct conf_node *k = map->first; k; k = k->next->next, n++)
		if (!strcmp(k->text, key->text))
			return conf_fail(r->err, key, "'%s' is there already, at line %u",
					 key->text, k->line);
	return n < KEYS_MOST || conf_fail(r->err, key, "a map of more than %d keys", KEYS_MOST);
}

static struct conf_node *read_node(struct reading *r, const yaml_event_t *ev, unsigned depth);

static bool next_event(struct reading *r, yaml_event_t *ev)
{
	return yaml_parser_parse(&r->parser, ev) || fail_yaml(r);
}

/* What is in a list or a map, to its end. */
static bool read_children(struct reading *r, struct conf_node *node, unsigned depth)
{
	yaml_event_type_t end = node->kind == CONF_MAP ? YAML_MAPPING_END_EVENT :
							 YAML_SEQUENCE_END_EVENT;
	bool key = node->kind == CONF_MAP, is_key = key;

	for (;; is_key = key && !is_key) {
		struct conf_node *child;
		yaml_event_t ev;
		bool ended;

		if (!next_event(r, &ev))
			return false;
		ended = ev.type == end;
		child = ended ? NULL : read_node(r, &ev, depth + 1);
		yaml_event_delete(&ev);
		if (ended)
			return true;
		if (!child)
			return false;
		if (is_key && !check_key(r, node, child)) {
			conf_free(child);
			return false;
		}
		append(node, child);
	}
}

static struct conf_node *read_collection(struct reading *r, const yaml_event_t *ev, unsigned depth,
					 enum conf_kind kind, const void *anchor, const void *tag)
{
	struct conf_node *node;

	if (anchor || tag) {
		fail_event(r, ev, anchor ? "anchors are not possible" : "tags are not possible");
		return NULL;
	}
	if (depth > DEPTH_MOST) {
		fail_event(r, ev, "lists and maps lie too deep in each other");
		return NULL;
	}
	node = new_node(r, ev, kind);
	if (node && read_children(r, node, depth))
		return node;
	conf_free(node);
	return NULL;
}

static struct conf_node *read_node(struct reading *r, const yaml_event_t *ev, unsigned depth)
{
	if (++r->n_nodes > NODES_MOST) {
		fail_event(r, ev, "too many values");
		return NULL;
	}
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		if (!ev->data.scalar.anchor)
			return read_text(r, ev);
		fail_event(r, ev, "anchors are not possible");
		return NULL;
	case YAML_SEQUENCE_START_EVENT:
		return read_collection(r, ev, depth, CONF_LIST, ev->data.sequence_start.anchor,
				       ev->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return read_collection(r, ev, depth, CONF_MAP, ev->data.mapping_start.anchor,
				       ev->data.mapping_start.tag);
	default:
		fail_event(r, ev, "aliases are not possible");
		return NULL;
	}
}

/* ---- the document --------------------------------------------------------------------------- */

/* The events around nodes. NULL: an error, or, with *ret_end, the end. */
static struct conf_node *read_document(struct reading *r, bool *ret_end)
{
	struct conf_node *node = NULL;
	bool more = true;
	yaml_event_t ev;

	*ret_end = false;
	while (more && !*ret_end) {
		if (!next_event(r, &ev))
			return NULL;
		switch (ev.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		case YAML_STREAM_END_EVENT:
			*ret_end = true;
			break;
		default:
			node = read_node(r, &ev, 1);
			more = false;
		}
		yaml_event_delete(&ev);
	}
	return node;
}

static struct conf_node *read_stream(struct reading *r)
{
	struct conf_node *root, *second;
	bool end;

	root = read_document(r, &end);
	if (!root && !end)
		return NULL;
	if (!root || conf_is_none(root)) {
		conf_free(root);
		root = calloc(1, sizeof(*root));
		if (!root) {
			conf_fail_at(r->err, 0, 0, "no memory");
			return NULL;
		}
		root->kind = CONF_MAP;
		root->line = root->column = 1;
	}
	if (end)
		return root;
	second = read_document(r, &end);
	if (second)
		conf_fail(r->err, second, "expected one document, not another");
	conf_free(second);
	if (!second && end)
		return root;
	conf_free(root);
	return NULL;
}

struct conf_node *conf_parse(const char *data, size_t n, struct config_error *err)
{
	struct reading r = { .err = err };
	struct conf_node *root;

	if (n > BYTES_MOST) {
		conf_fail_at(err, 0, 0, "more than 1 MiB is no configuration");
		return NULL;
	}
	if (!check_bytes(data, n, err))
		return NULL;
	if (n >= 3 && !memcmp(data, "\xef\xbb\xbf", 3)) {	/* a mark of Windows' editors */
		data += 3;
		n -= 3;
	}
	if (!yaml_parser_initialize(&r.parser)) {
		conf_fail_at(err, 0, 0, "no memory");
		return NULL;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)data, n);
	root = read_stream(&r);
	yaml_parser_delete(&r.parser);
	return root;
}
