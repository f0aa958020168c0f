/* SPDX-License-Identifier: MIT */
/* What the parts of the writer share. */
#ifndef SCAP_FORMAT_WRITER_H
#define SCAP_FORMAT_WRITER_H

#include <endian.h>
#include <scap/writer.h>
#include <zstd.h>

#include "core/buffer.h"
#include "core/digest.h"
#include "format/group.h"
#include "format/layout.h"
#include "format/schema.h"

#define SCAP__JOURNALS 2

/* What the index will say of a section whose slices come in. */
struct scap__index_facts {
	uint64_t start_ns, end_ns, start_real_ns;
	uint64_t n_before, n_after;	/* events */
	uint64_t lost_before, lost_after;	/* numbers that were missing */
	uint32_t n_slices, n_records;
	uint64_t row_bytes;
	bool missing;		/* numbers are, in it or in front of it */
	struct scap__buffer rings, ends;	/* where they stood at its beginning, at its end */
};

/* See index.c. */
struct scap__index {
	bool none;		/* there will be none */
	struct scap__buffer entries, rings;
	uint64_t n_events;	/* taken so far */
	uint64_t n_written;	/* of these, in sections that were written */
	uint64_t n_lost;	/* numbers that were missing so far */
	uint64_t lost_written;	/* of these, in or before such sections */
	uint64_t clock_raw_ns, clock_real_ns;	/* of the last slice; 0: none */
	uint32_t *next_seq;	/* of each ring */
	uint32_t n_rings;
};

/* The number of a ring's next record, by what was taken. */
static inline uint32_t scap__index_next_seq(const struct scap__index *ix, uint32_t ring)
{
	return ring < ix->n_rings ? ix->next_seq[ring] : 0;
}

/* As it lies in a file. */
static inline struct scap__ring_seq scap__ring_seq(const struct scap_ring_end *e)
{
	return (struct scap__ring_seq){
		htole16((uint16_t)e->cpu), htole16((uint16_t)e->lane), htole32(e->next_seq),
	};
}

/* See journal.c. */
struct scap__journal {
	struct scap_writer *w;
	char *path;
};

struct scap_writer {
	struct scap__budget own;
	struct scap__budget *budget;	/* its own, or that of whose memory it is */
	struct scap_sink sink;
	struct scap_error error;	/* the first one */
	int fd;			/* of our own regular file; -1: a caller's sink, or no such file */
	bool refusing;		/* after a failure: takes no more slices */
	bool broken;		/* what was written does not end at a section's end */
	ZSTD_CCtx *zstd;
	struct scap__buffer raw;	/* a section: room for its header, then the payload */
	struct scap__buffer packed;	/* the same, compressed */
	uint64_t file_id;
	uint64_t bytes;		/* of whole sections written */
	uint64_t section_offset;	/* of the last one */
	struct scap__index index;
	struct scap__schema schema;
	struct scap__index_facts facts;	/* of the slice at hand, or of a keyframe */
	const struct scap__index_facts *about;	/* of the section that is being written; or NULL */
	uint32_t next_index;
	uint64_t last_end_ns;	/* of the last slice */
	uint64_t start_ns;	/* of START */
	bool started;		/* there is one */
	unsigned n_triggers;
	/* See scap_copy_chosen(). */
	struct scap__buffer copied_rings;	/* struct scap_ring_end */
	uint64_t copied_end_ns, copied_event;
	uint64_t n_slices, n_records, row_bytes;
	struct scap__groups *groups;	/* NULL: rows */
	bool only_in_journal;	/* a group that could not be written is there, in slices */
	struct scap__journal journals[SCAP__JOURNALS];	/* their writers are NULL: none */
	unsigned journal;		/* the one in use */
	bool journal_optional;		/* it is better to go on without than to end */
	uint64_t journal_errors;
	bool sealing;
	bool unsealed;		/* there was no memory for an entry: a seal would be broken */
	uint64_t sealed_ns;	/* where the last seal ends */
	uint8_t last_seal[SCAP__DIGEST_BYTES];
	struct scap__buffer entries;	/* of the next seal */
	bool plain;		/* nothing is compressed: a journal, or what is read at once */
	bool sync;
	uint64_t restart_bytes;		/* a journal: of its header and HOST */
	uint32_t restart_index;
};

/* Begins a section's payload in w->raw. */
int scap__section_begin(struct scap_writer *w);
/* Compresses what w->raw holds, if that may help, and writes it. */
int scap__section_write(struct scap_writer *w, uint16_t type);
/* An empty buffer but for room in front for a section's header: 0, or there is no memory. */
int scap__section_room(struct scap__buffer *b);
/*
 * Writes another capture's section, with a header of its own: 0; 1, and nothing has changed: what
 * still() is asked after the writing, whether the payload was what it should be, was false; or an
 * error. still NULL: it can't change.
 */
int scap__section_copy(struct scap_writer *w, const struct scap__section_header *h,
		       const uint8_t *payload, bool (*still)(void *ctx), void *ctx);
/* Writes what was put behind that room as it is. */
int scap__section_write_from(struct scap_writer *w, uint16_t type, struct scap__buffer *b);

