// SPDX-License-Identifier: GPL-2.0-only
/* Files: from descriptor to identity, from identity to FILE record. */
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/net.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "encode.h"
#include "fill.h"
#include "intro.h"
#include "path.h"

/*
 * What makes two uses of a descriptor speak of the same thing: the open file, its name (a rename
 * changes hash and length, or the parent), and the ends of a socket. struct file and dentry
 * memory is reused, but not both for one name within an epoch without being the same file again.
 */
static __always_inline u64 file_key(struct file *file, const struct inode *inode)
{
	const struct dentry *d = file->f_path.dentry;
	u64 name = READ_ONCE(d->d_name.hash_len) ^ rol64((unsigned long)READ_ONCE(d->d_parent), 13);
	u64 key = ((unsigned long)file ^ rol64((unsigned long)inode, 24)) * 0x9e3779b97f4a7c15ULL;

	key = kscap_mix(key ^ rol64(inode->i_ino, 32), (unsigned long)d ^ rol64(name, 5));
	if (unlikely(S_ISSOCK(inode->i_mode)))
		key = kscap_mix(key, kscap_sock_key(sock_from_file(file)));
	return key;
}

static __always_inline struct kscap_file_ref *file_set(struct kscap_scratch *s, int i,
						       struct file *file)
{
	struct kscap_file_ref *ref = &s->refs[i];

	s->file[i] = ref;
	ref->file = file;
	ref->put = false;
	ref->bytes = 0;
	ref->key = file_key(file, file_inode(file));
	ref->cookie = (u32)(ref->key >> 32) | 1;
	return ref;
}

struct kscap_file_ref *kscap_file_set(struct kscap_scratch *s, int i, struct file *file)
{
	return file_set(s, i, file);
}

/*
 * Only current uses the table: its files cannot go away now. Otherwise another thread may close
 * the descriptor at any moment, and a reference is needed.
 */
void kscap_fd_ref(struct kscap_scratch *s, int i, int fd)
{
	struct files_struct *files = current->files;
	struct file *file;

	if (fd < 0 || !files)
		return;
	if (likely(atomic_read_acquire(&files->count) == 1)) {
		file = files_lookup_fd_raw(files, fd);
		if (file)
			file_set(s, i, file);
		return;
	}
	s->flags |= SCAP_CALL_FD_SHARED;
	file = fget_raw(fd);
	if (file)
		file_set(s, i, file)->put = true;
}

void kscap_fd_put(struct kscap_scratch *s)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (s->file[i] && unlikely(s->file[i]->put))
			fput(s->file[i]->file);
		s->file[i] = NULL;
	}
}

/* Anonymous inodes are told apart by the name of their dentry. */
static const struct {
	const char *name;
	u16 kind;
} anon_kinds[] = {
	{ "[eventpoll]", SCAP_KIND_EVENTPOLL },
	{ "[eventfd]", SCAP_KIND_EVENTFD },
	{ "[signalfd]", SCAP_KIND_SIGNALFD },
	{ "[timerfd]", SCAP_KIND_TIMERFD },
	{ "inotify", SCAP_KIND_INOTIFY },
};

static u16 anon_kind(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(anon_kinds); i++)
		if (!strcmp(name, anon_kinds[i].name))
			return anon_kinds[i].kind;
	return SCAP_KIND_ANON;
}

static u16 kind_of_mode(umode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return SCAP_KIND_FILE;
	case S_IFDIR:
		return SCAP_KIND_DIR;
	case S_IFCHR:
		return SCAP_KIND_CHAR;
	case S_IFBLK:
		return SCAP_KIND_BLOCK;
	case S_IFLNK:
		return SCAP_KIND_LINK;
	case S_IFIFO:
		return SCAP_KIND_FIFO;
	default:
		return SCAP_KIND_UNKNOWN;
	}
}

static void end_blob(struct kscap_file_ref *ref, unsigned int slot, unsigned int state, u32 bytes,
		     u32 orig)
{
	u32 end = ALIGN(bytes, 8);

	ref->blob.meta = SCAP_BLOB_META(slot, state, bytes);
	ref->blob.orig_bytes = orig;
	memset(ref->data + bytes, 0, end - bytes);
	ref->bytes += sizeof(ref->blob) + end;
}

/* Names of what lies in no tree: pipes, anonymous inodes, memfds, and whatever comes. */
static void fill_synthetic(struct kscap_file_ref *ref, const struct dentry *d,
			   const struct inode *inode)
{
	char name[DNAME_INLINE_LEN + 1];
	u32 n;

	/* The file is held and its pseudo file system knows no rename. */
	strscpy(name, d->d_name.name, sizeof(name));
	if (S_ISFIFO(inode->i_mode)) {
		n = scnprintf(ref->data, sizeof(ref->data), "pipe:[%lu]", inode->i_ino);
	} else if (inode->i_sb->s_magic == ANON_INODE_FS_MAGIC) {
		ref->rec.kind = anon_kind(name);
		n = scnprintf(ref->data, sizeof(ref->data), "anon_inode:%s", name);
	} else if (inode->i_sb->s_magic == TMPFS_MAGIC && !strncmp(name, "memfd:", 6)) {
		ref->rec.kind = SCAP_KIND_MEMFD;
		n = scnprintf(ref->data, sizeof(ref->data), "%s", d->d_name.name);
	} else {
		n = scnprintf(ref->data, sizeof(ref->data), "%s:[%lu]", inode->i_sb->s_type->name,
			      inode->i_ino);
	}
	end_blob(ref, SCAP_SLOT_PATH, SCAP_STATE_WHOLE, n, n);
}

static void fill_path(struct kscap_scratch *s, struct kscap_file_ref *ref)
{
	struct file *file = ref->file;
	char *at;
	bool cut;
	u32 n = kscap_path_walk(&file->f_path, s->path, sizeof(s->path), &at, &ref->rec.h.flags,
				&cut);

	if (d_unlinked(file->f_path.dentry) || !file_inode(file)->i_nlink)
		ref->rec.h.flags |= SCAP_FILE_DELETED;
	memcpy(ref->data, at, n);
	end_blob(ref, SCAP_SLOT_PATH, cut ? SCAP_STATE_TRUNCATED : SCAP_STATE_WHOLE, n,
		 cut ? SCAP_LEN_UNKNOWN : n);
}

void kscap_file_fill(struct kscap_scratch *s, struct kscap_file_ref *ref)
{
	struct file *file = ref->file;
	const struct inode *inode = file_inode(file);
	struct socket *sock = S_ISSOCK(inode->i_mode) ? sock_from_file(file) : NULL;
	u32 n;

	ref->rec.h.flags = 0;
	ref->rec.cookie = ref->cookie;
	ref->rec.mode = inode->i_mode;
	ref->rec.dev = inode->i_sb->s_dev;
	ref->rec.kind = kind_of_mode(inode->i_mode);
	ref->rec.pad = 0;
	ref->rec.ino = inode->i_ino;
	ref->bytes = sizeof(ref->rec);
	if (sock) {
		n = kscap_sock_fill(sock, ref->data, &ref->rec.kind);
		end_blob(ref, SCAP_SLOT_SOCK, SCAP_STATE_WHOLE, n, n);
	} else if (file->f_path.mnt->mnt_flags & MNT_INTERNAL) {
		fill_synthetic(ref, file->f_path.dentry, inode);
	} else {
		fill_path(s, ref);
	}
}
