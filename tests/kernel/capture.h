/* SPDX-License-Identifier: MIT */
/* A capture, as the checking programs in the guest read it. */
#ifndef TESTS_KERNEL_CAPTURE_H
#define TESTS_KERNEL_CAPTURE_H

#include "guest.h"
#include <format/event.h>
#include <scap/scap.h>

static inline struct scap_reader *capture_open(const char *path)
{
	struct scap_reader *r;
	struct scap_error err;

	if (scap_reader_open_path(path, NULL, &r, &err) < 0) {
		fprintf(stderr, "%s: %s\n", path, err.text);
		exit(1);
	}
	return r;
}

/* The next event; NULL at the end. Damage ends the program. */
static inline const struct scap_event *capture_next(struct scap_reader *r)
{
	const struct scap_event *ev;
	int rc = scap_reader_next(r, &ev);

	if (rc < 0) {
		fprintf(stderr, "the capture: %s\n", scap_reader_error(r)->text);
		exit(1);
	}
	return rc == 0 ? ev : NULL;
}

static inline bool is_call(const struct scap_event *ev)
{
	return ev->type == SCAP_REC_CALL;
}

/* A call at its exit, or the entry of one that has none. */
static inline bool is_made_call(const struct scap_event *ev)
{
	const char *name = scap_event_name(ev);

	return is_call(ev) || (ev->type == SCAP_REC_ENTER &&
			       (!strcmp(name, "exit") || !strcmp(name, "exit_group")));
}

static inline const struct scap__blob *blob_of(const struct scap_event *ev, unsigned slot)
{
	for (unsigned i = 0; i < ev->n_blobs; i++)
		if (ev->blobs[i].slot == slot)
			return &ev->blobs[i];
	return NULL;
}

static inline const char *field_text(const char *name, const struct scap_event *ev, char *buf,
				     size_t cap)
{
	struct scap_field *f;
	struct scap_error err;

	if (scap_field_compile(name, &f, &err) < 0) {
		fprintf(stderr, "%s: %s\n", name, err.text);
		exit(1);
	}
	if (scap_field_text(f, ev, buf, cap) < 0)
		snprintf(buf, cap, "<NA>");
	scap_field_free(f);
	return buf;
}

#endif
