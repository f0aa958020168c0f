/* SPDX-License-Identifier: MIT */
/* The kernel itself: whether kscap can work in it, and whether it lets modules in. */
#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- what it is ----------------------------------------------------------------------------- */

static void check_release(struct doctor *d)
{
	unsigned major, minor;

	if (!doctor_read(d, "/proc/sys/kernel/osrelease", d->release, sizeof(d->release)) ||
	    sscanf(d->release, "%u.%u", &major, &minor) != 2) {
		doctor_say(d, FINDING_FAIL, "kernel", "mount /proc",
			   "its version can't be read from /proc/sys/kernel/osrelease");
		d->release[0] = 0;
		return;
	}
	if (major < 5 || (major == 5 && minor < 10))
		doctor_say(d, FINDING_FAIL, "kernel", "boot a newer kernel",
			   "%s is older than 5.10", d->release);
	else
		doctor_say(d, FINDING_OK, "kernel", NULL, "%s", d->release);
}

/* /proc/sys/kernel/arch is there since 6.1. */
static void check_architecture(struct doctor *d)
{
	struct utsname u;
	char arch[65];

	if (!doctor_read(d, "/proc/sys/kernel/arch", arch, sizeof(arch)))
		snprintf(arch, sizeof(arch), "%s", !*d->root && !uname(&u) ? u.machine : "");
	if (!*arch)
		doctor_say(d, FINDING_WARN, "architecture", NULL, "not known");
	else if (strcmp(arch, "x86_64"))
		doctor_say(d, FINDING_FAIL, "architecture", "record on x86-64",
			   "kscap does not know the system calls of %s", arch);
	else
		doctor_say(d, FINDING_OK, "architecture", NULL, "%s", arch);
}

static void check_realtime(struct doctor *d)
{
	char text[256];

	if ((doctor_read(d, "/sys/kernel/realtime", text, sizeof(text)) && !strcmp(text, "1")) ||
	    (doctor_read(d, "/proc/sys/kernel/version", text, sizeof(text)) &&
	     doctor_word(text, "PREEMPT_RT")))
		doctor_say(d, FINDING_FAIL, "preemption", "boot a kernel without PREEMPT_RT",
			   "this is a PREEMPT_RT kernel, in which kscap can't be built");
	else
		doctor_say(d, FINDING_OK, "preemption", NULL, "not PREEMPT_RT");
}

/*
 * Those of system calls stand for all; the module names any other that it misses when it is loaded.
 * Functions: some kernels list nothing else. 1: there, 0: not, -1: the list can't be read.
 */
static int find_tracepoints(const struct doctor *d)
{
	char path[PATH_MAX], line[512];
	FILE *f = fopen(doctor_path(d, path, "/proc/kallsyms"), "re");
	unsigned n_lines = 0, seen = 0;

	while (f && seen != 3 && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		n_lines++;
		seen |= doctor_word(line, "__traceiter_sys_enter");
		seen |= doctor_word(line, "__traceiter_sys_exit") << 1;
	}
	if (f)
		fclose(f);
	return n_lines ? seen == 3 : -1;
}

static void check_tracepoints(struct doctor *d)
{
	static const char way_out[] =
		"boot a kernel with CONFIG_TRACEPOINTS and CONFIG_HAVE_SYSCALL_TRACEPOINTS";
	int found = find_tracepoints(d);
	char a[64], b[64];

	if (found < 0 && *doctor_config(d, "TRACEPOINTS", a))
		found = !strcmp(a, "y") &&
			!strcmp(doctor_config(d, "HAVE_SYSCALL_TRACEPOINTS", b), "y");
	if (found < 0)
		doctor_say(d, FINDING_WARN, "tracepoints", "mount /proc",
			   "not known: neither /proc/kallsyms nor the kernel's configuration can "
			   "be read");
	else if (!found)
		doctor_say(d, FINDING_FAIL, "tracepoints", way_out,
			   "this kernel has none at system calls");
	else
		doctor_say(d, FINDING_OK, "tracepoints", NULL, "sys_enter, sys_exit");
}

void doctor_kernel(struct doctor *d)
{
	check_release(d);
	check_architecture(d);
	check_realtime(d);
	check_tracepoints(d);
}

/* ---- whether it lets modules in ------------------------------------------------------------- */

/* Four bytes of attributes, then the value. */
static bool secure_boot(const struct doctor *d)
{
	char path[PATH_MAX];
	unsigned char var[5] = { 0 };
	FILE *f = fopen(doctor_path(d, path, "/sys/firmware/efi/efivars/SecureBoot-"
				    "8be4df61-93ca-11d2-aa0d-00e098032b8c"), "re");
	bool on = f && fread(var, 1, sizeof(var), f) == sizeof(var) && var[4] == 1;

	if (f)
		fclose(f);
	return on;
}

/* securityfs lists what the kernel has, and is there only in kernels with some of it. */
static bool has_no_lockdown(const struct doctor *d)
{
	char config[64];

	return !strcmp(doctor_config(d, "SECURITY_LOCKDOWN_LSM", config), "n") ||
	       doctor_has(d, "/sys/kernel/security/lsm") ||
	       (doctor_has(d, "/sys/kernel") && !doctor_has(d, "/sys/kernel/security"));
}

