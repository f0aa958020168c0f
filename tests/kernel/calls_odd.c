/* SPDX-License-Identifier: MIT */
/*
 * calls_odd: what only root may do, made so that it fails; calls that are gone or not yet there;
 * numbers that are nobody's. See rawcall.h.
 */
#include "rawcall.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/reboot.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 0x7ffffff

static char buf[4096];
static unsigned allow = SECCOMP_RET_ALLOW;
static struct landlock_ruleset_attr ruleset = { .handled_access_fs = 1 };
static unsigned long long mount_attr[4];
static unsigned word;

static const struct row refused[] = {
	C(close_range, 0, I(3), I(~0u), I(0)),
	C(ptrace, -ESRCH, L(PTRACE_PEEKDATA), L(NOBODY), P(buf), P(buf)),
	C(ptrace, -ESRCH, L(PTRACE_SEIZE), L(NOBODY), L(0), L(0)),
	C(syslog, OK, I(10 /* SYSLOG_ACTION_SIZE_BUFFER */), P(NULL), I(0)),
	C(syslog, -EINVAL, I(7777), P(buf), I(8)),
	C(acct, -ENOENT, P("no/such/file")),
	C(pivot_root, -ENOENT, P("no/such"), P("directory")),
	C(mount, -ENOENT, P("none"), P("no/such"), P("tmpfs"),
	  L(MS_NOSUID | MS_NODEV | MS_NOEXEC), P("size=1k")),
	C(mount, -ENOENT, P(NULL), P("no/such"), P(NULL), L(MS_BIND | MS_REC | MS_PRIVATE),
	  P(NULL)),
	C(mount, -EFAULT, L(8), P("/"), P("tmpfs"), L(MS_RDONLY), P(NULL)),
	C(umount2, -ENOENT, P("no/such"), I(MNT_DETACH | UMOUNT_NOFOLLOW)),
	C(umount2, -EINVAL, P("/"), I(0x8000)),
	C(swapon, -ENOENT, P("no/such"), I(0x8000 | 5 /* SWAP_FLAG_PREFER, 5 */)),
	C(swapon, -EINVAL, P("no/such"), I(0x1000000)),
	C(swapoff, -ENOENT, P("no/such")),
	C(reboot, -EINVAL, I(0), I(0), I(LINUX_REBOOT_CMD_RESTART), P(NULL)),
	C(reboot, -EINVAL, I(LINUX_REBOOT_MAGIC1), I(1), I(LINUX_REBOOT_CMD_CAD_OFF), P(NULL)),
	C(iopl, -EINVAL, I(4)),
	C(ioperm, -EINVAL, L(70000), L(1), I(1)),
	C(init_module, -EFAULT, L(8), L(64), P("")),
	C(init_module, -ENOEXEC, P(buf), L(0), P("")),
	C(finit_module, -EBADF, I(99), P("option=1"), I(1 | 2)),
	C(finit_module, -EINVAL, I(99), P(""), I(0x80)),
	C(delete_module, -ENOENT, P("no_such_module"), I(O_NONBLOCK)),
	C(delete_module, -EFAULT, L(8), I(O_NONBLOCK | O_TRUNC)),
	C(quotactl, -ENOENT, I(0x800007 << 8 | 1), P("no/such"), I(0), P(buf)),
	C(quotactl, -EINVAL, I(0x7f), P("no/such"), I(0), P(buf)),
	C(quotactl_fd, -EBADF, I(99), I(0x800007 << 8 | 1), I(0), P(buf)),
	C(kexec_load, -EINVAL, L(0), L(17), P(buf), L(0x3e0000)),
	C(kexec_file_load, -EINVAL, I(99), I(98), L(1), P(""), L(0x80)),
	C(kexec_file_load, -EBADF, I(99), I(98), L(1), P(""), L(0)),
	C(setns, -EBADF, I(99), I(CLONE_NEWNET)),
	C(seccomp, 0, I(SECCOMP_GET_ACTION_AVAIL), I(0), P(&allow)),
	C(seccomp, -EINVAL, I(SECCOMP_SET_MODE_STRICT), I(1), P(NULL)),
	C(seccomp, -EFAULT, I(SECCOMP_SET_MODE_FILTER), I(SECCOMP_FILTER_FLAG_LOG), L(8)),
	C(lookup_dcookie, ANY, L(1), P(buf), L(16)),
	C(uselib, ANY, P("no/such")),
	C(sysfs, ANY, I(3)),
	C(sysfs, ANY, I(1), P("no such file system")),
};

