/* SPDX-License-Identifier: MIT */
/* Who may record here, the device, and room: for rings, for the recorder's ring, for captures. */
#include "doctor.h"

#include <scap/live.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MIB (1ULL << 20)
#define RING_BYTES_MIN (64ULL << 10)
#define CAP_SYS_PTRACE_BIT 19
#define CAP_SYS_ADMIN_BIT 21
#define CAP_PERFMON_BIT 38

/* ---- permissions ---------------------------------------------------------------------------- */

/* The initial user namespace has a number of its own; in a copied /proc its map of ids tells it. */
static bool is_initial(const struct doctor *d)
{
	unsigned inside = 1, outside = 1, n = 0;
	char path[PATH_MAX], text[128];
	ssize_t len = readlink(doctor_path(d, path, "/proc/self/ns/user"), text, sizeof(text) - 1);

	if (len > 0) {
		text[len] = 0;
		return !strcmp(text, "user:[4026531837]");
	}
	return !doctor_read(d, "/proc/self/uid_map", text, sizeof(text)) ||
	       (sscanf(text, "%u %u %u", &inside, &outside, &n) == 3 && !inside && !outside &&
		n == UINT32_MAX);
}

static void check_container(struct doctor *d)
{
	char what[64];

	if (!doctor_read(d, "/run/systemd/container", what, sizeof(what)) || !*what)
		snprintf(what, sizeof(what), "%s", doctor_has(d, "/.dockerenv") ? "docker" :
			 doctor_has(d, "/run/.containerenv") ? "podman" : "");
	if (*what)
		doctor_say(d, FINDING_WARN, "container", "record on the host; from inside, "
			   "/dev/kscap and capabilities of the host are needed",
			   "this is a container (%s)", what);
	else
		doctor_say(d, FINDING_OK, "container", NULL, "none");
}

void doctor_permissions(struct doctor *d)
{
	char text[64];
	uint64_t caps;
	bool may;

	if (!doctor_line(d, "/proc/self/status", "CapEff:", text, sizeof(text))) {
		doctor_say(d, FINDING_WARN, "permissions", "mount /proc",
			   "not known: /proc/self/status can't be read");
	} else {
		caps = strtoull(text, NULL, 16);
		may = caps >> CAP_SYS_ADMIN_BIT & 1 ||
		      (caps >> CAP_PERFMON_BIT & 1 && caps >> CAP_SYS_PTRACE_BIT & 1);
		if (may && !is_initial(d))
			doctor_say(d, FINDING_FAIL, "permissions", "run it outside",
				   "this is a user namespace, whose capabilities don't count");
		else if (may)
			doctor_say(d, FINDING_OK, "permissions", NULL, "may record");
		else
			doctor_say(d, FINDING_FAIL, "permissions", "run it as root",
				   "neither CAP_SYS_ADMIN nor CAP_PERFMON with CAP_SYS_PTRACE");
	}
	check_container(d);
}

/* ---- the device ----------------------------------------------------------------------------- */

static const char *way_in(int code)
{
	switch (code) {
	case -EACCES:
		return "run it as root, or chown /dev/kscap to who has the capabilities";
	case -ENOMEM:
		return "free memory, or scap record with a smaller --ring";
	case SCAP_ELIMIT:
		return "end another recorder, or give them a larger ring_cap_mib, see rings";
	default:
		return NULL;	/* what the library says tells */
	}
}

static void try_device(struct doctor *d, const char *path)
{
	struct scap_live_options opt = {
		.size = sizeof(opt), .snaplen = SCAP_LIVE_SNAPLEN_DEFAULT, .device = path,
	};
	struct scap_error err = { 0 };
	struct scap_live *live;
	int rc = scap_live_open(&opt, &live, &err);

	if (rc < 0) {
		doctor_say(d, FINDING_FAIL, "device", way_in(rc), "%s", err.text);
		return;
	}
	doctor_say(d, FINDING_OK, "device", NULL, "/dev/kscap opens, ABI version %u",
		   scap_live_info(live)->abi_version);
	d->ring_bytes = scap_live_info(live)->ring_bytes;
	scap_live_close(live);
}