/* An entry of HOST or TRIGGER, of at most max bytes without its NUL: 0, -ENOMEM, SCAP_ELIMIT. */
int scap__entry_put_string(struct scap__buffer *b, uint16_t key, const char *s, size_t max);
int scap__entry_put_u64(struct scap__buffer *b, uint16_t key, uint64_t v);
/* The payload of the HOST section, into w->raw. */
int scap__host_put(struct scap_writer *w, const struct scap_writer_options *opt);

/* Opens as scap_writer_open_path() promises; *ret_regular: a regular file, *ret_created: new. */
int scap__file_create(const char *path, bool force, int *ret_fd, bool *ret_regular,
		      bool *ret_created, struct scap_error *err);

/* writer_group.c: slices become groups, packed by a thread of its own. */
int scap__groups_init(struct scap_writer *w, const struct scap_writer_options *opt);
void scap__groups_fini(struct scap_writer *w);
uint64_t scap__groups_pending(const struct scap__groups *g);
int scap__groups_slice(struct scap_writer *w, const struct scap_slice *s);
/* All that was taken so far is written: waits for the thread. Does nothing without groups. */
int scap__groups_flush(struct scap_writer *w);
/*
 * The section in w->raw is written as soon as all that was taken before it is: at once, or when the
 * group that is being packed is done.
 */
int scap__groups_section(struct scap_writer *w, uint16_t type);

/* The files in which slices wait for their group: beside path, 0600. 0 or an error in err. */
int scap__journal_open(struct scap_writer *w, const char *path,
		       const struct scap_writer_options *opt, struct scap_error *err);
/* Slices go to the other one from here on. */
void scap__journal_turn(struct scap_writer *w);
/* What the one that is not in use holds lies in the file by now. */
int scap__journal_restart(struct scap_writer *w);
/* remove: their names go, too, for nothing is in them that is not in the file; empty ones do so
 * in any case.
 */
void scap__journal_close(struct scap_writer *w, bool remove);
/* index.c. The first slice of a section; each slice, the first too: 0 or -ENOMEM. */
int scap__index_begin(struct scap__index *ix, struct scap__index_facts *f,
		      const struct scap_slice *s);
int scap__index_slice(struct scap__index *ix, struct scap__index_facts *f,
		      const struct scap_slice *s);
/* The section was written just now. Where there is no memory for it, there will be no index. */
void scap__index_section(struct scap_writer *w, uint16_t type, const struct scap__index_facts *f);
/* Of a keyframe's part, whose payload is in w->raw, about to be written: its number. */
uint32_t scap__index_keyframe(struct scap_writer *w, struct scap__index_facts *f);
/* Where the rings stand in a file that goes on where another one ended. */
void scap__index_start(struct scap_writer *w, const struct scap_ring_end *rings, uint32_t n_rings);
/*
 * Where they stand now: a list of struct scap__ring_seq. A ring that was never met expects number
 * 0: nothing need be said of it. 0 or -ENOMEM.
 */
int scap__index_rings(const struct scap__index *ix, struct scap__buffer *out);
/* Where they stand behind a section of another file: n of struct scap__ring_seq. */
void scap__index_ends(struct scap_writer *w, const uint8_t *list, uint32_t n);
/* Of END, which was written just now, if it tells of missing numbers. */
void scap__index_end(struct scap_writer *w, uint64_t end_raw_ns,
		     const struct scap_ring_end *rings, uint32_t n_rings);
int scap__index_write(struct scap_writer *w, uint64_t end_raw_ns);
void scap__index_fini(struct scap__index *ix);

/* seal.c: remembers a section that was written, header first: 0 or -ENOMEM. */
int scap__seal_add(struct scap_writer *w, const struct scap__section_header *h,
		   const uint8_t *payload, size_t n);
/* Writes a SEAL over all sections since the last one, of slices that end at end_ns. */
int scap__seal_write(struct scap_writer *w, uint64_t end_ns);

/* A sink that writes to a descriptor, and closes it. */
struct scap_sink scap__fd_sink(int fd);
/*
 * As scap_writer_open_sink(), with the id of another file (0: one of its own), and with another's
 * budget (NULL: one of its own, as the options say).
 */
int scap__writer_open(const struct scap_sink *sink, int fd, const struct scap_writer_options *opt,
		      uint64_t file_id, struct scap__budget *budget, struct scap_writer **ret_w,
		      struct scap_error *err);
/* The same without HOST, which the caller writes. */
int scap__writer_open_bare(const struct scap_sink *sink, int fd,
			   const struct scap_writer_options *opt, uint64_t file_id,
			   struct scap__budget *budget, struct scap_writer **ret_w,
			   struct scap_error *err);
/* What opt says, in full: 0 or an error in err. */
int scap__writer_options(struct scap_writer_options *dst, const struct scap_writer_options *opt,
			 struct scap_error *err);
/* Says so in w->error: -ENOMEM, or SCAP_ELIMIT where the limit was what refused it. */
int scap__writer_no_memory(struct scap_writer *w);

#endif
