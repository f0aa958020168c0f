/* SPDX-License-Identifier: MIT */
/* What the parts of the reader, and the summary, share. */
#ifndef SCAP_FORMAT_READER_H
#define SCAP_FORMAT_READER_H

#include <scap/reader.h>
#include <scap/trigger.h>

#include "core/buffer.h"
#include "core/bytes.h"
#include "format/event.h"
#include "format/group.h"
#include "format/intro.h"
#include "format/merge.h"
#include "format/section_in.h"

/* What came from one ring so far. */
struct scap__ring {
	uint64_t segment;	/* of next_seq, last_ns, tail and any */
	uint32_t first_seq;	/* where the file begins */
	uint32_t next_seq;	/* expected */
	uint64_t events;	/* neither INTRO nor FILE nor GAP */
	uint64_t unknown;	/* of these: of types that this library does not know */
	uint64_t bookkeeping;
	uint64_t unexplained;	/* sequence numbers missing without a GAP */
	uint64_t row_bytes;
	uint64_t last_ns;	/* raw time of the last record */
	uint32_t tail;		/* missing at the end, still to be told */
	bool any, seen;		/* any: there was a record. seen: of any interest */
};

struct scap__clock {
	uint64_t raw_ns, real_ns, boot_ns;
	bool known;
};

/* The keyframe whose parts are being read; their payload is that of the section at hand. */
struct scap__keyframe {
	struct scap__bytes rows;	/* of this part, still to be delivered */
	struct scap__bytes texts;
	uint32_t n_texts;
	uint32_t number;	/* 0: none yet */
	uint32_t next_part;
	uint32_t next_seq;
	bool open;		/* a further part must follow */
	struct scap__clock clock;
	struct scap__intros intros;
};

struct scap__index_in_entry {
	uint64_t offset, start_ns, end_ns, start_real_ns, n_before;
	uint32_t index;
	uint16_t type;
	bool missing;
	uint32_t rings, n_rings;	/* place in the list of rings, and how many */
};

struct scap__index_ring {
	uint32_t ring, next_seq;
};

/* See index_in.c. */
struct scap__index_in {
	struct scap__index_in_entry *entries;
	struct scap__index_ring *rings;
	uint32_t n, n_rings;	/* n 0: there is no index */
	uint64_t end_raw_ns, end_real_ns, n_events;
};

/* An entry of HOST or TRIGGER; value in place. */
struct scap__entry {
	uint16_t key, kind;
	uint32_t bytes;
	const uint8_t *value;
};

/* See trigger.c. */
struct scap__trigger_in {
	struct scap_trigger t;
	struct scap_label labels[2 * SCAP__TRIGGER_MAX_LABELS];	/* of two sections */
	uint64_t segment;	/* that it is of */
	uint32_t last_index;	/* of the section that was read last */
	unsigned n_read;
};

struct scap_reader {
	struct scap_error error;
	struct scap__budget budget;
	struct scap__section_in in;
	struct scap__savefile *savefile;	/* what in reads from is translated; or NULL */
	struct scap__merge merge;
	struct scap__intros intros;
	struct scap__keyframe key;
	struct scap__group_in *group;	/* NULL: none was met yet */
	struct scap__section group_section;
	struct scap__choice choice;
	struct scap__group_slice *chosen;	/* the slice at hand, if it is chosen from */
	uint64_t n_before;	/* events before it */
	struct scap_seal_info seals;
	struct scap__buffer entries;	/* struct scap__seal_entry of sections without a seal */
	bool end_sealed;
	bool in_group;		/* it may have more slices */
	struct scap__trigger_in *trigger;	/* NULL: none was met yet */
	struct scap__buffer schema;	/* as far as it was met, and wanted */
	const char *path;	/* in strings; NULL: journals can't be found */
	const char *journals[2];	/* those still to be read, the next one first */
	bool in_journal;
	uint64_t before_journal;	/* bytes of the file itself */
	struct scap__arena strings;	/* of info, the first segment's */
	struct scap__arena segment_strings;	/* of another one's */
	struct scap_capture_info info;	/* of the segment at hand */
	struct scap_capture_info before;	/* sums over those before it */
	struct scap_capture_info total;	/* before and info, for the caller */
	bool changed;		/* info, but not yet total */
	bool cut_told, boundary_told;	/* of the segment at hand, which another one follows */
	bool unread;		/* there was a capture that cannot be read */
	struct scap_event ev;
	struct scap__clock host_clock;
	struct scap__clock clock;	/* of the slice; HOST's where it has none */
	struct scap__ring *rings;
	uint32_t n_rings;
	uint32_t flags;
	uint64_t n_events;
	uint64_t slice_end_ns;	/* of the last slice */
	int over;		/* what next() will return for ever; 0: not yet */
	int pending;		/* damage found while opening, still to be told */
	bool advance;		/* the event given out is still at the merge's top */
	bool hole_told;		/* the hole in front of the record at the merge's top */
	const char *hole_damage;	/* what else was wrong there */
	uint32_t tail_ring, tail_end;	/* those whose tail is still to be looked at */
	bool damage_seen;
	bool end_seen;
	bool index_seen;	/* in its place */
	struct scap__index_in index;
	bool sought;		/* what is read began somewhere in the middle */
	bool unsynced;		/* rings that were not met may begin with any number */
};

