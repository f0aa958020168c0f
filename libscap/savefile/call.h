/* SPDX-License-Identifier: MIT */
/* Calls in the making: parameters by their place, and the record that they become. */
#ifndef SCAP_SAVEFILE_CALL_H
#define SCAP_SAVEFILE_CALL_H

#include "format/table.h"
#include "savefile/sock.h"
#include "savefile/translator.h"

/* Where a parameter of an event belongs: see events.def. */
enum scap__sf_place {
	SCAP__SF_NONE,
	SCAP__SF_RET,
	SCAP__SF_A0, SCAP__SF_A1, SCAP__SF_A2, SCAP__SF_A3, SCAP__SF_A4, SCAP__SF_A5,
	SCAP__SF_S0, SCAP__SF_S1, SCAP__SF_S2, SCAP__SF_S3, SCAP__SF_S4, SCAP__SF_S5,
	SCAP__SF_WANTED,		/* what a poll's entry has in S0 */
	SCAP__SF_SIZE,			/* bytes of all parts of a message or vector */
	SCAP__SF_TUPLE,			/* both ends of a socket */
	SCAP__SF_SOCK_FLAGS,		/* a part of socket's type */
	SCAP__SF_FD1, SCAP__SF_FD2, SCAP__SF_DEV, SCAP__SF_INO, SCAP__SF_PATH,
	SCAP__SF_OPEN_FLAGS, SCAP__SF_OPEN_MODE, SCAP__SF_OPEN_RESOLVE,
	SCAP__SF_CUR, SCAP__SF_MAX, SCAP__SF_OLDCUR, SCAP__SF_OLDMAX,
	SCAP__SF_DYN2, SCAP__SF_DYN3, SCAP__SF_DYN_RET,	/* a byte says what it is */
	SCAP__SF_IOU0, SCAP__SF_IOU1, SCAP__SF_IOU2, SCAP__SF_IOU3, SCAP__SF_IOU4, SCAP__SF_IOU5,
	SCAP__SF_CLONE_FLAGS,
	/* Of programs and threads. */
	SCAP__SF_EXE, SCAP__SF_ARGV, SCAP__SF_TID, SCAP__SF_PID, SCAP__SF_PTID, SCAP__SF_CWD,
	SCAP__SF_COMM, SCAP__SF_CGROUPS, SCAP__SF_ENV, SCAP__SF_TTY, SCAP__SF_LOGINUID,
	SCAP__SF_EXE_FLAGS, SCAP__SF_CAP_I, SCAP__SF_CAP_P, SCAP__SF_CAP_E, SCAP__SF_EXE_INO,
	SCAP__SF_EXE_CTIME, SCAP__SF_EXE_MTIME, SCAP__SF_UID, SCAP__SF_GID, SCAP__SF_VTID,
	SCAP__SF_VPID, SCAP__SF_EXEPATH, SCAP__SF_PGID, SCAP__SF_FILENAME,
	/* Of what is no call. */
	SCAP__SF_STATUS, SCAP__SF_NEXT, SCAP__SF_SPID, SCAP__SF_SIG, SCAP__SF_ADDRESS,
	SCAP__SF_IP, SCAP__SF_ERROR, SCAP__SF_SC_ID, SCAP__SF_NATIVE,
	SCAP__SF_PLACES
};

/* How a parameter is stored. */
enum scap__sf_form {
	SCAP__SF_U8, SCAP__SF_U16, SCAP__SF_U32, SCAP__SF_U64,
	SCAP__SF_I8, SCAP__SF_I16, SCAP__SF_I32, SCAP__SF_I64,
	SCAP__SF_STR,		/* with its NUL */
	SCAP__SF_BYTES,
	SCAP__SF_ADDR,
	SCAP__SF_PAIR,		/* both ends of a socket */
	SCAP__SF_FDLIST,
	SCAP__SF_DYN,
	SCAP__SF_TIMESPEC,	/* u64, nanoseconds */
};

