/* SPDX-License-Identifier: MIT */
/* The system-call tables of driver/uapi/scap as data. */
#ifndef SCAP_FORMAT_TABLE_H
#define SCAP_FORMAT_TABLE_H

#include <scap/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scap__arg {
	uint16_t role;		/* enum scap_role */
	const char *name;
};

struct scap__syscall {
	const char *name;	/* as shown for this ABI */
	const char *row;
	uint16_t ret_role;
	uint8_t nargs;
	const struct scap__arg *args;	/* six; those from nargs on are NONE */
};

/* NULL: no row. x32 numbers are looked up without their bit 0x40000000. */
const struct scap__syscall *scap__syscall_lookup(unsigned abi, int64_t nr);
/* Number of the call with this name in the ABI, or -1. */
int64_t scap__syscall_nr(unsigned abi, const char *name);
/* Name of a record type for GAP tallies and events that are no calls; NULL: none. */
const char *scap__rec_type_name(unsigned type);
/*
 * The name that events of this kind go by, also for a GAP's tally key (SCAP_REC_*, ABI, number):
 * "read", "execve_enter", "procexit", "syscall_999". Made-up names go to buf.
 */
const char *scap__event_type_name(unsigned type, unsigned abi, int64_t nr, char *buf, size_t cap);
/* The same of a tally's key, in which one number stands for all that do not fit. */
const char *scap__tally_name(uint32_t key, char *buf, size_t cap);
/*
 * Whether the key may stand for several kinds: for numbers that fit into no key, or, as the last
 * one of a full tally, for anything.
 */
bool scap__tally_is_other(uint32_t key);

#endif
