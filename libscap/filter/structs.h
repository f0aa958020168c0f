/* SPDX-License-Identifier: MIT */
/* Structures of user memory as text, by the tables structs.def and fetch.def. */
#ifndef SCAP_FILTER_STRUCTS_H
#define SCAP_FILTER_STRUCTS_H

#include "filter/names.h"

enum scap__member_kind {
	SCAP__MEMBER_INT,
	SCAP__MEMBER_UINT,
	SCAP__MEMBER_HEX,
	SCAP__MEMBER_OCT,
	SCAP__MEMBER_LIMIT,	/* unsigned; all ones are no limit */
	SCAP__MEMBER_FLAGS,
	SCAP__MEMBER_ENUM,
	SCAP__MEMBER_SIGSET,
	SCAP__MEMBER_CHARS,	/* a string that ends at a NUL or with its room */
	SCAP__MEMBER_REST,	/* payload up to the end */
	SCAP__MEMBER_STRUCT,
};

struct scap__layout;

/* Index 0: as 64-bit programs have it, 1: 32-bit ones. */
struct scap__member {
	const char *name;	/* "": the structure is a bare value */
	uint8_t kind;
	const struct scap__domain *domain;
	const struct scap__layout *nested;
	uint16_t at[2], bytes[2];	/* no bytes: the ABI has no such member */
};

enum scap__pointee_kind {
	SCAP__POINTEE_ONE,	/* structure */
	SCAP__POINTEE_ARRAY,
	SCAP__POINTEE_BYTES,
	SCAP__POINTEE_TEXT,
	SCAP__POINTEE_OPTION,	/* an int if it has the size of one, otherwise bytes */
	SCAP__POINTEE_FD_SET,
};

struct scap__layout {
	const struct scap__member *members;
	uint16_t n_members;
	uint16_t size[2];
	uint8_t kind;		/* of layouts that are no structures */
};

/* What an argument points to. */
struct scap__pointee {
	enum scap__pointee_kind kind;
	const struct scap__layout *layout;
};

/* False: the role has no row in fetch.def. */
bool scap__role_pointee(unsigned role, struct scap__pointee *ret);

/* Bytes of user memory that were captured, of a 64-bit (abi32 0) or 32-bit program (1). */
struct scap__memory {
	const uint8_t *p;
	size_t n;
	unsigned abi32;
};

/*
 * How many of the n bytes captured are shown where `max` bytes of payload are (0: all): structures
 * are shown whole, but for one with payload at its end.
 */
size_t scap__pointee_shown(const struct scap__pointee *pt, size_t n, uint32_t max);

/* Whole elements of an array, and the i-th of them. */
size_t scap__memory_elements(const struct scap__memory *mem, const struct scap__layout *l);
struct scap__memory scap__memory_element(const struct scap__memory *mem,
					 const struct scap__layout *l, size_t i);
/* The bytes of a member; false: the ABI does not have it, or they were not captured. */
bool scap__memory_member(const struct scap__memory *mem, const struct scap__member *m,
			 struct scap__memory *ret);
/* A little-endian number of 1 to 8 bytes; CHARS up to their NUL. */
uint64_t scap__memory_uint(const struct scap__memory *mem);
int64_t scap__memory_int(const struct scap__memory *mem);
size_t scap__memory_chars(const struct scap__memory *mem);
/* Whether bit i is set; i < 8 * n. */
static inline bool scap__memory_bit(const struct scap__memory *mem, size_t i)
{
	return mem->p[i / 8] >> (i % 8) & 1;
}

/* A member's value; nested structures are the caller's. */
void scap__out_member(struct scap__out *o, const struct scap__member *m,
		      const struct scap__memory *mem);
/* "{a=1, b=2}", "[{...}, {...}]", "[HUP INT]", "[3 5]". max: elements shown; 0: all. */
void scap__out_pointee(struct scap__out *o, const struct scap__pointee *pt,
		       const struct scap__memory *mem, size_t max);

#endif
