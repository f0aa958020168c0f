/* SPDX-License-Identifier: MIT */
/* What a recorder that was killed left beside its file: see journal.c. */
#include "format/reader.h"

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

static int open_journal(struct scap_reader *r, struct scap__section_in *j)
{
	struct scap_error unused;
	struct scap_source src;
	int rc = scap__path_source(r->journal_path, &src, &unused);

	if (rc)
		return rc;
	rc = scap__section_in_init(j, &src, &r->budget, &unused);
	if (!rc)
		rc = read_head(j, r->in.file_id);
	if (rc)
		scap__section_in_fini(j);
	return rc;
}

/*
 * A part of a section at the file's end belongs to a group that was being written: its slices are
 * still in the journal.
 */
int scap__journal_begin(struct scap_reader *r)
{
	struct scap__section_in j;

	if (!r->journal_path || open_journal(r, &j))
		return 1;
	free(r->journal_path);
	r->journal_path = NULL;
	j.error = &r->error;
	r->before_journal = r->in.input.offset;
	scap__section_in_fini(&r->in);
	r->in = j;
	r->in_journal = true;
	return 0;
}
