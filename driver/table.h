/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of syscalls.def as the hot path wants them, found by ABI and number. */
#ifndef KSCAP_TABLE_H
#define KSCAP_TABLE_H

#include <linux/nospec.h>
#include <linux/types.h>
#include <scap/abi.h>

#include "arch/x86.h"

struct kscap_row {
	u8 flags;		/* KSCAP_ROW_* */
	u8 nargs;
	s8 fd_arg;		/* first descriptor argument, -1: none */
	s8 blob_arg;		/* first argument that has a blob, -1: none or several */
	u8 role[6];		/* KSCAP_ROLE() */
	u8 blob_args;		/* bit i: argument i has a blob */
	s8 fd_arg2;		/* second descriptor argument */
	u8 manners;		/* KSCAP_CALL_* */
	u8 way;			/* enum kscap_way */
	u8 pad[2];
	u64 shape;		/* number, ABI and count of arguments, where a CALL has them */
	u64 call;		/* what the stash holds while it is under way */
};

/* Roles that the kernel does not act on are all the same to it. */
#define KSCAP_ROLE(role)	((role) < SCAP_FETCH_END ? (role) : 0)

#define KSCAP_ROW_BLOBS		0x01	/* an argument that encode.c acts on */
#define KSCAP_ROW_RET_FD	0x02
#define KSCAP_ROW_EXEC		0x04	/* arguments only at entry; marked at entry */
#define KSCAP_ROW_EXIT		0x08	/* never returns; marked at entry */
#define KSCAP_ROW_CLOSE		0x10	/* its file is gone at exit */
#define KSCAP_ROW_SIGRETURN	0x20	/* registers at exit are those of the interrupted code */
#define KSCAP_ROW_FILES		0x40	/* has a descriptor among arguments or result */
#define KSCAP_ROW_PATHS		0x80	/* names files by path */

/* Which code of capture.c its exit takes, where all is well. */
enum kscap_way {
	KSCAP_WAY_GENERAL,
	KSCAP_WAY_LEAN,		/* arguments alone */
	KSCAP_WAY_IO,		/* one descriptor, one buffer */
	KSCAP_WAY_PATH,		/* one path, and perhaps its directory's descriptor */
	KSCAP_WAY_RICH,
};

/* decisive.def */
#define KSCAP_CALL_LANE		0x01
#define KSCAP_CALL_PASS		0x02

#define KSCAP_CALL_ROOTS	0x04	/* gives tasks another root directory */
/* Of calls with paths, see fill_path.c. */
#define KSCAP_CALL_BASE_2ND	0x10	/* the first path's directory is the second file */
#define KSCAP_CALL_TO_CWD	0x20	/* success changes the working directory */
#define KSCAP_CALL_TO_ROOT	0x40	/* the root directory */
#define KSCAP_CALL_PATHS	0x80	/* the first blob is not the only path */

enum kscap_entry {
	KSCAP_ENTRY_SKIP,	/* nobody wants it */
	KSCAP_ENTRY_PLAIN,
	KSCAP_ENTRY_SPECIAL,	/* something is to be recorded at the entry */
};

/* Bytes 4 to 7 of the word of a CALL that holds ret, nr, shape, more. */
#ifdef __LITTLE_ENDIAN
#define KSCAP_SHAPE_WORD(nr, shape, more) \
	((u64)(u16)(nr) << 32 | (u64)(shape) << 48 | (u64)(more) << 56)
#define KSCAP_RET_WORD(ret)		((u64)(u32)(ret))
#define KSCAP_TID_WORD(tid, latency)	((u32)(tid) | (u64)(latency) << 32)
#else
#define KSCAP_SHAPE_WORD(nr, shape, more) \
	((u64)(u16)(nr) << 16 | (u64)(shape) << 8 | (u64)(more))
#define KSCAP_RET_WORD(ret)		((u64)(u32)(ret) << 32)
#define KSCAP_TID_WORD(tid, latency)	((u64)(tid) << 32 | (u32)(latency))
#endif

#define KSCAP_NR_ROWS	512	/* numbers with a row are below, in every ABI; a power of two */

/* By ABI and number; behind them the row of all other numbers. */
#define KSCAP_RAW_ROW	(2 * KSCAP_NR_ROWS)
#define KSCAP_N_ROWS	(KSCAP_RAW_ROW + 1)
extern struct kscap_row kscap_nr_row[KSCAP_N_ROWS];

/*
 * What is asked first of every call, so by the same number, which is cheaper to get than the row.
 * Changed under the consumers' lock, read by probes without it.
 */
extern u8 kscap_nr_wanted[KSCAP_N_ROWS];	/* bit c: consumer c wants such calls */
extern u8 kscap_nr_entry[KSCAP_N_ROWS];		/* enum kscap_entry */

/*
 * nr is below KSCAP_NR_ROWS, abi is not that of x32. The mask keeps speculation inside the table;
 * the compiler must not know that it does nothing.
 */
static __always_inline unsigned long kscap_row_nr(unsigned int abi, u32 nr)
{
	unsigned long i = nr;

	OPTIMIZER_HIDE_VAR(i);
	return (i & (KSCAP_NR_ROWS - 1)) | abi * KSCAP_NR_ROWS;
}

static __always_inline struct kscap_row *kscap_row_small(unsigned int abi, u32 nr)
{
	return &kscap_nr_row[kscap_row_nr(abi, nr)];
}

/* Never NULL: numbers without a row have one of six unknown arguments. */
static __always_inline struct kscap_row *kscap_row(unsigned int abi, int nr)
{
	u32 i = nr;

	if (unlikely(i >= KSCAP_NR_ROWS)) {
		i &= ~KSCAP_X32_BIT;
		if (abi != SCAP_ABI_X32 || i >= KSCAP_NR_ROWS)
			return &kscap_nr_row[KSCAP_RAW_ROW];
	}
	return kscap_row_small(abi == SCAP_ABI_I386, i);
}

/* Completes the rows' flags. */
void kscap_table_init(void);

/*
 * Who wants which calls: the consumers of `active`, whose bitmaps (by ABI and number; NULL: all)
 * are calls[c]. Under the consumers' lock.
 */
void kscap_table_want(u32 active, const unsigned long *const calls[8]);

#endif
