/* SPDX-License-Identifier: GPL-2.0-only */
/* The path of a file, resolved by walking the kernel's own tree; from atomic context. */
#ifndef KSCAP_PATH_H
#define KSCAP_PATH_H

#include <linux/path.h>
#include <linux/types.h>

struct fs_struct;

/*
 * Writes the path from its end into buf's end; the caller holds the file or is under RCU. Returns
 * its length; *ret_at where it begins in buf, *ret_flags SCAP_FILE_UNCERTAIN / DETACHED,
 * *ret_cut whether the front is missing. size at least 64.
 */
u32 kscap_path_walk(const struct path *path, char *buf, u32 size, char **ret_at, u8 *ret_flags,
		    bool *ret_cut);
/*
 * A consistent copy of fs->pwd or fs->root (`which` is one of them) without its lock; false: it
 * keeps changing, or this is an interrupt in the middle of a change. Stays in memory under RCU.
 */
bool kscap_fs_path(struct fs_struct *fs, const struct path *which, struct path *ret_path);
/* Checks what is assumed of the private struct mount against a known mount. */
void kscap_path_init(void);

#endif