struct scap__sf_value {
	const uint8_t *p;	/* NULL: it is not there */
	uint32_t n;
	uint8_t form, conv;
};

struct scap__sf_type {
	uint8_t what;		/* SCAP__SF_ENTER ...; 0: no row */
	bool large;
	uint8_t n_params;
	const char *call;
	const struct scap__sf_place_of {
		uint8_t place, form, conv;
	} *params;
};

/* Types that are asked for by name. */
#define SCAP__SF_PROCEXIT_OLD	16
#define SCAP__SF_PROCEXIT	186
#define SCAP__SF_TYPE_GENERIC	1	/* and below */

enum { SCAP__SF_ENTER = 1, SCAP__SF_EXIT, SCAP__SF_OTHER };

/* NULL: no row. */
const struct scap__sf_type *scap__sf_type_of(unsigned type);
/* A call's number, -1: it has none. sc_id, native: of those without events of their own. */
int64_t scap__sf_nr_of_type(struct scap__savefile *sf, unsigned type);
int64_t scap__sf_nr_of_code(struct scap__savefile *sf, uint64_t sc_id, uint64_t native);

struct scap__sf_blob {
	const void *p;
	uint32_t n, orig;
	uint8_t state;
	bool any;
};

struct scap__sf_call {
	struct scap__savefile *sf;
	const struct scap__sf_event *ev;
	struct scap__sf_thread *t;	/* NULL: there was no room for it */
	const struct scap__syscall *sc;	/* NULL: no row */
	int64_t nr, ret;
	bool has_ret, has_entry, child, in_pidns;
	uint64_t latency_ns;
	struct scap__sf_value v[SCAP__SF_PLACES];
	uint64_t args[6];
	uint8_t known;			/* bits of args */
	struct scap__sf_blob blobs[SCAP_SLOTS];
	struct scap__sf_file *file, *file2;
	struct scap__sf_file *held[2];	/* what they were at first: the call may end them */
	uint8_t scratch[1024];		/* what blobs point to that is made here */
	size_t n_scratch;
};

void scap__sf_collect(struct scap__sf_value *v, const struct scap__sf_event *ev);
/* false: it is not there. */
bool scap__sf_number(const struct scap__sf_value *v, uint64_t *ret);
uint64_t scap__sf_number_or(const struct scap__sf_value *v, uint64_t otherwise);
/* A string without its NUL; empty where there is none. */
struct scap__sf_text scap__sf_string(const struct scap__sf_value *v);

/* args, known, ret from v; then blobs, which also depend on the files of the call. */
void scap__sf_fill_words(struct scap__sf_call *c);
void scap__sf_fill_blobs(struct scap__sf_call *c);
/* How many arguments there are something to say of; those before them are marked as not known. */
unsigned scap__sf_mark_unknown(struct scap__sf_call *c);
/* CALL, with what must be introduced; ENTER of an entry. */
void scap__sf_put_call(struct scap__sf_call *c);
void scap__sf_put_enter(struct scap__sf_call *c);
/* Memory within c for a blob of at most n bytes; NULL: none left. */
void *scap__sf_scratch(struct scap__sf_call *c, size_t n);
void scap__sf_set_blob(struct scap__sf_call *c, unsigned slot, const void *p, size_t n);
/* Index of the nth argument (from 0) of that role; -1: there is none. */
int scap__sf_find_arg(const struct scap__syscall *sc, unsigned role);

/* ---- effects.c, process.c ------------------------------------------------------------------- */

/* What the call changes: before its record is written, and after that. */
void scap__sf_before(struct scap__sf_call *c);
void scap__sf_after(struct scap__sf_call *c);
/* The call's files are not looked at any more. */
void scap__sf_release(struct scap__sf_call *c);
void scap__sf_cloned(struct scap__sf_call *c);
void scap__sf_executed(struct scap__sf_call *c);
/* Events that are no calls. */
bool scap__sf_is_other(unsigned type);
void scap__sf_put_other(struct scap__savefile *sf, const struct scap__sf_event *ev);

#endif
