/* SPDX-License-Identifier: MIT */
/* What an event is made of, as names and texts: its parameters, its result, its file. */
#ifndef SCAP_FILTER_VALUE_H
#define SCAP_FILTER_VALUE_H

#include "filter/out.h"
#include "format/event.h"

enum scap__param_kind {
	SCAP__PARAM_ARG,	/* argument `arg`, read as `role` says */
	SCAP__PARAM_STRING,	/* the blob in slot `arg` is a path or word */
	SCAP__PARAM_ADDRESS,	/* the blob in slot `arg` is a sockaddr */
	SCAP__PARAM_SCM_FDS,	/* the blob in slot `arg` has descriptors handed over, */
	SCAP__PARAM_SCM_CREDS,	/* credentials */
	SCAP__PARAM_FILE,	/* the path of ev->file, */
	SCAP__PARAM_FILE2,	/* of ev->file2 */
	SCAP__PARAM_NUMBER,	/* `value` */
	SCAP__PARAM_TEXT,	/* `text` */
	SCAP__PARAM_STATUS,	/* `value` is a wait status */
	SCAP__PARAM_INT,	/* `value`, signed */
	SCAP__PARAM_HEX,	/* `value`, as a word or an address */
	SCAP__PARAM_OCT,	/* `value` is a mode */
	SCAP__PARAM_FLAGS,	/* `value`, by the names of `domain` */
	SCAP__PARAM_ENUM,	/* the same, where it is one of them */
	SCAP__PARAM_STRINGS,	/* the blob in slot `arg` is strings, each with its NUL */
	SCAP__PARAM_PIDS,	/* a new thread's numbers, by pid namespace */
};

struct scap__domain;

struct scap__param {
	const char *name;
	uint8_t kind, arg;
	uint16_t role;
	bool detail;		/* too much for a line of text: for JSON, and when asked for */
	uint64_t value;
	const char *text;
	const struct scap__domain *domain;
};

#define SCAP__PARAMS_MAX 64

/*
 * The parameters that the event has, in the order shown: arguments that mean something (no mode
 * where nothing is created, no third argument for an fcntl that takes none) and what the record
 * adds to them. Returns their number.
 */
unsigned scap__params(const struct scap_event *ev, struct scap__param p[SCAP__PARAMS_MAX]);

/* The value, safe for a terminal. max_bytes: of a payload or string shown; 0: all. */
void scap__out_param(struct scap__out *o, const struct scap_event *ev, const struct scap__param *p,
		     uint32_t max_bytes);
/*
 * The parameter's own bytes where it is a string or payload that was (at least in part) captured:
 * true. ret_blob is NULL for the path of a file.
 */
bool scap__param_bytes(const struct scap_event *ev, const struct scap__param *p,
		       const uint8_t **ret_data, size_t *ret_bytes,
		       const struct scap__blob **ret_blob);
/* The argument as a number where its role is a plain number. */
bool scap__param_number(const struct scap_event *ev, const struct scap__param *p, bool *ret_signed,
			uint64_t *ret_value);

/* What is shown by names, as a word, or as a descriptor, as the number behind that. */
bool scap__param_word(const struct scap_event *ev, const struct scap__param *p,
		      uint64_t *ret_value);

/* Slot of the blob that holds what the parameter points to. */
unsigned scap__param_slot(const struct scap__param *p);
bool scap__is_string_role(unsigned role);
/* The role of the result in this call. */
unsigned scap__ret_role(const struct scap_event *ev);
/* A record without the path asked for: the path of the file that was found stands for it. */
bool scap__path_is_files(const struct scap_event *ev, const struct scap__param *p);
/* The file behind descriptor argument i, and behind the result; NULL: not known. */
const struct scap__file *scap__arg_file(const struct scap_event *ev, unsigned i);
const struct scap__file *scap__ret_file(const struct scap_event *ev);

/* O_CREAT, and the bit that only O_TMPFILE has. */
#define SCAP__OPEN_CREATES (0100u | 020000000u)

