// SPDX-License-Identifier: GPL-2.0-only
/*
 * d_path() costs three times as much, takes spinlocks on a changed tree, hides what lies outside
 * the task's root, and marks deleted files ambiguously. This walk goes from the file's dentry up
 * to the root of its mount tree, without locks: RCU keeps dentries and mounts in memory, the
 * rename lock's sequence tells whether a rename came between.
 *
 * It needs mnt_parent and mnt_mountpoint of the private struct mount, which lie right before the
 * embedded struct vfsmount (5.10 to 6.12 at least). kscap_path_init() checks that; where it does
 * not hold, paths end at their mount's root and are flagged DETACHED.
 */
#include "path.h"

#include <linux/dcache.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <scap/abi.h>

#define MAX_COMPONENTS	64

struct mount_front {
	struct vfsmount *parent_mnt;	/* really struct mount *mnt_parent */
	struct dentry *mountpoint;
};

/*
 * The file system that all mount trees end in: each namespace has a copy of the same root. A tree
 * that ends elsewhere was unmounted lazily, or never mounted. NULL: struct mount is not known.
 */
static const struct super_block *top_sb __ro_after_init;

static const struct mount_front *front_of(const struct vfsmount *mnt)
{
	return (const struct mount_front *)mnt - 1;
}

/* struct mount begins two list pointers before mount_front. */
static const struct vfsmount *parent_of(const struct vfsmount *mnt)
{
	const char *mount = (const char *)READ_ONCE(front_of(mnt)->parent_mnt);

	return (const struct vfsmount *)(mount + sizeof(struct hlist_node) +
					 sizeof(struct mount_front));
}

static unsigned int rename_seq(void)
{
	return READ_ONCE(rename_lock.seqcount.seqcount.sequence);
}

/* Puts "/name" before *at. False: no room. */
static bool prepend(char *buf, char **at, const struct dentry *d)
{
	const unsigned char *name = READ_ONCE(d->d_name.name);
	u32 len = READ_ONCE(d->d_name.len), n;

	if (len > NAME_MAX)
		len = NAME_MAX;
	if (*at - buf < len + 1)
		return false;
	*at -= len + 1;
	**at = '/';
	if (name == d->d_iname && len < DNAME_INLINE_LEN)
		memcpy(*at + 1, d->d_iname, len);
	else if (copy_from_kernel_nofault(*at + 1, name, len))
		memset(*at + 1, '?', len);
	/* A rename may pair a name with another's length: what lies behind the name stays here. */
	n = strnlen(*at + 1, len);
	if (unlikely(n < len))
		memset(*at + 1 + n, '?', len - n);
	return true;
}

/* One attempt: 1 the root was reached, 0 the path is cut, -1 the tree hangs nowhere. */
static int walk(const struct path *path, char *buf, char **at)
{
	const struct dentry *d = path->dentry;
	const struct vfsmount *mnt = path->mnt;
	int i;

	for (i = 0; i < MAX_COMPONENTS; i++) {
		const struct dentry *parent = READ_ONCE(d->d_parent);

		if (d == mnt->mnt_root || d == parent) {
			const struct vfsmount *up;

			/* Moved out of a bind mount, or a mount of unknown whereabouts. */
			if (d != mnt->mnt_root || !top_sb)
				return -1;
			up = parent_of(mnt);
			if (up == mnt)
				return mnt->mnt_sb == top_sb ? 1 : -1;
			d = READ_ONCE(front_of(mnt)->mountpoint);
			mnt = up;
			continue;
		}
		if (!prepend(buf, at, d))
			return 0;
		d = parent;
	}
	return 0;
}

u32 kscap_path_walk(const struct path *path, char *buf, u32 size, char **ret_at, u8 *ret_flags,
		    bool *ret_cut)
{
	char *end = buf + size, *at;
	int tries, rc = 0;

	*ret_flags = SCAP_FILE_UNCERTAIN;
	for (tries = 0; tries < 2 && *ret_flags; tries++) {
		unsigned int seq = rename_seq();

		smp_rmb();	/* a rename's odd number comes before what it changes ... */
		at = end;
		rc = walk(path, buf, &at);
		smp_rmb();	/* ... its even one after that, as in read_seqretry() */
		if (!(seq & 1) && rename_seq() == seq)
			*ret_flags = 0;
	}
	if (at == end)
		*--at = '/';
	if (rc < 0)
		*ret_flags |= SCAP_FILE_DETACHED;
	*ret_cut = !rc;
	*ret_at = at;
	return end - at;
}

bool kscap_fs_path(struct fs_struct *fs, const struct path *which, struct path *ret_path)
{
	int tries;

	for (tries = 0; tries < 4; tries++) {
		unsigned int seq = raw_read_seqcount(&fs->seq);

		ret_path->mnt = READ_ONCE(which->mnt);
		ret_path->dentry = READ_ONCE(which->dentry);
		if (!(seq & 1) && !read_seqcount_retry(&fs->seq, seq))
			return true;
	}
	return false;
}

/* From / upwards mountpoints must belong to the mount above, and the last be its own parent. */
static struct super_block *__init find_top(struct vfsmount *mnt)
{
	int i;

	for (i = 0; i < 8; i++) {
		struct super_block *above, *holds;
		struct dentry *mountpoint;
		struct vfsmount *up = (struct vfsmount *)parent_of(mnt);

		if (copy_from_kernel_nofault(&mountpoint, &front_of(mnt)->mountpoint,
					     sizeof(mountpoint)) ||
		    copy_from_kernel_nofault(&above, &up->mnt_sb, sizeof(above)))
			return NULL;
		if (up == mnt)
			return mountpoint == mnt->mnt_root ? mnt->mnt_sb : NULL;
		if (copy_from_kernel_nofault(&holds, &mountpoint->d_sb, sizeof(holds)) ||
		    holds != above)
			return NULL;
		mnt = up;
	}
	return NULL;
}

void __init kscap_path_init(void)
{
	struct path root;

	get_fs_root(current->fs, &root);
	top_sb = find_top(root.mnt);
	path_put(&root);
	if (!top_sb)
		pr_warn("kscap: struct mount has another layout: paths end at their mount\n");
}
