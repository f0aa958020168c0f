/* SPDX-License-Identifier: MIT */
/*
 * The journals: captures of their own beside the file, with the same id, of the slices that are not
 * in the file yet. One takes the slices of the group that grows; the other holds those of the group
 * that is being packed, and begins anew when that was written.
 */
#include "format/writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

static int open_one(struct scap_writer *w, struct scap__journal *j,
		    const struct scap_writer_options *opt, struct scap_error *err)
{
	struct scap_writer_options o = *opt;
	struct scap_sink sink;
	bool regular, created;
	int fd, rc;

	rc = scap__file_create(j->path, opt->flags & SCAP_WRITER_FORCE, &fd, &regular, &created,
			       err);
	if (rc)
		return rc;
	sink = scap__fd_sink(fd);
	o.flags = SCAP_WRITER_ROWS | (opt->flags & SCAP_WRITER_SYNC);
	rc = scap__writer_open(&sink, regular ? fd : -1, &o, w->file_id, w->budget, &j->w, err);
	if (rc) {
		if (created)
			unlink(j->path);
		return rc;
	}
	j->w->plain = true;
	j->w->index.none = true;
	j->w->restart_bytes = j->w->bytes;
	j->w->restart_index = j->w->next_index;
	return 0;
}

static int name_one(struct scap_writer *w, struct scap__journal *j, const char *path,
		    const char *suffix)
{
	size_t n = strlen(path) + strlen(suffix) + 1;

	j->path = scap__new(w->budget, n);
	if (!j->path)
		return scap__writer_no_memory(w);
	snprintf(j->path, n, "%s%s", path, suffix);
	return 0;
}

int scap__journal_open(struct scap_writer *w, const char *path,
		       const struct scap_writer_options *opt, struct scap_error *err)
{
	static const char *const suffixes[SCAP__JOURNALS] = SCAP__JOURNAL_SUFFIXES;
	int rc = 0;

	for (unsigned i = 0; !rc && i < SCAP__JOURNALS; i++) {
		struct scap__journal *j = &w->journals[i];

		rc = name_one(w, j, path, suffixes[i]);
		if (!rc)
			rc = open_one(w, j, opt, err);
		else if (err)
			*err = w->error;
	}
	if (rc)
		scap__journal_close(w, true);
	return rc;
}

void scap__journal_turn(struct scap_writer *w)
{
	w->journal = (w->journal + 1) % SCAP__JOURNALS;
}

int scap__journal_restart(struct scap_writer *w)
{
	struct scap_writer *j = w->journals[(w->journal + 1) % SCAP__JOURNALS].w;

	if (!j)
		return 0;
	if (ftruncate(j->fd, (off_t)j->restart_bytes) < 0 ||
	    lseek(j->fd, (off_t)j->restart_bytes, SEEK_SET) < 0) {
		w->refusing = true;
		return scap__fail(&w->error, -errno, SCAP_NO_OFFSET,
				  "cutting the capture's journal failed: %s", strerror(errno));
	}
	j->bytes = j->restart_bytes;
	j->next_index = j->restart_index;
	if (w->journal_optional && !j->broken) {
		j->refusing = false;
		j->error = (struct scap_error){ 0 };
	}
	return 0;
}

void scap__journal_close(struct scap_writer *w, bool remove)
{
	for (unsigned i = 0; i < SCAP__JOURNALS; i++) {
		struct scap__journal *j = &w->journals[i];

		if (j->w) {
			bool empty = j->w->bytes == j->w->restart_bytes;

			scap_writer_close(j->w, 0, NULL, 0, NULL);
			if (remove || empty)
				unlink(j->path);
		}
		if (j->path)
			scap__free(w->budget, j->path, strlen(j->path) + 1);
		*j = (struct scap__journal){ 0 };
	}
}
