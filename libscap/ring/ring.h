/* SPDX-License-Identifier: MIT */
/* What the parts of the ring share. */
#ifndef SCAP_RING_RING_H
#define SCAP_RING_RING_H

#include <endian.h>
#include <pthread.h>
#include <scap/ring.h>
#include <stdatomic.h>

#include "format/writer.h"
#include "ring/layout.h"

#define SCAP__RING_DONE 16

/* Where all stood when everything before a moment was in the ring. */
struct scap__ring_done {
	uint64_t ns, head;
	struct scap_ring_end *ends;
	uint32_t n_ends, cap;
};

/*
 * The one who fills it moves the tail on, then writes over what lay there, then moves the head on.
 * Who reads copies or uses what lies at a position, then looks whether the tail is still not past
 * it. Positions here are the truth; those in the file are for who finds it abandoned.
 */
struct scap_ring {
	int fd;
	uint8_t *map;
	size_t map_bytes;
	char *path;
	uint64_t id;
	uint64_t area_bytes;
	struct scap_writer *writer;
	_Atomic uint64_t tail, head, fixed_bytes;
	_Atomic uint64_t n_sections, n_evicted, n_dropped, n_seen, tail_events, journal_errors;
	_Atomic uint64_t start_ns, end_ns;
	pthread_mutex_t lock;		/* of what follows */
	struct scap__ring_done done[SCAP__RING_DONE];	/* the last ones; a cut may be late */
	uint32_t n_done;
	uint32_t n_ends;		/* in the file so far, in turn; the filler's own */
};

static inline struct scap__ring_state_page *scap__ring_page(const struct scap_ring *r)
{
	return (void *)(r->map + SCAP__RING_STATE_OFFSET);
}

/* ring_out.c: the sink of the ring's writer. */
struct scap_sink scap__ring_sink(struct scap_ring *r);

/* ---- ends.c: where the rings of the CPUs stood, for who finds the ring abandoned ------------- */

/* n of struct scap__ring_seq, of the moment raw_ns. More than there is room for: none. */
void scap__ring_put_ends(struct scap_ring *r, uint64_t raw_ns, const void *seqs, size_t n);

struct scap__ring_stood {
	uint64_t ring_id, raw_ns;
	struct scap_ring_end *ends;	/* NULL: nothing is known */
	uint32_t n;
};

/* What lies in a ring's file, which may be anything, into zeroed places: 0 or -ENOMEM. */
int scap__ring_stood_read(int fd, struct scap__ring_stood v[SCAP__RING_ENDS]);
void scap__ring_stood_fini(struct scap__ring_stood v[SCAP__RING_ENDS]);
/*
 * What is known of the end of a capture that holds the recording up to end_ns: the next moment from
 * there on of which it is known where the rings stood, for the recorder notes that in front of each
 * slice. NULL: none.
 */
const struct scap__ring_stood *scap__ring_stood_at(const struct scap__ring_stood v[SCAP__RING_ENDS],
						   uint64_t ring_id, uint64_t end_ns);
/* No record lies behind what it says: it is not of another recording, or made up. */
bool scap__ring_stood_fits(const struct scap__ring_stood *s, const struct scap__index *ix);

/* ---- walk.c: entries, of a mapped ring or of a file that may hold anything ------------------- */

/* An entry's header in this machine's order, and where the rest lies. */
struct scap__ring_found {
	struct scap__ring_entry e;
	const uint8_t *rings, *ends;	/* e.n_rings and e.n_ends of struct scap__ring_seq */
	const uint8_t *section;		/* its header, then its payload */
	size_t section_bytes;
	struct scap__section_header h;	/* the section's, as it was when it was looked at */
};

/*
 * What lies at p, where n bytes are: 0, or SCAP_EDAMAGED. The section's own checksum is not
 * looked at, but that it fits.
 */
int scap__ring_entry_at(const uint8_t *p, size_t n, uint64_t ring_id,
			struct scap__ring_found *ret);
/*
 * The entry at position, or where the area begins anew behind it: 0 and *position is where it is;
 * 1: position is the head; SCAP_EDAMAGED; -EAGAIN: it was overtaken.
 */
int scap__ring_look(struct scap_ring *r, uint64_t *position, struct scap__ring_found *ret);
/*
 * n bytes of `from`, or zeros, come where others may be reading: the only place that does so. In a
 * file of its own, so that ThreadSanitizer can be kept from seeing it (tsan_ring_cut.c).
 */
void scap__ring_overwrite(uint8_t *to, const void *from, size_t n);
/* Whether nothing at this position was overwritten until now. */
bool scap__ring_holds(struct scap_ring *r, uint64_t position);

/* ---- what is common to cuts and recoveries --------------------------------------------------- */

/*
 * Numbers that were given out since what w wrote last: those of sections that were overwritten,
 * damaged or too large for the ring, and so are not in its file.
 */
uint64_t scap__ring_jumped(const struct scap_writer *w, const struct scap__ring_found *f);
/*
 * A section in the ring is written as w's next one: as scap__section_copy(). What lay between it
 * and the one before, if that was not copied, is missing in w's file. w->facts says what is in it.
 */
int scap__ring_copy(struct scap_writer *w, const struct scap__ring_found *f,
		    bool (*still)(void *ctx), void *ctx);
/* The sections from *at on, of n fixed bytes at p, are copied: 0 or an error; *at moves on. */
int scap__ring_copy_fixed(struct scap_writer *w, const uint8_t *p, size_t n, size_t *at);
/* The fixed section at `at`: how many bytes it has; 0: there is none that is whole. */
size_t scap__ring_fixed_at(const uint8_t *p, size_t n, size_t at, struct scap__section_header *h);
/* host.c: the first of them, HOST, with the clocks of another moment, if real_ns is not 0. */
int scap__ring_copy_host(struct scap_writer *w, const uint8_t *p, size_t n, uint64_t raw_ns,
			 uint64_t real_ns, size_t *at);
/* scap_writer_close(), with the file synced behind it. ret_bytes, if not NULL: how large it is. */
int scap__ring_end_capture(struct scap_writer *w, uint64_t end_ns,
			   const struct scap_ring_end *rings, uint32_t n_rings,
			   uint64_t *ret_bytes, struct scap_error *err);
/* How many numbers were given out in front of these ends and are in nothing that w wrote. */
uint64_t scap__ring_lost(const struct scap_writer *w, const struct scap_ring_end *ends,
			 uint32_t n);
/* n of struct scap__ring_seq, in another form; *ends has room for 65,535. */
void scap__ring_list(const uint8_t *p, uint32_t n, struct scap_ring_end *ends);

#endif
