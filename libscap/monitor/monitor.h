/* SPDX-License-Identifier: MIT */
/*
 * A slice is gone over in two steps. The first takes each ring's records by themselves, as they
 * lie: it counts, knows programs and kinds of files, and picks out what the order over all rings
 * matters for: records that a condition may want, names, and what is read from and written to
 * stream sockets. The second takes the picks in the order of time.
 */
#ifndef SCAP_MONITOR_MONITOR_H
#define SCAP_MONITOR_MONITOR_H

#include <scap/abi.h>
#include <scap/monitor.h>

#include <pthread.h>

#include "core/arena.h"
#include "core/bytes.h"
#include "core/map.h"
#include "format/event.h"
#include "format/intro.h"

/* ---- kinds of records ------------------------------------------------------------------------ */

/* What the result of a call says of the files that its cookies are. */
enum scap__io {
	SCAP__IO_NONE,
	SCAP__IO_IN,		/* so many bytes came out of the first */
	SCAP__IO_OUT,		/* so many went into it */
	SCAP__IO_IN_MANY,	/* so many messages, of which the record has the first */
	SCAP__IO_OUT_MANY,
	SCAP__IO_SENDFILE,	/* so many bytes went from the second to the first */
	SCAP__IO_MOVE,		/* from the first to the second */
	SCAP__IO_CONNECT,
	SCAP__IO_SOCKETCALL,	/* the first argument says what; neither cookies nor data */
	SCAP__IO_CLOSE,
};

#define SCAP__NRS 512		/* numbers of calls that have a kind of their own */
#define SCAP__KIND_CALLS SCAP_REC_TYPES
#define SCAP__KIND_OTHER (SCAP__KIND_CALLS + 2 * SCAP_ABIS * SCAP__NRS)	/* CALL, then ENTER */
#define SCAP__KINDS (SCAP__KIND_OTHER + 2)

enum scap__known {
	SCAP__KNOWN_NOT,	/* the rest is filled in at its first record */
	SCAP__KNOWN_UNWANTED,	/* by all conditions */
	SCAP__KNOWN_WANTED,
	SCAP__KNOWN_NEVER,	/* what no kind is */
};

struct scap__monitor_kind {
	uint8_t known;		/* enum scap__known */
	bool no_result;
	uint8_t io;		/* enum scap__io */
	uint8_t msg_flags;	/* the argument that may say MSG_PEEK; 0: none */
};

/* ---- conditions ------------------------------------------------------------------------------ */

struct scap__condition {
	uint32_t kind;		/* SCAP_CONDITION_* */
	uint32_t count;
	uint64_t window_ns;
	uint64_t *times;	/* of the last events, count of them in a ring; NULL: count 1 */
	uint32_t n, at;		/* in it; where the next one goes */
	struct scap_filter *filter;	/* NULL: none */
};

struct scap__conditions {
	void (*fired)(void *ctx, uint32_t condition, const struct scap_event *ev);
	void *ctx;
	uint32_t n, n_words;
	bool http;		/* one of them is about HTTP */
	bool numbers;		/* a filter asks for evt.num */
	struct scap__condition *v;
	uint64_t *bits;		/* for each kind n_words: the conditions that may want it */
	/* Where their filters begin for a kind, by condition; NULL: at their entries. */
	uint32_t *entries[SCAP__KINDS];
	struct scap__monitor_kind kinds[SCAP__KINDS];
};

int scap__conditions_new(const struct scap_monitor_options *opt, struct scap__conditions **ret_c,
			 uint32_t *ret_condition, struct scap_error *err);
void scap__conditions_free(struct scap__conditions *c);
/* Fills in what is known of the kind of a record. */
void scap__conditions_learn(struct scap__conditions *c, uint32_t kind);
/* Counts an event that satisfies the condition; whether it fires. Times do not go back. */
bool scap__condition_counts(struct scap__condition *c, uint64_t ns);

/* ---- picks ----------------------------------------------------------------------------------- */

#define SCAP__PICK_NAME		0x1	/* INTRO, FILE */
#define SCAP__PICK_WANTED	0x2	/* by a condition, perhaps */
#define SCAP__PICK_HTTP		0x4	/* something happened to a stream socket: io */

/* What happened to a stream socket. */
enum scap__http_io {
	SCAP__HTTP_READ,
	SCAP__HTTP_WRITE,
	SCAP__HTTP_WRITE_MANY,	/* further messages followed this one */
	SCAP__HTTP_UNSEEN,	/* bytes from elsewhere went into it: sendfile(2), splice(2) */
	SCAP__HTTP_CLOSE,
};

