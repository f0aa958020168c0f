/* SPDX-License-Identifier: GPL-2.0-only */
/* From a descriptor to the file behind it and its identity; on the hot path. */
#ifndef KSCAP_REF_H
#define KSCAP_REF_H

#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/sched.h>

#include "capture.h"
#include "intro.h"

/* enum scap_io_class of what is read from or written to such a file. */
u8 kscap_io_class(const struct inode *inode);
u64 kscap_sock_file_key(u64 key, struct file *file);
void kscap_fd_ref_shared(struct kscap_scratch *s, int i, int fd);
void kscap_fd_put_slow(struct kscap_scratch *s);
/*
 * A place in the tree becomes s->refs[i]: the same identity as that of a file opened there. The
 * caller holds it, or is under RCU until the record is written.
 */
void kscap_ref_set_path(struct kscap_scratch *s, int i, const struct path *path);

/*
 * Changes with the name. Pseudo file systems don't hash their names, and all anonymous inodes are
 * one, whose dentries come and go at the same place: there the name itself tells.
 */
static __always_inline u64 kscap_name_key(const struct dentry *d)
{
	u64 name = READ_ONCE(d->d_name.hash_len);

	return likely((u32)name) ? name : name ^ *(const u64 *)d->d_iname;
}

/*
 * What makes two uses of descriptors speak of the same thing: mount, inode, name (a rename changes
 * hash and length, or the parent), and the ends of a socket. Not the open file: opening a file
 * again tells nothing new. The memory of a dentry is reused, but within an epoch not for another
 * inode of the same number, name and parent.
 */
static __always_inline u64 kscap_path_key(const struct path *path, const struct inode *inode)
{
	const struct dentry *d = path->dentry;
	u64 name = kscap_name_key(d) ^ rol64((unsigned long)READ_ONCE(d->d_parent), 13);
	u64 key = ((unsigned long)path->mnt ^ rol64((unsigned long)inode, 24)) *
		  0x9e3779b97f4a7c15ULL;

	return kscap_mix(key ^ rol64(inode->i_ino, 32), (unsigned long)d ^ rol64(name, 5));
}

static __always_inline u64 kscap_file_key(struct file *file, const struct inode *inode)
{
	u64 key = kscap_path_key(&file->f_path, inode);

	if (unlikely(S_ISSOCK(inode->i_mode)))
		key = kscap_sock_file_key(key, file);
	return key;
}

/* Never 0. */
static __always_inline u32 kscap_cookie(u64 key)
{
	return (u32)(key >> 32) | 1;
}

static __always_inline void kscap_ref_set_key(struct kscap_scratch *s, int i, u64 key)
{
	struct kscap_file_ref *ref = &s->refs[i];

	ref->bytes = 0;
	ref->key = key;
	ref->cookie = kscap_cookie(key);
	s->cookies |= (u64)ref->cookie << 32 * i;
}

/* A file that stays alive until kscap_fd_put() becomes s->refs[i]. */
static __always_inline void kscap_ref_set(struct kscap_scratch *s, int i, struct file *file)
{
	struct kscap_file_ref *ref = &s->refs[i];

	ref->file = file;
	kscap_ref_set_key(s, i, kscap_file_key(file, file_inode(file)));
}

/*
 * The file behind a descriptor of current becomes s->refs[i]. If only current uses the table, its
 * files cannot go away now. Otherwise another thread may close the descriptor at any moment, and
 * a reference is needed.
 */
static __always_inline void kscap_fd_ref(struct kscap_scratch *s, int i, int fd)
{
	struct files_struct *files = current->files;
	struct file *file;

	if (unlikely(fd < 0 || !files))
		return;
	if (unlikely(atomic_read_acquire(&files->count) != 1)) {
		kscap_fd_ref_shared(s, i, fd);
		return;
	}
	file = files_lookup_fd_raw(files, fd);
	if (likely(file))
		kscap_ref_set(s, i, file);
}

/* Gives references back and forgets the files. */
static __always_inline void kscap_fd_put(struct kscap_scratch *s)
{
	if (unlikely(s->put))
		kscap_fd_put_slow(s);
	s->cookies = 0;
}

#endif
