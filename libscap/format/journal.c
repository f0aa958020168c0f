/* SPDX-License-Identifier: MIT */
/*
 * The journal: a capture of its own beside the file, with the same id, of the slices that are not in
 * the file yet. When a group was written it begins anew.
 */
#define _GNU_SOURCE
#include "format/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

int scap__journal_open(struct scap_writer *w, const char *path,
		       const struct scap_writer_options *opt, struct scap_error *err)
{
	struct scap_writer_options o = *opt;
	struct scap_sink sink;
	bool regular, created;
	int fd, rc;

	o.flags = SCAP_WRITER_ROWS | (opt->flags & SCAP_WRITER_SYNC);
	if (asprintf(&w->journal_path, "%s" SCAP__JOURNAL_SUFFIX, path) < 0) {
		w->journal_path = NULL;
		return scap__fail(err, -ENOMEM, SCAP_NO_OFFSET, "out of memory");
	}
	rc = scap__file_create(w->journal_path, opt->flags & SCAP_WRITER_FORCE, &fd, &regular,
			       &created, err);
	if (rc)
		return rc;
	sink = scap__fd_sink(fd);
	rc = scap__writer_open(&sink, regular ? fd : -1, &o, w->file_id, &w->journal, err);
	if (rc) {
		if (created)
			unlink(w->journal_path);
		return rc;
	}
	w->journal->plain = true;
	w->journal->restart_bytes = w->journal->bytes;
	w->journal->restart_index = w->journal->next_index;
	return 0;
}

int scap__journal_restart(struct scap_writer *w)
{
	struct scap_writer *j = w->journal;

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
	return 0;
}

void scap__journal_close(struct scap_writer *w, bool remove)
{
	if (!w->journal)
		return;
	scap_writer_close(w->journal, 0, NULL, 0, NULL);
	w->journal = NULL;
	if (remove)
		unlink(w->journal_path);
}