struct scap__pick {
	const uint8_t *p;
	uint64_t order_ns;	/* where it is placed */
	struct scap__program *program;	/* of its thread, for signals */
	uint32_t part;
	uint32_t n_before;	/* events of its part that come before it */
	uint32_t cookie;	/* of the socket */
	uint16_t kind;
	uint8_t why;		/* SCAP__PICK_* */
	uint8_t io;		/* enum scap__http_io */
};

struct scap__monitor_part {
	const uint8_t *p, *end;
	uint32_t ring;
	uint32_t pick, end_pick;	/* the next of its picks */
	/* As far as numbers needed to be known: the record at p is not counted yet. */
	uint64_t order_ns;
	uint64_t n_counted;
};

/* ---- signals --------------------------------------------------------------------------------- */

struct scap__program {
	struct scap_signals s;
};

struct scap__programs {
	struct scap__program *v;	/* the first is the rest */
	uint32_t n, max;
	uint32_t *slots;		/* open addressing; 0: free */
	uint32_t n_slots;		/* a power of two */
	uint64_t n_dropped;
};

int scap__programs_init(struct scap__programs *p, uint32_t max);
void scap__programs_fini(struct scap__programs *p);
/* The program of that name in that cgroup, or the rest. comm: 16 bytes. */
struct scap__program *scap__programs_get(struct scap__programs *p, const uint8_t *comm,
					 uint64_t cgroup_id);

/* ---- HTTP ------------------------------------------------------------------------------------ */

struct scap__socket {
	uint64_t request_ns;	/* when the request began to be read; 0: not known */
	uint32_t cookie;
	uint32_t next;		/* in its slot's list */
	uint32_t newer, older;	/* by last use, around the entry 0 */
	uint8_t state;
	uint8_t n_matched;
	uint16_t status;
	bool closed;
};

struct scap__sockets {
	struct scap__socket *v;		/* 1 to max; 0: none */
	uint32_t *slots;
	uint32_t n, max, n_slots;	/* n_slots: a power of two */
	uint64_t n_dropped;
};

int scap__sockets_init(struct scap__sockets *s, uint32_t max);
void scap__sockets_fini(struct scap__sockets *s);
/* The socket's state, as the one last used; the one used longest ago may go for it. */
struct scap__socket *scap__sockets_get(struct scap__sockets *s, uint32_t cookie);
/* It may be forgotten before all others, and that is no loss. */
void scap__sockets_close(struct scap__sockets *s, uint32_t cookie);

struct scap__http_found {
	unsigned status;	/* of the final response, 0: none */
	unsigned n_interim;	/* responses of the 100s */
};

/* Something was read from it. */
void scap__http_read(struct scap__socket *s, uint64_t ns);
/* Whether the next bytes written may be those of a status line. */
bool scap__http_waits(const struct scap__socket *s);
/* total bytes were written, of which the first n are known. */
void scap__http_write(struct scap__socket *s, const uint8_t *data, size_t n, size_t total,
		      struct scap__http_found *ret);

/* ---- the whole ------------------------------------------------------------------------------- */

struct scap_monitor {
	pthread_mutex_t lock;	/* over all that follows; held while a slice is gone over */
	uint32_t flags;
	struct scap__conditions *conditions;
	struct scap_monitor_totals totals;
	struct scap__budget names;	/* of the three that follow */
	struct scap__intros intros;	/* in the order of time, for conditions */
	struct scap__map threads;	/* by ring and tid: struct scap__program */
	struct scap__map files;		/* by ring and cookie: SCAP__FILE_* and kind */
	uint64_t epoch;		/* of threads and files */
	struct scap__programs programs;
	struct scap__sockets sockets;
	struct scap__pick *picks;
	uint32_t n_picks, picks_cap;
	struct scap__monitor_part *parts;
	uint32_t *heap;		/* parts that still have picks */
	uint32_t parts_cap, n_heap;
	struct scap_event ev;
};

#define SCAP__FILE_KNOWN	0x10000u
#define SCAP__FILE_STREAM	0x20000u
#define SCAP__FILE_KIND(v)	((v) & 0xffff)

/* The record's length; it is one that was checked. */
static inline size_t scap__rec_bytes(const uint8_t *p)
{
	return (size_t)scap__le16(p) * 8;
}

/* What gets a number, whether its type is known or not. */
static inline bool scap__rec_is_event(unsigned type)
{
	return type < SCAP_REC_INTRO;
}

static inline bool scap__monitor_follows(const struct scap_monitor *m)
{
	return m->flags & SCAP_MONITOR_SIGNALS || m->conditions->http;
}

/* ring.c, the first step: picks of a part whose records were checked. 0, -ENOMEM, SCAP_ELIMIT. */
int scap__monitor_ring(struct scap_monitor *m, uint32_t part, uint64_t end_ns);
/* order.c, the second. 0, or the first error, after which it went on. */
int scap__monitor_order(struct scap_monitor *m, const struct scap_slice *s);

#endif
