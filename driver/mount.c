// SPDX-License-Identifier: GPL-2.0-only
/*
 * mnt_ns and mnt_id lie behind the vfsmount in struct mount, at places that depend on version and
 * configuration. They are found once, at load: mnt_ns by the only word of our root's mount that
 * points to our namespace, mnt_id by the only place where our root's mount and /proc's both hold
 * the numbers that mountinfo gives them. What is not found so is "unknown".
 */
#include "mount.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"

#define SEARCHED	320	/* bytes from the vfsmount on */

static u16 ns_at __ro_after_init;	/* 0: not found */
static u16 id_at __ro_after_init;

static u32 id_of(const struct vfsmount *mnt)
{
	u32 id;

	if (!id_at || copy_from_kernel_nofault(&id, (const char *)mnt + id_at, sizeof(id)))
		return 0;
	return id;
}

/* Namespaces are freed a grace period after their mounts have forgotten them. */
static u32 ns_of(const struct vfsmount *mnt)
{
	unsigned long ns;

	if (!ns_at || copy_from_kernel_nofault(&ns, (const char *)mnt + ns_at, sizeof(ns)))
		return 0;
	return ns && !IS_ERR_VALUE(ns) ? kscap_mnt_ns_inum((const struct mnt_namespace *)ns) : 0;
}

void kscap_mount_ids(const struct vfsmount *mnt, u32 *ret_id, u32 *ret_ns)
{
	*ret_id = id_of(mnt);
	*ret_ns = ns_of(mnt);
}

static u16 __init find_ns(const struct vfsmount *mnt, const void *ns)
{
	u16 found = 0, at;

	for (at = sizeof(*mnt); at < SEARCHED; at += sizeof(long)) {
		const void *word;

		if (copy_from_kernel_nofault(&word, (const char *)mnt + at, sizeof(word)))
			return found;
		if (word != ns)
			continue;
		if (found)
			return 0;
		found = at;
	}
	return found;
}

static u16 __init find_id(const struct vfsmount *a, u32 id_a, const struct vfsmount *b, u32 id_b)
{
	u16 found = 0, at;

	for (at = sizeof(*a); at < SEARCHED; at += sizeof(u32)) {
		u32 got_a, got_b;

		if (copy_from_kernel_nofault(&got_a, (const char *)a + at, sizeof(got_a)) ||
		    copy_from_kernel_nofault(&got_b, (const char *)b + at, sizeof(got_b)))
			return found;
		if (got_a != id_a || got_b != id_b)
			continue;
		if (found)
			return 0;
		found = at;
	}
	return found;
}

/* The number of what is mounted at `where`; the last line counts. 0: no such line. */
static u32 __init listed_id(char *lines, const char *where)
{
	char *line, at[16];
	u32 found = 0, id;

	while ((line = strsep(&lines, "\n")) != NULL) {
		if (sscanf(line, "%u %*u %*s %*s %15s ", &id, at) == 2 && !strcmp(at, where))
			found = id;
		if (lines)
			lines[-1] = '\n';
	}
	return found;
}

static void __init init_id(const struct vfsmount *root, struct file *mountinfo, char *lines)
{
	loff_t pos = 0;
	ssize_t n = kernel_read(mountinfo, lines, PAGE_SIZE - 1, &pos);
	u32 id_root, id_proc;

	if (n <= 0)
		return;
	lines[n] = 0;
	id_root = listed_id(lines, "/");
	id_proc = listed_id(lines, "/proc");
	if (id_root && id_proc)
		id_at = find_id(root, id_root, mountinfo->f_path.mnt, id_proc);
}

void __init kscap_mount_init(void)
{
	struct file *mountinfo = filp_open("/proc/self/mountinfo", O_RDONLY, 0);
	char *lines = kzalloc(PAGE_SIZE, GFP_KERNEL);
	struct path root;

	get_fs_root(current->fs, &root);
	ns_at = find_ns(root.mnt, current->nsproxy->mnt_ns);
	if (!IS_ERR(mountinfo) && lines)
		init_id(root.mnt, mountinfo, lines);
	path_put(&root);
	kfree(lines);
	if (!IS_ERR(mountinfo))
		filp_close(mountinfo, NULL);
	if (!ns_at || !id_at)
		pr_info("kscap: not every number of a mount is known\n");
}