/* A node that lay there before the module came is not replaced by it. */
static bool is_other_device(const struct doctor *d, const struct stat *st)
{
	unsigned maj, min;
	char text[32];

	if (!d->loaded)
		return true;
	if (!doctor_read(d, "/sys/class/misc/kscap/dev", text, sizeof(text)) ||
	    sscanf(text, "%u:%u", &maj, &min) != 2)
		return false;
	return !S_ISCHR(st->st_mode) || major(st->st_rdev) != maj || minor(st->st_rdev) != min;
}

void doctor_device(struct doctor *d)
{
	char path[PATH_MAX];
	struct stat st;

	if (stat(doctor_path(d, path, "/dev/kscap"), &st) < 0) {
		if (d->loaded)
			doctor_say(d, FINDING_FAIL, "device", "mount a devtmpfs on /dev; in a "
				   "container, give it the device",
				   "kscap is loaded, but there is no /dev/kscap");
		else
			doctor_say(d, FINDING_WARN, "device", "load the module",
				   "/dev/kscap comes with the module");
		return;
	}
	if (is_other_device(d, &st)) {
		doctor_say(d, FINDING_FAIL, "device", "rm /dev/kscap, then load the module anew",
			   "/dev/kscap is not the device of kscap, %s", d->loaded ?
			   "which has another number" : "which is not loaded");
		return;
	}
	if (st.st_mode & 077)
		doctor_say(d, FINDING_WARN, "device-mode", "chmod 600 /dev/kscap",
			   "/dev/kscap has mode %03o: others than root can open it",
			   st.st_mode & 0777);
	try_device(d, path);
}

/* ---- rings ---------------------------------------------------------------------------------- */

/* Of "0-3,8": the highest, and one. */
static uint64_t count_cpus(const char *text)
{
	const char *last = text + strlen(text);

	while (last > text && last[-1] >= '0' && last[-1] <= '9')
		last--;
	return *last ? strtoull(last, NULL, 10) + 1 : 0;
}

/* As the module does it: a parameter, or a part of RAM. */
static uint64_t ring_cap_bytes(const struct doctor *d)
{
	char text[64];
	uint64_t mib;

	if (doctor_read(d, "/sys/module/kscap/parameters/ring_cap_mib", text, sizeof(text))) {
		mib = strtoull(text, NULL, 10);
		if (mib && mib < UINT64_MAX / MIB)
			return mib * MIB;
	}
	if (!doctor_line(d, "/proc/meminfo", "MemTotal:", text, sizeof(text)))
		return 0;
	return strtoull(text, NULL, 10) * 1024 / 32;
}

/* Rings, and beside each a lane of an eighth of it. True where it is not known. */
static bool has_memory(const struct doctor *d, uint64_t ring_bytes, uint64_t n_cpus,
		       uint64_t *ret_mib, uint64_t *ret_left_mib)
{
	uint64_t lane = ring_bytes / 8 > RING_BYTES_MIN ? ring_bytes / 8 : RING_BYTES_MIN;
	char text[64];

	if (!doctor_line(d, "/proc/meminfo", "MemAvailable:", text, sizeof(text)))
		return true;
	*ret_mib = ((ring_bytes + lane) * n_cpus + MIB - 1) / MIB;
	*ret_left_mib = strtoull(text, NULL, 10) >> 10;
	return *ret_mib <= *ret_left_mib;
}

