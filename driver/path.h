/* SPDX-License-Identifier: GPL-2.0-only */
/* The path of a file, resolved by walking the kernel's own tree; from atomic context. */
#ifndef KSCAP_PATH_H
#define KSCAP_PATH_H

#include <linux/path.h>
#include <linux/types.h>

/*
 * Writes the path from its end into buf's end; the caller holds the file or is under RCU. Returns
 * its length; *ret_at where it begins in buf, *ret_flags SCAP_FILE_UNCERTAIN / DETACHED,
 * *ret_cut whether the front is missing. size at least 64.
 */
u32 kscap_path_walk(const struct path *path, char *buf, u32 size, char **ret_at, u8 *ret_flags,
		    bool *ret_cut);
/* Checks what is assumed of the private struct mount against a known mount. */
void kscap_path_init(void);

#endif
