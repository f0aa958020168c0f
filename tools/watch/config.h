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

/* The defaults, into zeroed memory. */
void config_init(struct watch_config *c);
void config_fini(struct watch_config *c);
/*
 * Reads a file over what c holds: false, and err, at the first error; c is then to be thrown away.
 * path "-": standard input. Filters are compiled, to check them; a column in a filter's text is
 * given as such.
 */
bool config_read(struct watch_config *c, const char *path, struct config_error *err);
/* What only the whole can tell: names twice, files that need each other. */
bool config_check(const struct watch_config *c, struct config_error *err);
/* What may not change in a reload: NULL, or the key's name, the first that differs. */
const char *config_fixed(const struct watch_config *from, const struct watch_config *to);
/* As YAML that config_read() would take, with all keys: for --print-config. */
void config_print(const struct watch_config *c, FILE *out);

#endif