/* What scap_live_open() takes without a wish: 8 MiB, or less, so that half of the cap is left. */
static void check_rings(struct doctor *d)
{
	uint64_t cap = ring_cap_bytes(d), n_cpus, mib, left_mib, bytes = 8 * MIB;
	char text[256], way_out[160];

	doctor_read(d, "/sys/devices/system/cpu/possible", text, sizeof(text));
	n_cpus = count_cpus(text);
	if (!cap || !n_cpus || n_cpus > UINT32_MAX) {
		doctor_say(d, FINDING_WARN, "rings", "mount /proc and /sys",
			   "not known: memory or CPUs can't be read");
		return;
	}
	while (bytes > RING_BYTES_MIN && bytes * n_cpus > cap / 2)
		bytes /= 2;
	if (d->ring_bytes)
		bytes = d->ring_bytes;
	snprintf(way_out, sizeof(way_out), "echo %" PRIu64 " > /sys/module/kscap/parameters/"
		 "ring_cap_mib, or load kscap with ring_cap_mib=%" PRIu64, 18 * n_cpus,
		 18 * n_cpus);
	if (!d->ring_bytes && 2 * RING_BYTES_MIN * n_cpus > cap)
		doctor_say(d, FINDING_FAIL, "rings", way_out,
			   "the cap of %" PRIu64 " KiB has no room for those of %" PRIu64 " CPUs",
			   cap >> 10, n_cpus);
	else if (!d->ring_bytes && !has_memory(d, bytes, n_cpus, &mib, &left_mib))
		doctor_say(d, FINDING_WARN, "rings", way_in(-ENOMEM), "those of %" PRIu64
			   " CPUs take %" PRIu64 " MiB, and %" PRIu64 " are available", n_cpus, mib,
			   left_mib);
	else if (bytes < 8 * MIB)
		doctor_say(d, FINDING_WARN, "rings", way_out,
			   "%" PRIu64 " KiB for each of %" PRIu64 " CPUs instead of 8 MiB, for "
			   "their cap is %" PRIu64 " MiB: short bursts may be lost", bytes >> 10,
			   n_cpus, cap >> 20);
	else
		doctor_say(d, FINDING_OK, "rings", NULL, "8 MiB for each of %" PRIu64 " CPUs",
			   n_cpus);
}

/* ---- disks ---------------------------------------------------------------------------------- */

static bool free_bytes(const char *path, uint64_t *ret)
{
	struct statvfs fs;

	if (statvfs(path, &fs) < 0)
		return false;
	*ret = (uint64_t)fs.f_bavail * fs.f_frsize;
	return true;
}

static void check_run(struct doctor *d)
{
	const uint64_t wanted = 256 * MIB;
	char path[PATH_MAX];
	uint64_t left;

	if (!free_bytes(doctor_path(d, path, "/run"), &left))
		doctor_say(d, FINDING_WARN, "run", "name another place with scap watch --ring",
			   "/run can't be looked at: %s", strerror(errno));
	else if (left < wanted)
		doctor_say(d, FINDING_WARN, "run", "mount -o remount,size=50% /run, or scap watch "
			   "with a smaller --memory", "%" PRIu64 " MiB are free in /run; the ring "
			   "of scap watch takes 256", left >> 20);
	else
		doctor_say(d, FINDING_OK, "run", NULL, "room for the ring of scap watch");
}

static void check_watch(struct doctor *d)
{
	char path[PATH_MAX];

	if ((doctor_beside(d, "scap-watch", path) && !access(path, X_OK)) ||
	    doctor_has(d, "/usr/bin/scap-watch") || doctor_has(d, "/usr/local/bin/scap-watch"))
		doctor_say(d, FINDING_OK, "watch", NULL, "scap-watch is installed");
	else
		doctor_say(d, FINDING_WARN, "watch", "make install",
			   "scap-watch is not installed: scap watch won't run");
}

/* Up to the first directory that exists, if it does not itself. */
static bool up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || !strcmp(path, "/"))
		return false;
	slash[slash == path] = 0;
	return true;
}

static void check_captures(struct doctor *d)
{
	const uint64_t wanted = 1024 * MIB;
	char path[PATH_MAX];
	struct stat st;
	bool there;
	uint64_t left;

	there = !stat(doctor_path(d, path, "%s", d->dir), &st);
	if (there && !S_ISDIR(st.st_mode)) {
		doctor_say(d, FINDING_WARN, "captures", "name another with --dir",
			   "%s is no directory", d->dir);
		return;
	}
	if (there && st.st_mode & S_IWOTH) {
		doctor_say(d, FINDING_WARN, "captures", "name another, or chmod o-w",
			   "anybody may write into %s: scap watch refuses it", d->dir);
		return;
	}
	while (!free_bytes(path, &left))
		if (!up(path)) {
			doctor_say(d, FINDING_WARN, "captures", "name another with --dir",
				   "%s can't be looked at", d->dir);
			return;
		}
	if (left < wanted)
		doctor_say(d, FINDING_WARN, "captures", "make room, or name another with --dir",
			   "%" PRIu64 " MiB are free for %s: few captures have room", left >> 20,
			   d->dir);
	else
		doctor_say(d, FINDING_OK, "captures", NULL, "%s%s has room", d->dir,
			   there ? "" : " (not there yet)");
}

void doctor_room(struct doctor *d)
{
	check_rings(d);
	check_watch(d);
	check_run(d);
	check_captures(d);
}
