/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "watch/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "watch/fail.h"

bool sandbox_user(const char *user, uint32_t *ret_uid, uint32_t *ret_gid, char *err, size_t cap)
{
	struct passwd pw, *found = NULL;
	char buf[16384];
	int rc = getpwnam_r(user, &pw, buf, sizeof(buf), &found);

	if (!found)
		return fail(err, cap, "there is no user %s%s%s", user, rc ? ": " : "",
			    rc ? strerror(rc) : "");
	*ret_uid = pw.pw_uid;
	*ret_gid = pw.pw_gid;
	return true;
}

/* ---- dropping ------------------------------------------------------------------------------- */

static bool drop_bounding(void)
{
	for (cap_value_t c = 0; CAP_IS_SUPPORTED(c); c++)
		if (cap_get_bound(c) > 0 && cap_drop_bound(c) < 0)
			return false;
	return true;
}

/* permitted and effective stay, or all go. */
static bool set_capabilities(bool keep)
{
	cap_t caps = keep ? cap_get_proc() : cap_init();
	bool ok = caps && !cap_clear_flag(caps, CAP_INHERITABLE) && !cap_set_proc(caps);
	int code = errno;

	cap_free(caps);
	errno = code;
	return ok;
}

bool sandbox_early(char *err, size_t cap)
{
	if (!drop_bounding())
		return fail(err, cap, "cannot empty the bounding set of capabilities: %s",
			    strerror(errno));
	if (cap_reset_ambient() < 0 || !set_capabilities(true))
		return fail(err, cap, "cannot drop inheritable capabilities: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(err, cap, "cannot set no_new_privs: %s", strerror(errno));
	return true;
}

/* ---- reading back --------------------------------------------------------------------------- */

#define N_MUST 9
#define MUST_BYTES 64

/* Lines of /proc/PID/status, with one blank for any number. */
static void must_be(uint32_t uid, uint32_t gid, char must[N_MUST][MUST_BYTES])
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
	unsigned n = 0;

	snprintf(must[n++], MUST_BYTES, "Uid: %u %u %u %u", uid, uid, uid, uid);
	snprintf(must[n++], MUST_BYTES, "Gid: %u %u %u %u", gid, gid, gid, gid);
	snprintf(must[n++], MUST_BYTES, "Groups:");
	snprintf(must[n++], MUST_BYTES, "NoNewPrivs: 1");
	for (unsigned i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		snprintf(must[n++], MUST_BYTES, "%s: 0000000000000000", sets[i]);
}

static void squeeze(char *line)
{
	char *to = line;

	for (char *p = strtok(line, " \t\n"); p; p = strtok(NULL, " \t\n")) {
		size_t n = strlen(p);

		if (to != line)
			*to++ = ' ';
		memmove(to, p, n);
		to += n;
	}
	*to = 0;
}

static bool check_thread(const char *tid, char must[N_MUST][MUST_BYTES], char *err, size_t cap)
{
	char path[64], line[1024];
	unsigned seen = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", tid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT || fail(err, cap, "cannot read %s: %s", path,
					       strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		squeeze(line);
		for (unsigned i = 0; i < N_MUST; i++)
			if (!strcmp(line, must[i]))
				seen |= 1U << i;
	}
	fclose(f);
	for (unsigned i = 0; i < N_MUST; i++)
		if (!(seen & 1U << i))
			return fail(err, cap, "privileges were not dropped: thread %s does not "
				    "have '%s'", tid, must[i]);
	return true;
}

static bool check_threads(uint32_t uid, uint32_t gid, char *err, size_t cap)
{
	DIR *dir = opendir("/proc/self/task");
	char must[N_MUST][MUST_BYTES];
	const struct dirent *d;
	bool ok = true;

	if (!dir)
		return fail(err, cap, "cannot read /proc/self/task: %s", strerror(errno));
	must_be(uid, gid, must);
	while (ok && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			ok = check_thread(d->d_name, must, err, cap);
	closedir(dir);
	return ok;
}

bool sandbox_drop(uint32_t uid, uint32_t gid, char *err, size_t cap)
{
	if (!uid || !gid)
		return fail(err, cap, "user and group 0 are nobody to drop privileges to");
	if (!sandbox_early(err, cap))
		return false;
	/* glibc has all threads do these three; leaving uid 0 takes each one's capabilities. */
	if (getgroups(0, NULL) && setgroups(0, NULL) < 0)
		return fail(err, cap, "cannot drop supplementary groups: %s", strerror(errno));
	if (setresgid(gid, gid, gid) < 0)
		return fail(err, cap, "cannot become group %u: %s", gid, strerror(errno));
	if (setresuid(uid, uid, uid) < 0)
		return fail(err, cap, "cannot become user %u: %s", uid, strerror(errno));
	if (!set_capabilities(false))
		return fail(err, cap, "cannot drop capabilities: %s", strerror(errno));
	if (!setresuid(0, 0, 0) || !setresgid(0, 0, 0))
		return fail(err, cap, "privileges were not dropped: root can be had again");
	return check_threads(uid, gid, err, cap);
}
