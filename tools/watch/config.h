/* SPDX-License-Identifier: MIT */
/* scap-watch.yaml(5), and the options of scap watch(1) that stand for its keys. */
#ifndef WATCH_CONFIG_H
#define WATCH_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum trigger_source { TRIGGER_HAND, TRIGGER_ALERT, TRIGGER_EVENT };

/*
 * What makes a capture. Of hand and alert there is at most one entry each, which gives their
 * before, after and limits; without it they have the defaults. SIGUSR1 is "hand".
 */
struct trigger_config {
	char *name;		/* [a-z0-9][a-z0-9-]*, at most 40 bytes: part of file names */
	enum trigger_source source;
	char *filter;		/* EVENT: NULL with http_5xx alone */
	bool http_5xx;		/* SCAP_CONDITION_HTTP_5XX */
	uint32_t count;		/* with the count-th event in within_ns */
	uint64_t within_ns;
	uint64_t before_ns, after_ns;
	bool before_own, after_own;	/* not the defaults of all */
	char *keep;		/* filter of what goes into the file; NULL: all */
	uint64_t max_bytes;	/* of a file; 0: no limit */
	uint64_t cooldown_ns;
	uint32_t per_hour;	/* captures; 0: no limit */
	unsigned line;		/* in the file; 0: built in, or of the command line */
	char *text;		/* what was configured, a line, for the capture's TRIGGER section */
};

struct watch_config {
	/* recording */
	uint64_t memory;	/* bytes of the ring */
	char *ring;		/* its file */
	uint64_t kernel_ring;	/* bytes per CPU; 0: the default */
	uint32_t snaplen;	/* UINT32_MAX: the default */
	uint32_t snaplens[5];	/* by SCAP_LIVE_IO_*: bytes + 1; 0: as snaplen says */
	char *calls;		/* --syscall; NULL: all */
	char **cgroups;
	uint32_t n_cgroups;
	/* captures */
	char *dir;
	uint64_t keep_bytes, keep_age_ns;	/* 0: no limit */
	uint32_t keep_count;
	char **hook;		/* argv, ends with NULL; NULL: none */
	uint64_t hook_timeout_ns;
	uint32_t hook_parallel;
	/* control socket */
	char *socket;
	char *socket_owner, *socket_group;	/* NULL: the recorder's */
	uint32_t socket_mode;
	/* http; listen NULL: none */
	char *listen;		/* "127.0.0.1:9466", "[::1]:9466", "unix:/run/scap/http.sock" */
	char *token_file, *tls_cert, *tls_key;
	bool metrics_need_token;
	/* metrics */
	bool signals;
	uint32_t max_programs;
	/* privileges */
	char *user;		/* to run as; NULL: stay what one is */
	bool seccomp;
	/* triggers */
	uint64_t before_ns, after_ns;	/* the defaults of all */
	struct trigger_config *triggers;
	uint32_t n_triggers;
};

struct config_error {
	unsigned line, column;	/* from 1; 0: of no place */
	char text[400];
};

#define CONFIG_TRIGGERS_MOST 1024	/* that are given; hand and alert may come on top */

/* The defaults, into zeroed memory. */
void config_init(struct watch_config *c);
void config_fini(struct watch_config *c);
/*
 * Reads a file over what c holds: false, and err, at the first error; c is then to be thrown away.
 * path "-": standard input. Filters are compiled, to check them; a column in a filter's text is
 * given as such. config_settle() is done.
 */
bool config_read(struct watch_config *c, const char *path, struct config_error *err);
/* The same from n bytes of memory. */
bool config_parse(struct watch_config *c, const char *data, size_t n, struct config_error *err);
/*
 * Takes *t, which holds its strings, into c, in the place of one of that name if there is one.
 * False: there are too many, or no memory; t is left.
 */
bool config_put_trigger(struct watch_config *c, struct trigger_config *t);
void config_trigger_fini(struct trigger_config *t);
/* Limits as they are without a word about them; t->source says which. */
void config_trigger_init(struct trigger_config *t, enum trigger_source source);
/* http-5xx, crash, oom: false if it is none of them, or no memory. t is fresh. */
bool config_trigger_builtin(struct trigger_config *t, const char *name);
bool config_trigger_name_ok(const char *name);
/*
 * Once all is set that is to be set, and again after more: triggers that say nothing of before and
 * after get those of all, hand is there, alert is where something listens, and each has its text.
 * False: no memory.
 */
bool config_settle(struct watch_config *c);
/* What only the whole can tell: names twice, files that need each other. */
bool config_check(const struct watch_config *c, struct config_error *err);
/* What may not change in a reload: NULL, or the key's name, the first that differs. */
const char *config_fixed(const struct watch_config *from, const struct watch_config *to);
/* As YAML that config_read() would take, with all keys: for --print-config. */
void config_print(const struct watch_config *c, FILE *out);

#endif
