/* SPDX-License-Identifier: MIT */
/* Small .scap files, made block by block. */
#ifndef SUPPORT_SAVEFILE_H
#define SUPPORT_SAVEFILE_H

#include "support_rows.h"

/* Numbers, little-endian. */
void sf_u8(struct rows *r, uint8_t v);
void sf_u16(struct rows *r, uint16_t v);
void sf_u32(struct rows *r, uint32_t v);
void sf_u64(struct rows *r, uint64_t v);
void sf_str(struct rows *r, const char *s);	/* u16 length, bytes */

/* A block's frame around what is put between. */
size_t sf_block(struct rows *r, uint32_t type);
void sf_block_end(struct rows *r, size_t at);

void sf_section(struct rows *r, uint16_t major, uint16_t minor);
void sf_machine(struct rows *r, uint32_t n_cpus, const char *hostname);

struct sf_process {
	uint64_t tid, pid, ptid;
	const char *comm, *exe, *exepath, *args, *cwd;	/* args: one argument, or NULL */
	uint32_t uid, gid;
};

/* A list of one process, as that version of the block has it. */
void sf_processes(struct rows *r, uint32_t block, const struct sf_process *p);
/* A list of one file: FDL version 1 or 2. */
void sf_files(struct rows *r, uint32_t block, uint64_t tid, int64_t fd, const char *path);
void sf_users(struct rows *r, uint32_t block);	/* root (0), group wheel (10) */

/*
 * An event. Its parameters are given by a format, one letter each, and what follows it:
 *	1 2 4	unsigned: 8, 16, 32 bits
 *	8	uint64_t
 *	d	int64_t: descriptors, results, thread ids
 *	s	const char *: a string with its NUL
 *	b	size_t, const void *: bytes
 *	0	nothing: an empty parameter
 */
void sf_event(struct rows *r, uint64_t ts, uint64_t tid, unsigned type, const char *form, ...);
/* The same in the block of that type, on that CPU. */
void sf_event_in(struct rows *r, uint32_t block, uint16_t cpu, uint64_t ts, uint64_t tid,
		 unsigned type, const char *form, ...);

/* The whole, compressed. */
void sf_gzip(struct rows *to, const void *p, size_t n);
void sf_zstd(struct rows *to, const void *p, size_t n);

/* A sound file of some of everything. */
void sf_sample(struct rows *r);

#endif
