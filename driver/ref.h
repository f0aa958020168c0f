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

u64 kscap_sock_file_key(u64 key, struct file *file);
void kscap_fd_ref_shared(struct kscap_scratch *s, int i, int fd);
void kscap_fd_put_slow(struct kscap_scratch *s);

/*
 * What makes two uses of a descriptor speak of the same thing: the open file, its name (a rename
 * changes hash and length, or the parent), and the ends of a socket. struct file and dentry
 * memory is reused, but not both for one name within an epoch without being the same file again.
 */
static __always_inline u64 kscap_file_key(struct file *file, const struct inode *inode)
{
	const struct dentry *d = file->f_path.dentry;
	u64 name = READ_ONCE(d->d_name.hash_len) ^ rol64((unsigned long)READ_ONCE(d->d_parent), 13);
	u64 key = ((unsigned long)file ^ rol64((unsigned long)inode, 24)) * 0x9e3779b97f4a7c15ULL;

	key = kscap_mix(key ^ rol64(inode->i_ino, 32), (unsigned long)d ^ rol64(name, 5));
	if (unlikely(S_ISSOCK(inode->i_mode)))
		key = kscap_sock_file_key(key, file);
	return key;
}

static __always_inline struct kscap_file_ref *kscap_ref_set(struct kscap_scratch *s, int i,
							     struct file *file)
{
	struct kscap_file_ref *ref = &s->refs[i];

	s->file[i] = ref;
	ref->file = file;
	ref->put = false;
	ref->bytes = 0;
	ref->key = kscap_file_key(file, file_inode(file));
	ref->cookie = (u32)(ref->key >> 32) | 1;
	return ref;
}

/*
 * The file behind a descriptor of current becomes s->file[i]. If only current uses the table, its
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

/* Gives references back and empties both places. */
static __always_inline void kscap_fd_put(struct kscap_scratch *s)
{
	if (unlikely((s->file[0] && s->file[0]->put) || (s->file[1] && s->file[1]->put)))
		kscap_fd_put_slow(s);
	s->file[0] = NULL;
	s->file[1] = NULL;
}

#endif