/* Whether ret is an error (-errno, or the code of an interrupted call). */
bool scap__failed(const struct scap_event *ev);
/* "3</srv/x>", "EACCES(-13)", "0x7f0000000000", "trapped", "?". */
void scap__out_result(struct scap__out *o, const struct scap_event *ev);
/* The name of the error in ret (negative); NULL: it has none. */
const char *scap__ret_errno(const struct scap_event *ev);

/*
 * The descriptor that the event is about: the new one, or the first descriptor argument. false:
 * there is none. *ret_file may be NULL.
 */
bool scap__event_fd(const struct scap_event *ev, int64_t *ret_num,
		    const struct scap__file **ret_file);
/*
 * The socket as the call meant it. A connect that failed, or goes on: where f (NULL: not known) has
 * no remote end, *ret is f with the one that was asked for, and the result. A datagram: *ret is f
 * with the address that it went to or came from. Otherwise f.
 */
const struct scap__file *scap__as_connected(const struct scap_event *ev, const struct scap__file *f,
					    struct scap__file *ret);
/* Whether the call makes a descriptor from a path. */
bool scap__open_like(const struct scap_event *ev);
bool scap__is_stream(const struct scap__file *f);

/* ---- paths ---- */

unsigned scap__n_paths(const struct scap_event *ev);
/*
 * The nth path that the call names, from 0 (its bytes): that of the file which the kernel found,
 * where it left one, otherwise the one asked for, behind the directory that it starts from as far
 * as that is known, without "." and "..". false: there is none.
 */
bool scap__out_path(struct scap__out *o, const struct scap_event *ev, unsigned nth);
/* The nth path as the program passed it; NULL: not recorded. */
const struct scap__blob *scap__asked_path(const struct scap_event *ev, unsigned nth);
/* The file that the kernel found for the nth path; NULL: it left none. */
const struct scap__file *scap__path_file(const struct scap_event *ev, unsigned nth);
/* The working directory, where a path of the call starts from it and no argument says so. */
const struct scap__file *scap__work_dir(const struct scap_event *ev);

/* ---- for value.c ---- */

unsigned scap__n_known_args(const struct scap_event *ev);
/* Whether args[i] is what the program passed: other recorders keep no pointers. */
bool scap__arg_word_known(const struct scap_event *ev, unsigned i);
/* It is no pointer, and a mark says that nobody knows it. */
bool scap__arg_unknown(const struct scap_event *ev, unsigned i);
/* The first argument of that role; -1: there is none. */
bool scap__is_fd_role(unsigned role);
int scap__find_role(const struct scap_event *ev, unsigned role);
bool scap__returns_new_fd(const struct scap_event *ev);
bool scap__exec_succeeded(const struct scap_event *ev);
/* The file of the descriptor that it returns; NULL: not known for sure. */
const struct scap__file *scap__new_file(const struct scap_event *ev);

/* ---- files and addresses (names of things outside the call) ---- */

/* "5</srv/x>(deleted)"; f may be NULL. */
void scap__out_fd(struct scap__out *o, int32_t fd, const struct scap__file *f);
/* Path, both ends of a socket, or "socket:[ino]". */
void scap__out_file_name(struct scap__out *o, const struct scap__file *f);
/* "file", "ipv4", "pipe" ... */
const char *scap__file_type(const struct scap__file *f);
/* Takes a struct sockaddr as f's remote end; false: the kinds do not fit, or it has one that is not
   to be replaced. */
bool scap__file_set_remote(struct scap__file *f, const uint8_t *p, size_t n, bool replace);
/* A struct sockaddr as programs hand it over. */
void scap__out_sockaddr(struct scap__out *o, const uint8_t *p, size_t n);
void scap__out_wait_status(struct scap__out *o, uint32_t status);

struct scap__addr {
	bool v6;
	uint8_t bytes[16];	/* the first four for IPv4; IPv4 in IPv6 is IPv4 */
	uint16_t port;
};

/* Both ends of an internet socket; false: it is none. *ret_n: 1 while there is no remote end. */
bool scap__file_ends(const struct scap__file *f, struct scap__addr ends[2], unsigned *ret_n);

#endif
