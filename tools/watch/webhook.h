/* SPDX-License-Identifier: MIT */
/* Bodies that ask for captures: Alertmanager's, plain ones, lines of the control socket. */
#ifndef WATCH_WEBHOOK_H
#define WATCH_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch/server.h"

#define WEBHOOK_ALERTS 100	/* firing ones of a body; the others are counted */
#define WEBHOOK_LABELS 64	/* of a request; the others are counted in a label of their own */
#define WEBHOOK_TEXT 1024	/* bytes of a value; what is cut ends in "..." */
/*
 * Looked for before the JSON is parsed: the parser takes up to 300 bytes for each value, and its
 * own bound on depth is 2048.
 */
#define WEBHOOK_DEPTH 16
#define WEBHOOK_VALUES 32768

struct webhook {
	struct watch_request *requests;
	uint32_t n_requests;
	uint32_t n_resolved;	/* alerts that are over */
	uint32_t n_left_out;	/* firing alerts beyond WEBHOOK_ALERTS */
	bool status;		/* control: how is the recorder? */
	struct scap_label *labels;
	char *text;		/* all strings; at most twice the body */
	size_t n_text, text_cap;
};

/*
 * Nothing of the body is needed afterwards. 0; -EINVAL and why it can't be used, in a line;
 * -ENOMEM. webhook_fini() in any case.
 */
int webhook_alertmanager(struct webhook *w, const char *body, size_t n, char *err, size_t cap);
int webhook_plain(struct webhook *w, const char *body, size_t n, char *err, size_t cap);
int webhook_control(struct webhook *w, const char *line, size_t n, char *err, size_t cap);
void webhook_fini(struct webhook *w);

/* One line of JSON without its end, to be freed; NULL: no memory. */
char *webhook_answer(const struct webhook *w, const struct watch_reply *replies);
char *webhook_answer_one(const struct watch_reply *r);
/* {"ok":...,KEY:text} */
char *webhook_answer_text(bool ok, const char *key, const char *text);

#endif
