/* SPDX-License-Identifier: MIT */
/* What a recorder that was killed left beside its file: see journal.c. */
#include "format/reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

static bool is_empty(const struct scap__input *in)
{
	return in->eof && in->start == in->end;
}

/* 0; 1: it is not there, of another capture, or its header was not written yet; or an error. */
static int open_journal(struct scap_reader *r, const char *path, struct scap_error *err,
			struct scap__section_in *j)
{
	struct scap_source src;
	uint32_t version;
	int rc = scap__path_source(path, &src, err);

	if (rc)
		return rc == -ENOENT ? 1 : rc;
	rc = scap__section_in_init(j, &src, &r->budget, err);
	if (rc)
		scap__fail(err, rc, SCAP_NO_OFFSET, "out of memory");
	else
		rc = scap__section_in_start(j, &version);
	if (rc == SCAP_ETRUNCATED || (rc == SCAP_ENOTSCAP && is_empty(&j->input)) ||
	    (!rc && j->file_id != r->in.file_id))
		rc = 1;
	if (rc)
		scap__section_in_fini(j);
	return rc;
}

static bool is_damage(int rc)
{
	return rc == SCAP_EDAMAGED || rc == SCAP_EVERSION || rc == SCAP_ENOTSCAP;
}

#define NO_START UINT64_MAX		/* there is no slice, nor anything that may be one */
#define UNKNOWN_START (UINT64_MAX - 1)	/* what there is can't be read, which will be told */

/* When the first slice that is sound begins: 0 or an error. */
static int find_start(struct scap__section_in *j, uint64_t *ret_start)
{
	struct scap__section sec;
	const uint8_t *p;

	for (;;) {
		int rc = scap__section_next(j, &sec);

		if (rc == 1 || rc == SCAP_ETRUNCATED)
			return 0;
		if (!rc && sec.type == SCAP__SECTION_SLICE)
			rc = scap__section_payload(j, &sec, &p);
		else if (!rc)
			rc = scap__section_skip(j, &sec);
		if (rc == SCAP_ETRUNCATED)
			return 0;
		if (is_damage(rc))
			*ret_start = UNKNOWN_START;
		else if (rc)
			return rc;
		else if (sec.type == SCAP__SECTION_SLICE && sec.raw_bytes >= 8)
			break;
	}
	*ret_start = scap__le64(p);
	return 0;
}

static int start_of(struct scap_reader *r, const char *path, struct scap_error *err,
		    uint64_t *ret_start)
{
	struct scap__section_in j;
	int rc = open_journal(r, path, err, &j);

	*ret_start = is_damage(rc) ? UNKNOWN_START : NO_START;
	if (rc)
		return rc > 0 || is_damage(rc) ? 0 : rc;
	rc = find_start(&j, ret_start);
	scap__section_in_fini(&j);
	return rc;
}

/* A name that lives as long as the reader: 0, -ENOMEM, SCAP_ELIMIT. */
static int add_suffix(struct scap_reader *r, const char *suffix, const char **ret)
{
	size_t n = strlen(r->path) + strlen(suffix) + 1;
	void *room;
	int rc = scap__arena_room(&r->strings, n, &room);

	if (rc)
		return rc;
	snprintf(room, n, "%s%s", r->path, suffix);
	*ret = room;
	return 0;
}

/* Both of the file's journals that hold anything, in the order of time: 0 or an error. */
static int find_journals(struct scap_reader *r, struct scap_error *err)
{
	static const char *const suffixes[2] = SCAP__JOURNAL_SUFFIXES;
	uint64_t start[2] = { 0, 0 };
	int rc = 0;

	for (unsigned i = 0; !rc && i < 2; i++) {
		rc = add_suffix(r, suffixes[i], &r->journals[i]);
		if (rc) {
			scap__fail(err, rc, SCAP_NO_OFFSET, "out of memory");
			break;
		}
		rc = start_of(r, r->journals[i], err, &start[i]);
		if (rc || start[i] == NO_START)
			r->journals[i] = NULL;
	}
	if (start[1] < start[0]) {
		const char *first = r->journals[1];

		r->journals[1] = r->journals[0];
		r->journals[0] = first;
	}
	r->path = NULL;
	return rc;
}

/* The next one of those found, which is found no more then: as open_journal(). */
static int open_next(struct scap_reader *r, struct scap_error *err, struct scap__section_in *j)
{
	const char *path = r->journals[0];
	int rc = open_journal(r, path, err, j);

	if (is_damage(rc))
		rc = scap__fail(&r->error, SCAP_EDAMAGED, err->offset, "%.100s: %.150s", path,
				err->text);
	r->journals[0] = r->journals[1];
	r->journals[1] = NULL;
	return rc;
}

/*
 * A part of a section at the file's end belongs to a group that was being written: its slices are
 * still in a journal. One that can't be read is told, and the next call goes on with the other.
 */
int scap__journal_begin(struct scap_reader *r)
{
	struct scap_error err = { 0 };
	struct scap__section_in j;
	int rc = r->path ? find_journals(r, &err) : 0;

	if (!rc)
		rc = 1;
	while (rc > 0 && r->journals[0])
		rc = open_next(r, &err, &j);
	if (rc < 0 && rc != SCAP_EDAMAGED)
		r->error = err;
	if (rc)
		return rc;
	j.error = &r->error;
	r->before_journal += r->in.input.offset;
	scap__section_in_fini(&r->in);
	r->in = j;
	r->in_journal = true;
	return 0;
}