/* Payloads of the sections, checked and put into r: 0 or an error. */
int scap__host_read(struct scap_reader *r, const uint8_t *p, size_t n);
int scap__start_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p);
int scap__slice_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p);
/* Begins a group; its slices follow: 0; 1 after the last one; or an error. */
int scap__group_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p);
int scap__group_next(struct scap_reader *r);
int scap__end_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p);
int scap__keyframe_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p);
/* The part's next record as an event: 0; 1 when there is none; or an error, then it goes on. */
int scap__keyframe_next(struct scap_reader *r);

/* Looks for the index, if the source can seek: 0, or an error of the source. */
int scap__index_open(struct scap_reader *r);
/* The payload of an INDEX that was met in its place: 0 or an error. */
int scap__index_check(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p);
/* Before a section is used after seeking: 0 or an error. */
int scap__index_sync(struct scap_reader *r, const struct scap__section *sec);

/* The next entry of a HOST or TRIGGER, of which there is one; false: it does not fit. */
bool scap__entry_get(struct scap__bytes *b, struct scap__entry *ret);
/* trigger.c */
/* The segment at hand was cut out of a flight recorder's ring. */
bool scap__trigger_here(const struct scap_reader *r);
/* The segment at hand is what was left of a recorder that was killed. */
bool scap__trigger_killed(const struct scap_reader *r);
int scap__trigger_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p);

/* schema.c */
int scap__schema_read(struct scap_reader *r, const uint8_t *p, size_t n);

/*
 * reader.c: the file header at hand and HOST, then START and TRIGGER if they follow: 0 or an error;
 * pending may be set.
 */
int scap__reader_start(struct scap_reader *r);

/* segment.c */
/* A further segment's header is next: 0: it has begun; SCAP__NEXT_SEGMENT; or an error. */
int scap__segment_next(struct scap_reader *r);
/* Forgets what was read, for another segment or another place: names, order, ends. */
void scap__reader_begin_anew(struct scap_reader *r);
/* Empties info, but for where the segment begins. */
void scap__segment_init(struct scap_reader *r);
/* Brings total up to date. */
void scap__segment_sum(struct scap_reader *r);

/* seal_in.c */
/* Forgets what no seal vouches for. */
void scap__seals_begin(struct scap_reader *r);
int scap__seals_add(struct scap_reader *r, const struct scap__section *sec);
int scap__seal_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p);

/* Goes on with a journal of a capture that has no end: 0; 1: there is none; or an error. */
int scap__journal_begin(struct scap_reader *r);

/* Says that memory is short, which ends the reading: rc, -ENOMEM or SCAP_ELIMIT. */
int scap__reader_no_memory(struct scap_reader *r, int rc);
/* The counters of a ring, made when it is first named: 0, -ENOMEM, SCAP_ELIMIT. */
int scap__reader_ring(struct scap_reader *r, uint32_t ring, struct scap__ring **ret);
uint64_t scap__reader_wall_ns(const struct scap_reader *r, uint64_t raw_ns);

/* A source that reads a descriptor, and closes it. */
struct scap_source scap__fd_source(int fd);
/* A source that reads a path; "-" is standard input. */
int scap__path_source(const char *path, struct scap_source *ret, struct scap_error *err);

#endif
