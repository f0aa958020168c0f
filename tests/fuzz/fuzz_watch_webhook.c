/* SPDX-License-Identifier: MIT */
/*
 * Bodies of requests. The first byte says of which kind; what is understood must be within the
 * bounds, be UTF-8, without ends of line where one line was promised, and make an answer that is
 * JSON.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "watch/webhook.h"

static void check_text(const char *s)
{
	json_t *v;

	if (!s)
		return;
	v = json_string(s);	/* checks that it is UTF-8 */
	if (!v || strlen(s) > WEBHOOK_TEXT)
		abort();
	json_decref(v);
}

static void check_request(const struct watch_request *r)
{
	check_text(r->name);
	check_text(r->why);
	check_text(r->fingerprint);
	if (r->n_labels > WEBHOOK_LABELS + 1)
		abort();
	for (uint32_t i = 0; i < r->n_labels; i++) {
		check_text(r->labels[i].name);
		check_text(r->labels[i].value);
	}
	for (const char *c = r->why; c && *c; c++)
		if ((unsigned char)*c < 0x20)
			abort();
}

static void check_answer(char *line)
{
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

	if (!o || strchr(line, '\n'))
		abort();
	json_decref(o);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static int (*const forms[])(struct webhook *w, const char *body, size_t n, char *err,
				    size_t cap) = {
		webhook_alertmanager, webhook_plain, webhook_control,
	};
	static struct watch_reply replies[WEBHOOK_ALERTS] = { [1] = { .code = 1 } };
	struct webhook w;
	char err[300] = "";
	int rc;

	if (!n)
		return 0;
	rc = forms[data[0] % 3](&w, (const char *)data + 1, n - 1, err, sizeof(err));
	if (rc < 0 && (rc != -EINVAL || !err[0] || w.n_requests))
		abort();
	if (w.n_requests > WEBHOOK_ALERTS)
		abort();
	for (uint32_t i = 0; i < w.n_requests; i++)
		check_request(&w.requests[i]);
	check_answer(rc < 0 ? webhook_answer_text(false, "error", err) :
		     webhook_answer(&w, replies));
	webhook_fini(&w);
	return 0;
}
