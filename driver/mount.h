/* SPDX-License-Identifier: GPL-2.0-only */
/* What the private struct mount says of itself. */
#ifndef KSCAP_MOUNT_H
#define KSCAP_MOUNT_H

#include <linux/types.h>

struct vfsmount;

/*
 * The mount's number in mountinfo and the inode number of the namespace that it is mounted in; 0
 * where that is not known, or where it is in none. Under RCU.
 */
void kscap_mount_ids(const struct vfsmount *mnt, u32 *ret_id, u32 *ret_ns);
/* Finds the two fields by what is known of this process' mounts. */
void kscap_mount_init(void);

#endif