static const struct row mounts[] = {
	C(fsopen, 3, P("tmpfs"), I(FSOPEN_CLOEXEC)),
	C(fsopen, -ENODEV, P("no such file system"), I(0)),
	C(fsconfig, 0, I(3), I(FSCONFIG_SET_STRING), P("size"), P("1m"), I(0)),
	C(fsconfig, -EINVAL, I(3), I(FSCONFIG_SET_FLAG), P("no such option"), P(NULL), I(0)),
	C(fsconfig, 0, I(3), I(FSCONFIG_CMD_CREATE), P(NULL), P(NULL), I(0)),
	C(fsmount, 4, I(3), I(FSMOUNT_CLOEXEC), I(MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)),
	C(fsmount, -EINVAL, I(3), I(0x80), I(0)),
	C(mkdirat, 0, I(4), P("kept nowhere"), I(0700)),
	C(mount_setattr, -EINVAL, I(4), P(""), I(AT_EMPTY_PATH | AT_RECURSIVE), P(mount_attr),
	  L(8)),
	C(move_mount, -ENOENT, I(4), P(""), I(AT_FDCWD), P("no/such"),
	  I(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS)),
	C(move_mount, -EINVAL, I(4), P(""), I(AT_FDCWD), P("no/such"), I(0x80000000)),
	C(open_tree, 5, I(4), P(""), I(AT_EMPTY_PATH | OPEN_TREE_CLOEXEC)),
	C(open_tree, -EINVAL, I(4), P(""), I(0x40000)),
	C(fspick, -ENOENT, I(4), P("no such"), I(FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT)),
	C(fspick, -EINVAL, I(4), P(""), I(0x80)),
	C(close_range, 0, I(3), I(~0u), I(0)),
	C(landlock_create_ruleset, ANY, P(&ruleset), L(8), I(0)),
	C(landlock_create_ruleset, ANY, P(NULL), L(0), I(LANDLOCK_CREATE_RULESET_VERSION)),
	C(landlock_add_rule, ANY, I(99), I(LANDLOCK_RULE_PATH_BENEATH), P(buf), I(0)),
	C(landlock_restrict_self, ANY, I(99), I(0)),
};

/* Literal numbers: the headers need not know them. None of these exists in 6.1. */
static const struct row absent[] = {
	C(_sysctl, -ENOSYS, P(buf)), C(create_module, -ENOSYS, P("m"), L(1)),
	C(get_kernel_syms, -ENOSYS, P(buf)), C(query_module, -ENOSYS, P("m"), I(1)),
	C(nfsservctl, -ENOSYS, I(1), P(buf), P(buf)), C(getpmsg, -ENOSYS, I(1)),
	C(putpmsg, -ENOSYS, I(1)), C(afs_syscall, -ENOSYS, I(1)), C(tuxcall, -ENOSYS, I(1)),
	C(security, -ENOSYS, I(1)), C(vserver, -ENOSYS, I(1)),
	C(epoll_ctl_old, -ENOSYS, I(1)), C(epoll_wait_old, -ENOSYS, I(1)),
	CALL("uretprobe", 335, -ENOSYS),
	CALL("336", 336, -ENOSYS, L(1), L(2), L(3), L(4), L(5), L(6)),
	CALL("423", 423, -ENOSYS, L(1), L(2)),
	CALL("cachestat", 451, -ENOSYS, I(99), P(buf), P(buf), I(0)),
	CALL("fchmodat2", 452, -ENOSYS, I(99), P("no/such"), I(0600), I(AT_SYMLINK_NOFOLLOW)),
	CALL("map_shadow_stack", 453, -ENOSYS, L(0), L(4097), I(0x80)),
	CALL("futex_wake", 454, -ENOSYS, P(&word), L(0), I(1), I(0)),
	CALL("futex_wait", 455, -ENOSYS, P(&word), L(1), L(0), I(0), P(NULL), I(0)),
	CALL("futex_requeue", 456, -ENOSYS, P(NULL), I(0), I(1), I(1)),
	CALL("statmount", 457, -ENOSYS, P(buf), P(buf), L(1), I(0x80)),
	CALL("listmount", 458, -ENOSYS, P(buf), P(buf), L(1), I(0x80)),
	CALL("lsm_get_self_attr", 459, -ENOSYS, I(99), P(buf), P(buf), I(0x80)),
	CALL("lsm_set_self_attr", 460, -ENOSYS, I(99), P(buf), L(8), I(0x80)),
	CALL("lsm_list_modules", 461, -ENOSYS, P(buf), P(buf), I(0x80)),
	CALL("mseal", 462, -ENOSYS, L(1), L(1), L(1)),
	CALL("999", 999, -ENOSYS, L(1), L(2), L(3), L(4), L(5), L(6)),
	CALL("65536", 65536, -ENOSYS, L(1), L(2), L(3), L(4), L(5), L(6)),
};

int main(int argc, char **argv)
{
	pid_t pid;
	int status;

	if (argc != 2 || mkdir(argv[1], 0700) < 0 || chdir(argv[1]) < 0) {
		perror("usage: calls_odd NEW-DIRECTORY");
		return 7;
	}
	MAKE(refused);
	MAKE(mounts);
	MAKE(absent);
	pid = fork();
	if (!pid) {
		setsid();	/* no terminal, so that there is nothing to hang up */
		ONE(vhangup, 0);
		ONE(landlock_restrict_self, ANY, I(1), I(7));
		_exit(n_wrong != 0);
	}
	waitpid(pid, &status, 0);
	check("the child without a terminal", status, 0);
	return done();
}
