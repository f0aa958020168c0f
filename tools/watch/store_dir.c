/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "watch/store_dir.h"

#include "watch/times.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define TRIES_MAX 10000
#define TRIGGER_MAX 40
#define HOST_MAX 64
#define STEM_MAX (STORE_NAME_BYTES - 40)	/* a number and an end have room behind it */

/* ---- names ---------------------------------------------------------------------------------- */

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_host(char c)
{
	return is_plain(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

/* 20261126T204900.123Z-TRIGGER-HOST */
static bool is_stem(const char *s, size_t n)
{
	static const char form[] = "00000000T000000.000Z-";
	size_t i, begin = sizeof(form) - 1;

	for (i = 0; i < begin; i++)
		if (i >= n || (form[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != form[i]))
			return false;
	for (; i < n && s[i] != '-'; i++)
		if (!is_plain(s[i]))
			return false;
	if (i == begin || i >= n - 1)
		return false;
	for (; i < n; i++)
		if (!is_host(s[i]))
			return false;
	return n <= STEM_MAX;
}

static bool has_suffix(const char *name, size_t n, const char *suffix)
{
	size_t ns = strlen(suffix);

	return n > ns && !strcmp(name + n - ns, suffix);
}

enum store_kind store_kind(const char *name)
{
	size_t n = strlen(name);

	if (has_suffix(name, n, ".scapz"))
		return is_stem(name, n - 6) ? STORE_CAPTURE : STORE_FOREIGN;
	if (*name == '.' && has_suffix(name, n, ".part"))
		return is_stem(name + 1, n - 6) ? STORE_PART : STORE_FOREIGN;
	return STORE_FOREIGN;
}

void store_stem(char stem[STORE_NAME_BYTES], const char *trigger, uint64_t real_ns)
{
	char time[WATCH_TIME_BYTES], what[TRIGGER_MAX + 1] = "x", host[HOST_MAX + 1] = "localhost";
	struct utsname u;

	if (*trigger)
		snprintf(what, sizeof(what), "%s", trigger);
	/* The first one is no "-": the trigger's part is never empty. */
	for (char *p = what; *p; p++)
		if (!is_plain(*p) && (*p != '-' || p == what))
			*p = p == what ? 'x' : '-';
	if (!uname(&u) && *u.nodename)
		snprintf(host, sizeof(host), "%.*s", HOST_MAX, u.nodename);
	for (char *p = host; *p; p++)
		if (!is_host(*p))
			*p = '_';
	snprintf(stem, STORE_NAME_BYTES, "%s-%s-%s", watch_time_compact(real_ns, time), what, host);
}

void store_name(char name[STORE_NAME_BYTES], const char *prefix, const char *stem, unsigned try,
		const char *suffix)
{
	if (try < 2)
		snprintf(name, STORE_NAME_BYTES, "%s%s%s", prefix, stem, suffix);
	else
		snprintf(name, STORE_NAME_BYTES, "%s%s-%u%s", prefix, stem, try, suffix);
}

/* Never over another file; a link where the file system has no such rename (NFS, older ZFS). */
static int rename_to(int dir_fd, const char *from, const char *to)
{
	if (!renameat2(dir_fd, from, dir_fd, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (linkat(dir_fd, from, dir_fd, to, 0) < 0)
		return -errno;
	return unlinkat(dir_fd, from, 0) < 0 ? -errno : 0;
}

int store_rename(int dir_fd, const char *from, const char *stem, const char *suffix,
		 char name[STORE_NAME_BYTES])
{
	int rc = -EEXIST;

	for (unsigned try = 1; rc == -EEXIST && try <= TRIES_MAX; try++) {
		store_name(name, "", stem, try, suffix);
		rc = rename_to(dir_fd, from, name);
	}
	return rc;
}

/* ---- what is there -------------------------------------------------------------------------- */

/* Room for one more of the n. */
static bool grow(void **p, uint32_t n, uint32_t *cap, size_t size)
{
	uint32_t more = *cap ? 2 * *cap : 64;
	void *bigger;

	if (n < *cap)
		return true;
	bigger = reallocarray(*p, more, size);
	if (!bigger)
		return false;
	*p = bigger;
	*cap = more;
	return true;
}

static int add_part(struct store_scan *scan, const char *name)
{
	if (!grow((void **)&scan->parts, scan->n_parts, &scan->cap_parts, sizeof(*scan->parts)))
		return -ENOMEM;
	scan->parts[scan->n_parts] = strdup(name);
	return scan->parts[scan->n_parts] ? (scan->n_parts++, 0) : -ENOMEM;
}

/* Where a file system's years reach further, the first or the last moment. */
static int64_t mtime_ns(const struct stat *st)
{
	int64_t s = st->st_mtim.tv_sec, most = INT64_MAX / 1000000000 - 1;

	if (s < -most || s > most)
		return s < 0 ? INT64_MIN : INT64_MAX;
	return s * 1000000000 + st->st_mtim.tv_nsec;
}

static int add_file(struct store_scan *scan, const char *name, const struct stat *st)
{
	struct store_file *f;

	if (!grow((void **)&scan->files, scan->n, &scan->cap, sizeof(*scan->files)))
		return -ENOMEM;
	f = &scan->files[scan->n];
	*f = (struct store_file){
		.name = strdup(name), .bytes = (uint64_t)st->st_size, .mtime_ns = mtime_ns(st),
	};
	if (!f->name)
		return -ENOMEM;
	scan->n++;
	scan->bytes += f->bytes;
	return 0;
}

static int add(int dir_fd, struct store_scan *scan, const char *name)
{
	enum store_kind kind = store_kind(name);
	struct stat st;

	if (kind != STORE_FOREIGN && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (kind == STORE_FOREIGN || !S_ISREG(st.st_mode)) {
		scan->n_foreign++;
		return 0;
	}
	if (scan->n + scan->n_parts >= STORE_FILES_MAX)
		return -EOVERFLOW;
	return kind == STORE_PART ? add_part(scan, name) : add_file(scan, name, &st);
}

static int by_age(const void *a, const void *b)
{
	const struct store_file *x = a, *y = b;

	if (x->mtime_ns != y->mtime_ns)
		return x->mtime_ns < y->mtime_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

int store_scan(int dir_fd, struct store_scan *ret)
{
	struct store_scan scan = { 0 };
	const struct dirent *d;
	/* Not a duplicate, which would share its place with everyone else's. */
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		rc = -errno;
		close(fd);
		return rc;
	}
	while (!rc && (errno = 0, d = readdir(dir)))
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
			rc = add(dir_fd, &scan, d->d_name);
	if (!rc && errno)
		rc = -errno;
	closedir(dir);
	if (rc) {
		store_scan_free(&scan);
		return rc;
	}
	if (scan.n)
		qsort(scan.files, scan.n, sizeof(*scan.files), by_age);
	*ret = scan;
	return 0;
}

void store_scan_free(struct store_scan *scan)
{
	for (uint32_t i = 0; i < scan->n; i++)
		free(scan->files[i].name);
	for (uint32_t i = 0; i < scan->n_parts; i++)
		free(scan->parts[i]);
	free(scan->files);
	free(scan->parts);
	*scan = (struct store_scan){ 0 };
}
