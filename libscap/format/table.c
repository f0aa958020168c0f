/* SPDX-License-Identifier: MIT */
#include "format/table.h"

#include <stdio.h>
#include <string.h>

#define X32_BIT		0x40000000
#define NR_OTHER	0xffff	/* a tally's number for what does not fit in it */

/* Per row: its arguments, and as constants how many they are and what comes back. */
#define A(role, name) { SCAP_ROLE_##role, #name }
#define SCAP_SYSCALL(row, ret, ...) \
	static const struct scap__arg args_##row[6] = { __VA_ARGS__ };
#include <scap/syscalls.def>
#undef SCAP_SYSCALL
#undef A

enum {
#define A(role, name) 0
#define SCAP_SYSCALL(row, ret, ...) \
	N_ARGS_##row = sizeof((char[]){ 0, __VA_ARGS__ }) - 1, \
	RET_##row = SCAP_ROLE_##ret,
#include <scap/syscalls.def>
#undef SCAP_SYSCALL
#undef A
};

#define SCAP_NR(nr, name, row) [nr] = { #name, #row, RET_##row, N_ARGS_##row, args_##row },

static const struct scap__syscall x86_64[] = {
#include <scap/nr/x86_64.def>
};

static const struct scap__syscall i386[] = {
#include <scap/nr/i386.def>
};

#undef SCAP_NR

struct abi_table {
	const struct scap__syscall *rows;
	size_t n;
	int64_t bit;		/* set in every number */
};

static const struct abi_table abis[SCAP_ABIS] = {
	[SCAP_ABI_X86_64] = { x86_64, sizeof(x86_64) / sizeof(x86_64[0]), 0 },
	[SCAP_ABI_I386] = { i386, sizeof(i386) / sizeof(i386[0]), 0 },
	[SCAP_ABI_X32] = { x86_64, sizeof(x86_64) / sizeof(x86_64[0]), X32_BIT },
};

const struct scap__syscall *scap__syscall_lookup(unsigned abi, int64_t nr)
{
	const struct abi_table *t;

	if (abi >= SCAP_ABIS)
		return NULL;
	t = &abis[abi];
	if (nr < 0)
		return NULL;
	nr &= ~t->bit;
	if ((uint64_t)nr >= t->n || !t->rows[nr].name)
		return NULL;
	return &t->rows[nr];
}

int64_t scap__syscall_nr(unsigned abi, const char *name)
{
	if (abi >= SCAP_ABIS)
		return -1;
	for (size_t i = 0; i < abis[abi].n; i++) {
		const char *row_name = abis[abi].rows[i].name;

		if (row_name && !strcmp(row_name, name))
			return (int64_t)i | abis[abi].bit;
	}
	return -1;
}

const char *scap__rec_type_name(unsigned type)
{
	static const char *const names[SCAP_REC_TYPES] = {
#define SCAP_EVENT(nr, ID, name, text) [nr] = name,
#include <scap/events.def>
#undef SCAP_EVENT
	};

	return type < SCAP_REC_TYPES ? names[type] : NULL;
}

static const char *call_name(unsigned abi, int64_t nr, char *buf, size_t cap)
{
	const struct scap__syscall *sc = scap__syscall_lookup(abi, nr);

	if (sc)
		return sc->name;
	snprintf(buf, cap, "syscall_%lld", (long long)nr);
	return buf;
}

static const char *enter_name(unsigned abi, int64_t nr, char *buf, size_t cap)
{
	char tmp[32];
	const char *name = call_name(abi, nr, tmp, sizeof(tmp));

	if (!strcmp(name, "exit"))
		return "exit";
	if (!strcmp(name, "exit_group"))
		return "exit_group";
	snprintf(buf, cap, "%.24s_enter", name);
	return buf;
}

const char *scap__event_type_name(unsigned type, unsigned abi, int64_t nr, char *buf, size_t cap)
{
	const char *name;

	if (type == SCAP_REC_CALL)
		return call_name(abi, nr, buf, cap);
	if (type == SCAP_REC_ENTER)
		return enter_name(abi, nr, buf, cap);
	name = scap__rec_type_name(type);
	if (name)
		return name;
	snprintf(buf, cap, "type_%u", type);
	return buf;
}

const char *scap__tally_name(uint32_t key, char *buf, size_t cap)
{
	unsigned type = SCAP_TALLY_TYPE(key);

	if (SCAP_TALLY_NR(key) == NR_OTHER && type == SCAP_REC_CALL)
		return "syscall_other";
	if (SCAP_TALLY_NR(key) == NR_OTHER && type == SCAP_REC_ENTER)
		return "syscall_other_enter";
	return scap__event_type_name(type, SCAP_TALLY_ABI(key), SCAP_TALLY_NR(key), buf, cap);
}

bool scap__tally_is_other(uint32_t key)
{
	return SCAP_TALLY_NR(key) == NR_OTHER;
}
