/* SPDX-License-Identifier: MIT */
/* What the parts of `scap export` share. */
#ifndef SCAP_TOOLS_EXPORT_H
#define SCAP_TOOLS_EXPORT_H

#include "input.h"
#include "opts.h"
#include "query.h"

#include <scap/export.h>

struct export_request {
	struct query query;
	const char *output;	/* NULL: standard output */
	uint32_t profile, flags;
	uint64_t tree;		/* only this process and its descendants; 0: all */
	bool force, json;
};

/* Where an export goes; fd -1: not opened yet. */
struct export_target {
	int fd;
	bool created;
	uint64_t bytes;
};

/* False: the message was printed. A terminal is refused for what is not text. */
bool export_open_target(const struct export_request *req, bool binary, struct export_target *ret);
/* Closes it; a new file to which nothing was written is taken away. False: printed. */
bool export_close_target(const struct export_request *req, struct export_target *t);
/* A sink that writes to the target, which stays open. */
struct scap_sink export_sink(struct export_target *t);

/* The forms; all return enum tool_exit. */
int export_scap(const struct export_request *req);
int export_csv(const struct export_request *req);
int export_ndjson(const struct export_request *req);
int export_scapz(const struct export_request *req);

#endif
