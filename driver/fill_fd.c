// SPDX-License-Identifier: GPL-2.0-only
/* Files: from descriptor to identity, from identity to FILE record. */
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/mount.h>
#include <linux/net.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "encode.h"
#include "fill.h"
#include "intro.h"
#include "mount.h"
#include "path.h"
#include "ref.h"

u64 kscap_sock_file_key(u64 key, struct file *file)
{
	return kscap_mix(key, kscap_sock_key(sock_from_file(file)));
}

static bool is_tty(dev_t dev)
{
	unsigned int major = MAJOR(dev);

	return major == TTY_MAJOR || major == TTYAUX_MAJOR ||
	       (major >= UNIX98_PTY_MASTER_MAJOR &&
		major < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT);
}

u8 kscap_io_class(const struct inode *inode)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
	case S_IFBLK:
	case S_IFDIR:
		return SCAP_IO_FILE;
	case S_IFIFO:
		return SCAP_IO_PIPE;
	case S_IFSOCK:
		return SCAP_IO_SOCKET;
	case S_IFCHR:
		return is_tty(inode->i_rdev) ? SCAP_IO_TTY : SCAP_IO_OTHER;
	default:
		return SCAP_IO_OTHER;
	}
}

void kscap_fd_ref_shared(struct kscap_scratch *s, int i, int fd)
{
	struct file *file = fget_raw(fd);

	s->flags |= SCAP_CALL_FD_SHARED;
	if (!file)
		return;
	kscap_ref_set(s, i, file);
	s->put |= 1U << i;
}

void kscap_ref_set_path(struct kscap_scratch *s, int i, const struct path *path)
{
	const struct inode *inode = d_inode_rcu(path->dentry);

	if (!inode)
		return;
	s->refs[i].file = NULL;
	s->refs[i].path = *path;
	kscap_ref_set_key(s, i, kscap_path_key(path, inode));
}

void kscap_fd_put_slow(struct kscap_scratch *s)
{
	int i;

	for (i = 0; i < 2; i++)
		if (s->put & 1U << i)
			fput(s->refs[i].file);
	s->put = 0;
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

static void fill_path(struct kscap_scratch *s, struct kscap_file_ref *ref, const struct path *path,
		      const struct inode *inode)
{
	char *at;
	bool cut;
	u32 n = kscap_path_walk(path, s->path, sizeof(s->path), &at, &ref->rec.h.flags, &cut);

	if (d_unlinked(path->dentry) || !inode->i_nlink)
		ref->rec.h.flags |= SCAP_FILE_DELETED;
	memcpy(ref->data, at, n);
	end_blob(ref, SCAP_SLOT_PATH, cut ? SCAP_STATE_TRUNCATED : SCAP_STATE_WHOLE, n,
		 cut ? SCAP_LEN_UNKNOWN : n);
}

static void fill_fixed(struct kscap_file_ref *ref, const struct path *path,
		       const struct inode *inode)
{
	ref->rec.h.flags = 0;
	ref->rec.cookie = ref->cookie;
	ref->rec.mode = inode->i_mode;
	ref->rec.dev = inode->i_sb->s_dev;
	ref->rec.kind = kind_of_mode(inode->i_mode);
	ref->rec.pad = 0;
	ref->rec.ino = inode->i_ino;
	kscap_mount_ids(path->mnt, &ref->rec.mnt_id, &ref->rec.ns_mnt);
	ref->bytes = sizeof(ref->rec);
}

void kscap_file_fill(struct kscap_scratch *s, struct kscap_file_ref *ref)
{
	struct file *file = ref->file;
	const struct path *path = file ? &file->f_path : &ref->path;
	const struct inode *inode = file ? file_inode(file) : d_inode_rcu(path->dentry);
	struct socket *sock = file ? sock_from_file(file) : NULL;
	u32 n;

	if (!inode)
		return;
	fill_fixed(ref, path, inode);
	if (sock) {
		n = kscap_sock_fill(sock, ref->data, &ref->rec.kind);
		end_blob(ref, SCAP_SLOT_SOCK, SCAP_STATE_WHOLE, n, n);
	} else if (path->mnt->mnt_flags & MNT_INTERNAL) {
		fill_synthetic(ref, path->dentry, inode);
	} else {
		fill_path(s, ref, path, inode);
	}
}