/* The word in brackets; "": not known. */
static void check_lockdown(struct doctor *d, char *mode, size_t cap)
{
	char text[128], *begin;
	bool there = doctor_read(d, "/sys/kernel/security/lockdown", text, sizeof(text));

	if (!there && has_no_lockdown(d)) {
		snprintf(mode, cap, "none");
		doctor_say(d, FINDING_OK, "lockdown", NULL, "not in this kernel");
		return;
	}
	begin = strchr(text, '[');
	snprintf(mode, cap, "%.*s", begin ? (int)strcspn(begin + 1, "]") : 0,
		 begin ? begin + 1 : "");
	if (!*mode)
		doctor_say(d, FINDING_WARN, "lockdown",
			   "mount -t securityfs securityfs /sys/kernel/security",
			   "not known: /sys/kernel/security/lockdown can't be read");
	else if (!strcmp(mode, "none"))
		doctor_say(d, FINDING_OK, "lockdown", NULL, "none");
	else
		doctor_say(d, FINDING_WARN, "lockdown",
			   "sign kscap.ko, or boot without lockdown= and Secure Boot",
			   "%s: only signed modules are loaded", mode);
}

static void check_modules(struct doctor *d)
{
	char text[16], config[64];
	bool disabled = doctor_read(d, "/proc/sys/kernel/modules_disabled", text, sizeof(text)) &&
			*text == '1';

	if (disabled && d->loaded)
		doctor_say(d, FINDING_WARN, "modules", "do not unload kscap",
			   "no more modules are loaded; kscap is in already, until the next boot");
	else if (disabled)
		doctor_say(d, FINDING_FAIL, "modules", "reboot, and load kscap before "
			   "kernel.modules_disabled is set", "no more modules are loaded");
	else if (!strcmp(doctor_config(d, "MODULES", config), "n"))
		doctor_say(d, FINDING_FAIL, "modules", "boot a kernel with CONFIG_MODULES",
			   "this kernel knows no modules");
	else
		doctor_say(d, FINDING_OK, "modules", NULL, "can be loaded");
}

/* A key that is not the kernel's maker's comes from the firmware's list, which only UEFI has. */
static void check_signatures(struct doctor *d, bool known)
{
	const char *way_out = doctor_has(d, "/sys/firmware/efi") ?
		"sign kscap.ko with /lib/modules/$(uname -r)/build/scripts/sign-file and a key "
		"that was enrolled with mokutil --import" :
		"boot without lockdown= and module.sig_enforce, or a kernel that takes unsigned "
		"modules: without UEFI no key can be enrolled";

	if (d->must_sign)
		doctor_say(d, FINDING_WARN, "signatures", way_out, "modules need a signature%s",
			   secure_boot(d) ? " (Secure Boot)" : "");
	else if (!known)
		doctor_say(d, FINDING_WARN, "signatures", "see lockdown",
			   "not known: lockdown would want them");
	else
		doctor_say(d, FINDING_OK, "signatures", NULL, "not needed%s",
			   secure_boot(d) ? ", in spite of Secure Boot" : "");
}

void doctor_signatures(struct doctor *d)
{
	char text[16], config[64], lockdown[32];

	check_lockdown(d, lockdown, sizeof(lockdown));
	d->must_sign = (doctor_read(d, "/sys/module/module/parameters/sig_enforce", text,
				    sizeof(text)) && *text == 'Y') ||
		       !strcmp(doctor_config(d, "MODULE_SIG_FORCE", config), "y") ||
		       (*lockdown && strcmp(lockdown, "none"));
	check_modules(d);
	check_signatures(d, *lockdown);
}

void doctor_headers(struct doctor *d)
{
	char path[200], way_out[200];

	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile", d->release);
	snprintf(way_out, sizeof(way_out), "to build kscap here: apt-get install linux-headers-%s",
		 d->release);
	d->can_build = *d->release && doctor_has(d, path);
	if (d->can_build)
		doctor_say(d, FINDING_OK, "headers", NULL, "/lib/modules/%s/build", d->release);
	else
		doctor_say(d, FINDING_WARN, "headers", *d->release ? way_out : NULL,
			   "those of this kernel are not installed");
}

/* ---- its clock ------------------------------------------------------------------------------ */

/* Of the running kernel only: it is a system call. */
static void check_ntp(struct doctor *d)
{
	struct timex t = { 0 };

	if (*d->root || adjtimex(&t) < 0)
		return;
	if (t.status & STA_UNSYNC)
		doctor_say(d, FINDING_WARN, "ntp", "run chrony or systemd-timesyncd",
			   "the wall clock is not synchronised: captures of several hosts don't "
			   "fit together");
	else
		doctor_say(d, FINDING_OK, "ntp", NULL, "synchronised");
}

void doctor_clock(struct doctor *d)
{
	char now[64], all[256];

	doctor_read(d, "/sys/devices/system/clocksource/clocksource0/available_clocksource", all,
		    sizeof(all));
	if (!doctor_read(d, "/sys/devices/system/clocksource/clocksource0/current_clocksource",
			 now, sizeof(now)))
		doctor_say(d, FINDING_WARN, "clock", "mount /sys", "its source is not known");
	else if (!strcmp(now, "tsc"))
		doctor_say(d, FINDING_OK, "clock", NULL, "tsc");
	else
		doctor_say(d, FINDING_WARN, "clock", doctor_word(all, "tsc") ?
			   "echo tsc > /sys/devices/system/clocksource/clocksource0/"
			   "current_clocksource" :
			   "the kernel's log says why it does not trust the tsc; if it is sound, "
			   "boot with tsc=reliable", "%s: a time costs more than by the tsc", now);
	check_ntp(d);
}
