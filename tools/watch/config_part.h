/* SPDX-License-Identifier: MIT */
/* What the parts of the configuration share. */
#ifndef WATCH_CONFIG_PART_H
#define WATCH_CONFIG_PART_H

#include "watch/config.h"

/* ---- a document ----------------------------------------------------------------------------- */

enum conf_kind { CONF_TEXT, CONF_LIST, CONF_MAP };

struct conf_node {
	enum conf_kind kind;
	bool plain;		/* TEXT without quotes: ~ means none */
	unsigned line, column;	/* from 1 */
	char *text;		/* NUL-terminated, without another NUL; NULL: no TEXT */
	struct conf_node *first, *last;	/* of a MAP: key, value, key, value, ... */
	struct conf_node *next;
};

/* All that is in the document, within bounds. NULL and err. An empty document is a MAP. */
struct conf_node *conf_parse(const char *data, size_t n, struct config_error *err);
void conf_free(struct conf_node *node);
/* Whether nothing is meant: ~, null, or no text at all. */
bool conf_is_none(const struct conf_node *node);
/* Fills err; false. */
bool conf_fail(struct config_error *err, const struct conf_node *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool conf_fail_at(struct config_error *err, unsigned line, unsigned column, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- keys ----------------------------------------------------------------------------------- */

enum key_kind {
	KEY_SIZE,	/* uint64_t, bytes */
	KEY_RING,	/* the same: 0 or a power of two */
	KEY_DURATION,	/* uint64_t, ns */
	KEY_NUMBER,	/* uint32_t */
	KEY_BOOL,	/* bool */
	KEY_MODE,	/* uint32_t, octal */
	KEY_TEXT,	/* char *, of max bytes at most */
	KEY_LISTEN,	/* char * */
	KEY_CALLS,	/* char *, names with commas between them */
	KEY_FILTER,	/* char * */
	KEY_WORDS,	/* char **, ends with NULL; of max words at most */
	KEY_SNAPLEN,	/* snaplen and snaplens of a watch_config */
	KEY_SOURCE,	/* enum trigger_source */
	KEY_BUILTIN,	/* char *, one of config_builtins */
};

#define KEY_FIXED 0x1	/* while scap watch runs */
#define KEY_NONE 0x2	/* ~ is possible: NULL */

struct key {
	const char *path;	/* "captures.keep.size"; NULL ends the table */
	enum key_kind kind;
	size_t offset;		/* in struct watch_config or struct trigger_config */
	uint64_t min, max;
	unsigned flags;		/* KEY_FIXED, KEY_NONE */
};

/* "triggers" is in neither. */
extern const struct key config_keys[];
extern const struct key trigger_keys[];

struct builtin {
	const char *name;
	bool http_5xx;
	const char *filter;
};
extern const struct builtin config_builtins[];	/* ends with a NULL name */
/* "hand", "alert", "event" */
extern const char *const trigger_sources[3];

/* What trigger_keys are about: a trigger, and what only its reading needs. */
struct trigger_reading {
	struct trigger_config t;
	char *builtin;
};

/*
 * Gives the value of a key with one text: all but WORDS; of SNAPLEN the number. NULL: none. False:
 * why says what is wrong with text, as in "'x' is not a size".
 */
bool key_set(void *base, const struct key *key, const char *text, char *why, size_t cap);
bool key_equal(const void *a, const void *b, const struct key *key);
const struct key *key_find(const struct key *table, const char *path);
/* Frees what it holds; then it says nothing. */
void key_clear(void *base, const struct key *key);
/* Texts that size_parse() and duration_parse_ns() take for v; buf. */
#define SHOW_BYTES 48
const char *show_size(uint64_t v, char buf[SHOW_BYTES]);
const char *show_duration(uint64_t ns, char buf[SHOW_BYTES]);
/* A number of words with NULL behind them. */
uint32_t words_count(char *const *words);
void words_free(char **words);
/* Puts a copy of word at the end of *words. False: no memory. */
bool words_add(char ***words, const char *word);

/* Of one trigger, in the form of a line of YAML. */
void config_print_trigger(const struct trigger_config *t, FILE *out);

#endif
