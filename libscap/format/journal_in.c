/* SPDX-License-Identifier: MIT */
/* What a recorder that was killed left beside its file: see journal.c. */
#define _GNU_SOURCE
#include "format/reader.h"

#include <stdio.h>
#include <stdlib.h>

/* Header and HOST, which say what the file's own do. */
static int read_head(struct scap__section_in *j, uint64_t file_id)
{
	struct scap__section host;
	uint32_t version;
	int rc = scap__section_in_start(j, &version);

	if (!rc && j->file_id != file_id)
		rc = SCAP_ENOTSCAP;
	if (!rc)
		rc = scap__section_next(j, &host);
	return rc ? rc : scap__section_skip(j, &host);
}

static int open_journal(struct scap_reader *r, const char *path, struct scap_error *err,
			struct scap__section_in *j)
{
	struct scap_source src;
	int rc = scap__path_source(path, &src, err);

	if (rc)
		return rc;
	rc = scap__section_in_init(j, &src, &r->budget, err);
	if (!rc)
		rc = read_head(j, r->in.file_id);
	if (rc)
		scap__section_in_fini(j);
	return rc;
}

/* When its first slice begins; UINT64_MAX: there is none to be read. */
static uint64_t start_of(struct scap_reader *r, const char *path)
{
	struct scap_error unused;
	struct scap__section_in j;
	struct scap__section sec;
	uint64_t start = UINT64_MAX;
	const uint8_t *p;

	if (open_journal(r, path, &unused, &j))
		return start;
	if (!scap__section_next(&j, &sec) && sec.type == SCAP__SECTION_SLICE &&
	    !scap__section_payload(&j, &sec, &p) && sec.raw_bytes >= 8)
		start = scap__le64(p);
	scap__section_in_fini(&j);
	return start;
}

/* Both of the file's journals that hold anything, in the order of time. */
static void find_journals(struct scap_reader *r)
{
	static const char *const suffixes[2] = SCAP__JOURNAL_SUFFIXES;
	uint64_t start[2] = { 0, 0 };

	for (unsigned i = 0; i < 2; i++) {
		if (asprintf(&r->journals[i], "%s%s", r->path, suffixes[i]) < 0)
			r->journals[i] = NULL;
		start[i] = r->journals[i] ? start_of(r, r->journals[i]) : UINT64_MAX;
		if (start[i] == UINT64_MAX) {
			free(r->journals[i]);
			r->journals[i] = NULL;
		}
	}
	if (start[1] < start[0]) {
		char *first = r->journals[1];

		r->journals[1] = r->journals[0];
		r->journals[0] = first;
	}
	free(r->path);
	r->path = NULL;
}

/*
 * A part of a section at the file's end belongs to a group that was being written: its slices are
 * still in a journal.
 */
int scap__journal_begin(struct scap_reader *r)
{
	struct scap__section_in j;
	int rc = 1;

	if (r->path)
		find_journals(r);
	while (rc && r->journals[0]) {
		struct scap_error unused;

		rc = open_journal(r, r->journals[0], &unused, &j);
		free(r->journals[0]);
		r->journals[0] = r->journals[1];
		r->journals[1] = NULL;
	}
	if (rc)
		return 1;
	j.error = &r->error;
	r->before_journal += r->in.input.offset;
	scap__section_in_fini(&r->in);
	r->in = j;
	r->in_journal = true;
	return 0;
}
